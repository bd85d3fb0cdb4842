/// The one row that orders all writers, as a reader sees it.
public struct StreamPosition: Equatable, Sendable {
    /// Made with the database; offsets of another epoch mean nothing here.
    public var epoch: String
    /// The last offset taken; zero before the first event.
    public var head: Int64
    /// The oldest offset that is kept, or the next one if nothing is.
    public var first: Int64
    /// Counts the elections.
    public var term: Int64
    /// The process that holds the lease; `nil` if it was given back. It may have expired.
    public var leader: String?
    /// Whether the lease runs at this moment, by the server's clock.
    public var isLed: Bool

    public init(epoch: String, head: Int64, first: Int64, term: Int64, leader: String?, isLed: Bool) {
        self.epoch = epoch
        self.head = head
        self.first = first
        self.term = term
        self.leader = leader
        self.isLed = isLed
    }
}
