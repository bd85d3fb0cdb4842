public import Payments

/// What a node told of itself when it was accepted.
public struct NodeInfo: Equatable, Sendable {
    public var pubkey: PublicKey
    /// Chosen by the node's owner; control characters are taken out.
    public var alias: String
    public var network: String
    /// `nil` if the node's text could not be read as a version.
    public var version: LNDVersion?
    public var blockHeight: UInt32
    /// The node is used, but somebody should know.
    public var warnings: [NodeProblem]

    public init(pubkey: PublicKey, alias: String, network: String, version: LNDVersion?, blockHeight: UInt32, warnings: [NodeProblem]) {
        self.pubkey = pubkey
        self.alias = alias
        self.network = network
        self.version = version
        self.blockHeight = blockHeight
        self.warnings = warnings
    }
}

/// Why a node is not used, and what its operator can do about it. Both are sentences to be shown.
public struct NodeProblem: Error, Equatable, Sendable {
    public var reason: String
    public var remedy: String

    public init(reason: String, remedy: String) {
        self.reason = reason
        self.remedy = remedy
    }
}
