internal import GRPC
internal import LNDProto
public import Lightning
public import Loop
public import Payments
internal import SwiftProtobuf

// LND behind the protocol of all nodes: its calls of the second version only, the first ones are gone since 0.21.
extension LNDNode: LightningNode {
    public var name: String { configuration.name }
    public var capabilities: NodeCapabilities {
        [.payments, .keysend, .feeEstimates, .invoices, .holdInvoices, .channels, .channelEvents, .wallet, .peers, .messages]
    }
    public var isReachable: Bool { info != nil }

    /// Milliseconds within which a node answers a question.
    private static let patience = 20_000

    public func describe(_ reply: @escaping NodeReply<NodeDescription>) {
        ask(.getInfo, Lnrpc_GetInfoRequest(), reply) { (info: Lnrpc_GetInfoResponse) in NodeDescription(info) }
    }

    // MARK: Invoices of the node itself

    public func createInvoice(_ wish: NodeInvoiceWish, _ reply: @escaping NodeReply<NodeInvoice>) {
        let made: NodeReply<PaymentHash> = { [weak self] result in
            switch result {
            case .failure(let error): reply(.failure(error))
            case .success(let hash): self?.invoice(hash, reply) ?? reply(.failure(.lost))
            }
        }
        guard let hash = wish.holding else {
            return ask(.addInvoice, Lnrpc_Invoice(wish), made) { (added: Lnrpc_AddInvoiceResponse) in Bytes32(added.rHash).map { PaymentHash($0) } }
        }
        ask(.addHoldInvoice, Invoicesrpc_AddHoldInvoiceRequest(wish, hash), made) { (_: Invoicesrpc_AddHoldInvoiceResp) in hash }
    }

    public func invoice(_ hash: PaymentHash, _ reply: @escaping NodeReply<NodeInvoice>) {
        var request = Invoicesrpc_LookupInvoiceMsg()
        request.paymentHash = LNDBytes(hash.bytes)
        ask(.lookupInvoice, request, reply) { (invoice: Lnrpc_Invoice) in NodeInvoice(invoice) }
    }

    public func invoices(after number: UInt64, limit: Int, _ reply: @escaping NodeReply<[NodeInvoice]>) {
        var request = Lnrpc_ListInvoiceRequest()
        request.indexOffset = number
        request.numMaxInvoices = UInt64(max(1, limit))
        ask(.listInvoices, request, reply) { (list: Lnrpc_ListInvoiceResponse) in list.invoices.compactMap { NodeInvoice($0) } }
    }

    public func watchInvoice(
        _ hash: PaymentHash, changed: @escaping @LoopActor (NodeInvoice) -> Void, ended: @escaping NodeReply<Void>
    ) -> any NodeWatch {
        var request = Invoicesrpc_SubscribeSingleInvoiceRequest()
        request.rHash = LNDBytes(hash.bytes)
        return watch(.subscribeInvoice, request, ended) { (invoice: Lnrpc_Invoice) in NodeInvoice(invoice).map(changed) }
    }

    public func settleInvoice(_ preimage: Preimage, _ reply: @escaping NodeReply<Void>) {
        var request = Invoicesrpc_SettleInvoiceMsg()
        request.preimage = LNDBytes(preimage.bytes)
        ask(.settleInvoice, request, reply) { (_: Invoicesrpc_SettleInvoiceResp) in }
    }

    public func cancelInvoice(_ hash: PaymentHash, _ reply: @escaping NodeReply<Void>) {
        var request = Invoicesrpc_CancelInvoiceMsg()
        request.paymentHash = LNDBytes(hash.bytes)
        ask(.cancelInvoice, request, reply) { (_: Invoicesrpc_CancelInvoiceResp) in }
    }

    // MARK: Channels and wallet

    public func channels(_ reply: @escaping NodeReply<[NodeChannel]>) {
        var request = Lnrpc_ListChannelsRequest()
        request.peerAliasLookup = true
        ask(.listChannels, request, reply) { (list: Lnrpc_ListChannelsResponse) in list.channels.compactMap { NodeChannel($0) } }
    }

    public func policies(of chanID: UInt64, _ reply: @escaping NodeReply<ChannelPolicies>) {
        var request = Lnrpc_ChanInfoRequest()
        request.chanID = chanID
        let own = pubkey.hex
        ask(.getChannel, request, reply) { (edge: Lnrpc_ChannelEdge) in ChannelPolicies(edge, own: own) }
    }

    public func watchChannels(changed: @escaping @LoopActor (ChannelEvent) -> Void, ended: @escaping NodeReply<Void>) -> any NodeWatch {
        watch(.subscribeChannels, Lnrpc_ChannelEventSubscription(), ended) { (update: Lnrpc_ChannelEventUpdate) in changed(ChannelEvent(update)) }
    }

    public func balances(_ reply: @escaping NodeReply<NodeBalances>) {
        ask(.channelBalance, Lnrpc_ChannelBalanceRequest(), { [weak self] (result: Result<NodeBalances, NodeError>) in
            guard let self, case .success(let balances) = result else { return reply(result) }
            ask(.walletBalance, Lnrpc_WalletBalanceRequest(), reply) { (wallet: Lnrpc_WalletBalanceResponse) in balances.with(wallet) }
        }) { (channels: Lnrpc_ChannelBalanceResponse) in NodeBalances(channels) }
    }

    public func peers(_ reply: @escaping NodeReply<[NodePeer]>) {
        ask(.listPeers, Lnrpc_ListPeersRequest(), reply) { (list: Lnrpc_ListPeersResponse) in
            list.peers.compactMap { peer in
                PublicKey(hex: peer.pubKey).map { NodePeer(pubkey: $0, address: PlainText.of(peer.address), isInbound: peer.inbound) }
            }
        }
    }

    public func connect(to peer: PublicKey, at address: String, _ reply: @escaping NodeReply<Void>) {
        var request = Lnrpc_ConnectPeerRequest()
        request.addr.pubkey = peer.hex
        request.addr.host = address
        request.timeout = UInt64(Self.patience / 2000)
        ask(.connectPeer, request, { result in
            if case .failure(.refused(let text)) = result, text.contains("already connected") { return reply(.success(())) }
            reply(result)
        }) { (_: Lnrpc_ConnectPeerResponse) in }
    }

    public func newAddress(_ reply: @escaping NodeReply<String>) {
        ask(.newAddress, Lnrpc_NewAddressRequest(), reply) { (response: Lnrpc_NewAddressResponse) in
            response.address.isEmpty ? nil : PlainText.of(response.address)
        }
    }

    public func sign(_ message: [UInt8], _ reply: @escaping NodeReply<String>) {
        var request = Lnrpc_SignMessageRequest()
        request.msg = LNDBytes(message)
        ask(.signMessage, request, reply) { (response: Lnrpc_SignMessageResponse) in response.signature }
    }

    public func verify(_ message: [UInt8], signature: String, _ reply: @escaping NodeReply<PublicKey?>) {
        var request = Lnrpc_VerifyMessageRequest()
        request.msg = LNDBytes(message)
        request.signature = signature
        // `valid` asks for more: that the signer is in the graph.
        ask(.verifyMessage, request, reply) { (response: Lnrpc_VerifyMessageResponse) -> PublicKey?? in .some(PublicKey(hex: response.pubkey)) }
    }

    // MARK: Asking

    /// One message each way. `read` gives `nil` for an answer that makes no sense.
    func ask<Request: Message, Response: Message, Value>(
        _ method: LNDMethod, _ request: Request, _ reply: @escaping NodeReply<Value>, _ read: @escaping @LoopActor (Response) -> Value?
    ) {
        var answer: [UInt8]?
        let bytes = (try? request.serializedBytes() as [UInt8]) ?? []
        let call = connection?.call(method, bytes, deadlineMilliseconds: Self.patience) { answer = $0 } onEnd: { status in
            guard status.code == .ok else { return reply(.failure(NodeError(status))) }
            guard let answer, let response = try? Response(serializedBytes: answer), let value = read(response) else { return reply(.failure(.lost)) }
            reply(.success(value))
        }
        if call == nil { LoopActor.atEndOfTurn { reply(.failure(.notConnected)) } }
    }

    private func watch<Request: Message, Update: Message>(
        _ method: LNDMethod, _ request: Request, _ ended: @escaping NodeReply<Void>, _ changed: @escaping @LoopActor (Update) -> Void
    ) -> any NodeWatch {
        let watch = CallWatch()
        let bytes = (try? request.serializedBytes() as [UInt8]) ?? []
        watch.call = connection?.call(method, bytes) { bytes in
            if watch.isOn, let update = try? Update(serializedBytes: bytes) { changed(update) }
        } onEnd: { status in
            if watch.isOn { ended(status.code == .ok ? .success(()) : .failure(NodeError(status))) }
        }
        if watch.call == nil { LoopActor.atEndOfTurn { if watch.isOn { ended(.failure(.notConnected)) } } }
        return watch
    }
}

/// A stream of the node that is read until nobody wants it.
@LoopActor
private final class CallWatch: NodeWatch {
    var call: ClientCall?
    private(set) var isOn = true

    func cancel() {
        isOn = false
        call?.cancel()
    }
}

extension NodeError {
    init(_ status: GRPCStatus) {
        self = switch status.code {
        case .notFound: .notFound
        case .unimplemented: .unsupported
        case .unavailable, .cancelled, .deadlineExceeded, .internalError, .resourceExhausted: .lost
        default: .refused(PlainText.of(status.message))
        }
    }
}
