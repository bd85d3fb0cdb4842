/// What is the same for all sessions: one object, since there are tens of thousands of sessions.
public final class SessionSettings: Sendable {
    public let version: String
    /// Seconds between pings, and until a client that does not answer one is closed.
    public let pingSeconds: Int64
    public let pongSeconds: Int64
    public let maximumChannels: Int
    public let maximumWatchedChannels: Int
    /// Events that are read at a time.
    public let page: Int
    /// Commands of one message, and commands that may wait for an answer: a client that comes back sends a command for
    /// each of its channels in one message.
    public let maximumCommands: Int
    /// Bytes of the messages that may come before a connect command is answered.
    public let maximumEarlyBytes: Int32 = 65536
    /// Seconds within which a client has to connect.
    public let connectSeconds: Int64
    /// Commands in a second, ten times as many at once. A client without a key gets a fifth of both.
    public let commandsPerSecond: Int

    public init(
        version: String, pingSeconds: Int64 = 25, pongSeconds: Int64 = 10, maximumChannels: Int = 128,
        maximumWatchedChannels: Int = 4, page: Int = 500, maximumCommands: Int = 160, connectSeconds: Int64 = 15,
        commandsPerSecond: Int = 50
    ) {
        self.version = version
        self.pingSeconds = pingSeconds
        self.pongSeconds = pongSeconds
        self.maximumChannels = maximumChannels
        self.maximumWatchedChannels = maximumWatchedChannels
        self.page = page
        self.maximumCommands = maximumCommands
        self.connectSeconds = connectSeconds
        // Ten seconds' worth, and as much again to be refused, are counted in sixteen bits.
        self.commandsPerSecond = min(max(commandsPerSecond, 5), 1000)
    }
}
