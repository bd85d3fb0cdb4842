import Loop
import Payments

/// Payments that were built beforehand and are fired at a rate, or as fast as they are answered, for measuring.
@LoopActor
final class Volley {
    struct Plan: Equatable, Sendable {
        /// Per second; zero sends the next payment when one is over.
        var rate: Double
        /// How many may be under way at once.
        var inFlight: Int
        var count: Int
        var timeoutMilliseconds: UInt64
    }

    struct Report: Equatable, Sendable {
        var count = 0
        var succeeded = 0
        var failed = 0
        /// Payments that were not over when the time was.
        var pending = 0
        var seconds = 0.0
        /// From the first offer to the last SETTLE, in nanoseconds, ascending.
        var latencies: [UInt64] = []
        /// Names of failures and how often each came.
        var failures: [String: Int] = [:]

        /// In milliseconds; zero if nothing succeeded.
        func latency(atQuantile quantile: Double) -> Double {
            guard !latencies.isEmpty else { return 0 }
            let index = Int((Double(latencies.count) * quantile).rounded(.up)) - 1
            return Double(latencies[min(max(index, 0), latencies.count - 1)]) / 1_000_000
        }
    }

    private let plan: Plan
    private let payer: Payer
    private var ready: ArraySlice<Payment>
    private var report = Report()
    private var flying = 0
    private var sent = 0
    private var startedAt: UInt64 = 0
    private var clock: Timer?
    private var deadline: Timer?
    private var isRefillDue = false
    private var completion: (@LoopActor (Report) -> Void)?

    init(_ plan: Plan, _ payments: [Payment], payer: Payer, completion: @escaping @LoopActor (Report) -> Void) {
        (self.plan, self.payer, self.completion) = (plan, payer, completion)
        ready = payments[...]
        report.latencies.reserveCapacity(payments.count)
    }

    func start() {
        startedAt = Clock.monotonicNanoseconds
        deadline = Timer(afterMilliseconds: plan.timeoutMilliseconds) { self.finish() }
        if plan.rate > 0 { clock = Timer(afterMilliseconds: 1, repeats: 1) { self.fill() } }
        fill()
    }

    /// Sends what is due and allowed.
    private func fill() {
        isRefillDue = false
        guard completion != nil else { return }
        if ready.isEmpty && flying == 0 { return finish() }
        let elapsed = Double(Clock.monotonicNanoseconds - startedAt) / 1e9
        let due = plan.rate > 0 ? Int(elapsed * plan.rate) + 1 - sent : Int.max
        var budget = min(due, plan.inFlight - flying)
        while budget > 0, let payment = ready.popFirst() {
            budget -= 1
            flying += 1
            sent += 1
            payer.send(payment) { self.over($0) }
        }
    }

    private func over(_ payment: Payment) {
        guard completion != nil else { return }
        flying -= 1
        if payment.status == .succeeded {
            report.succeeded += 1
            report.latencies.append((payment.endedAt ?? payment.startedAt) - payment.startedAt)
        } else {
            report.failed += 1
            for part in payment.parts {
                if case .failed(let failure) = part.state { report.failures[failure.name, default: 0] += 1 }
            }
        }
        // Answers come many at a time; the refill goes out once for all of them.
        guard !isRefillDue, plan.rate == 0 || ready.isEmpty else { return }
        isRefillDue = true
        LoopActor.atEndOfTurn { self.fill() }
    }

    private func finish() {
        guard let completion else { return }
        self.completion = nil
        clock?.cancel()
        deadline?.cancel()
        report.seconds = Double(Clock.monotonicNanoseconds - startedAt) / 1e9
        report.count = report.succeeded + report.failed
        report.pending = flying + ready.count
        report.latencies.sort()
        completion(report)
    }
}
