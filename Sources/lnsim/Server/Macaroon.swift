import Bolt
import Keys
import Payments

/// A bearer token in the binary form (version 2) that LND writes to its `*.macaroon` files.
///
/// The simulated node knows the two that it wrote and no other, so it never has to read one.
enum Macaroon {
    /// What the gateway's own token may do (lnd.md's least set for the calls there are).
    static let gatewayOperations = [
        ("info", ["read"]), ("invoices", ["read", "write"]), ("offchain", ["read", "write"]), ("onchain", ["read"]),
    ]
    static let adminOperations = [
        ("address", ["read", "write"]), ("info", ["read", "write"]), ("invoices", ["read", "write"]),
        ("macaroon", ["generate", "read", "write"]), ("message", ["read", "write"]), ("offchain", ["read", "write"]),
        ("onchain", ["read", "write"]), ("peers", ["read", "write"]), ("signer", ["generate", "read"]),
    ]

    static func make(operations: [(entity: String, actions: [String])], rootKey: [UInt8], nonce: [UInt8]) -> [UInt8] {
        var identifier: [UInt8] = [3] + field(1, nonce) + field(2, Array("0".utf8))
        for (entity, actions) in operations {
            identifier += field(3, field(1, Array(entity.utf8)) + actions.flatMap { field(2, Array($0.utf8)) })
        }
        let label = Array("macaroons-key-generator".utf8)
        let key = LibCrypto.hmacSHA256(key: label.span, rootKey.span)
        let signature = key.withSpan { LibCrypto.hmacSHA256(key: $0, identifier.span) }
        return [2] + packet(1, Array("lnd".utf8)) + packet(2, identifier) + [0, 0] + packet(6, signature.array)
    }

    /// A protobuf field of bytes.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2] + counted(bytes) }
    private static func packet(_ type: UInt8, _ bytes: [UInt8]) -> [UInt8] { [type] + counted(bytes) }

    private static func counted(_ bytes: [UInt8]) -> [UInt8] {
        var length = bytes.count
        var prefix: [UInt8] = []
        while length >= 0x80 {
            prefix.append(UInt8(length & 0x7f) | 0x80)
            length >>= 7
        }
        return prefix + [UInt8(length)] + bytes
    }
}
