import Bolt
import Keys
import Payments

/// The onion as it reaches the virtual node: the forwarding node has peeled its layer already, so one is left.
struct VirtualOnion: Sendable {
    /// 1366 bytes, unless the fault is to have fewer.
    let packet: [UInt8]
    let sharedSecret: Bytes32

    /// `nil` for a payee that is no point of the curve or a payload that does not fit.
    init?(payload: [UInt8], payee: PublicKey, paymentHash: PaymentHash, fault: Tampering.OnionFault?) {
        let route = [Onion.Hop(key: payee, payload: payload)]
        guard
            let built = Onion.build(
                route: route, sessionKey: SecureRandom.bytes32(), associatedData: paymentHash, by: LibCrypto.self)
        else { return nil }
        var packet = built.packet
        switch fault {
        case .garbage: packet.replaceSubrange(34..., with: SecureRandom.bytes(packet.count - 34))
        case .wrongVersion: packet[0] = 1
        case .wrongHMAC: packet[packet.count - 1] ^= 1
        case .wrongKey: packet.replaceSubrange(1..<34, with: [2] + [UInt8](repeating: 0xff, count: 32))
        case .short: packet.removeLast(1000)
        case .malformedPayload, .unknownEvenType, .noPaymentData, .noMetadata, nil: break
        }
        (self.packet, sharedSecret) = (packet, built.sharedSecrets[0])
    }
}
