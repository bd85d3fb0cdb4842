internal import Loop

extension Ledger {
    /// Begins a new partition of the log if a step of time has passed, for the leader of this term. True if it did.
    public func beginPartition(
        term: Int64, stepMilliseconds: Int64, completion: @escaping @LoopActor (Result<Bool, LedgerError>) -> Void
    ) {
        reads.read(RetentionQuery.begin(term: term, stepMilliseconds: stepMilliseconds), completion) { $0.flag(0, 0) }
    }

    /// Drops the partitions whose events are all older than the retention; returns how many. It fails if a long read is
    /// in the way, and can be repeated.
    public func dropPartitions(
        term: Int64, retentionMilliseconds: Int64, completion: @escaping @LoopActor (Result<Int, LedgerError>) -> Void
    ) {
        reads.read(RetentionQuery.drop(term: term, retentionMilliseconds: retentionMilliseconds), completion) { Int($0.integer(0, 0)) }
    }

    /// Gives the stream another epoch, unless somebody has done so: its log is not the one that clients know.
    public func renewEpoch(_ old: String, completion: @escaping @LoopActor (Result<Void, LedgerError>) -> Void) {
        reads.read(RetentionQuery.renewEpoch(old), completion) { _ in }
    }
}
