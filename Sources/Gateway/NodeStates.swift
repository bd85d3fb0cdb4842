internal import LND
internal import Loop

extension LNDNode.State {
    /// As REST and readiness call it.
    var name: String {
        switch self {
        case .stopped: "stopped"
        case .connecting: "connecting"
        case .waiting: "waiting"
        case .refused: "refused"
        case .connected: Self.receivingName
        case .draining: "draining"
        }
    }

    /// Its HTLCs are intercepted.
    var isConnected: Bool {
        switch self {
        case .connected, .draining: true
        case .stopped, .connecting, .waiting, .refused: false
        }
    }

    /// The only state in which new invoices may name it.
    static let receivingName = "connected"
}
