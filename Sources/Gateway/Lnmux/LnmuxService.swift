public import GRPC
internal import Ledger
internal import LnmuxProto
public import Loop
internal import Payments
internal import SwiftProtobuf
internal import Wire

/// `lnmux.Service`, for clients of lnmux: the same invoices, decisions and events as everywhere else, under lnmux's names and
/// status codes.
@LoopActor
public final class LnmuxService {
    let api: GatewayAPI
    let settings: LnmuxSettings
    /// Its streams and waiting calls.
    let streams = OpenStreams(limits: LnmuxSettings.streamLimits)
    let lists = ListPlaces(limits: LnmuxSettings.listLimits)

    public init(api: GatewayAPI, settings: LnmuxSettings) {
        self.api = api
        self.settings = settings
        api.serve(streams)
    }

    /// Answers the service's methods, and reflection's, on this server.
    public func serve(on server: GRPCServer) {
        unary(server, "GetInfo", nil) { (service, _: Lnmux_GetInfoRequest, call, _) in service.getInfo(call) }
        unary(server, "AddInvoice", .invoicesWrite) { $0.addInvoice($1, $2, $3) }
        unary(server, "SettleInvoice", .invoicesSettle) { $0.settleInvoice($1, $2, $3) }
        unary(server, "CancelInvoice", .invoicesSettle) { $0.cancelInvoice($1, $2, $3) }
        unary(server, "ListInvoices", .invoicesRead) { $0.listInvoices($1, $2, $3) }
        unary(server, "WaitForInvoiceFinalStatus", .invoicesRead) { $0.waitForFinalStatus($1, $2, $3) }
        unary(server, "SubscribeSingleInvoice", .eventsRead) { $0.subscribeSingleInvoice($1, $2, $3) }
        unary(server, "SubscribeInvoiceAccepted", .eventsRead) { (service, _: Lnmux_SubscribeInvoiceAcceptedRequest, call, credentials) in
            service.subscribeAccepted(call, credentials)
        }
        for version in ["v1", "v1alpha"] {
            server.handle("/grpc.reflection.\(version).ServerReflection/ServerReflectionInfo") { [weak self] call in
                guard let self else { return }
                ReflectionStream.serve(call) { go in self.authorize(call, nil, "ServerReflectionInfo") { _ in go() } }
            }
        }
    }

    private func unary<Request: Message>(
        _ server: GRPCServer, _ method: String, _ scope: Scope?,
        _ body: @escaping @LoopActor (LnmuxService, Request, ServerCall, Credentials) -> Void
    ) {
        // A method that nobody has called yet is told too.
        api.gateway.metrics.grpcCalls[method] = 0
        server.handleUnary("/lnmux.Service/" + method) { [weak self] bytes, call in
            guard let self else { return }
            api.gateway.metrics.grpcCalls[method, default: 0] += 1
            authorize(call, scope, method) { [self] credentials in
                guard let request = try? Request(serializedBytes: bytes) else {
                    return call.finish(GRPCStatus(.invalidArgument, "the message cannot be read"))
                }
                body(self, request, call, credentials)
            }
        }
    }

    /// Goes on with who asks, or ends the call. The same check as everywhere; only whoever brings no key may be let in here.
    private func authorize(_ call: ServerCall, _ scope: Scope?, _ method: String, _ go: @escaping @LoopActor (Credentials) -> Void) {
        let fields = call.metadata.entries.filter { $0.name == "authorization" }
        guard !fields.isEmpty || settings.requiresKey else { return go(Self.local) }
        guard fields.count == 1, let token = Self.bearer(fields[0].value) else { return call.refuse(.unauthorized) }
        api.admit(token, for: scope) { [api] admission in
            switch admission {
            case .refused(let problem, let caller, let quota):
                call.tell(quota)
                // As over REST: what somebody tried to change is in the audit log when he is answered, unless he only asks too often.
                guard let caller, scope == .invoicesWrite || scope == .invoicesSettle, quota?.isExceeded != true else { return call.refuse(problem) }
                guard api.takesWrites else { return call.refuse(.logFull) }
                api.note(caller, transport: "grpc", method: "RPC", path: method, status: problem.status) { call.refuse(problem) }
            case .admitted(let caller, let quota):
                call.tell(quota)
                go(caller.credentials)
            }
        }
    }

    /// Whoever can reach an address of this machine, if the operator lets him.
    private static let local = Credentials.key(
        id: "grpc", account: Caller.operatorAccount, scopes: [.invoicesRead, .invoicesWrite, .invoicesSettle, .eventsRead])

    private static func bearer(_ field: String) -> String? {
        field.utf8.count > 7 && field.prefix(7).lowercased() == "bearer " ? String(field.dropFirst(7)) : nil
    }
}
