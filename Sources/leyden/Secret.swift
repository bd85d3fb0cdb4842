/// A value that must not reach a log, an error or a description.
struct Secret<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: Value
    init(_ value: Value) { self.value = value }

    /// Named so that each place where the secret comes out can be found.
    func reveal() -> Value { value }

    var description: String { "(hidden)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
