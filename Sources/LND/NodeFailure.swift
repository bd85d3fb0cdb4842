internal import GRPC

/// Why a connection to a node came to nothing, and what follows from it.
enum NodeFailure: Error, Equatable {
    /// Not up yet; by itself it will be.
    case waiting(String)
    /// Somebody has to change something.
    case refused(NodeProblem, Cause)
    /// Another interceptor is connected.
    case occupied
    case lost(String)

    /// What is read again before the next attempt.
    enum Cause: Equatable {
        case certificate
        case macaroon
        case node
    }

    /// LND returns most errors as UNKNOWN, so only the text tells them apart.
    init(_ status: GRPCStatus, of method: LNDMethod) {
        let text = status.message
        if text.contains("interceptor already exists") {
            self = .occupied
        } else if let reason = Self.starting(text) {
            self = .waiting(reason)
        } else if let problem = Self.macaroonProblem(status) {
            self = .refused(problem, .macaroon)
        } else if status.code == .unimplemented {
            let name = method.rawValue.dropFirst()
            self = .refused(
                NodeProblem(
                    reason: "the node has no \(name)",
                    remedy: method == .registerBlockEpoch
                        ? "use an official release of lnd, or build it with tags=chainrpc"
                        : "make sure that this is lnd \(NodeValidation.floor) or later, at its gRPC port"),
                .node)
        } else {
            self = .lost(text.isEmpty ? "the node ended \(method.rawValue.dropFirst())" : PlainText.of(text))
        }
    }

    static func starting(_ text: String) -> String? {
        let reasons = [
            ("waiting to start", "lnd waits to start"),
            ("wallet not created", "lnd has no wallet yet"),
            ("wallet locked", "lnd's wallet is locked"),
            ("in the process of starting", "lnd is starting"),
        ]
        return reasons.first { text.contains($0.0) }?.1
    }

    static func macaroonProblem(_ status: GRPCStatus) -> NodeProblem? {
        let text = status.message
        let bake = "bake one with: lncli bakemacaroon info:read offchain:read offchain:write onchain:read"
        let reason: String
        var remedy = bake
        if text.contains("expected 1 macaroon") {
            reason = "the node saw no macaroon"
            remedy = "set `macaroon` of the node; \(bake)"
        } else if text.contains("verification failed") {
            reason = "the macaroon is of another node, or damaged"
            remedy = "use a macaroon of this node; \(bake)"
        } else if text.contains("cannot get macaroon") {
            reason = "the macaroon's root key was revoked, or is of another node"
        } else if text.contains("macaroon has expired") || text.contains("time-before") {
            reason = "the macaroon has expired"
        } else if text.contains("caveat") && text.contains("not satisfied") {
            reason = "a caveat of the macaroon is not satisfied"
            remedy = "check the addresses and times it is limited to, or \(bake)"
        } else if text.contains("macaroon permissions") || text.contains("unknown permissions required") {
            reason = "the node does not know a method that the gateway needs"
            remedy = "make sure that this is lnd \(NodeValidation.floor) or later"
        } else if text.contains("permission denied") || status.code == .permissionDenied || status.code == .unauthenticated {
            reason = "the macaroon lacks a permission"
        } else {
            return nil
        }
        return NodeProblem(reason: reason, remedy: remedy)
    }
}

extension NodeFailure {
    init(_ reason: ClosedReason) {
        switch reason {
        case .certificateMismatch:
            self = .refused(
                NodeProblem(
                    reason: "the node shows another TLS certificate than the pinned one",
                    remedy: "set `tls_cert` of the node to lnd's present tls.cert, and make sure that nobody sits in between"),
                .certificate)
        case .tlsFailed(let detail):
            self = .refused(
                NodeProblem(
                    reason: "TLS failed: \(PlainText.of(detail))",
                    remedy: "check that `address` is lnd's gRPC port and `tls_cert` its present tls.cert"),
                .certificate)
        case .refused: self = .lost("the connection was refused")
        case .unreachable: self = .lost("the address cannot be reached")
        case .timedOut: self = .lost("the node did not answer in time")
        case .proxyFailed(let detail): self = .lost("\(PlainText.of(detail))")
        case .reset, .closedByPeer: self = .lost("the connection broke")
        case .goAway(_, let detail):
            self = .lost(detail.isEmpty ? "the node is going down" : "the node wants no more calls: \(PlainText.of(detail))")
        case .protocolError: self = .lost("the node broke the rules of HTTP/2")
        case .keepaliveTimedOut: self = .lost("the node stopped answering pings")
        case .closedHere: self = .lost("the connection was closed")
        }
    }

    /// The node sent bytes that are no message of the method.
    static func unreadable(_ method: LNDMethod) -> Self {
        .lost("what the node sent is no answer to \(method.rawValue.dropFirst())")
    }

    var cause: ReconnectPolicy.Cause {
        switch self {
        case .waiting, .lost: .lost
        case .refused: .refused
        case .occupied: .occupied
        }
    }

    func problem(isAlarming: Bool) -> NodeProblem {
        switch self {
        case .waiting(let reason):
            NodeProblem(reason: reason, remedy: "start lnd or unlock its wallet")
        case .refused(let problem, _):
            problem
        case .occupied where isAlarming:
            NodeProblem(
                reason: "another interceptor is connected to the node",
                remedy: "stop the other program: lnd takes one interceptor, and the gateway has to be it")
        case .occupied:
            NodeProblem(
                reason: "another interceptor is connected to the node, perhaps the gateway's last connection",
                remedy: "wait: lnd notices within 80 seconds that a client has vanished")
        case .lost(let reason):
            NodeProblem(reason: reason, remedy: "the gateway reconnects by itself; check that lnd runs and can be reached")
        }
    }
}
