internal import Wire

/// What a wallet shows after the payment (LUD-09, LUD-10).
public enum SuccessAction: Equatable, Sendable {
    case message(String)
    /// On the host of the callback, or wallets refuse to pay.
    case url(description: String, url: String)
    /// Readable only with the payment's preimage.
    case aes(description: String, text: String)

    public static let maximumText = 144
    /// So that its cipher text fits 4096 characters of base64.
    public static let maximumSecret = 3071

    /// The secret text sealed with a payment's preimage: cipher text and vector, both base64.
    public struct Sealed: Equatable, Sendable {
        public var ciphertext: String
        public var vector: String
        public init(ciphertext: String, vector: String) {
            self.ciphertext = ciphertext
            self.vector = vector
        }
    }

    func append(_ sealed: Sealed?, to json: inout JSONWriter) {
        json.object("successAction") { json in
            switch self {
            case .message(let text):
                json.field("tag", "message")
                json.field("message", text)
            case .url(let description, let url):
                json.field("tag", "url")
                json.field("description", description)
                json.field("url", url)
            case .aes(let description, _):
                json.field("tag", "aes")
                json.field("description", description)
                json.field("ciphertext", sealed?.ciphertext ?? "")
                json.field("iv", sealed?.vector ?? "")
            }
        }
    }
}
