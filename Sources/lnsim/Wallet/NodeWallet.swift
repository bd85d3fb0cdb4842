import Bolt
import GRPC
internal import Foundation
import Keys
import LNDProto
import Loop
import Payments
import SwiftProtobuf

/// The wallet of one simulated node behind LND's payment, channel and wallet calls.
///
/// It outlives the node's server, as LND's database does; streams do not.
@LoopActor
final class NodeWallet {
    let identity: IdentityKey
    let payees: Payees
    private(set) var wallet = SimulatedWallet()
    private(set) var invoices: [WalletInvoice] = []
    private var peers: [PublicKey: String] = [:]
    private var watchers: [PaymentHash: [ServerCall]] = [:]
    private var channelWatchers: [ServerCall] = []
    private let channels: [UInt64]
    private let wheel = TimerWheel(tickMilliseconds: 1)
    /// Cuts all connections; kills the node for so long.
    var cut: (@LoopActor () -> Void)?
    var die: (@LoopActor (UInt64) -> Void)?

    init(identity: IdentityKey, payees: Payees, channels: [UInt64]) {
        (self.identity, self.payees, self.channels) = (identity, payees, channels)
    }

    private var now: UnixTime { UnixTime(milliseconds: Clock.wallMilliseconds) }
    private var outsidePeer: PublicKey { PublicKey([2] + LibCrypto.sha256(identity.publicKey.array.span).array) ?? identity.publicKey }

    func change(_ body: (inout SimulatedWallet) -> Void) { body(&wallet) }

    /// What was open is gone with the server.
    func serverEnded() {
        watchers = [:]
        channelWatchers = []
    }

    // MARK: Payments

    func send(_ bytes: [UInt8], _ call: ServerCall) {
        guard let request = try? Routerrpc_SendPaymentRequest(serializedBytes: bytes) else { return call.finish(NodeRefusal.unreadable.status) }
        let plan = wallet.plans.isEmpty ? PaymentPlan() : wallet.plans.removeFirst()
        switch plan.accident {
        case .breakBefore: return cut?() ?? ()
        case .dieBefore: return die?(plan.downMilliseconds) ?? ()
        case .none, .breakAfter, .dieAfter, .exists: break
        }
        let payment: OutgoingPayment
        do throws(NodeRefusal) {
            payment = try begin(request, plan)
        } catch {
            return call.finish(error.status)
        }
        if plan.accident == .exists { call.finish(GRPCStatus(.alreadyExists, "payment is in transition")) } else { watch(payment, call) }
        if plan.accident == .breakAfter { cut?() }
        if plan.accident == .dieAfter { die?(plan.downMilliseconds) }
        guard payment.state == .inFlight, let milliseconds = plan.milliseconds else { return }
        let end: @LoopActor () -> Void = { [weak self] in _ = self?.end(payment.paymentHash, fails: plan.outcome == .fail ? plan.failure : nil) }
        if milliseconds == 0 { end() } else { wheel.schedule(afterMilliseconds: milliseconds, end) }
    }

    private func begin(_ request: Routerrpc_SendPaymentRequest, _ plan: PaymentPlan) throws(NodeRefusal) -> OutgoingPayment {
        let hash: PaymentHash
        let amount: Millisatoshis
        var isExpired = false
        if request.paymentRequest.isEmpty {
            guard let bytes = Bytes32([UInt8](request.paymentHash)), request.amtMsat > 0, request.dest.count == 33 else {
                throw NodeRefusal(code: .unknown, text: "amount must be specified")
            }
            if let preimage = request.destCustomRecords[5_482_373_484].flatMap({ Bytes32([UInt8]($0)) }) { payees.learn(Preimage(preimage)) }
            (hash, amount) = (PaymentHash(bytes), Millisatoshis(UInt64(request.amtMsat)))
        } else {
            guard let invoice = try? Bolt11Invoice(decoding: request.paymentRequest, by: LibCrypto.self) else {
                throw NodeRefusal(code: .unknown, text: "invalid payment request")
            }
            guard invoice.amount == nil || request.amtMsat == 0 else {
                throw NodeRefusal(code: .unknown, text: "amount must not be specified when paying a non-zero amount invoice")
            }
            guard let value = invoice.amount ?? (request.amtMsat > 0 ? Millisatoshis(UInt64(request.amtMsat)) : nil) else {
                throw NodeRefusal(code: .unknown, text: "amount must be specified when paying a zero amount invoice")
            }
            (hash, amount, isExpired) = (invoice.paymentHash, value, invoice.expiresAt < now)
        }
        let limit = Millisatoshis(UInt64(max(0, request.feeLimitMsat)))
        let fee = plan.fee ?? min(limit, Millisatoshis(amount.value / 1000))
        let wanted = OutgoingPayment(
            number: 0, paymentHash: hash, request: request.paymentRequest, amount: amount, fee: fee, state: .inFlight, createdAt: now)
        do throws(SimulatedWallet.Refusal) {
            return try wallet.begin(wanted, isExpired: isExpired)
        } catch {
            switch error {
            case .exists: throw NodeRefusal(code: .alreadyExists, text: "invoice is already paid")
            case .inTransition: throw NodeRefusal(code: .alreadyExists, text: "payment is in transition")
            case .expired: throw NodeRefusal(code: .unknown, text: "invoice expired. Valid until some time ago")
            }
        }
    }

    func track(_ bytes: [UInt8], _ call: ServerCall) {
        guard let request = try? Routerrpc_TrackPaymentRequest(serializedBytes: bytes), let hash = Bytes32([UInt8](request.paymentHash)),
            let payment = wallet.payments[PaymentHash(hash)]
        else { return call.finish(GRPCStatus(.notFound, "payment isn't initiated")) }
        watch(payment, call)
    }

    private func watch(_ payment: OutgoingPayment, _ call: ServerCall) {
        call.send(WalletMessages.bytes(WalletMessages.payment(payment)))
        guard payment.state == .inFlight else { return call.finish(.ok) }
        watchers[payment.paymentHash, default: []].append(call)
        call.onCancel = { [weak self, weak call] in self?.watchers[payment.paymentHash]?.removeAll { $0 === call } }
    }

    /// Ends a payment that is in flight, with success if nothing `fails`; `false` if there is none.
    func end(_ hash: PaymentHash, fails reason: Int?) -> Bool {
        let preimage = payees.preimage(of: hash)
        // What the payee does not know it refuses.
        let state: OutgoingPayment.State = reason.map { .failed($0) } ?? preimage.map { .succeeded($0) } ?? .failed(4)
        guard let payment = wallet.end(hash, state) else { return false }
        if case .succeeded = state { payees.received(hash) }
        for call in watchers.removeValue(forKey: hash) ?? [] {
            call.send(WalletMessages.bytes(WalletMessages.payment(payment)))
            call.finish(.ok)
        }
        return true
    }

    // MARK: The other calls

    /// Those of one message each way.
    func answer(_ path: String, _ bytes: [UInt8], tip: UInt32) throws(NodeRefusal) -> [UInt8] {
        switch path {
        case "/lnrpc.Lightning/ListPayments":
            let request = try read(Lnrpc_ListPaymentsRequest.self, bytes)
            let found = wallet.payments(after: request.indexOffset, limit: request.maxPayments == 0 ? .max : Int(clamping: request.maxPayments))
            return WalletMessages.bytes(Lnrpc_ListPaymentsResponse.with { $0.payments = found.map(WalletMessages.payment) })
        case "/routerrpc.Router/EstimateRouteFee":
            let request = try read(Routerrpc_RouteFeeRequest.self, bytes)
            return WalletMessages.bytes(Routerrpc_RouteFeeResponse.with {
                $0.routingFeeMsat = request.amtSat
                $0.timeLockDelay = Int64(tip) + 120
            })
        case "/lnrpc.Lightning/ListChannels":
            let halves = [wallet.local, wallet.remote].map { Millisatoshis($0.value / UInt64(channels.count)) }
            return WalletMessages.bytes(Lnrpc_ListChannelsResponse.with {
                $0.channels = channels.map { WalletMessages.channel($0, peer: outsidePeer, local: halves[0], remote: halves[1], isActive: true) }
            })
        case "/lnrpc.Lightning/GetChanInfo":
            let request = try read(Lnrpc_ChanInfoRequest.self, bytes)
            guard channels.contains(request.chanID) else { throw NodeRefusal(code: .notFound, text: "edge not found") }
            return WalletMessages.bytes(WalletMessages.edge(request.chanID, node: identity.publicKey, peer: outsidePeer))
        case "/lnrpc.Lightning/ChannelBalance":
            let (local, remote) = (wallet.local, wallet.remote)
            return WalletMessages.bytes(Lnrpc_ChannelBalanceResponse.with {
                $0.localBalance = .with { $0.msat = local.value; $0.sat = local.value / 1000 }
                $0.remoteBalance = .with { $0.msat = remote.value; $0.sat = remote.value / 1000 }
            })
        case "/lnrpc.Lightning/WalletBalance":
            let sat = Int64(wallet.onchain.value / 1000)
            return WalletMessages.bytes(Lnrpc_WalletBalanceResponse.with { $0.totalBalance = sat; $0.confirmedBalance = sat })
        case "/lnrpc.Lightning/ConnectPeer":
            let request = try read(Lnrpc_ConnectPeerRequest.self, bytes)
            guard let key = PublicKey(hex: request.addr.pubkey) else { throw NodeRefusal(code: .unknown, text: "invalid pubkey") }
            guard peers.updateValue(request.addr.host, forKey: key) == nil else {
                throw NodeRefusal(code: .unknown, text: "already connected to peer: \(key.hex)@\(request.addr.host)")
            }
            return []
        case "/lnrpc.Lightning/ListPeers":
            let all = peers.merging([outsidePeer: "127.0.0.1:9735"]) { first, _ in first }.sorted { $0.key < $1.key }
            return WalletMessages.bytes(Lnrpc_ListPeersResponse.with {
                $0.peers = all.map { key, host in .with { $0.pubKey = key.hex; $0.address = host } }
            })
        case "/lnrpc.Lightning/NewAddress":
            return WalletMessages.bytes(Lnrpc_NewAddressResponse.with { $0.address = "bcrt1q" + SecureRandom.bytes32().hex.prefix(32) })
        case "/lnrpc.Lightning/SignMessage":
            let request = try read(Lnrpc_SignMessageRequest.self, bytes)
            let signature = identity.publicKey.hex + digest([UInt8](request.msg)).hex
            return WalletMessages.bytes(Lnrpc_SignMessageResponse.with { $0.signature = signature })
        case "/lnrpc.Lightning/VerifyMessage":
            let request = try read(Lnrpc_VerifyMessageRequest.self, bytes)
            let isOf = request.signature.hasSuffix(digest([UInt8](request.msg)).hex)
            return WalletMessages.bytes(Lnrpc_VerifyMessageResponse.with { $0.pubkey = isOf ? String(request.signature.prefix(66)) : "" })
        default: return try answerInvoice(path, bytes)
        }
    }

    private func answerInvoice(_ path: String, _ bytes: [UInt8]) throws(NodeRefusal) -> [UInt8] {
        switch path {
        case "/lnrpc.Lightning/AddInvoice":
            let request = try read(Lnrpc_Invoice.self, bytes)
            let invoice = try add(request.memo, request.valueMsat, request.expiry, hash: nil)
            return WalletMessages.bytes(Lnrpc_AddInvoiceResponse.with {
                $0.rHash = Data(invoice.paymentHash.bytes.array)
                $0.paymentRequest = invoice.request
                $0.addIndex = invoice.number
            })
        case "/invoicesrpc.Invoices/AddHoldInvoice":
            let request = try read(Invoicesrpc_AddHoldInvoiceRequest.self, bytes)
            guard let hash = Bytes32([UInt8](request.hash)) else { throw NodeRefusal(code: .unknown, text: "hash must be 32 bytes") }
            let invoice = try add(request.memo, request.valueMsat, request.expiry, hash: PaymentHash(hash))
            return WalletMessages.bytes(Invoicesrpc_AddHoldInvoiceResp.with { $0.paymentRequest = invoice.request; $0.addIndex = invoice.number })
        case "/invoicesrpc.Invoices/LookupInvoiceV2":
            let request = try read(Invoicesrpc_LookupInvoiceMsg.self, bytes)
            guard let invoice = find([UInt8](request.paymentHash)) else { throw NodeRefusal(code: .notFound, text: "unable to locate invoice") }
            return WalletMessages.bytes(WalletMessages.invoice(invoice))
        case "/lnrpc.Lightning/ListInvoices":
            let request = try read(Lnrpc_ListInvoiceRequest.self, bytes)
            let found = invoices.filter { $0.number > request.indexOffset }.prefix(request.numMaxInvoices == 0 ? 100 : Int(clamping: request.numMaxInvoices))
            return WalletMessages.bytes(Lnrpc_ListInvoiceResponse.with { $0.invoices = found.map(WalletMessages.invoice) })
        case "/invoicesrpc.Invoices/SettleInvoice":
            let request = try read(Invoicesrpc_SettleInvoiceMsg.self, bytes)
            let preimage = [UInt8](request.preimage)
            return try move(LibCrypto.sha256(preimage.span).array, from: .accepted, to: .settled)
        case "/invoicesrpc.Invoices/CancelInvoice":
            let request = try read(Invoicesrpc_CancelInvoiceMsg.self, bytes)
            return try move([UInt8](request.paymentHash), from: .open, to: .canceled)
        default: throw .unreadable
        }
    }

    private func add(_ memo: String, _ amount: Int64, _ expiry: Int64, hash: PaymentHash?) throws(NodeRefusal) -> WalletInvoice {
        let seconds = expiry > 0 ? expiry : 86_400
        let value = amount > 0 ? Millisatoshis(UInt64(amount)) : nil
        if let hash, invoices.contains(where: { $0.paymentHash == hash }) {
            throw NodeRefusal(code: .unknown, text: "invoice with payment hash already exists")
        }
        guard let made = payees.invoice(value, expirySeconds: UInt64(seconds), description: memo, by: identity, hash: hash, at: now) else {
            throw NodeRefusal(code: .unknown, text: "memo too large")
        }
        let invoice = WalletInvoice(
            number: UInt64(invoices.count + 1), paymentHash: made.hash, request: made.text, memo: memo, amount: value, expirySeconds: seconds,
            createdAt: now, isHeld: hash != nil)
        invoices.append(invoice)
        return invoice
    }

    private func find(_ hash: [UInt8]) -> WalletInvoice? { invoices.first { $0.paymentHash.bytes.array == hash } }

    /// Doing it twice is doing it once.
    private func move(_ hash: [UInt8], from: WalletInvoice.State, to: WalletInvoice.State) throws(NodeRefusal) -> [UInt8] {
        guard let index = invoices.firstIndex(where: { $0.paymentHash.bytes.array == hash }) else {
            throw NodeRefusal(code: .unknown, text: "unable to locate invoice")
        }
        guard invoices[index].state != to else { return [] }
        guard invoices[index].state == from || to == .canceled && invoices[index].state == .accepted else {
            throw NodeRefusal(code: .unknown, text: "invoice still \(invoices[index].state)")
        }
        invoices[index].state = to
        return []
    }

    func watchInvoice(_ bytes: [UInt8], _ call: ServerCall) {
        guard let request = try? Invoicesrpc_SubscribeSingleInvoiceRequest(serializedBytes: bytes), let invoice = find([UInt8](request.rHash)) else {
            return call.finish(GRPCStatus(.unknown, "unable to locate invoice"))
        }
        call.send(WalletMessages.bytes(WalletMessages.invoice(invoice)))
        if invoice.state == .settled || invoice.state == .canceled { call.finish(.ok) }
    }

    func watchChannels(_ call: ServerCall) {
        channelWatchers.append(call)
        call.onCancel = { [weak self, weak call] in self?.channelWatchers.removeAll { $0 === call } }
    }

    /// Tells whoever watches channels that one went away or came back.
    func tellChannel(isActive: Bool) {
        let update = Lnrpc_ChannelEventUpdate.with {
            $0.type = isActive ? .activeChannel : .inactiveChannel
            if isActive { $0.activeChannel = .init() } else { $0.inactiveChannel = .init() }
        }
        for call in channelWatchers { call.send(WalletMessages.bytes(update)) }
    }

    private func digest(_ bytes: [UInt8]) -> Bytes32 { LibCrypto.sha256(bytes.span) }

    private func read<Request: Message>(_ type: Request.Type, _ bytes: [UInt8]) throws(NodeRefusal) -> Request {
        guard let request = try? Request(serializedBytes: bytes) else { throw .unreadable }
        return request
    }

    /// The paths that ``answer(_:_:tip:)`` understands.
    static let paths = [
        "/lnrpc.Lightning/ListPayments", "/routerrpc.Router/EstimateRouteFee", "/lnrpc.Lightning/ListChannels", "/lnrpc.Lightning/GetChanInfo",
        "/lnrpc.Lightning/ChannelBalance", "/lnrpc.Lightning/WalletBalance", "/lnrpc.Lightning/ConnectPeer", "/lnrpc.Lightning/ListPeers",
        "/lnrpc.Lightning/NewAddress", "/lnrpc.Lightning/SignMessage", "/lnrpc.Lightning/VerifyMessage", "/lnrpc.Lightning/AddInvoice",
        "/invoicesrpc.Invoices/AddHoldInvoice", "/invoicesrpc.Invoices/LookupInvoiceV2", "/lnrpc.Lightning/ListInvoices",
        "/invoicesrpc.Invoices/SettleInvoice", "/invoicesrpc.Invoices/CancelInvoice",
    ]
}
