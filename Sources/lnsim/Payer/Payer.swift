import Loop
import Payments

/// Pays invoices through the simulated nodes and remembers how each payment went.
@LoopActor
final class Payer {
    struct PartRequest: Equatable, Sendable {
        var node: Int
        /// `nil`: what the other parts leave of the invoice's amount.
        var amount: Millisatoshis?
        var tampering = Tampering()
    }

    struct Counts: Equatable, Sendable {
        var succeeded = 0
        var failed = 0
        /// Payments of which a part was settled and another failed.
        var torn = 0
    }

    private(set) var counts = Counts()
    private(set) var payments: [Int: Payment] = [:]
    private var waiters: [Int: [@LoopActor (Payment) -> Void]] = [:]
    private var lastID = 0
    /// Payments that are over are forgotten, the oldest first, beyond this number.
    static let keptPayments = 20_000
    private var over: [Int] = []
    private var forgotten = 0

    private let nodes: [NodeServer]
    private var nextHTLCID: [UInt64]

    init(nodes: [NodeServer]) {
        self.nodes = nodes
        nextHTLCID = nodes.map { _ in 0 }
    }

    // MARK: Making payments

    func nextPaymentID() -> Int {
        lastID += 1
        return lastID
    }

    /// A fresh index in the channel through which the payer reaches the node.
    func nextCircuit(at node: Int) -> Circuit {
        defer { nextHTLCID[node] += 1 }
        return Circuit(chanID: SimulatedNetwork.incomingChannel(of: node), htlcID: nextHTLCID[node])
    }

    /// Checks the request against the invoice and builds its HTLCs, without sending any.
    func draft(
        _ invoice: PayableInvoice, _ requests: [PartRequest], total: Millisatoshis?
    ) throws(PayFailure) -> [(node: Int, draft: PartDraft)] {
        guard !requests.isEmpty else { throw .noParts }
        let named = requests.reduce(Millisatoshis.zero) { $0 + ($1.amount ?? .zero) }
        guard let total = total ?? invoice.amount ?? (named > .zero ? named : nil) else { throw .noAmount }
        let rest = Millisatoshis(total.value > named.value ? total.value - named.value : 0)
        var drafts: [(node: Int, draft: PartDraft)] = []
        for request in requests {
            guard nodes.indices.contains(request.node) else { throw .noSuchNode(request.node) }
            guard let hint = invoice.hints[nodes[request.node].publicKey] else { throw .noRoute(node: request.node) }
            let draft = PartDraft(
                invoice: invoice, hint: hint, amount: request.amount ?? rest, total: total, tampering: request.tampering)
            drafts.append((request.node, draft))
        }
        return drafts
    }

    /// Builds a payment and offers its HTLCs. `isOver` runs once, when no part is pending any more.
    func pay(
        _ invoice: PayableInvoice, _ requests: [PartRequest], total: Millisatoshis?, height: UInt32,
        isOver: @escaping @LoopActor (Payment) -> Void
    ) throws(PayFailure) -> Int {
        let drafts = try draft(invoice, requests, total: total)
        let id = nextPaymentID()
        var parts: [Payment.Part] = []
        for (index, item) in drafts.enumerated() {
            let part = SimulatedHTLC.Part(payment: id, index: index)
            guard let (htlc, secret) = item.draft.make(circuit: nextCircuit(at: item.node), height: height, part: part) else {
                throw .onion
            }
            parts.append(Payment.Part(node: item.node, htlc: htlc, sharedSecret: secret))
        }
        send(Payment(id: id, paymentHash: invoice.paymentHash, parts: parts), isOver: isOver)
        return id
    }

    /// Offers HTLCs that are ready.
    func send(_ payment: Payment, isOver: @escaping @LoopActor (Payment) -> Void) {
        var payment = payment
        payment.startedAt = Clock.monotonicNanoseconds
        payments[payment.id] = payment
        waiters[payment.id, default: []].append(isOver)
        for part in payment.parts { nodes[part.node].arrived(part.htlc) }
    }

    /// An HTLC that wants to go on to a real channel: none of the interceptor's business.
    func sendForeign(through node: Int, _ htlc: SimulatedHTLC, isOver: @escaping @LoopActor (Payment) -> Void) {
        let part = Payment.Part(node: node, htlc: htlc, sharedSecret: Bytes32())
        send(Payment(id: htlc.part.payment, paymentHash: htlc.paymentHash, parts: [part]), isOver: isOver)
    }

    // MARK: News

    /// A part came to its end.
    func ended(_ part: SimulatedHTLC.Part, _ outcome: PartOutcome) {
        guard payments[part.payment]?.ended(part: part.index, outcome) == true else { return }
        payments[part.payment]?.close(at: Clock.monotonicNanoseconds)
        guard let payment = payments[part.payment] else { return }
        if payment.status == .succeeded { counts.succeeded += 1 } else { counts.failed += 1 }
        if payment.isTorn { counts.torn += 1 }
        for waiter in waiters.removeValue(forKey: payment.id) ?? [] { waiter(payment) }
        forgetOldest(after: payment.id)
    }

    private func forgetOldest(after id: Int) {
        if over.count < Self.keptPayments {
            over.append(id)
        } else {
            payments[over[forgotten]] = nil
            over[forgotten] = id
            forgotten = (forgotten + 1) % Self.keptPayments
        }
    }
}
