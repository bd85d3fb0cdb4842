internal import Bolt
internal import FoundationEssentials
internal import GRPC
internal import Keys
internal import LND
internal import Ledger
internal import LnmuxProto
internal import Loop
internal import Payments
internal import SwiftProtobuf
internal import Wire

extension ServerCall {
    /// The one message of a unary call, or the end of it.
    func answer(_ message: some Message) {
        guard let bytes: [UInt8] = try? message.serializedBytes() else { return finish(GRPCStatus(.internalError)) }
        send(bytes)
        finish(.ok)
    }

    /// The trailers say what a program acts on: the problem's code, as over REST, and which limit was reached and when to ask again.
    func refuse(_ problem: Problem) {
        let problem = problem.timed
        var trailers = Metadata([("problem-code", problem.code)])
        if let limit = problem.limit { trailers.add("problem-limit", limit) }
        if let seconds = problem.retryAfterSeconds { trailers.add("retry-after", "\(seconds)") }
        finish(GRPCStatus(refusing: problem), trailers: trailers)
    }

    /// What the key has left goes with the headers, as over REST.
    func tell(_ quota: Quota?) {
        for (name, value) in quota?.fields ?? [] { responseMetadata.add(name, value) }
    }

    func refuse(field: String, _ reason: String) { finish(GRPCStatus(.invalidArgument, "\(field): \(reason)")) }

    /// The field's thirty-two bytes; without them the call is over.
    func bytes32(_ field: String, _ bytes: some Sequence<UInt8>) -> Bytes32? {
        if let value = Bytes32(Array(bytes)) { return value }
        refuse(field: field, "must be 32 bytes")
        return nil
    }
}

extension LnmuxService {
    func getInfo(_ call: ServerCall) {
        let gateway = api.gateway
        call.answer(Lnmux_GetInfoResponse.with {
            $0.pubKey = .init(gateway.identity.publicKey.array)
            $0.network = gateway.settings.network.rawValue
            $0.nodes = gateway.nodes.map { node in .with { $0.pubKey = .init(node.pubkey.array) } }
            $0.autoSettle = gateway.settings.settlement == .auto
        })
    }

    /// Stateless, as lnmux's: nothing is stored before the payment.
    func addInvoice(_ request: Lnmux_AddInvoiceRequest, _ call: ServerCall, _ credentials: Credentials) {
        guard let account = credentials.account else { return call.refuse(.forbidden) }
        guard request.amtMsat > 0, request.amtMsat <= Millisatoshis.supply.value else { return call.refuse(field: "amt_msat", "must be positive, and can exist") }
        guard (1...Int64(InvoiceRequest.maximumExpiry)).contains(request.expirySecs) else {
            return call.refuse(field: "expiry_secs", "must be 1 to \(InvoiceRequest.maximumExpiry)")
        }
        guard request.description_p.utf8.count <= InvoiceRequest.maximumDescription, !request.description_p.utf8.contains(0) else {
            return call.refuse(field: "description", "at most \(InvoiceRequest.maximumDescription) bytes of UTF-8, without NUL")
        }
        var description = InvoiceRecord.Description.text(request.description_p)
        if !request.descriptionHash.isEmpty {
            guard request.description_p.isEmpty else { return call.refuse(field: "description_hash", "not together with description") }
            guard let hash = call.bytes32("description_hash", request.descriptionHash) else { return }
            description = .hash(hash)
        }
        let wish = InvoiceIssuer.Wish(
            amount: Millisatoshis(UInt64(request.amtMsat)), description: description, expirySeconds: request.expirySecs,
            settlement: api.gateway.settings.settlement, isStored: false)
        let random = SecureRandom.bytes32()
        api.issue(wish, account, by: InvoiceMaker(random: random)) { [self] result in
            switch result {
            case .failure(let problem): call.refuse(problem)
            case .success(let record):
                call.answer(Lnmux_AddInvoiceResponse.with {
                    $0.paymentRequest = record.paymentRequest
                    $0.hash = .init(record.paymentHash.bytes.array)
                    guard settings.returnsPreimage else { return }
                    // The same terms and randomness make the same secret again.
                    $0.preimage = .init(api.gateway.screening.secrets.make(record.terms, random: random).preimage.bytes.array)
                })
            }
        }
    }

    /// What is asked of one accepted set.
    private struct Decision {
        var credentials: Credentials
        var account: Int64
        var hash: PaymentHash
        var setID: SetID
    }

    func settleInvoice(_ request: Lnmux_SettleInvoiceRequest, _ call: ServerCall, _ credentials: Credentials) {
        guard let decision = decision(request.hash, request.setID, call, credentials) else { return }
        look(decision, call) { [self] record in
            if record.settlementWasRequested {
                return record.setID == decision.setID ? call.answer(Lnmux_SettleInvoiceResponse()) : call.refuse(.unknownSet)
            }
            if record.terms.settlement == .auto { return call.finish(GRPCStatus(.unavailable, "the invoice is settled by itself")) }
            decide(decision, .settle, call) { call.answer(Lnmux_SettleInvoiceResponse()) }
        }
    }

    func cancelInvoice(_ request: Lnmux_CancelInvoiceRequest, _ call: ServerCall, _ credentials: Credentials) {
        guard let decision = decision(request.hash, request.setID, call, credentials) else { return }
        look(decision, call) { [self] record in
            if record.setID != decision.setID { return call.refuse(.unknownSet) }
            if record.settlementWasRequested { return call.finish(GRPCStatus(.failedPrecondition, "settlement was requested before")) }
            decide(decision, .cancel, call) { call.answer(Lnmux_CancelInvoiceResponse()) }
        }
    }

    private func decision(
        _ hash: some Sequence<UInt8>, _ setID: some Sequence<UInt8>, _ call: ServerCall, _ credentials: Credentials
    ) -> Decision? {
        guard let account = credentials.account, let hash = call.bytes32("hash", hash), let setID = call.bytes32("set_id", setID) else { return nil }
        return Decision(credentials: credentials, account: account, hash: PaymentHash(hash), setID: SetID(setID))
    }

    private func look(_ decision: Decision, _ call: ServerCall, _ found: @escaping @LoopActor (InvoiceRecord) -> Void) {
        api.find(decision.hash, of: decision.account) { result in
            switch result {
            case .failure(let problem): call.refuse(problem)
            case .success(nil): call.refuse(.unknownSet)
            case .success(let record?): found(record)
            }
        }
    }

    private func decide(_ decision: Decision, _ wish: PaymentGateway.Wish, _ call: ServerCall, _ done: @escaping @LoopActor () -> Void) {
        guard let caller = Caller(decision.credentials) else { return call.refuse(.forbidden) }
        guard api.takesWrites else { return call.refuse(.logFull) }
        api.gateway.decide(decision.account, decision.hash, wish, decision.setID) { [api] result in
            var status = 200
            if case .failure(let refusal) = result { status = refusal.problem.status }
            api.note(
                caller, transport: "grpc", method: "RPC", path: wish == .settle ? "SettleInvoice" : "CancelInvoice",
                target: decision.hash.description, status: status
            ) {
                switch result {
                case .success: done()
                case .failure(.unknownInvoice), .failure(.notAccepted), .failure(.otherSet): call.refuse(.unknownSet)
                case .failure(let refusal): call.refuse(refusal.problem)
                }
            }
        }
    }
}

extension InvoiceRecord {
    /// Whether the preimage may have been told to a node.
    var settlementWasRequested: Bool {
        switch state {
        case .settleRequested, .settled, .failed: true
        case .open, .accepted, .canceled, .expired: false
        }
    }
}
