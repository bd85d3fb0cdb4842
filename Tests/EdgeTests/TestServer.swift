import Edge
import Logging
import Loop
import Payments
import Wire

/// Answers by path what a test needs.
@LoopActor
final class TestApplication: EdgeApplication {
    var streams: [EventStream] = []
    var kept: [HTTPResponder] = []
    private(set) var closed = 0

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        switch request.path {
        case "/echo":
            responder.respond(HTTPResponse(status: 200, contentType: request.headers.contentType ?? "text/plain", body: request.body))
        case "/later":
            _ = Timer(afterMilliseconds: 20) {
                responder.respond(.text("later " + (request.query["n"] ?? "")))
                responder.respond(.text("twice"))
            }
        case "/dropped": break
        case "/kept":
            responder.onClose = { [weak self] in self?.closed += 1 }
            kept.append(responder)
        case "/big": responder.respond(.text(String(repeating: "b", count: Int(request.query["n"] ?? "") ?? 1 << 20)))
        case "/split": responder.respond(HTTPResponse(status: 200, headers: [.init("x-a", "1\r\nx-b: 2")], body: []))
        case "/none": responder.respond(HTTPResponse(status: 204))
        case "/stream":
            let stream = responder.stream()
            stream.onClose = { [weak self] in self?.closed += 1 }
            stream.send(Array("id: 1\ndata: {}\n\n".utf8))
            streams.append(stream)
        default: responder.respond(.text("none", status: 404))
        }
    }

    func forgetKept() { kept = [] }

    /// How many chunks the first stream took until it was cut off, `most` at most.
    func fillStream(most: Int, chunkBytes: Int) -> Int {
        let chunk = [UInt8](repeating: 0x61, count: chunkBytes)
        var sent = 0
        while streams[0].send(chunk), sent < most { sent += 1 }
        return sent
    }
}

@LoopActor
struct TestServer {
    let application = TestApplication()
    let channels = TestChannels()
    let server: EdgeServer
    let port: UInt16

    init(_ change: (inout EdgeConfiguration) -> Void = { _ in }) throws {
        var configuration = EdgeConfiguration(address: "127.0.0.1", port: 0, allowedOrigins: ["https://shop.example"])
        change(&configuration)
        var logger = Logger(label: "edge.test")
        logger.logLevel = .critical
        server = EdgeServer(configuration: configuration, application: application, channels: channels, logger: logger)
        port = try server.start()
    }

    nonisolated static func event(_ offset: Int64, account: Int64 = 1, hash: PaymentHash? = nil, data: String = "{}") -> PublishedEvent {
        PublishedEvent(
            offset: offset, id: "evt_\(offset)", type: .htlcAccepted, account: account, paymentHash: hash,
            time: UnixTime(milliseconds: 1_700_000_000_000), data: data)
    }
}

/// Waits until the loop says so, two seconds at most.
func eventually(_ condition: @LoopActor @Sendable () -> Bool) async -> Bool {
    for _ in 0..<200 {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}

/// A store in memory. Tokens: `key` of account 1, `other` of account 2, `watch` of the invoice of zeros.
@LoopActor
final class TestChannels: ChannelSource {
    static nonisolated let hash = PaymentHash(Bytes32())
    var events: [PublishedEvent] = []
    var first: Int64 = 1
    var isAway = false
    private(set) var denied: [String] = []
    /// Those that are good no more.
    var ended: [Credentials] = []
    /// When set, loads wait here until they are let go.
    var held: [@LoopActor () -> Void]?

    func authenticate(_ token: String, _ done: @escaping @LoopActor (ClientSession.Authentication) -> Void) {
        switch token {
        case "key": done(.known(.key(id: "k", account: 1, scopes: [.admin])))
        case "other": done(.known(.key(id: "o", account: 2, scopes: [.admin])))
        case "watch": LoopActor.atEndOfTurn { done(.known(.watch(Self.hash))) }
        default:
            guard token.hasPrefix("watch:"), let hash = PaymentHash(hex: String(token.dropFirst(6))) else { return done(.unknown) }
            done(.known(.watch(hash)))
        }
    }

    func standing(of credentials: Credentials) -> Standing { ended.contains(credentials) ? .revoked : .valid }

    func load(_ channel: Channel, account: Int64?, after: Int64, limit: Int, _ done: @escaping @LoopActor (LoadedHistory?) -> Void) {
        guard !isAway else { return done(nil) }
        let found = events.filter { event in
            guard event.offset > after, account == nil || account == event.account else { return false }
            if case .invoice(let hash) = channel { return event.paymentHash == hash }
            return channel.types?.contains(event.type) ?? true
        }
        let history = LoadedHistory(
            events: Array(found.prefix(limit)), head: events.last?.offset ?? 0, first: first, epoch: "e1", snapshot: Array(#"{"state":"open"}"#.utf8))
        if held != nil { held?.append { done(history) } } else { done(history) }
    }

    func call(
        _ method: RemoteMethod, _ decision: ClientCommand.Decision, by credentials: Credentials,
        _ done: @escaping @LoopActor (Result<[UInt8], CentrifugeError>) -> Void
    ) {
        done(method == .get ? .success(Array(#"{"payment_hash":"\#(decision.paymentHash)"}"#.utf8)) : .failure(.permissionDenied))
    }

    func denied(_ method: RemoteMethod, _ decision: ClientCommand.Decision, by credentials: Credentials) { denied.append(method.rawValue) }

    func letGo() {
        let bodies = held ?? []
        held = nil
        for body in bodies { body() }
    }
}
