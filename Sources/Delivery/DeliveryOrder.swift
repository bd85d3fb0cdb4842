/// What an endpoint's machine wants done.
public enum DeliveryOrder: Equatable, Sendable {
    /// Read the log behind this offset, for the endpoint's types, and tell what is there.
    case read(after: Int64)
    /// Read the stored deliveries whose time has come, and tell them.
    case loadRetries(limit: Int)
    case send(DeliveryAttempt)
    /// Store how an attempt ended, together with the machine's ``EndpointMachine/Progress``.
    case record(DeliveryRecord)
    /// It works again: what waits for its next attempt need not wait.
    case bringForward
    /// Nothing is sent any more until the owner enables it.
    case disable(DisabledReason)
}
