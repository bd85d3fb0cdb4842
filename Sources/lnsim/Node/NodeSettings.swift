/// What an operator, or an old release, may have set differently. All of it can be changed while the node runs.
struct NodeSettings: Equatable, Sendable {
    /// `requireinterceptor` of lnd.conf.
    var requiresInterceptor = true
    /// `store-final-htlc-resolutions` of lnd.conf.
    var storesFinalResolutions = true
    /// The number of LND's wallet state; 4 is SERVER_ACTIVE.
    var walletState = 4
    var version = "0.21.2-beta commit=v0.21.2-beta"
    var network: String
    var buildTags = [
        "autopilotrpc", "chainrpc", "invoicesrpc", "neutrinorpc", "peersrpc", "routerrpc", "signrpc", "verrpc", "walletrpc",
        "watchtowerrpc", "wtclientrpc",
    ]
    var isSyncedToChain = true

    /// An HTLC that expires within fewer blocks is refused instead of offered (0.21).
    static let interceptDelta: UInt32 = 22
    /// A held HTLC is failed this many blocks before it expires (0.21).
    static let rejectDelta: UInt32 = 19
}
