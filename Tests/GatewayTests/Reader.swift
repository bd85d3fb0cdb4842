@testable import Gateway
import Loop
import Payments

/// Notes what it is told.
@LoopActor
final class Reader {
    private(set) var batches: [[PublishedEvent]] = []
    private(set) var failures: [EventFeed.Failure] = []

    var events: [PublishedEvent] { batches.flatMap(\.self) }
    var offsets: [Int64] { events.map(\.offset) }

    func take(_ events: [PublishedEvent]) { batches.append(events) }
    func fail(_ failure: EventFeed.Failure) { failures.append(failure) }
}
