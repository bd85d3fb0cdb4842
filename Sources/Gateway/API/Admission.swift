public import Wire

/// Whether somebody is let in with an API key, and what the key has left.
public enum Admission: Equatable, Sendable {
    case admitted(Caller, Quota?)
    /// Who was refused, if that is known.
    case refused(Problem, Caller?, Quota?)
}
