import Ledger
import Payments

/// What a ledger must do, in a few lines of memory.
struct InvoiceModel {
    struct Invoice {
        var state: InvoiceState
        var attempt: Int?
        var failedBack: Set<Int> = []
        var resolutions: [Bool?] = []
    }

    enum Answer { case applied, repeated, refused }

    var invoices: [Int: Invoice] = [:]
    var told: [Int: [EventType]] = [:]
    /// Attempts that were made void without having been accepted.
    private var voided: [Int: Set<Int>] = [:]

    mutating func apply(_ action: Action, to number: Int) -> Answer {
        let answer = decide(action, invoices[number], voided[number] ?? [])
        if case .voided = answer {
            voided[number, default: []].insert(attempt)
            return .applied
        }
        guard case .applied(let changed, let events) = answer else { return answer == .repeated ? .repeated : .refused }
        invoices[number] = changed
        told[number, default: []] += events
        return .applied
    }

    enum Action: CaseIterable {
        case create, accept, acceptSettling, request, release, void, cancel, cancelSet, expire
        case settleFirst, failFirst, settleLast, concludeFailed

        var isResolution: Bool { [.settleFirst, .failFirst, .settleLast, .concludeFailed].contains(self) }
    }

    /// The set that an action is about unless chance wants another. No set has been accepted: one that never is.
    func attempt(for action: Action, _ number: Int) -> Int { invoices[number]?.attempt ?? (action.isResolution ? 9 : 0) }

    private enum Decision: Equatable {
        case applied(Invoice, [EventType]), voided, repeated, refused
        static func == (lhs: Self, rhs: Self) -> Bool {
            switch (lhs, rhs) {
            case (.repeated, .repeated), (.refused, .refused): true
            default: false
            }
        }
    }

    /// The attempt that an action is about is chosen by the caller and kept in `attempt`.
    var attempt = 0

    private func decide(_ action: Action, _ stored: Invoice?, _ voided: Set<Int>) -> Decision {
        let isReleased = stored?.state.isReleased ?? false
        let isFailedBack = voided.contains(attempt) || stored?.failedBack.contains(attempt) ?? false
        let isThisSet = stored?.attempt == attempt
        switch action {
        case .create:
            guard let stored else { return .applied(Invoice(state: .open), [.invoiceCreated]) }
            return stored.failedBack.contains(-1) ? .refused : .repeated
        case .accept, .acceptSettling:
            let settles = action == .acceptSettling
            let accepted: [EventType] = [.htlcAccepted, .htlcAccepted, .invoiceAccepted]
            let last: [EventType] = settles ? [.invoiceSettleRequested] : []
            // A stateless payment's row has no payment request: a later create is another invoice. Marked by -1.
            var next = stored ?? Invoice(state: .open, failedBack: [-1])
            switch next.state {
            case .open where isFailedBack: return .refused
            case .open:
                next.state = settles ? .settleRequested : .accepted
                next.attempt = attempt
                next.resolutions = [nil, nil]
                return .applied(next, accepted + last)
            case .accepted where isThisSet && settles:
                next.state = .settleRequested
                return .applied(next, last)
            case .accepted where isThisSet: return .repeated
            default: return isReleased && isThisSet ? .repeated : .refused
            }
        case .request:
            guard var next = stored, isThisSet else { return .refused }
            guard next.state == .accepted else { return isReleased ? .repeated : .refused }
            next.state = .settleRequested
            return .applied(next, [.invoiceSettleRequested])
        case .release:
            guard var next = stored, next.state == .accepted, isThisSet else { return isFailedBack ? .repeated : .refused }
            next.state = .open
            next.failedBack.insert(attempt)
            return .applied(next, [.invoiceReleased])
        case .void:
            if let stored, stored.state != .open, stored.state != .accepted { return .refused }
            guard var next = stored, next.state == .accepted, isThisSet else { return isFailedBack ? .repeated : .voided }
            next.state = .open
            next.failedBack.insert(attempt)
            return .applied(next, [.htlcFailed, .htlcFailed, .invoiceReleased])
        case .cancel, .cancelSet:
            guard var next = stored else { return .refused }
            guard next.state == .open || next.state == .accepted && isThisSet && action == .cancelSet else {
                return next.state == .canceled ? .repeated : .refused
            }
            if next.state == .accepted { next.failedBack.insert(attempt) }
            next.state = .canceled
            return .applied(next, [.invoiceCanceled])
        case .expire:
            guard var next = stored else { return .refused }
            guard next.state == .open else { return next.state == .expired ? .repeated : .refused }
            next.state = .expired
            return .applied(next, [.invoiceExpired])
        case .settleFirst, .failFirst, .settleLast, .concludeFailed:
            // Only the present set's HTLCs: what became of earlier ones is not modelled.
            guard var next = stored, isThisSet else { return .refused }
            let part = action == .settleFirst || action == .failFirst ? 0 : 1
            let settles = action == .settleFirst || action == .settleLast
            if let known = next.resolutions[part] { return known == settles ? .repeated : .refused }
            let conclusion: InvoiceState? = action == .settleLast ? .settled : action == .concludeFailed ? .failed : nil
            if let conclusion {
                guard next.state == .settleRequested, next.resolutions[1 - part] != nil else { return .refused }
                next.state = conclusion
            }
            next.resolutions[part] = settles
            return .applied(next, [settles ? .htlcSettled : .htlcFailed] + (conclusion.map { $0 == .settled ? [.invoiceSettled] : [.invoiceFailed] } ?? []))
        }
    }
}
