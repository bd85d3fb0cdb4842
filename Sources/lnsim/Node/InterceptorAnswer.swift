/// What the interceptor's client answered, as it came from the wire: nothing about it has been checked.
struct InterceptorAnswer: Equatable, Sendable {
    var circuit: Circuit?
    /// SETTLE 0, FAIL 1, RESUME 2, RESUME_MODIFIED 3; SETTLE is what an absent field means.
    var action = 0
    var preimage: [UInt8] = []
    var failureMessage: [UInt8] = []
    /// The number of LND's interface and the name it has there.
    var failureCode = 0
    var failureCodeName = "RESERVED"
    /// Types of the records that RESUME_MODIFIED wants to send onward.
    var recordTypes: [UInt64] = []
}
