internal import Bolt
public import Payments

/// What makes LNURL's addresses unguessable without storing anything: tokens by which a payment is verified, challenges, and the
/// randomness of invoices that are bound to an order.
public struct LNURLSecrets: Sendable {
    private let verification: SecretBytes
    private let challenge: SecretBytes
    private let order: SecretBytes
    private let login: SecretBytes
    private let claim: SecretBytes

    private static let tagLength = 16
    private static let tagCharacters = 22

    public init(identity: IdentityKey) {
        verification = identity.derive("lnurl verify")
        challenge = identity.derive("lnurl challenge")
        order = identity.derive("lnurl order")
        login = identity.derive("lnurl login")
        claim = identity.derive("lnurl claim code")
    }

    // MARK: Verify (LUD-21)

    /// A tag that nobody can compute who has only seen the invoice, and the invoice, which is stored nowhere.
    public func verifyToken(for paymentRequest: String) -> String {
        Self.tag(of: paymentRequest, by: verification) + paymentRequest
    }

    /// The invoice that the token is for; `nil` if it was not made here.
    public func paymentRequest(of token: String) -> String? {
        guard token.utf8.count > Self.tagCharacters, token.utf8.allSatisfy({ $0 < 128 }) else { return nil }
        let given = token.prefix(Self.tagCharacters)
        let paymentRequest = String(token.dropFirst(Self.tagCharacters))
        let difference = zip(Self.tag(of: paymentRequest, by: verification).utf8, given.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) }
        return difference == 0 ? paymentRequest : nil
    }

    private static func tag(of text: String, by key: SecretBytes) -> String {
        let digest = key.withSpan { LibCrypto.hmacSHA256(key: $0, Array(text.utf8).span) }
        return Base64URL.encode(Array(digest.array.prefix(tagLength)))
    }

    // MARK: Challenges (LUD-04, LUD-18)

    /// Thirty-two bytes that can be recognised: their time, what they are for and that they were made here. `random` must be new.
    public func challenge(for purpose: String, at time: UnixTime, random: Bytes32) -> Bytes32 {
        var bytes = Bytes32()
        let seconds = UInt64(bitPattern: time.seconds)
        for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: seconds >> UInt64(8 * (7 - index))) }
        for index in 8..<16 { bytes[index] = random[index] }
        let tag = challengeTag(of: bytes, purpose)
        for index in 0..<16 { bytes[16 + index] = tag[index] }
        return bytes
    }

    /// When it was made; `nil` unless it was made here for this purpose.
    public func time(of challenge: Bytes32, for purpose: String) -> UnixTime? {
        var expected = challenge
        let tag = challengeTag(of: challenge, purpose)
        for index in 0..<16 { expected[16 + index] = tag[index] }
        guard expected == challenge else { return nil }
        return UnixTime(seconds: Int64(bitPattern: (0..<8).reduce(0) { $0 << 8 | UInt64(challenge[$1]) }))
    }

    /// Whether it was made here for this purpose, within so many seconds before the time. Clocks of two processes may differ by a minute.
    public func isFresh(_ challenge: Bytes32, for purpose: String, at time: UnixTime, seconds: Int64) -> Bool {
        guard let made = self.time(of: challenge, for: purpose)?.seconds else { return false }
        return made - time.seconds <= 60 && time.seconds - made < seconds
    }

    private func challengeTag(of bytes: Bytes32, _ purpose: String) -> Bytes32 {
        self.challenge.withSpan { LibCrypto.hmacSHA256(key: $0, bytes.storage.span.extracting(0..<16), Array(purpose.utf8).span) }
    }

    // MARK: Login (LUD-04)

    /// The parts of an API key that can be recognised before it is stored anywhere. `random` must be new.
    public func loginKey(random: Bytes32) -> (id: [UInt8], secret: Bytes32) {
        (Array(login.withSpan { LibCrypto.hmacSHA256(key: $0, random.storage.span) }.array.prefix(8)), random)
    }

    public func isLoginKey(id: String, secret: Bytes32) -> Bool {
        let own = loginKey(random: secret).id
        return Hex.encode(own.span) == id
    }

    /// With which an empty gateway is claimed: eighty bits, in groups that people can copy.
    public var claimCode: String {
        let digits = Array("abcdefghjkmnpqrstuvwxyz023456789".utf8)
        let bytes = claim.withSpan { LibCrypto.hmacSHA256(key: $0, Array("code".utf8).span) }
        var text = [UInt8]()
        for index in 0..<16 {
            if index > 0, index % 4 == 0 { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(bytes[index] & 31)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// In either case; takes the same time wherever the two differ.
    public func isClaimCode(_ text: String) -> Bool {
        let own = Array(claimCode.utf8)
        let given = Array(text.lowercased().utf8)
        guard given.count == own.count else { return false }
        return zip(own, given).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    // MARK: Orders

    /// The same for the same link, whenever it is asked: all invoices of an order have one payment hash, so it is paid once.
    public func randomness(ofOrder link: String) -> Bytes32 {
        order.withSpan { LibCrypto.hmacSHA256(key: $0, Array(link.utf8).span) }
    }
}

extension LNURLSecrets: CustomStringConvertible, CustomReflectable {
    public var description: String { "LNURLSecrets" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
