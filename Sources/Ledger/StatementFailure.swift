/// Why a transaction was not seen to succeed.
enum StatementFailure: Error, Equatable {
    /// The connection ended; whether the transaction was committed is unknown.
    case lost(String)
    /// The server could not do it now (time-out, deadlock, disk full…); it was rolled back.
    case transient(sqlState: String, String)
    /// Our own SQLSTATE ``deposedState``: the term is not the current one. Rolled back.
    case deposed
    /// The statement is wrong or breaks a constraint and would fail again. Rolled back.
    case rejected(sqlState: String, String)

    /// Raised by `leyden_commit`. Class LY is free for applications.
    static let deposedState = "LY001"

    init(sqlState: String, message: String) {
        switch sqlState {
        case Self.deposedState: self = .deposed
        // Connection exceptions, shutdowns, a statement pool that forgot ours, a primary that became a standby.
        case "57P01", "57P02", "57P03", "57P05", "26000", "25006", "": self = .lost(message)
        case let state where state.hasPrefix("08"): self = .lost(message)
        // Serialization and deadlock; resources; time-outs; the server's own trouble; and what is wrong with the schema, the
        // rights or the statement's text, which is always the same: none of it is the fault of an entry.
        case "55P03", "0A000": self = .transient(sqlState: sqlState, message)
        case let state where ["40", "42", "53", "57", "58", "XX"].contains { state.hasPrefix($0) }:
            self = .transient(sqlState: sqlState, message)
        default: self = .rejected(sqlState: sqlState, message)
        }
    }

    var endsConnection: Bool {
        if case .lost = self { true } else { false }
    }

    var asLoss: Self { .lost(text) }

    /// For logs: the server's message line, which quotes no values.
    var text: String {
        switch self {
        case .lost(let text): text
        case .transient(let state, let text), .rejected(let state, let text): "\(state): \(text)"
        case .deposed: "deposed"
        }
    }
}

func firstLine(of text: String) -> String {
    String(text.prefix { !$0.isNewline })
}
