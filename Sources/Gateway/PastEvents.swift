internal import Payments
internal import Wire

/// An answer to somebody who asks what came after an offset.
struct PastEvents: Equatable {
    /// In order, and no more than was asked for. If they are fewer, nothing is missing up to ``head``.
    var events: [PublishedEvent]
    /// At least what was published here when the answer is given.
    var head: Int64
    /// The oldest offset that could have been in the answer.
    var first: Int64
    var publications: Publications?
}
