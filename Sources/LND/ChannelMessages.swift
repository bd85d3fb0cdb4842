internal import FoundationEssentials
internal import LNDProto
internal import Lightning
internal import Payments
internal import SwiftProtobuf

// LND's messages about itself, its channels and its invoices to and from our values.

extension Millisatoshis {
    fileprivate init(satoshis: Int64) { self.init(UInt64(clamping: satoshis).multipliedReportingOverflow(by: 1000).partialValue) }
    fileprivate init(_ signed: Int64) { self.init(UInt64(clamping: signed)) }
}

extension NodeDescription {
    init?(_ info: Lnrpc_GetInfoResponse) {
        guard let pubkey = PublicKey(hex: info.identityPubkey) else { return nil }
        self.init(
            pubkey: pubkey, alias: PlainText.of(info.alias), network: info.chains.first?.network ?? "", version: PlainText.of(info.version),
            blockHeight: info.blockHeight, isSyncedToChain: info.syncedToChain, isSyncedToGraph: info.syncedToGraph,
            activeChannels: Int(info.numActiveChannels), peers: Int(info.numPeers), features: info.features.mapValues { PlainText.of($0.name) })
    }
}

extension NodeChannel {
    init?(_ channel: Lnrpc_Channel) {
        guard let peer = PublicKey(hex: channel.remotePubkey) else { return nil }
        self.init(
            chanID: channel.chanID, peer: peer, peerAlias: PlainText.of(channel.peerAlias), capacity: Millisatoshis(satoshis: channel.capacity),
            local: Millisatoshis(satoshis: channel.localBalance), remote: Millisatoshis(satoshis: channel.remoteBalance),
            unsettled: Millisatoshis(satoshis: channel.unsettledBalance), pendingHTLCs: channel.pendingHtlcs.count, isActive: channel.active,
            isPrivate: channel.private, isInitiator: channel.initiator, lifetimeSeconds: channel.lifetime, uptimeSeconds: channel.uptime)
    }
}

extension ChannelPolicies {
    init(_ edge: Lnrpc_ChannelEdge, own: String) {
        let first = edge.hasNode1Policy ? ChannelPolicy(edge.node1Policy) : nil
        let second = edge.hasNode2Policy ? ChannelPolicy(edge.node2Policy) : nil
        if edge.node1Pub == own { self.init(local: first, remote: second) } else { self.init(local: second, remote: first) }
    }
}

extension ChannelPolicy {
    init(_ policy: Lnrpc_RoutingPolicy) {
        self.init(
            feeBase: Millisatoshis(policy.feeBaseMsat), feePPM: policy.feeRateMilliMsat, cltvDelta: Int64(policy.timeLockDelta),
            minHTLC: Millisatoshis(policy.minHtlc), maxHTLC: Millisatoshis(policy.maxHtlcMsat), isDisabled: policy.disabled,
            updatedAt: UnixTime(seconds: Int64(policy.lastUpdate)))
    }
}

extension ChannelEvent {
    init(_ update: Lnrpc_ChannelEventUpdate) {
        self = switch update.type {
        case .openChannel: .opened(NodeChannel(update.openChannel))
        case .closedChannel, .fullyResolvedChannel: .closed
        case .activeChannel: .active
        case .inactiveChannel: .inactive
        case .pendingOpenChannel, .channelFundingTimeout, .channelUpdate, .UNRECOGNIZED: .changed
        }
    }
}

extension NodeBalances {
    init(_ channels: Lnrpc_ChannelBalanceResponse) {
        self.init(
            channelLocal: Millisatoshis(channels.localBalance.msat), channelRemote: Millisatoshis(channels.remoteBalance.msat),
            unsettledLocal: Millisatoshis(channels.unsettledLocalBalance.msat), unsettledRemote: Millisatoshis(channels.unsettledRemoteBalance.msat),
            pendingOpenLocal: Millisatoshis(channels.pendingOpenLocalBalance.msat))
    }

    func with(_ wallet: Lnrpc_WalletBalanceResponse) -> Self {
        var balances = self
        balances.onchainConfirmed = Millisatoshis(satoshis: wallet.confirmedBalance)
        balances.onchainUnconfirmed = Millisatoshis(satoshis: wallet.unconfirmedBalance)
        return balances
    }
}

extension NodeInvoice {
    init?(_ invoice: Lnrpc_Invoice) {
        guard let hash = Bytes32(invoice.rHash) else { return nil }
        let state: State
        switch invoice.state {
        case .open: state = .open
        case .settled: state = .settled
        case .canceled: state = .canceled
        case .accepted: state = .accepted
        case .UNRECOGNIZED: return nil
        }
        let created = UnixTime(seconds: invoice.creationDate)
        self.init(
            number: invoice.addIndex, paymentHash: PaymentHash(hash), paymentRequest: invoice.paymentRequest, memo: PlainText.of(invoice.memo, limit: 1024),
            amount: invoice.valueMsat > 0 ? Millisatoshis(invoice.valueMsat) : nil, received: Millisatoshis(invoice.amtPaidMsat), state: state,
            createdAt: created, expiresAt: UnixTime(seconds: created.seconds &+ min(max(invoice.expiry, 0), 31_536_000)),
            settledAt: invoice.settleDate > 0 ? UnixTime(seconds: invoice.settleDate) : nil)
    }
}

extension Lnrpc_Invoice {
    init(_ wish: NodeInvoiceWish) {
        self.init()
        memo = wish.memo
        valueMsat = Int64(clamping: wish.amount?.value ?? 0)
        expiry = wish.expirySeconds
        self.private = wish.namesPrivateChannels
    }
}

extension Invoicesrpc_AddHoldInvoiceRequest {
    init(_ wish: NodeInvoiceWish, _ hash: PaymentHash) {
        self.init()
        memo = wish.memo
        self.hash = LNDBytes(hash.bytes)
        valueMsat = Int64(clamping: wish.amount?.value ?? 0)
        expiry = wish.expirySeconds
        self.private = wish.namesPrivateChannels
    }
}
