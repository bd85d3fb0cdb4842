import GRPC
import Payments
import Testing

@testable import LND

@Suite("What a node's errors mean")
struct NodeFailureTests {
    @Test("texts of macaroons are told apart, whatever their code", arguments: [
        ("expected 1 macaroon, got 0", "saw no macaroon"),
        ("permission denied", "lacks a permission"),
        ("verification failed: signature mismatch after caveat verification", "another node"),
        ("cannot get macaroon: root key with id 3 doesn't exist", "root key"),
        ("caveat \"ipaddr 10.0.0.1\" not satisfied: macaroon locked", "caveat"),
        ("caveat \"time-before 2020-01-01T00:00:00Z\" not satisfied: macaroon has expired", "expired"),
        ("/x/y: unable to determine macaroon permissions", "does not know"),
        ("/x/y: unknown permissions required for method", "does not know"),
    ])
    func macaroons(text: String, reason: String) throws {
        guard case .refused(let problem, .macaroon) = NodeFailure(GRPCStatus(.unknown, text), of: .getInfo) else { throw Failure.unexpected }
        #expect(problem.reason.contains(reason))
        #expect(!problem.remedy.isEmpty)
    }

    @Test("codes of a proxy in front of the node count too", arguments: [GRPCStatus.Code.permissionDenied, .unauthenticated])
    func codes(code: GRPCStatus.Code) throws {
        guard case .refused(_, .macaroon) = NodeFailure(GRPCStatus(code, ""), of: .getInfo) else { throw Failure.unexpected }
    }

    @Test("a node that is not up yet is waited for", arguments: [
        ("waiting to start, RPC services not available", GRPCStatus.Code.unknown),
        ("wallet not created, create one to enable full RPC access", .unknown),
        ("wallet locked, unlock it to enable full RPC access", .unknown),
        ("the RPC server is in the process of starting up, but not yet ready to accept calls", .unknown),
        ("server is still in the process of starting", .unknown),
        ("chain notifier RPC is still in the process of starting", .unavailable),
    ])
    func starting(text: String, code: GRPCStatus.Code) throws {
        let failure = NodeFailure(GRPCStatus(code, text), of: .registerBlockEpoch)
        guard case .waiting = failure else { throw Failure.unexpected }
        #expect(failure.cause == .lost)
    }

    @Test("a second interceptor is not an error of the stream")
    func occupied() {
        #expect(NodeFailure(GRPCStatus(.unknown, "interceptor already exists"), of: .htlcInterceptor) == .occupied)
        #expect(NodeFailure.occupied.problem(isAlarming: false) != NodeFailure.occupied.problem(isAlarming: true))
    }

    @Test("anything else is a lost connection, its text made plain", arguments: [
        GRPCStatus(.unknown, "forward does not exist"), GRPCStatus(.unavailable, ""), GRPCStatus(.ok, ""), GRPCStatus(.internalError, "a\nb\u{1b}"),
    ])
    func lost(status: GRPCStatus) throws {
        guard case .lost(let reason) = NodeFailure(status, of: .htlcInterceptor) else { throw Failure.unexpected }
        #expect(!reason.isEmpty)
        #expect(!reason.unicodeScalars.contains { $0.value < 32 })
    }

    @Test("every end of a connection has a reason and a remedy", arguments: [
        ClosedReason.closedHere, .refused, .unreachable, .timedOut, .certificateMismatch, .tlsFailed(detail: "x\n"), .reset, .closedByPeer,
        .goAway(code: 11, detail: "too_many_pings"), .protocolError, .keepaliveTimedOut,
    ])
    func closed(reason: ClosedReason) {
        let problem = NodeFailure(reason).problem(isAlarming: false)
        #expect(!problem.reason.isEmpty)
        #expect(!problem.remedy.isEmpty)
    }
}
