import Bolt
import Keys
import Payments

/// What a payer takes from an invoice.
struct PayableInvoice: Sendable {
    /// The way through one node to the payee.
    struct Hint: Sendable {
        var chanID: UInt64
        var policy: RoutingPolicy
    }

    let paymentHash: PaymentHash
    let paymentSecret: Bytes32
    let amount: Millisatoshis?
    let payee: PublicKey
    let finalExpiryDelta: UInt32
    let metadata: [UInt8]?
    /// By the node that forwards to the payee.
    let hints: [PublicKey: Hint]

    init(_ text: String) throws(PayFailure) {
        let invoice: Bolt11Invoice
        do {
            invoice = try Bolt11Invoice(decoding: text, by: LibCrypto.self)
        } catch {
            throw .badInvoice("\(error)")
        }
        paymentHash = invoice.paymentHash
        paymentSecret = invoice.paymentSecret.bytes
        amount = invoice.amount
        payee = invoice.payee
        finalExpiryDelta = UInt32(clamping: invoice.minFinalCLTVExpiry)
        metadata = invoice.metadata
        var hints: [PublicKey: Hint] = [:]
        for route in invoice.routeHints where route.count == 1 {
            let hop = route[0]
            hints[hop.node] = Hint(
                chanID: hop.shortChannelID,
                policy: RoutingPolicy(
                    cltvDelta: hop.cltvDelta, feeBase: Millisatoshis(UInt64(hop.feeBase)), feePPM: hop.feePPM))
        }
        self.hints = hints
    }
}
