internal import Bolt
public import Payments

/// Payment secrets that carry their invoice's terms, so that nothing need be stored until it is paid.
///
/// A secret is: key id (1 byte), random (17), and under a key stream amount (8), expiry in seconds (5) and flags (1). Of
/// an account beyond the first the last four of the random bytes are its number, under a stream of the bytes before them.
/// The preimage is an HMAC of all thirty-two bytes, so a secret with any bit altered belongs to another payment hash.
public struct PaymentSecrets: Sendable {
    /// The two keys behind one key id.
    private struct Keys: Sendable {
        let stream: SecretBytes
        let preimage: SecretBytes
        let account: SecretBytes

        init(_ identity: IdentityKey, id: UInt8) {
            stream = identity.derive("payment secret \(id): terms")
            preimage = identity.derive("payment secret \(id): preimage")
            account = identity.derive("payment secret \(id): account")
        }
    }

    private let currentID: UInt8
    private let current: Keys
    private let older: [UInt8: Keys]

    /// New secrets are made under `id`; those of the older ids stay payable. The same identity key under two ids gives
    /// two unrelated sets of secrets.
    public init(identity: IdentityKey, id: UInt8 = 0, older: [UInt8: IdentityKey] = [:]) {
        currentID = id
        current = Keys(identity, id: id)
        var others = [UInt8: Keys]()
        for (otherID, key) in older where otherID != id { others[otherID] = Keys(key, id: otherID) }
        self.older = others
    }

    /// Makes a secret that was never made before, given randomness that never was. Of the expiry whole seconds are kept.
    public func make(_ terms: InvoiceTerms, random: Bytes32) -> IssuedSecret {
        var bytes = random
        bytes[0] = currentID
        if terms.account != Self.firstAccount { Self.write(terms.account, of: current, into: &bytes) }
        Self.write(terms, into: &bytes)
        Self.applyStream(of: current, to: &bytes)
        let secret = PaymentSecret(bytes)
        let preimage = Self.preimage(of: secret, by: current)
        return IssuedSecret(secret: secret, preimage: preimage, paymentHash: Self.hash(of: preimage))
    }

    /// The terms of the invoice and its preimage; `nil` unless the secret was made here and belongs to the hash.
    /// Takes the same time for every secret under the same key id.
    public func open(_ secret: PaymentSecret, for hash: PaymentHash) -> (terms: InvoiceTerms, preimage: Preimage)? {
        guard let keys = secret.bytes[0] == currentID ? current : older[secret.bytes[0]] else { return nil }
        let preimage = Self.preimage(of: secret, by: keys)
        var bytes = secret.bytes
        Self.applyStream(of: keys, to: &bytes)
        guard Self.hash(of: preimage) == hash, let terms = Self.terms(in: bytes, of: keys) else { return nil }
        return (terms, preimage)
    }

    private static let firstAccount: Int64 = 1
    private static let accountStart = 14
    private static let randomEnd = 18
    private static let amountEnd = 26
    private static let expiryEnd = 31

    private enum Flag {
        static let hasAmount: UInt8 = 1
        static let isHold: UInt8 = 2
        static let isStored: UInt8 = 4
        static let hasAccount: UInt8 = 8
    }

    private static func preimage(of secret: PaymentSecret, by keys: Keys) -> Preimage {
        Preimage(keys.preimage.withSpan { LibCrypto.hmacSHA256(key: $0, secret.bytes.storage.span) })
    }

    private static func hash(of preimage: Preimage) -> PaymentHash {
        PaymentHash(LibCrypto.sha256(preimage.bytes.storage.span))
    }

    /// The key id and the random bytes decide the stream.
    private static func applyStream(of keys: Keys, to bytes: inout Bytes32) {
        let stream = keys.stream.withSpan { LibCrypto.hmacSHA256(key: $0, bytes.storage.span.extracting(0..<randomEnd)) }
        for index in randomEnd..<32 { bytes[index] ^= stream[index] }
    }

    /// What is left of the random bytes is still enough never to occur twice. The store makes no account whose number does not fit, and
    /// rather than to book a payment to another one everything ends here.
    private static func write(_ account: Int64, of keys: Keys, into bytes: inout Bytes32) {
        let stream = accountStream(of: keys, bytes)
        let number = UInt32(account) ^ stream
        for index in 0..<4 { bytes[accountStart + index] = UInt8(truncatingIfNeeded: number >> UInt32(8 * (3 - index))) }
    }

    private static func account(in bytes: Bytes32, of keys: Keys) -> Int64 {
        var number: UInt32 = 0
        for index in accountStart..<randomEnd { number = number << 8 | UInt32(bytes[index]) }
        return Int64(number ^ accountStream(of: keys, bytes))
    }

    private static func accountStream(of keys: Keys, _ bytes: Bytes32) -> UInt32 {
        let stream = keys.account.withSpan { LibCrypto.hmacSHA256(key: $0, bytes.storage.span.extracting(0..<accountStart)) }
        return (0..<4).reduce(0) { $0 << 8 | UInt32(stream[$1]) }
    }

    private static func write(_ terms: InvoiceTerms, into bytes: inout Bytes32) {
        let amount = terms.amount?.value ?? 0
        for index in randomEnd..<amountEnd { bytes[index] = UInt8(truncatingIfNeeded: amount >> UInt64(8 * (amountEnd - 1 - index))) }
        let expiry = UnixTime(seconds: terms.expiresAt.seconds).seconds
        for index in amountEnd..<expiryEnd { bytes[index] = UInt8(truncatingIfNeeded: expiry >> Int64(8 * (expiryEnd - 1 - index))) }
        var flags: UInt8 = 0
        if terms.amount != nil { flags |= Flag.hasAmount }
        if terms.settlement == .hold { flags |= Flag.isHold }
        if terms.isStored { flags |= Flag.isStored }
        if terms.account != firstAccount { flags |= Flag.hasAccount }
        bytes[expiryEnd] = flags
    }

    private static func terms(in bytes: Bytes32, of keys: Keys) -> InvoiceTerms? {
        let flags = bytes[expiryEnd]
        guard flags & ~(Flag.hasAmount | Flag.isHold | Flag.isStored | Flag.hasAccount) == 0 else { return nil }
        var amount: UInt64 = 0
        for index in randomEnd..<amountEnd { amount = amount << 8 | UInt64(bytes[index]) }
        var expiry: Int64 = 0
        for index in amountEnd..<expiryEnd { expiry = expiry << 8 | Int64(bytes[index]) }
        return InvoiceTerms(
            amount: flags & Flag.hasAmount == 0 ? nil : Millisatoshis(amount), expiresAt: UnixTime(seconds: expiry),
            settlement: flags & Flag.isHold == 0 ? .auto : .hold, isStored: flags & Flag.isStored != 0,
            account: flags & Flag.hasAccount == 0 ? firstAccount : account(in: bytes, of: keys))
    }
}

extension PaymentSecrets: CustomStringConvertible, CustomReflectable {
    public var description: String { "PaymentSecrets(id: \(currentID))" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
