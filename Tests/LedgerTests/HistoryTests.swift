import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("Random histories")
@LoopActor
struct HistoryTests {
    @Test("end as a simple model says: outcomes, states, HTLCs and events", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func agree(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        try await withLedger { (ledger, dsn) async throws in
            var model = InvoiceModel()
            for _ in 0..<60 {
                var entries: [CommitEntry] = []
                var answers: [InvoiceModel.Answer] = []
                for _ in 0..<Int.random(in: 1...60, using: &random) {
                    let number = Int.random(in: 0..<40, using: &random)
                    let action = InvoiceModel.Action.allCases.randomElement(using: &random)!
                    var attempt = model.attempt(for: action, number)
                    if !action.isResolution, Int.random(in: 0..<3, using: &random) == 0 { attempt = Int.random(in: 0..<4, using: &random) }
                    model.attempt = attempt
                    answers.append(model.apply(action, to: number))
                    entries.append(entry(action, Payment(number, attempt: attempt)))
                }
                let results = await ledger.commit(entries)
                for (result, answer) in zip(results, answers) {
                    switch answer {
                    case .applied: #expect(result.isApplied)
                    case .repeated: #expect(result == .repeated)
                    case .refused: #expect(result.isRefused)
                    }
                }
            }
            try await compare(ledger, model)
        }
    }

    @Test("end as the model says when the server's processes are killed at random", arguments: [11, 12] as [UInt64])
    func agreeWithLosses(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        try await withLedger { (ledger, dsn) async throws in
            var model = InvoiceModel()
            for round in 0..<60 {
                var entries: [CommitEntry] = []
                // An invoice once in a batch: a second change that is sent again with the first sees both done.
                for number in 0..<40 where Bool.random(using: &random) {
                    let action = InvoiceModel.Action.allCases.randomElement(using: &random)!
                    model.attempt = model.attempt(for: action, number)
                    _ = model.apply(action, to: number)
                    entries.append(entry(action, Payment(number, attempt: model.attempt)))
                }
                async let results = ledger.commit(entries)
                if round % 3 == 0 {
                    TestServer.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()", in: dsn)
                }
                _ = await results
            }
            try await compare(ledger, model)
        }
    }

    private func compare(_ ledger: Ledger, _ model: InvoiceModel) async throws {
        let stored = await ledger.lookup((0..<40).map { Payment($0).hash })
        #expect(stored.count == model.invoices.count)
        for (number, expected) in model.invoices {
            let set = stored.first { $0.paymentHash == Payment(number).hash }
            #expect(set?.state == expected.state)
            #expect(set?.setID == expected.attempt.map { Payment(number, attempt: $0).setID })
            #expect(set?.htlcs.count == expected.resolutions.count)
            for part in expected.resolutions.indices {
                let circuit = Payment(number, attempt: expected.attempt ?? 0).parts[part].circuitKey
                let resolution = set?.htlcs.first { $0.held.circuitKey == circuit }?.resolution
                #expect(resolution?.isSettled == expected.resolutions[part])
            }
            #expect(try await ledger.events(after: 0, paymentHash: Payment(number).hash).map(\.type) == model.told[number] ?? [])
        }
        let offsets = try await ledger.events(after: 0).map(\.offset)
        #expect(offsets == Array(1...Int64(offsets.count)))
    }

    private func entry(_ action: InvoiceModel.Action, _ payment: Payment) -> CommitEntry {
        switch action {
        case .create: payment.create
        case .accept: payment.accept()
        case .acceptSettling: payment.accept(settling: true)
        case .request: payment.requestSettlement
        case .release: payment.release
        case .void: payment.void
        case .cancel: payment.cancel(nil)
        case .cancelSet: payment.cancel(payment.setID)
        case .expire: payment.expire
        case .settleFirst: payment.resolve(0)
        case .failFirst: payment.resolve(0, settled: false)
        case .settleLast: payment.resolve(1, concludes: .settled)
        case .concludeFailed: payment.resolve(1, settled: false, concludes: .failed)
        }
    }
}
