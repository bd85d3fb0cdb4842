public import Payments

/// One login that a browser waits for (LUD-04): the challenge, and the API key that becomes good when a wallet has signed it.
///
/// All of it stands in the path of the address: some wallets replace the query when they answer. Of the key it is the id and the hash,
/// which are no secret.
public struct LoginOffer: Equatable, Sendable {
    public var challenge: Bytes32
    public var keyID: String
    public var keyHash: Bytes32
    /// Whether the wallet may claim a gateway that nobody has claimed: the browser knew the code.
    public var claims: Bool

    public init(challenge: Bytes32, keyID: String, keyHash: Bytes32, claims: Bool) {
        self.challenge = challenge
        self.keyID = keyID
        self.keyHash = keyHash
        self.claims = claims
    }

    /// What the challenge has to have been made for.
    public static func purpose(keyID: String, keyHash: Bytes32, claims: Bool) -> String { "login \(keyID) \(keyHash.hex) \(claims)" }
    public var purpose: String { Self.purpose(keyID: keyID, keyHash: keyHash, claims: claims) }

    public var token: String { challenge.hex + keyID + keyHash.hex + (claims ? "1" : "0") }

    public init?(token: String) {
        guard token.utf8.count == 145, token.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else { return nil }
        let last = token.last
        guard last == "0" || last == "1", let challenge = Bytes32(hex: String(token.prefix(64))),
            let hash = Bytes32(hex: String(token.dropFirst(80).prefix(64)))
        else { return nil }
        self.init(challenge: challenge, keyID: String(token.dropFirst(64).prefix(16)), keyHash: hash, claims: last == "1")
    }

    /// `base` is for ever: wallets make a key for each host.
    public func url(base: String) -> String {
        base + "/lnurl/auth/" + token + "?tag=login&k1=" + challenge.hex + "&action=" + (claims ? "register" : "login")
    }

    /// What a wallet sends; its `k1` may be missing, but must not be another.
    public func claim(query value: (String) -> String?) throws(LNURLRefusal) -> LoginClaim {
        if let given = value("k1"), given.lowercased() != challenge.hex { throw .challenge }
        let own = challenge.hex
        return try LoginClaim { $0 == "k1" ? own : value($0) }
    }
}
