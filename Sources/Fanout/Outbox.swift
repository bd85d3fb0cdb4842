/// Frames that wait for a client that does not read fast enough, up to a limit.
///
/// Empty it holds no memory; most clients never need it.
public struct Outbox: Sendable {
    public enum Outcome: Equatable, Sendable {
        case kept
        /// The frame does not fit: the client is slow and has to be closed, because nothing may be skipped.
        case overflow
    }

    private var bytes: [UInt8] = []

    public init() {}

    public var isEmpty: Bool { bytes.isEmpty }
    public var count: Int { bytes.count }

    /// Adds whole frames.
    public mutating func append(_ frames: [UInt8], limit: Int) -> Outcome {
        guard bytes.count + frames.count <= limit else { return .overflow }
        bytes.append(contentsOf: frames)
        return .kept
    }

    /// Everything that waits, in order; nothing waits afterwards.
    public mutating func take() -> [UInt8] {
        let all = bytes
        bytes = []
        return all
    }
}
