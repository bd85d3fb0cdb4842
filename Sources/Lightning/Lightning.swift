// What a Lightning node does for the gateway, whoever has written it.
//
// What it guarantees: no type of an implementation crosses it; each question is answered once, on the loop, and never before the
// call returns. What it refuses to know: how a node is reached, and what the gateway does with the answers. Interception is no part
// of it.

public import Loop

public typealias NodeReply<Value> = @LoopActor (Result<Value, NodeError>) -> Void

/// Something that is told until it is canceled. After that nothing is told.
@LoopActor
public protocol NodeWatch: AnyObject {
    func cancel()
}

/// What an implementation offers.
public struct NodeCapabilities: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let payments = Self(rawValue: 1)
    public static let keysend = Self(rawValue: 2)
    public static let feeEstimates = Self(rawValue: 4)
    public static let invoices = Self(rawValue: 8)
    public static let holdInvoices = Self(rawValue: 16)
    public static let channels = Self(rawValue: 32)
    public static let channelEvents = Self(rawValue: 64)
    public static let wallet = Self(rawValue: 128)
    public static let peers = Self(rawValue: 256)
    public static let messages = Self(rawValue: 512)
}

/// Why a node gave no answer.
public enum NodeError: Error, Equatable, Sendable {
    /// It cannot be asked now. Nothing was sent.
    case notConnected
    /// This implementation cannot do it.
    case unsupported
    case notFound
    /// The node does not do it; its words, made fit to be shown.
    case refused(String)
    /// No answer came, or none that could be read. What was asked may have been done.
    case lost
}
