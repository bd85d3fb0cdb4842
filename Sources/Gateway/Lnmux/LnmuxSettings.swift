public import GRPC

/// What the operator decides about `lnmux.Service`.
public struct LnmuxSettings: Equatable, Sendable {
    /// Whether everybody needs an API key. Without it, who brings none acts for the operator's account.
    public var requiresKey: Bool
    /// Whether AddInvoice tells the preimage.
    public var returnsPreimage: Bool

    public init(requiresKey: Bool = true, returnsPreimage: Bool = false) {
        self.requiresKey = requiresKey
        self.returnsPreimage = returnsPreimage
    }

    /// Bounds what strangers can make the server keep: requests of this service are small.
    public static var serverSettings: GRPCSettings {
        var settings = GRPCSettings()
        settings.maximumMessageBytes = 16 * 1024
        settings.callWindowBytes = 64 * 1024
        settings.connectionWindowBytes = 1 << 20
        settings.maximumConnections = 512
        settings.maximumCallsPerConnection = 1000
        settings.maximumCalls = 10_000
        settings.firstCallTimeoutMilliseconds = 20_000
        settings.idleTimeoutMilliseconds = 300_000
        return settings
    }

    /// What waits for one client that does not read; about two thousand messages.
    static let maximumUnreadBytes = 128 * 1024
    /// Streams and waiting calls; who waits for many invoices has a call for each.
    static let streamLimits = StreamLimits(total: 10_000, perKey: 2_000, perWatchToken: 0)
    /// Lists that are read or wait to be taken, and for how long one does.
    static let listLimits = StreamLimits(total: 64, perKey: 16, perWatchToken: 0)
    static let listMilliseconds: UInt64 = 60_000
    /// One answer of ListInvoices stays below the four megabytes that gRPC clients take.
    static let maximumListed = 30_000
}
