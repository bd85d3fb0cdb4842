import Loop
import Payments

/// Payments whose onions are built already. Building happens off the loop, so that the nodes go on meanwhile.
@LoopActor
final class Magazine {
    /// A payment to be built: its number and, for each part, the node, the key of the HTLC and the draft.
    private struct Order: Sendable {
        var id: Int
        var paymentHash: PaymentHash
        var parts: [(node: Int, circuit: Circuit, draft: PartDraft)]
    }

    private let payer: Payer
    private(set) var ready: [Payment] = []

    init(payer: Payer) { self.payer = payer }

    /// Builds a payment for each invoice and returns how many there are now. Without `split` the nodes take turns.
    func load(_ requests: [String], split: [Int]?, nodes: Int, height: UInt32) async throws(PayFailure) -> Int {
        let invoices = try await Self.read(requests)
        var orders: [Order] = []
        orders.reserveCapacity(invoices.count)
        for (index, invoice) in invoices.enumerated() {
            let parts = Self.shares(of: invoice.amount, among: split ?? [index % max(nodes, 1)])
            let drafts = try payer.draft(invoice, parts, total: nil)
            orders.append(
                Order(
                    id: payer.nextPaymentID(), paymentHash: invoice.paymentHash,
                    parts: drafts.map { ($0.node, payer.nextCircuit(at: $0.node), $0.draft) }))
        }
        ready += try await Self.build(orders, height: height)
        return ready.count
    }

    /// Takes the oldest payments out, or `nil` if there are not as many.
    func take(_ count: Int) -> [Payment]? {
        guard count <= ready.count else { return nil }
        defer { ready.removeFirst(count) }
        return Array(ready.prefix(count))
    }

    func clear() { ready = [] }

    /// Equal parts; the first one takes what does not divide.
    private static func shares(of amount: Millisatoshis?, among nodes: [Int]) -> [Payer.PartRequest] {
        guard let amount, !nodes.isEmpty else { return nodes.map { Payer.PartRequest(node: $0) } }
        let share = amount.value / UInt64(nodes.count)
        return nodes.enumerated().map { index, node in
            let extra = index == 0 ? amount.value % UInt64(nodes.count) : 0
            return Payer.PartRequest(node: node, amount: Millisatoshis(share + extra))
        }
    }

    @concurrent
    private static func read(_ requests: [String]) async throws(PayFailure) -> [PayableInvoice] {
        var invoices: [PayableInvoice] = []
        invoices.reserveCapacity(requests.count)
        for request in requests { invoices.append(try PayableInvoice(request)) }
        return invoices
    }

    @concurrent
    private static func build(_ orders: [Order], height: UInt32) async throws(PayFailure) -> [Payment] {
        var payments: [Payment] = []
        payments.reserveCapacity(orders.count)
        for order in orders {
            var parts: [Payment.Part] = []
            for (index, item) in order.parts.enumerated() {
                let part = SimulatedHTLC.Part(payment: order.id, index: index)
                guard let (htlc, secret) = item.draft.make(circuit: item.circuit, height: height, part: part) else {
                    throw .onion
                }
                parts.append(Payment.Part(node: item.node, htlc: htlc, sharedSecret: secret))
            }
            payments.append(Payment(id: order.id, paymentHash: order.paymentHash, parts: parts))
        }
        return payments
    }
}
