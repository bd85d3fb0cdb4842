import Payments

/// What a simulated node pays and has, with LND's rules: a hash that is on its way or paid is not begun again. It stays while the
/// node is down.
struct SimulatedWallet: Sendable {
    enum Refusal: Error, Equatable {
        case exists, inTransition, expired
    }

    private(set) var payments: [PaymentHash: OutgoingPayment] = [:]
    private(set) var order: [PaymentHash] = []
    /// What the channels hold on this side.
    var local = Millisatoshis(10_000_000_000)
    var remote = Millisatoshis(10_000_000_000)
    var onchain = Millisatoshis(1_000_000_000)
    var plans: [PaymentPlan] = []

    /// Begins a payment; `nil` means that the wallet cannot afford it, which LND tells as a failed payment.
    mutating func begin(_ payment: OutgoingPayment, isExpired: Bool) throws(Refusal) -> OutgoingPayment {
        if let known = payments[payment.paymentHash] {
            switch known.state {
            case .inFlight: throw .inTransition
            case .succeeded: throw .exists
            case .failed: order.removeAll { $0 == payment.paymentHash }
            }
        }
        guard !isExpired else { throw .expired }
        var payment = payment
        payment.number = (order.last.flatMap { payments[$0]?.number } ?? 0) + 1
        if payment.amount + payment.fee > spendable { payment.state = .failed(5) }
        payments[payment.paymentHash] = payment
        order.append(payment.paymentHash)
        return payment
    }

    /// `nil` unless it is in flight.
    mutating func end(_ hash: PaymentHash, _ state: OutgoingPayment.State) -> OutgoingPayment? {
        guard var payment = payments[hash], payment.state == .inFlight else { return nil }
        payment.state = state
        payments[hash] = payment
        if case .succeeded = state {
            let sent = payment.amount + payment.fee
            local = local.beyond(sent)
            remote += sent
        }
        return payment
    }

    func payments(after number: UInt64, limit: Int) -> [OutgoingPayment] {
        Array(order.lazy.compactMap { payments[$0] }.filter { $0.number > number }.prefix(limit))
    }

    /// Of all that were paid, amounts and fees.
    var spent: (count: Int, amount: Millisatoshis, fees: Millisatoshis) {
        var sum = (count: 0, amount: Millisatoshis.zero, fees: Millisatoshis.zero)
        for payment in payments.values {
            guard case .succeeded = payment.state else { continue }
            sum = (sum.count + 1, sum.amount + payment.amount, sum.fees + payment.fee)
        }
        return sum
    }

    var inFlight: Int { payments.values.count { $0.state == .inFlight } }

    private var spendable: Millisatoshis {
        payments.values.reduce(local) { left, payment in payment.state == .inFlight ? left.beyond(payment.amount + payment.fee) : left }
    }
}
