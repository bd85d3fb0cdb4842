/// Why nothing is sent to an endpoint.
public enum DisabledReason: String, Equatable, Sendable {
    /// By its owner.
    case owner
    /// It answered 410.
    case gone
    /// It took nothing for four days.
    case failing
}
