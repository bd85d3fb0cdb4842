internal import Bolt
internal import Edge
internal import Keys
internal import LNURL
internal import Ledger
internal import Loop
internal import Payments
internal import QR

/// What wallets ask: the thin face of the rules in `LNURL`.
///
/// Every answer has status 200, errors too, and may be read by every page: wallets throw anything else away.
@LoopActor
final class LNURLFace {
    private static let challengeSeconds: Int64 = 600
    /// Each invoice goes into the address by which it is verified, which must not grow too long.
    private static let mostHints = 4
    private static let invoiceSeconds: Int64 = 3600
    private static let headers: [HTTPResponse.Header] = [.init("access-control-allow-origin", "*"), .init("cache-control", "no-store")]

    let directory: PayLinkDirectory
    private let gateway: PaymentGateway
    private let issuer: InvoiceIssuer
    private let states: InvoiceStates
    let secrets: LNURLSecrets
    private var clients: VisitorRates
    private var links: VisitorRates
    /// What follows when a wallet has signed for a browser; see ``GatewayAPI``.
    var login: (@LoopActor (HTTPRequest, String, @escaping @LoopActor (LNURLRefusal?) -> Void) -> Void)?
    var loginCode: (@LoopActor (String) -> [UInt8]?)?
    /// Challenges that a payer's key has signed, and when.
    private var spent: [Bytes32: Int64] = [:]
    private static let mostSpent = 50_000
    private var sweptAt: Int64 = 0

    init(gateway: PaymentGateway, issuer: InvoiceIssuer, states: InvoiceStates) {
        self.gateway = gateway
        self.issuer = issuer
        self.states = states
        secrets = LNURLSecrets(identity: gateway.identity)
        let settings = gateway.settings.lnurl
        directory = PayLinkDirectory(ledger: gateway.ledger, publicURL: gateway.settings.publicURL, settings: settings)
        clients = VisitorRates(perSecond: settings.perClient)
        links = VisitorRates(perSecond: settings.perLink)
    }

    /// `false` if the path is none of LNURL's.
    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) -> Bool {
        guard LNURLSettings.paths.contains(where: request.path.hasPrefix) else { return false }
        gateway.metrics.lnurlRequests += 1
        switch request.method {
        case .get, .head: break
        case .options:
            responder.respond(HTTPResponse(status: 204, headers: [
                Self.headers[0], .init("access-control-allow-methods", "GET, OPTIONS"), .init("access-control-allow-headers", "*"),
                .init("access-control-max-age", "86400"),
            ]))
            return true
        case .post, .put, .patch, .delete:
            refuse(.unknown, responder)
            return true
        }
        guard admits(request) else {
            refuse(.busy, responder)
            return true
        }
        guard !request.isQueryMalformed else {
            refuse(.query, responder)
            return true
        }
        route(request, responder)
        return true
    }

    /// Whether this client may ask once more. What comes through a proxy is the proxy's to bound.
    func admits(_ request: HTTPRequest) -> Bool {
        gateway.settings.lnurl.proxies.contains(request.peer) || clients.admits(request.peer, at: Clock.monotonicNanoseconds)
    }

    private func route(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let segments = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        switch segments.count {
        case 3 where segments[0] == ".well-known": wellKnown(segments[2], request, responder)
        case 3 where segments[1] == "pay": pay(segments[2], request, responder)
        case 3 where segments[1] == "verify": verify(segments[2], responder)
        case 3 where segments[1] == "auth": auth(segments[2], request, responder)
        case 4 where segments[1] == "pay" && segments[3] == "callback": callback(segments[2], request, responder)
        case 4 where segments[1] == "pay" && (segments[3] == "qr.svg" || segments[3] == "qr.png"): code(segments[2], segments[3], responder)
        case 3 where segments[1] == "address": askAddress(segments[2], responder)
        case 4 where segments[1] == "address" && segments[3] == "callback": takeAddress(segments[2], request, responder)
        case 4 where segments[1] == "address" && segments[3] == "qr.svg": addressCode(segments[2], responder)
        case 4 where segments[1] == "auth" && segments[3] == "qr.svg":
            guard let drawing = loginCode?(segments[2]) else { return refuse(.unknown, responder) }
            responder.respond(HTTPResponse(status: 200, contentType: "image/svg+xml", headers: Self.headers, body: drawing))
        default: refuse(.unknown, responder)
        }
    }

    // MARK: Login

    private func auth(_ token: String, _ request: HTTPRequest, _ responder: HTTPResponder) {
        guard request.method == .get, let login else { return refuse(.unknown, responder) }
        login(request, token) { [self] refusal in
            if let refusal { refuse(refusal, responder) } else { respond(LNURLRefusal.done, responder) }
        }
    }

    // MARK: Addresses for refunds

    private func askAddress(_ id: String, _ responder: HTTPResponder) {
        find(id, responder) { [self] record in
            let challenge = secrets.challenge(for: record.id, at: gateway.now, random: SecureRandom.bytes32())
            let callback = directory.base(of: record.account) + "/lnurl/address/" + record.id + "/callback"
            respond(AddressRequest(callback: callback, challenge: challenge, description: record.description).document, responder)
        }
    }

    /// Nothing is asked of the address's host: it is written down.
    private func takeAddress(_ id: String, _ request: HTTPRequest, _ responder: HTTPResponder) {
        guard request.method == .get else { return respond([], responder) }
        let now = gateway.now
        guard let challenge = request.query["k1"].flatMap(Bytes32.init(hex:)), secrets.isFresh(challenge, for: id, at: now, seconds: Self.challengeSeconds)
        else { return refuse(.challenge, responder) }
        guard let address = request.query["address"], LightningAddress.isWellFormed(address) else { return refuse(.address, responder) }
        gateway.ledger.answerAddressRequest(id, address.lowercased(), at: now) { [self] result in
            switch result {
            case .failure: refuse(.unavailable, responder)
            case .success(false): refuse(.alreadyUsed, responder)
            case .success(true): respond(LNURLRefusal.done, responder)
            }
        }
    }

    private func addressCode(_ id: String, _ responder: HTTPResponder) {
        find(id, responder) { [self] record in
            guard let code = QRCode(LNURLText(url: directory.base(of: record.account) + "/lnurl/address/" + record.id).code) else {
                return refuse(.unknown, responder)
            }
            responder.respond(HTTPResponse(status: 200, contentType: "image/svg+xml", headers: Self.headers, body: code.svg))
        }
    }

    private func find(_ id: String, _ responder: HTTPResponder, _ found: @escaping @LoopActor (AddressRequestRecord) -> Void) {
        // Nobody makes the store look for what cannot be there.
        guard AddressRequestRecord.isID(id) else { return refuse(.unknown, responder) }
        gateway.ledger.addressRequest(id, account: nil) { [self] result in
            switch result {
            case .failure: refuse(.unavailable, responder)
            case .success(nil): refuse(.unknown, responder)
            case .success(let record?):
                if record.expiresAt.seconds <= gateway.now.seconds { return refuse(.expired, responder) }
                if record.address != nil { return refuse(.alreadyUsed, responder) }
                found(record)
            }
        }
    }

    // MARK: Pay

    private func wellKnown(_ asked: String, _ request: HTTPRequest, _ responder: HTTPResponder) {
        guard let address = LightningAddress(asked: asked) else { return refuse(.unknown, responder) }
        directory.find(name: address.name, host: request.headers.host) { [self] found in
            present(found, tag: address.tag, responder)
        }
    }

    private func pay(_ id: String, _ request: HTTPRequest, _ responder: HTTPResponder) {
        directory.find(id) { [self] found in present(found, tag: nil, responder) }
    }

    private func present(_ found: Result<PayLink?, LedgerError>, tag: String?, _ responder: HTTPResponder) {
        guard let link = usable(found, responder) else { return }
        if tag == nil, let document = link.document { return respond(document, responder) }
        let challenge = secrets.challenge(for: link.record.id, at: gateway.now, random: SecureRandom.bytes32())
        respond(link.terms(tag: tag).document(callback: link.callback(tag: tag), challenge: challenge), responder)
    }

    /// The link, if it gives something now; else it was refused.
    private func usable(_ found: Result<PayLink?, LedgerError>, _ responder: HTTPResponder) -> PayLink? {
        switch found {
        case .failure: refuse(.unavailable, responder)
        case .success(nil): refuse(.unknown, responder)
        case .success(let link?):
            if let refusal = link.refusal(at: gateway.now) {
                refuse(refusal, responder)
            } else if !links.admits(link.record.id, at: Clock.monotonicNanoseconds) {
                refuse(.busy, responder)
            } else {
                return link
            }
        }
        return nil
    }

    private func callback(_ asked: String, _ request: HTTPRequest, _ responder: HTTPResponder) {
        // Who only looks makes no invoice.
        guard request.method == .get else { return respond([], responder) }
        let parts = asked.split(separator: "+", maxSplits: 1).map(String.init)
        guard let id = parts.first else { return refuse(.unknown, responder) }
        directory.find(id) { [self] found in
            guard let link = usable(found, responder) else { return }
            // Only what was handed out: of an address, and a tag that could have been asked for.
            let tag = parts.count > 1 ? link.record.name.flatMap { LightningAddress(asked: $0 + "+" + parts[1])?.tag } : nil
            guard parts.count == 1 || tag == parts.last else { return refuse(.unknown, responder) }
            do throws(LNURLRefusal) {
                respond(try answer(request, link, tag: tag).document, responder)
            } catch {
                refuse(error, responder)
            }
        }
    }

    private func answer(_ request: HTTPRequest, _ link: PayLink, tag: String?) throws(LNURLRefusal) -> PayAnswer {
        let terms = link.terms(tag: tag)
        let wanted = try terms.judge { request.query[$0] }
        if let claim = wanted.payerData?.claim { try prove(claim, for: link.record.id) }
        let nodes = gateway.receivingNodes.prefix(Self.mostHints)
        guard !nodes.isEmpty else { throw .unavailable }
        let note = wanted.note(link: link.record.id, address: link.address, tag: tag, orderID: link.record.orderID)
        guard note.json.utf8.count <= InvoiceNotes.maximumLength else { throw .noteTooLong }
        let now = gateway.now
        // No invoice outlives its link. An order's all end with it, and so have one payment hash.
        let left = link.record.expiresAt.map { $0.seconds - now.seconds }
        let seconds = link.record.paymentHash == nil ? min(Self.invoiceSeconds, left ?? Self.invoiceSeconds) : left ?? 0
        let wish = InvoiceIssuer.Wish(
            amount: wanted.amount, description: .hash(terms.metadata.hash(payerData: wanted.payerData?.received, by: LibCrypto.self)),
            expirySeconds: seconds, settlement: gateway.settings.settlement, isStored: false, note: note)
        let random = link.record.paymentHash == nil ? SecureRandom.bytes32() : secrets.randomness(ofOrder: link.record.id)
        let record: InvoiceRecord
        do { record = try issuer.issue(wish, account: link.record.account, through: Array(nodes), at: now, random: random) } catch { throw .unavailable }
        // It would be a second invoice of the order, if the settings that its secret tells have changed.
        if let hash = link.record.paymentHash, hash != record.paymentHash { throw .unavailable }
        gateway.metrics.lnurlInvoices += 1
        return PayAnswer(
            paymentRequest: record.paymentRequest,
            verify: directory.base(of: link.record.account) + "/lnurl/verify/" + secrets.verifyToken(for: record.paymentRequest),
            isDisposable: terms.isDisposable, successAction: terms.successAction, sealed: seal(terms.successAction, record.terms, random))
    }

    /// Only who pays has the preimage, and so the text.
    private func seal(_ action: SuccessAction?, _ terms: InvoiceTerms, _ random: Bytes32) -> SuccessAction.Sealed? {
        guard case .aes(_, let text) = action else { return nil }
        let preimage = issuer.secrets.make(terms, random: random).preimage
        let vector = SecureRandom.bytes(16)
        return SuccessAction.Sealed(
            ciphertext: LibCrypto.base64(LibCrypto.encryptAES256CBC(Array(text.utf8), key: preimage.bytes, vector: vector)),
            vector: LibCrypto.base64(vector))
    }

    /// A challenge of this link, not too old, signed by the key, and once.
    private func prove(_ claim: LoginClaim, for link: String) throws(LNURLRefusal) {
        let now = gateway.now
        guard secrets.isFresh(claim.challenge, for: link, at: now, seconds: Self.challengeSeconds), spent[claim.challenge] == nil,
            LibCrypto.verify(der: claim.signature, of: claim.challenge, by: claim.key)
        else { throw .payerSignature }
        if spent.count >= Self.mostSpent, now.seconds > sweptAt {
            sweptAt = now.seconds
            spent = spent.filter { now.seconds - $0.value < Self.challengeSeconds + 60 }
        }
        guard spent.count < Self.mostSpent else { throw .busy }
        spent[claim.challenge] = now.seconds
    }

    private func code(_ id: String, _ form: String, _ responder: HTTPResponder) {
        directory.find(id) { [self] found in
            guard case .success(let link?) = found,
                let code = QRCode(LNURLText(url: directory.base(of: link.record.account) + "/lnurl/pay/" + link.record.id).code)
            else { return refuse(.unknown, responder) }
            let isDrawing = form == "qr.svg"
            responder.respond(HTTPResponse(
                status: 200, contentType: isDrawing ? "image/svg+xml" : "image/png",
                headers: [Self.headers[0], .init("cache-control", "max-age=3600")], body: isDrawing ? code.svg : code.png))
        }
    }

    // MARK: Verify

    private func verify(_ token: String, _ responder: HTTPResponder) {
        guard let paymentRequest = secrets.paymentRequest(of: token), let hash = Bolt11Invoice.paymentHash(ofGenuine: paymentRequest) else {
            return refuse(.unknown, responder)
        }
        states.read(hash, of: nil) { [self] result in
            guard case .success(let present) = result else { return refuse(.unavailable, responder) }
            let preimage = present.record?.state == .settled ? present.record?.preimage : nil
            respond(VerifyAnswer(paymentRequest: paymentRequest, preimage: preimage).document, responder)
        }
    }

    // MARK: Answers

    private func respond(_ document: [UInt8], _ responder: HTTPResponder) {
        responder.respond(HTTPResponse(status: 200, contentType: "application/json; charset=utf-8", headers: Self.headers, body: document))
    }

    private func refuse(_ refusal: LNURLRefusal, _ responder: HTTPResponder) {
        gateway.metrics.lnurlRefusals += 1
        respond(refusal.document, responder)
    }
}
