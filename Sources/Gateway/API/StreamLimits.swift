/// How many streams of server-sent events and long polls may be open at once.
public struct StreamLimits: Equatable, Sendable {
    /// Of all clients together.
    public var total: Int
    public var perKey: Int
    /// Whoever has a watch token has it from a page that anybody can open.
    public var perWatchToken: Int

    public init(total: Int = 10_000, perKey: Int = 100, perWatchToken: Int = 10) {
        self.total = total
        self.perKey = perKey
        self.perWatchToken = perWatchToken
    }
}
