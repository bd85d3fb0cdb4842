internal import Edge
internal import Fanout
internal import Glibc
internal import Keys
internal import Logging
internal import Loop
internal import Payments
internal import Wire

/// The edge with nothing behind it: whoever asks is let in, and events come from a control connection.
///
/// A control record is four bytes, little-endian: zero publishes to channel `events`, another number is an event of the
/// invoice whose payment hash ends in it. On standard output stand port, control port and the sizes of both frames.
@LoopActor
final class FanoutBench: EdgeApplication, ChannelSource {
    private static var running: FanoutBench?

    private var server: EdgeServer!
    private var control: TCPListener?
    private var pending: [UInt8] = []
    private var head: Int64 = 1_000_000

    nonisolated static func start() {
        Task { @LoopActor in
            let bench = FanoutBench()
            running = bench
            do {
                try bench.listen()
            } catch {
                print("leyden-bench: \(error)")
                exit(70)
            }
        }
    }

    private func listen() throws {
        server = EdgeServer(configuration: .init(address: "127.0.0.1", port: 0), application: self, channels: self, logger: Logger(label: "bench"))
        let port = try server.start()
        let control = try TCPListener(host: "127.0.0.1", port: 0) { [self] stream in
            stream.onBytes = { [self] bytes in received(bytes) }
        }
        self.control = control
        let broadcast = event(for: 0)
        let single = event(for: 1)
        server.publish([broadcast, single])
        let sizes = [
            Frame.text(Push.publication(broadcast, on: .events)).count,
            Frame.text(Push.publication(single, on: .invoice(Self.paymentHash(1)))).count,
        ]
        print("\(port) \(control.port) \(sizes[0]) \(sizes[1])")
        fflush(nil)
    }

    private func received(_ bytes: Span<UInt8>) {
        for index in bytes.indices { pending.append(bytes[index]) }
        let whole = pending.count / 4 * 4
        var events: [PublishedEvent] = []
        events.reserveCapacity(whole / 4)
        for start in stride(from: 0, to: whole, by: 4) {
            var number: UInt32 = 0
            for place in (0..<4).reversed() { number = number << 8 | UInt32(pending[start + place]) }
            events.append(event(for: number))
        }
        pending.removeFirst(whole)
        server.publish(events)
    }

    private nonisolated static func paymentHash(_ number: UInt32) -> PaymentHash {
        var bytes = Bytes32()
        for place in 0..<4 { bytes[31 - place] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(place))) }
        return PaymentHash(bytes)
    }

    /// What the store would have given: a row of the stream, rendered when it was committed.
    private func event(for number: UInt32) -> PublishedEvent {
        head += 1
        let hash = Self.paymentHash(number)
        return PublishedEvent(
            offset: head, id: "evt_00112233445566778899aabbccddeeff", type: .invoiceSettled, account: number == 0 ? 1 : 2,
            paymentHash: hash, time: UnixTime(milliseconds: 1_790_000_000_000), data: data)
    }

    private let data = #"{"payment_hash":"\#(String(repeating: "5a", count: 32))","amount_msat":21000}"#

    // MARK: What stands behind the edge

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        responder.respond(HTTPResponse(status: 404))
    }

    func authenticate(_ token: String, _ done: @escaping @LoopActor (ClientSession.Authentication) -> Void) {
        guard let number = UInt32(token) else { return done(.unknown) }
        if number == 0 { return done(.known(.key(id: "bench", account: 1, scopes: [.eventsRead]))) }
        done(.known(.watch(Self.paymentHash(number))))
    }

    func standing(of credentials: Credentials) -> Standing { .valid }

    func load(_ channel: Channel, account: Int64?, after: Int64, limit: Int, _ done: @escaping @LoopActor (LoadedHistory?) -> Void) {
        done(LoadedHistory(events: [], head: head, first: 1, epoch: "bench"))
    }

    func call(
        _ method: RemoteMethod, _ decision: ClientCommand.Decision, by credentials: Credentials,
        _ done: @escaping @LoopActor (Result<[UInt8], CentrifugeError>) -> Void
    ) {
        done(.failure(.notAvailable))
    }

    func denied(_ method: RemoteMethod, _ decision: ClientCommand.Decision, by credentials: Credentials) {}
}
