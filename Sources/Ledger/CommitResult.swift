public import Payments

/// What became of a ``CommitEntry``. Only ``applied(_:)`` and ``repeated`` mean that the change is durable.
public enum CommitResult: Equatable, Sendable {
    /// Durable, with these events, which are new. Results arrive in the order of offsets.
    ///
    /// The events are those that were written: an accept that settles a set which is already stored as accepted leaves
    /// out `htlc.accepted` and `invoice.accepted`, because they have been told.
    case applied([PublishedEvent])
    /// Durable since an earlier commit, perhaps one whose answer was lost. The events are in the outbox already.
    case repeated
    /// The stored invoice does not admit it; `nil` if there is none.
    case refused(StoredSet?)
    /// This process does not hold the lease, or holds another term than when the entry was handed over.
    ///
    /// Says nothing about the change: an attempt whose answer was lost may have been committed. What is stored has to be
    /// read again after the next election.
    case deposed
    /// It was withdrawn, or the server can never carry it out, or what is stored cannot be read. If it `mayBeStored`, an attempt
    /// whose answer was lost may have been committed, or may be yet.
    case withdrawn(mayBeStored: Bool)
    /// The server can never carry it out, alone too, for this SQLSTATE, and nothing of it was stored: to the stored
    /// invoice the same as ``refused(_:)``.
    case failed(sqlState: String, StoredSet?)
}

/// Why something could not be read or done. Reads may simply be repeated.
public enum LedgerError: Error, Equatable, Sendable {
    /// No connection, or it was lost before the answer, or the server cannot do it just now.
    case unavailable(String)
    /// The server refuses the statement.
    case rejected(sqlState: String, String)
    case badDSN(String)

    init(_ failure: StatementFailure) {
        switch failure {
        case .rejected(let state, let text): self = .rejected(sqlState: state, text)
        case .lost, .transient, .deposed: self = .unavailable(failure.text)
        }
    }
}
