import Keys
import Payments

/// What the vectors are computed with.
func sha256(_ text: String) -> String { LibCrypto.sha256(Array(text.utf8).span).hex }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// The parameters of a query; the first of a name counts.
func query(_ items: KeyValuePairs<String, String>) -> (String) -> String? {
    { name in items.first { $0.key == name }?.value }
}
