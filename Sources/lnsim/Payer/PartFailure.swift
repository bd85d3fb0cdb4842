import Bolt
import Keys
import Payments

/// Why a part failed, as the payer reads it.
struct PartFailure: Equatable, Sendable {
    enum Origin: String, Sendable {
        case node
        case virtualNode = "virtual_node"
        /// The packet does not decrypt with the payer's secret.
        case unreadable
    }

    /// The BOLT 4 code; zero if it cannot be read.
    var code: UInt16
    var origin: Origin
    /// What the code's data says, where a payer looks at it.
    var data: [Datum] = []

    struct Datum: Equatable, Sendable {
        var name: String
        var value: UInt64
    }

    init(code: UInt16, origin: Origin) { (self.code, self.origin) = (code, origin) }

    /// Decrypts what the virtual node sent.
    init(packet: [UInt8], sharedSecret: Bytes32) {
        guard let (_, message) = FailurePacket.unwrap(packet, sharedSecrets: [sharedSecret], by: LibCrypto.self) else {
            self.init(code: 0, origin: .unreadable)
            return
        }
        self.init(code: message.code, origin: .virtualNode)
        data = Self.data(of: message)
    }

    private static func data(of message: FailureMessage) -> [Datum] {
        switch message {
        case .incorrectOrUnknownPaymentDetails(let amount, let height):
            [Datum(name: "amount_msat", value: amount.value), Datum(name: "height", value: UInt64(height))]
        case .finalIncorrectCLTVExpiry(let expiry): [Datum(name: "expiry", value: UInt64(expiry))]
        case .finalIncorrectHTLCAmount(let amount): [Datum(name: "amount_msat", value: amount.value)]
        case .invalidOnionPayload(let type, let offset):
            [Datum(name: "type", value: type), Datum(name: "offset", value: UInt64(offset))]
        default: []
        }
    }

    var name: String { origin == .unreadable ? "unreadable_failure" : FailureNames.name(of: code) }
}
