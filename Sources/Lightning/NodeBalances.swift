public import Payments

/// What a node has, on the chain and in channels.
public struct NodeBalances: Equatable, Sendable {
    public var onchainConfirmed: Millisatoshis
    public var onchainUnconfirmed: Millisatoshis
    public var channelLocal: Millisatoshis
    public var channelRemote: Millisatoshis
    public var unsettledLocal: Millisatoshis
    public var unsettledRemote: Millisatoshis
    public var pendingOpenLocal: Millisatoshis

    public init(
        onchainConfirmed: Millisatoshis = .zero, onchainUnconfirmed: Millisatoshis = .zero, channelLocal: Millisatoshis = .zero,
        channelRemote: Millisatoshis = .zero, unsettledLocal: Millisatoshis = .zero, unsettledRemote: Millisatoshis = .zero,
        pendingOpenLocal: Millisatoshis = .zero
    ) {
        self.onchainConfirmed = onchainConfirmed
        self.onchainUnconfirmed = onchainUnconfirmed
        self.channelLocal = channelLocal
        self.channelRemote = channelRemote
        self.unsettledLocal = unsettledLocal
        self.unsettledRemote = unsettledRemote
        self.pendingOpenLocal = pendingOpenLocal
    }

    public static func + (left: Self, right: Self) -> Self {
        Self(
            onchainConfirmed: left.onchainConfirmed + right.onchainConfirmed, onchainUnconfirmed: left.onchainUnconfirmed + right.onchainUnconfirmed,
            channelLocal: left.channelLocal + right.channelLocal, channelRemote: left.channelRemote + right.channelRemote,
            unsettledLocal: left.unsettledLocal + right.unsettledLocal, unsettledRemote: left.unsettledRemote + right.unsettledRemote,
            pendingOpenLocal: left.pendingOpenLocal + right.pendingOpenLocal)
    }
}
