internal import Delivery
internal import Loop
internal import Webhooks

/// Gives attempts their places and sends them.
@LoopActor
final class WebhookDispatch {
    /// Requests under way at once, to all endpoints.
    private static let places = 512
    /// Those to endpoints whose last attempt failed or was slow.
    private static let doubtfulPlaces = 256

    typealias Entry = AttemptQueue.Entry

    private let client: OutboundClient
    /// What is sent, if it is to be sent still.
    private let request: @LoopActor (Entry) -> OutboundRequest?
    private let ended: @LoopActor (Entry, OutboundAnswer, _ milliseconds: UInt64) -> Void
    private var queue = AttemptQueue(places: places, doubtful: doubtfulPlaces)
    private var isSending = false
    /// Grows when what went before does not count any more.
    private var round = 0

    init(
        client: OutboundClient, request: @escaping @LoopActor (Entry) -> OutboundRequest?,
        ended: @escaping @LoopActor (Entry, OutboundAnswer, UInt64) -> Void
    ) {
        self.client = client
        self.request = request
        self.ended = ended
    }

    var underWay: Int { queue.underWay }

    func add(_ entry: Entry) {
        queue.add(entry)
        send()
    }

    /// What is under way ends by itself, and nobody hears of it.
    func clear() {
        queue.clear()
        round += 1
    }

    private func send() {
        // What is asked for its request may have more to send.
        guard !isSending else { return }
        isSending = true
        while let entry = queue.next() {
            guard let request = self.request(entry) else {
                queue.ended(entry)
                continue
            }
            let round = round, start = Clock.monotonicNanoseconds
            client.send(request) { [self] answer in
                queue.ended(entry)
                if round == self.round { ended(entry, answer, (Clock.monotonicNanoseconds - start) / 1_000_000) }
                send()
            }
        }
        isSending = false
    }
}
