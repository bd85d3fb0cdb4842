internal import Gateway
internal import Glibc
internal import Keys
internal import Loop
internal import Payments

/// Complete invoices, with route hints for two nodes, made without HTTP and without a store.
struct CreateBench {
    private let issuer: InvoiceIssuer
    private let nodes: [(pubkey: PublicKey, chanID: UInt64)]

    init() {
        let identity = Fixture.identity()
        issuer = InvoiceIssuer(settings: Fixture.settings, identity: identity, secrets: PaymentSecrets(identity: identity))
        nodes = (1...2).map { (Fixture.identity().publicKey, 1 << 63 | $0) }
    }

    func nanoseconds(count: Int) -> Double {
        let wish = InvoiceIssuer.Wish(
            amount: Millisatoshis(21_000), description: .text("A jar of lightning"), settlement: .auto, isStored: false)
        var bytes = 0
        let start = Fixture.processorNanoseconds
        for _ in 0..<count {
            let now = UnixTime(milliseconds: Clock.wallMilliseconds)
            guard let invoice = try? issuer.issue(wish, account: 1, through: nodes, at: now, random: SecureRandom.bytes32())
            else { exit(70) }
            bytes += invoice.paymentRequest.utf8.count
        }
        let elapsed = Fixture.processorNanoseconds - start
        guard bytes > 300 * count else { exit(70) }
        return Double(elapsed) / Double(count)
    }
}
