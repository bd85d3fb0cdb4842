public import Payments

/// A channel of a node.
public struct NodeChannel: Equatable, Sendable {
    public var chanID: UInt64
    public var peer: PublicKey
    public var peerAlias: String
    public var capacity: Millisatoshis
    public var local: Millisatoshis
    public var remote: Millisatoshis
    /// In HTLCs that are on their way.
    public var unsettled: Millisatoshis
    public var pendingHTLCs: Int
    public var isActive: Bool
    public var isPrivate: Bool
    public var isInitiator: Bool
    /// Of this many seconds that were watched, the peer was there for so many.
    public var lifetimeSeconds: Int64
    public var uptimeSeconds: Int64

    public init(
        chanID: UInt64, peer: PublicKey, peerAlias: String = "", capacity: Millisatoshis, local: Millisatoshis, remote: Millisatoshis,
        unsettled: Millisatoshis = .zero, pendingHTLCs: Int = 0, isActive: Bool, isPrivate: Bool = false, isInitiator: Bool = false,
        lifetimeSeconds: Int64 = 0, uptimeSeconds: Int64 = 0
    ) {
        self.chanID = chanID
        self.peer = peer
        self.peerAlias = peerAlias
        self.capacity = capacity
        self.local = local
        self.remote = remote
        self.unsettled = unsettled
        self.pendingHTLCs = pendingHTLCs
        self.isActive = isActive
        self.isPrivate = isPrivate
        self.isInitiator = isInitiator
        self.lifetimeSeconds = lifetimeSeconds
        self.uptimeSeconds = uptimeSeconds
    }
}

/// How one side of a channel forwards.
public struct ChannelPolicy: Equatable, Sendable {
    public var feeBase: Millisatoshis
    public var feePPM: Int64
    public var cltvDelta: Int64
    public var minHTLC: Millisatoshis
    public var maxHTLC: Millisatoshis
    public var isDisabled: Bool
    public var updatedAt: UnixTime

    public init(
        feeBase: Millisatoshis, feePPM: Int64, cltvDelta: Int64, minHTLC: Millisatoshis, maxHTLC: Millisatoshis, isDisabled: Bool, updatedAt: UnixTime
    ) {
        self.feeBase = feeBase
        self.feePPM = feePPM
        self.cltvDelta = cltvDelta
        self.minHTLC = minHTLC
        self.maxHTLC = maxHTLC
        self.isDisabled = isDisabled
        self.updatedAt = updatedAt
    }
}

/// Of both sides, as far as they are known.
public struct ChannelPolicies: Equatable, Sendable {
    public var local: ChannelPolicy?
    public var remote: ChannelPolicy?

    public init(local: ChannelPolicy? = nil, remote: ChannelPolicy? = nil) {
        self.local = local
        self.remote = remote
    }
}

/// Something happened to a channel; which one is not always told.
public enum ChannelEvent: Equatable, Sendable {
    case opened(NodeChannel?)
    case closed
    case active
    case inactive
    case changed
}
