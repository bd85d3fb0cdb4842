public import Payments

/// How an API key looks: `ley_`, an id of sixteen hexadecimal digits, `_`, a secret of sixty-four.
///
/// Only the hash of the whole text is stored.
public enum APIKeyText {
    public static func make(id: [UInt8], secret: Bytes32) -> (id: String, key: String) {
        let id = Hex.encode(id)
        return (id, "ley_\(id)_\(secret.hex)")
    }

    public static func isWellFormed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 85, bytes.starts(with: "ley_".utf8), bytes[20] == 0x5F else { return false }
        return (bytes[4..<20] + bytes[21...]).allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// Whether a text can be a key's id.
    public static func isID(_ text: String) -> Bool {
        text.utf8.count == 16 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    public static func hash<Hash: SHA256Digest>(_ text: String, by hash: Hash.Type) -> Bytes32 { Hash.sha256(Array(text.utf8).span) }
}
