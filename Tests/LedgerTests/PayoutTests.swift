import Ledger
import Loop
import Payments
import TestSupport
import Testing
import Wire

@Suite("Payouts in the store")
@LoopActor
struct PayoutTests {
    private let node = PublicKey([2] + [UInt8](repeating: 7, count: 32))!
    private let other = PublicKey([3] + [UInt8](repeating: 8, count: 32))!
    private let proof = Preimage(Bytes32(filledBy: { $0[0] = 9 }))

    @Test("come back as they were written")
    func roundTrip() async throws {
        try await withLedger { ledger, _ in
            var intent = intent(1)
            intent.customRecords = [65_536: [1, 2], .max: []]
            intent.spontaneous = proof
            intent.onlyNode = other
            intent.purpose = "refund:7"
            intent.expiresAt = UnixTime(milliseconds: 9_000)
            equal(try await ledger.create(intent), .made)
            equal(try await ledger.payout(intent.id, account: 1), Payout(intent: intent))
            equal(try await ledger.payout(intent.id, account: 2), nil)
        }
    }

    @Test("have a payment hash for ever, and a purpose until they fail")
    func uniqueness() async throws {
        try await withLedger { ledger, _ in
            var first = intent(1)
            first.purpose = "refund:7"
            equal(try await ledger.create(first), .made)
            equal(try await ledger.create(first), .repeated)
            var second = intent(2)
            second.paymentHash = first.paymentHash
            equal(try await ledger.create(second), .hashIsTaken)
            var third = intent(3)
            third.purpose = "refund:7"
            equal(try await ledger.create(third), .purposeIsTaken)
            equal(try await ledger.move(first, 0, .fail(.noNode)), .stored)
            equal(try await ledger.create(third), .made)
            equal(try await ledger.create(second), .hashIsTaken, "a failed payout's hash is not paid again")
        }
    }

    @Test("of a purpose that two ask for at once there is one")
    func twoTabs() async throws {
        try await withLedger { ledger, dsn in
            let second = try await startedLedger(dsn)
            for round in 0..<20 {
                async let left = ledger.create(intent(round * 2 + 100, purpose: "refund:\(round)"))
                async let right = second.create(intent(round * 2 + 101, purpose: "refund:\(round)"))
                let results = try await [left, right]
                #expect(results.count { $0 == .made } == 1)
                #expect(results.count { $0 == .purposeIsTaken } == 1)
            }
            second.close()
        }
    }

    @Test("to an invoice of this gateway are refused")
    func ownInvoice() async throws {
        try await withLedger { ledger, _ in
            let invoice = Payment(1)
            _ = await ledger.commit(invoice.create)
            var intent = intent(1)
            intent.paymentHash = invoice.hash
            equal(try await ledger.create(intent), .ownInvoice)
        }
    }

    @Test("stand in the books when they arrived, beside what was received, each once whatever the pages")
    func booked() async throws {
        try await withLedger { ledger, _ in
            let payment = Payment(7)
            var entries = [payment.create, payment.accept(settling: true)]
            for part in payment.parts.indices { entries.append(payment.resolve(part, concludes: part == payment.parts.count - 1 ? .settled : nil)) }
            for index in entries.indices {
                entries[index].change.time = UnixTime(milliseconds: 6_000)
                #expect(await ledger.commit(entries[index]).isApplied)
            }
            for number in 1...3 {
                let intent = intent(number)
                equal(try await ledger.create(intent), .made)
                equal(try await ledger.move(intent, 1, .send(node)), .stored)
                equal(try await ledger.move(intent, 1, number == 2 ? .fail(.canceled) : .settle(proof, fee: Millisatoshis(3))), .stored)
            }
            for limit in 1...4 {
                var search = BookingSearch(account: 1, from: UnixTime(milliseconds: 6_000), until: UnixTime(milliseconds: 6_001), limit: limit)
                var found: [Booking] = []
                repeat {
                    let page = try await ledger.bookings(search)
                    found += page.bookings
                    search.after = page.next.flatMap { PageCursor($0.text) }
                } while search.after != nil
                #expect(Set(found.map(\.paymentHash)) == [payment.hash, intent(1).paymentHash, intent(3).paymentHash] && found.count == 3)
                let out = found.filter { $0.direction == .paidOut }
                #expect(out.count == 2 && out.allSatisfy { $0.amount == intent(1).amount && $0.fee == Millisatoshis(3) && $0.asked == nil })
            }
            let foreign = BookingSearch(account: 2, from: UnixTime(milliseconds: 0), until: UnixTime(milliseconds: 9_000), limit: 9)
            #expect(try await ledger.bookings(foreign).bookings.isEmpty)
        }
    }

    @Test("set aside amount and fees, and give the rest back")
    func books() async throws {
        try await withLedger { ledger, dsn in
            let settled = intent(1), failed = intent(2)
            equal(try await ledger.create(settled), .made)
            equal(try await ledger.create(failed), .made)
            equal(try await ledger.balance(), AccountBalance(reserved: Millisatoshis(2 * 1_010)))
            equal(try await ledger.move(settled, 1, .send(node)), .stored)
            equal(try await ledger.move(settled, 1, .doubt), .stored)
            equal(try await ledger.move(settled, 1, .settle(proof, fee: Millisatoshis(3))), .stored)
            equal(try await ledger.move(failed, 1, .send(node)), .stored)
            equal(try await ledger.move(failed, 1, .retry(.noRoute)), .stored)
            equal(try await ledger.move(failed, 2, .send(other)), .stored)
            equal(try await ledger.move(failed, 2, .fail(.incorrectDetails)), .stored)
            equal(try await ledger.balance(), AccountBalance(spent: Millisatoshis(1_003)))
            #expect(TestServer.sql("SELECT sum(amount_msat) FROM ledger_entries", in: dsn) == "-1003")
            let stored = try await ledger.payout(failed.id)
            #expect(stored?.tried == [node] && stored?.node == other && stored?.failure == .incorrectDetails && stored?.state == .failed)
            equal(try await ledger.payout(settled.id)?.preimage, proof)
            #expect(TestServer.sql("SELECT string_agg(type, ' ' ORDER BY ctid) FROM events", in: dsn)
                == "payment.created payment.created payment.sending payment.unknown payment.settled payment.sending payment.created payment.sending payment.failed")
            #expect(TestServer.sql("SELECT head FROM stream", in: dsn) == "9")
        }
    }

    @Test("are moved once, however often the same is said, and by the present leader only")
    func repetition() async throws {
        try await withLedger { ledger, dsn in
            let intent = intent(1)
            equal(try await ledger.create(intent), .made)
            equal(try await ledger.move(intent, 1, .send(node)), .stored)
            equal(try await ledger.move(intent, 1, .send(node)), .stored)
            equal(try await ledger.move(intent, 1, .send(other)), .refused, "a node was named")
            equal(try await ledger.move(intent, 2, .send(other)), .refused, "it has not failed there")
            equal(try await ledger.move(intent, 1, .settle(proof, fee: .zero)), .stored)
            equal(try await ledger.move(intent, 1, .settle(proof, fee: .zero)), .stored)
            equal(try await ledger.move(intent, 1, .fail(.noRoute)), .refused)
            equal(try await ledger.balance(), AccountBalance(spent: Millisatoshis(1_000)))
            #expect(TestServer.sql("SELECT count(*) FROM events", in: dsn) == "3")

            let late = self.intent(2)
            equal(try await ledger.create(late), .made)
            equal(try await ledger.move(late, 1, .send(node), term: 77), .deposed)
            equal(try await ledger.payout(late.id)?.state, .created)
        }
    }

    @Test("named by one leader are not sent by the next that says the same")
    func fence() async throws {
        try await withLedger { ledger, dsn in
            let intent = intent(1)
            equal(try await ledger.create(intent), .made)
            equal(try await ledger.move(intent, 1, .send(node)), .stored)
            TestServer.sql("UPDATE stream SET lease_until = now() - interval '1 second'", in: dsn)
            let next = try await startedLedger(dsn)
            _ = try await next.acquireLease(instance: "next", milliseconds: 60_000)
            equal(try await ledger.move(intent, 1, .doubt), .deposed)
            equal(try await next.move(intent, 1, .send(node)), .refused)
            next.close()
        }
    }

    @Test("of a bounded account spend what it has received, and no more")
    func bounds() async throws {
        try await withLedger { ledger, _ in
            let invoice = Payment(40)
            equal(try await ledger.create(intent(1), isBounded: true), .balanceTooLow)
            _ = await ledger.commit([invoice.create, invoice.accept(settling: true), invoice.resolve(0), invoice.resolve(1, concludes: .settled)])
            equal(try await ledger.balance(), AccountBalance(received: Millisatoshis(2_000)))
            equal(try await ledger.create(intent(1), isBounded: true), .made)
            equal(try await ledger.create(intent(2), isBounded: true), .balanceTooLow)
            equal(try await ledger.move(intent(1), 0, .fail(.noNode)), .stored)
            equal(try await ledger.create(intent(2), isBounded: true), .made)
        }
    }

    @Test("of one account are under way only so many at a time")
    func underWay() async throws {
        try await withLedger { ledger, dsn in
            equal(try await ledger.create(intent(1)), .made)
            let columns = "id, account, payment_hash, destination, amount_msat, fee_limit_msat, amount_is_open, timeout_seconds, created_at, updated_at, state"
            let values = "'other_' || n, 1, sha256(int8send(n)), '', 1, 0, false, 60, now(), now(), 'unknown'"
            TestServer.sql("INSERT INTO payouts (\(columns)) SELECT \(values) FROM generate_series(1, 999) n", in: dsn)
            equal(try await ledger.create(intent(2)), .tooManyUnderWay)
            equal(try await ledger.balance(), AccountBalance(reserved: Millisatoshis(1_010)))
            var foreign = intent(3)
            foreign.account = 2
            equal(try await ledger.create(foreign), .made)
            equal(try await ledger.move(intent(1), 0, .fail(.noNode)), .stored)
            equal(try await ledger.create(intent(2)), .made)
        }
    }

    @Test("of a key stay within its budget")
    func budget() async throws {
        try await withLedger { ledger, dsn in
            TestServer.sql("INSERT INTO api_keys (id, name, hash, scopes, account, created_at, budget_msat) VALUES ('k', '', '\\x01', '{}', 1, now(), 2000)", in: dsn)
            var first = intent(1), second = intent(2)
            first.keyID = "k"
            second.keyID = "k"
            equal(try await ledger.create(first), .made)
            equal(try await ledger.create(second), .budgetTooLow)
            equal(try await ledger.balance(), AccountBalance(reserved: Millisatoshis(1_010)))
            equal(try await ledger.move(first, 1, .send(node)), .stored)
            equal(try await ledger.move(first, 1, .settle(proof, fee: .zero)), .stored)
            equal(try await ledger.create(second), .budgetTooLow)
            second.amount = Millisatoshis(990)
            equal(try await ledger.create(second), .made)
        }
    }

    @Test("that have not ended are found, page by page")
    func pages() async throws {
        try await withLedger { ledger, _ in
            for number in 1...5 { #expect(try await ledger.create(intent(number)) == .made) }
            equal(try await ledger.move(intent(2), 0, .fail(.noNode)), .stored)
            let first = try await ledger.unfinished(after: 0, limit: 3)
            let second = try await ledger.unfinished(after: first.next ?? 0, limit: 3)
            #expect((first.payouts + second.payouts).map(\.intent.id) == [1, 3, 4, 5].map { intent($0).id })
            #expect(second.next == nil)
        }
    }

    private func intent(_ number: Int, purpose: String? = nil) -> PayoutIntent {
        PayoutIntent(
            id: PayoutID("pay_\(number)"), account: 1, purpose: purpose, paymentHash: PaymentHash(Bytes32(filledBy: { $0[0] = 1; $0[30] = UInt8(number >> 8); $0[31] = UInt8(number & 255) })),
            destination: other, amount: Millisatoshis(1_000), feeLimit: Millisatoshis(10), paymentRequest: "lnbcrt…", createdAt: UnixTime(milliseconds: 5_000))
    }
}

private func equal<Value: Equatable>(_ value: Value, _ expected: Value, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(value == expected, comment, sourceLocation: sourceLocation)
}

private enum NoHash: SHA256Digest {
    static func sha256(_ bytes: borrowing Span<UInt8>) -> Bytes32 {
        var result = Bytes32()
        for index in bytes.indices { result[index % 32] = result[index % 32] &* 31 &+ bytes[index] }
        return result
    }
}

extension Ledger {
    fileprivate func create(_ intent: PayoutIntent, isBounded: Bool = false) async throws -> PayoutCreation {
        let event = PayoutCodec.event(Payout(intent: intent), nodeNames: [:], by: NoHash.self)
        return try await withCheckedContinuation { done in createPayout(intent, isBounded: isBounded, event: event) { done.resume(returning: $0) } }.get()
    }

    fileprivate func move(_ intent: PayoutIntent, _ attempt: Int64, _ step: PayoutChange.Step, term: Int64? = nil) async throws -> PayoutCommit {
        let change = PayoutChange(id: intent.id, attempt: attempt, step: step, time: UnixTime(milliseconds: 6_000))
        let states: PayoutState = switch step {
        case .send: .sending
        case .doubt: .unknown
        case .settle: .settled
        case .retry: .created
        case .fail: .failed
        }
        let event = PayoutCodec.event(Payout(intent: intent, state: states, attempt: attempt), nodeNames: [:], by: NoHash.self)
        let term = term ?? currentTerm ?? 0
        return try await withCheckedContinuation { done in movePayout(change, term: term, event: event) { done.resume(returning: $0) } }.get()
    }

    fileprivate func payout(_ id: PayoutID, account: Int64? = nil) async throws -> Payout? {
        try await withCheckedContinuation { done in payout(id, account: account) { done.resume(returning: $0) } }.get()
    }

    fileprivate func balance() async throws -> AccountBalance {
        try await withCheckedContinuation { done in balance(account: 1) { done.resume(returning: $0) } }.get()
    }

    fileprivate func unfinished(after number: Int64, limit: Int) async throws -> PayoutPage {
        try await withCheckedContinuation { done in unfinishedPayouts(after: number, limit: limit) { done.resume(returning: $0) } }.get()
    }
}
