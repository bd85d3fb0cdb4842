import Bolt
import Keys
import Loop
import Payments

/// Everybody whom simulated nodes can pay: invoices of somebody outside, and of the nodes themselves.
///
/// What nobody here knows the preimage of cannot be paid; what is paid twice is counted.
@LoopActor
final class Payees {
    private let network: Network
    private let outsider: IdentityKey
    private var preimages: [PaymentHash: Preimage] = [:]
    /// How often each was paid.
    private(set) var receipts: [PaymentHash: Int] = [:]

    init(network: String) {
        self.network = Network(rawValue: network) ?? .regtest
        var key: IdentityKey?
        while key == nil { key = IdentityKey(SecureRandom.bytes32()) }
        outsider = key!
    }

    var paidTwice: Int { receipts.values.count { $0 > 1 } }

    /// An invoice of somebody outside, or with `key` of a node.
    func invoice(
        _ amount: Millisatoshis?, expirySeconds: UInt64, description: String, by key: IdentityKey? = nil, hash: PaymentHash? = nil, at time: UnixTime
    ) -> (text: String, hash: PaymentHash)? {
        let preimage = Preimage(SecureRandom.bytes32())
        let own = PaymentHash(LibCrypto.sha256(preimage.bytes.storage.span))
        let signer = key ?? outsider
        let draft = Bolt11Draft(
            network: network, amount: amount, timestamp: time, paymentHash: hash ?? own, paymentSecret: PaymentSecret(SecureRandom.bytes32()),
            description: .text(description), expiry: expirySeconds, minFinalCLTVExpiry: 80)
        guard let text = try? draft.encode(by: LibCrypto.self, sign: { signer.sign(digest: $0) }) else { return nil }
        if hash == nil { preimages[own] = preimage }
        return (text, hash ?? own)
    }

    /// A payment to a key brings its own.
    func learn(_ preimage: Preimage) { preimages[PaymentHash(LibCrypto.sha256(preimage.bytes.storage.span))] = preimage }

    func preimage(of hash: PaymentHash) -> Preimage? { preimages[hash] }

    func received(_ hash: PaymentHash) { receipts[hash, default: 0] += 1 }
}
