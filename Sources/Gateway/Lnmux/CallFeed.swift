internal import GRPC
internal import Loop
internal import Payments
internal import Wire

/// A call that goes on with events as they are committed, until it or its client ends it.
@LoopActor
final class CallFeed {
    private let call: ServerCall
    private let streams: OpenStreams
    private var feed: EventFeed?
    /// Runs once, however it ends.
    var onClose: (@LoopActor () -> Void)?

    /// `nil`: the call has ended, or is refused here because there are too many.
    init?(
        _ call: ServerCall, of credentials: Credentials, among streams: OpenStreams, _ history: EventHistory, after cursor: Int64,
        _ filter: EventFilter, deliver: @escaping @LoopActor ([PublishedEvent]) -> Void
    ) {
        self.call = call
        self.streams = streams
        guard !call.hasEnded else { return nil }
        let owner = OpenStreams.Owner(credentials)
        if let refusal = streams.refusal(for: owner) {
            call.refuse(refusal)
            return nil
        }
        let feed = EventFeed(history: history, after: cursor, filter: filter, deliver: deliver) { [self] _ in refuse(.unavailable) }
        self.feed = feed
        streams.add(feed, of: owner, right: credentials) { [self] in
            refuse(.stopping)
        } expel: { [self] problem in
            refuse(problem)
        }
        call.onCancel = { [self] in close() }
    }

    /// What has been committed since the cursor comes first.
    func start() { feed?.start() }

    /// A client that does not read loses its stream: what it missed is told to it when it asks again.
    func send(_ message: [UInt8]) {
        guard call.bufferedBytes <= LnmuxSettings.maximumUnreadBytes else {
            close()
            return call.overrun()
        }
        call.send(message)
    }

    func finish(_ status: GRPCStatus) {
        close()
        call.finish(status)
    }

    private func refuse(_ problem: Problem) {
        close()
        call.refuse(problem)
    }

    func close() {
        if let feed { streams.remove(feed) }
        feed = nil
        let onClose = onClose
        self.onClose = nil
        onClose?()
    }
}
