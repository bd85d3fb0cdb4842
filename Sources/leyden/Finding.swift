/// One thing that `leyden doctor` looked at.
struct Finding: Sendable, Equatable {
    enum Level: String, Sendable {
        case ok, warning, error
    }

    var level: Level
    /// What was looked at: a key of the configuration, a node, the database.
    var subject: String
    var message: String
    /// What to change, unless all is well.
    var remedy: String?

    /// Whether `leyden run` starts all the same: a node that cannot be used must not stop the others.
    var isLeftToNode = false

    init(_ level: Level, _ subject: String, _ message: String, remedy: String? = nil) {
        self.level = level
        self.subject = subject
        self.message = message
        self.remedy = remedy
    }
}
