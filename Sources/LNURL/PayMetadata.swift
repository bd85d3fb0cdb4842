public import Payments
internal import Wire

/// What a wallet shows of a payment, and what its invoice commits to (LUD-06).
///
/// The text is made once and kept: any other spelling of the same would have another hash.
public struct PayMetadata: Equatable, Sendable {
    /// JSON inside a string of the answer.
    public let text: String

    /// Metadata as it was stored.
    public init(stored text: String) { self.text = text }

    public init(description: String, longDescription: String? = nil, identifier: String? = nil) {
        var json = JSONWriter()
        json.array { json in
            func entry(_ kind: String, _ value: String) {
                json.array { json in
                    json.string(kind)
                    json.string(value)
                }
            }
            entry("text/plain", description)
            if let longDescription { entry("text/long-desc", longDescription) }
            if let identifier { entry("text/identifier", identifier) }
        }
        text = String(decoding: json.bytes, as: UTF8.self)
    }

    /// The same text with a tag at its end: of `name+tag` (LUD-16).
    public func adding(tag: String) -> PayMetadata {
        var json = JSONWriter()
        json.array { json in
            json.string("text/tag")
            json.string(tag)
        }
        return PayMetadata(stored: text.dropLast() + "," + String(decoding: json.bytes, as: UTF8.self) + "]")
    }

    /// What the invoice's field `h` has to be: of the metadata and, if they were asked for and came, the payer's data, byte for byte
    /// (LUD-18).
    public func hash<Hash: SHA256Digest>(payerData: String? = nil, by hash: Hash.Type) -> Bytes32 {
        Hash.sha256(Array((text + (payerData ?? "")).utf8).span)
    }
}
