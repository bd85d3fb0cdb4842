public import Payments

/// What a node tells of itself now.
public struct NodeDescription: Equatable, Sendable {
    public var pubkey: PublicKey
    public var alias: String
    public var network: String
    public var version: String
    public var blockHeight: UInt32
    public var isSyncedToChain: Bool
    public var isSyncedToGraph: Bool
    public var activeChannels: Int
    public var peers: Int
    /// By their bits, as BOLT 9 numbers them.
    public var features: [UInt32: String]

    public init(
        pubkey: PublicKey, alias: String, network: String, version: String, blockHeight: UInt32, isSyncedToChain: Bool, isSyncedToGraph: Bool,
        activeChannels: Int, peers: Int, features: [UInt32: String]
    ) {
        self.pubkey = pubkey
        self.alias = alias
        self.network = network
        self.version = version
        self.blockHeight = blockHeight
        self.isSyncedToChain = isSyncedToChain
        self.isSyncedToGraph = isSyncedToGraph
        self.activeChannels = activeChannels
        self.peers = peers
        self.features = features
    }
}

/// Somebody whom a node is connected to.
public struct NodePeer: Equatable, Sendable {
    public var pubkey: PublicKey
    public var address: String
    public var isInbound: Bool

    public init(pubkey: PublicKey, address: String, isInbound: Bool) {
        self.pubkey = pubkey
        self.address = address
        self.isInbound = isInbound
    }
}
