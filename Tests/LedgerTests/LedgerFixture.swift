import Ledger
import Logging
import Loop
import Payments
import TestSupport
import Testing

/// Runs the body with a started ledger on a database of its own.
@LoopActor
func withLedger(leading: Bool = true, _ body: @LoopActor (Ledger, _ dsn: String) async throws -> Void) async throws {
    let dsn = TestServer.makeDatabase()
    let ledger = try await startedLedger(dsn)
    if leading { _ = try await ledger.acquireLease(instance: "tests", milliseconds: 60_000) }
    try await body(ledger, dsn)
    ledger.close()
}

@LoopActor
func startedLedger(_ dsn: String) async throws -> Ledger {
    var logger = Logger(label: "tests")
    logger.logLevel = .critical
    let ledger = try Ledger(dsn: dsn, logger: logger)
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
        ledger.onState = { state in
            guard state == .connected else { return }
            ledger.onState = nil
            done.resume()
        }
        ledger.start()
    }
    return ledger
}

/// The callbacks as `async`.
extension Ledger {
    func commit(_ entry: CommitEntry) async -> CommitResult {
        await withCheckedContinuation { done in commit(entry) { done.resume(returning: $0) } }
    }

    /// All handed over in one turn.
    func commit(_ entries: [CommitEntry]) async -> [CommitResult] {
        guard !entries.isEmpty else { return [] }
        return await withCheckedContinuation { done in
            var results = [CommitResult?](repeating: nil, count: entries.count)
            var missing = entries.count
            for (index, entry) in entries.enumerated() {
                commit(entry) { result in
                    #expect(results[index] == nil, "answered twice")
                    results[index] = result
                    missing -= 1
                    if missing == 0 { done.resume(returning: results.compactMap(\.self)) }
                }
            }
        }
    }

    func acquireLease(instance: String, milliseconds: Int64) async throws -> Int64? {
        try await withCheckedContinuation { done in acquireLease(instance: instance, milliseconds: milliseconds) { done.resume(returning: $0) } }.get()
    }

    func renewLease(milliseconds: Int64) async throws -> Bool {
        try await withCheckedContinuation { done in renewLease(milliseconds: milliseconds) { done.resume(returning: $0) } }.get()
    }

    func releaseLease() async throws {
        try await withCheckedContinuation { done in releaseLease { done.resume(returning: $0) } }.get()
    }

    func lookup(_ hashes: [PaymentHash]) async -> [StoredSet] {
        await withCheckedContinuation { done in lookup(hashes) { done.resume(returning: $0) } }
    }

    func settlements(account: Int64 = 1, from sequence: Int64 = 0, limit: Int = 100) async throws -> [RequestedSettlement] {
        try await withCheckedContinuation { done in settlements(account: account, from: sequence, limit: limit) { done.resume(returning: $0) } }.get()
    }

    func unresolved() async -> [StoredSet] {
        await withCheckedContinuation { done in unresolved { done.resume(returning: $0) } }
    }

    func invoice(_ hash: PaymentHash, account: Int64? = nil) async throws -> InvoiceRecord? {
        try await withCheckedContinuation { done in invoice(hash, account: account) { done.resume(returning: $0) } }.get()
    }

    func invoices(_ search: InvoiceSearch) async throws -> InvoicePage {
        try await withCheckedContinuation { done in invoices(search) { done.resume(returning: $0) } }.get()
    }

    func bookings(_ search: BookingSearch) async throws -> BookingPage {
        try await withCheckedContinuation { done in bookings(search) { done.resume(returning: $0) } }.get()
    }

    func expired(before time: UnixTime, limit: Int) async throws -> [PaymentHash] {
        try await withCheckedContinuation { done in expired(before: time, limit: limit) { done.resume(returning: $0) } }.get()
    }

    func events(
        after offset: Int64, limit: Int = 100_000, account: Int64? = nil, types: [EventType]? = nil, paymentHash: PaymentHash? = nil
    ) async throws -> [PublishedEvent] {
        try await withCheckedContinuation { done in
            if let paymentHash {
                past(of: [InvoicePlace(paymentHash: paymentHash, after: offset)], limit: limit) { done.resume(returning: $0.map { $0.events[0] }) }
            } else {
                past(after: offset, limit: limit, account: account, types: types) { done.resume(returning: $0.map(\.events)) }
            }
        }.get()
    }

    func stream() async throws -> StreamPosition {
        try await withCheckedContinuation { done in stream { done.resume(returning: $0) } }.get()
    }

    func setDrained(_ node: PublicKey, _ isDrained: Bool, term: Int64) async throws -> Bool {
        try await withCheckedContinuation { done in setDrained(node, isDrained, term: term) { done.resume(returning: $0) } }.get()
    }

    func drainedNodes() async throws -> Set<PublicKey> {
        try await withCheckedContinuation { done in drainedNodes { done.resume(returning: $0) } }.get()
    }

    func tellAttendance(_ accounts: Set<Int64>) async throws {
        try await withCheckedContinuation { done in tellAttendance(accounts) { done.resume(returning: $0) } }.get()
    }

    func attendedAccounts() async throws -> Set<Int64> {
        try await withCheckedContinuation { done in attendedAccounts(withinMilliseconds: 30_000) { done.resume(returning: $0) } }.get()
    }

    func insertKey(_ key: APIKeyRecord, limit: Int64? = nil) async throws -> APIKeyInsertion {
        try await withCheckedContinuation { done in insertKey(key, limit: limit) { done.resume(returning: $0) } }.get()
    }

    func key(hash: Bytes32) async throws -> APIKeyRecord? {
        try await withCheckedContinuation { done in key(hash: hash) { done.resume(returning: $0) } }.get()
    }

    func keys(account: Int64?, after: String? = nil, limit: Int = 10) async throws -> [APIKeyRecord] {
        try await withCheckedContinuation { done in keys(account: account, after: after, limit: limit) { done.resume(returning: $0) } }.get()
    }

    func revokeKey(_ id: String, account: Int64?, at time: UnixTime) async throws -> APIKeyRecord? {
        try await withCheckedContinuation { done in revokeKey(id, account: account, at: time) { done.resume(returning: $0) } }.get()
    }

    func rotateKey(_ id: String, account: Int64?, to hash: Bytes32, previousUntil: UnixTime, at time: UnixTime, for lease: ClaimLease? = nil) async throws -> APIKeyRecord? {
        try await withCheckedContinuation { done in
            rotateKey(id, account: account, to: hash, previousUntil: previousUntil, at: time, for: lease) { done.resume(returning: $0) }
        }.get()
    }

    func noteUse(_ times: [String: UnixTime]) async throws {
        try await withCheckedContinuation { done in noteUse(times) { done.resume(returning: $0) } }.get()
    }

    func insertAccount(_ name: String, origin: Bytes32, at time: UnixTime) async throws -> AccountRecord? {
        try await withCheckedContinuation { done in insertAccount(name: name, origin: origin, at: time) { done.resume(returning: $0) } }.get()
    }

    func accounts(only: Int64? = nil, after: Int64 = 0, limit: Int = 10) async throws -> [AccountRecord] {
        try await withCheckedContinuation { done in accounts(only: only, after: after, limit: limit) { done.resume(returning: $0) } }.get()
    }

    func appendAudit(_ audited: [AuditRecord]) async throws {
        try await withCheckedContinuation { done in appendAudit(audited) { done.resume(returning: $0) } }.get()
    }

    func audit(account: Int64? = nil, before: String? = nil, limit: Int = 10) async throws -> [AuditRecord] {
        try await withCheckedContinuation { done in audit(account: account, before: before, limit: limit) { done.resume(returning: $0) } }.get()
    }

    func forgetAudit(before id: String) async throws -> Int {
        try await withCheckedContinuation { done in forgetAudit(before: id) { done.resume(returning: $0) } }.get()
    }

    func claim(_ wanted: [ClaimRequest]) async throws -> [ClaimOutcome] {
        try await withCheckedContinuation { done in claim(wanted) { done.resume(returning: $0) } }.get()
    }

    @discardableResult
    func answerClaims(_ answers: [ClaimAnswer]) async throws -> [Bool] {
        try await withCheckedContinuation { done in answerClaims(answers) { done.resume(returning: $0) } }.get()
    }

    func freeClaim(_ lease: ClaimLease) async throws {
        try await withCheckedContinuation { done in freeClaim(lease) { done.resume(returning: $0) } }.get()
    }

    func forgetClaims(before time: UnixTime) async throws -> Int {
        try await withCheckedContinuation { done in forgetClaims(before: time) { done.resume(returning: $0) } }.get()
    }

    func count(_ invoices: [CountedInvoice]) async throws -> [Bool] {
        try await withCheckedContinuation { done in count(invoices) { done.resume(returning: $0) } }.get()
    }

    func uncount(_ hashes: [PaymentHash]) async throws {
        try await withCheckedContinuation { done in uncount(hashes) { done.resume(returning: $0) } }.get()
    }

    func settleUpCounts() async throws -> Bool {
        try await withCheckedContinuation { done in settleUpCounts { done.resume(returning: $0) } }.get()
    }
}
