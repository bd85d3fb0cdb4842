public import Payments

/// The onion packet of BOLT 4: version 0, an ephemeral key, 1300 bytes of payloads and their HMAC.
public enum Onion {
    /// The faults that an upstream node tells of in our place (BOLT 4, BADONION).
    public enum Failure: Error, Equatable, Sendable {
        /// `invalid_onion_version`; a packet of another length counts as one of another version.
        case version
        /// `invalid_onion_hmac`.
        case hmac
        /// `invalid_onion_key`.
        case key
        /// The packet is genuine but its payload has no valid length. For the payer:
        /// `invalid_onion_payload` with type and offset zero.
        case payload
    }

    /// What one hop finds.
    public struct Peeled: Equatable, Sendable {
        /// The records of ``HopPayload``, without their length.
        public var payload: [UInt8]
        /// The packet for the next hop; `nil` if this is the final one.
        public var next: [UInt8]?
    }

    public static let length = 1366
    static let payloadsLength = 1300
    static let payloads = 34..<1334

    /// The key to make the shared secret with. It has the form of a point, but may not be one: then the shared secret
    /// cannot be made, which is ``Failure/key`` too.
    public static func ephemeralKey(of packet: [UInt8]) throws(Failure) -> PublicKey {
        guard packet.count == length, packet[0] == 0 else { throw .version }
        guard let key = PublicKey(packet[1..<34]) else { throw .key }
        return key
    }

    /// Checks the HMAC and takes off one layer.
    public static func peel<C: Cryptography>(
        _ packet: [UInt8], sharedSecret: Bytes32, associatedData: PaymentHash, by crypto: C.Type
    ) throws(Failure) -> Peeled {
        let ephemeral = try ephemeralKey(of: packet)
        let mu = OnionKey.derive(OnionKey.mu, from: sharedSecret, by: C.self)
        let hmac = C.hmacSHA256(key: mu.storage.span, packet.span.extracting(payloads), associatedData.bytes.storage.span)
        guard hmac == Bytes32(packet.span.extracting(1334..<1366)) else { throw .hmac }

        let rho = OnionKey.derive(OnionKey.rho, from: sharedSecret, by: C.self)
        var plain = Array(packet[payloads])
        combine(&plain, rho, by: C.self)
        var start = 0
        let count: UInt64
        do { count = try BigSize.decode(plain.span, at: &start) } catch { throw .payload }
        guard count > 1, count <= UInt64(payloadsLength - 32 - start) else { throw .payload }
        let end = start + Int(count)
        let payload = Array(plain[start..<end])
        guard let nextHMAC = Bytes32(plain.span.extracting(end..<end + 32)) else { throw .payload }
        if nextHMAC.isZero { return Peeled(payload: payload, next: nil) }

        // Only a hop that forwards needs the second half of the stream.
        var bytes = Array(packet[payloads]) + [UInt8](repeating: 0, count: payloadsLength)
        combine(&bytes, rho, by: C.self)
        let blinding = blindingFactor(ephemeral, sharedSecret, by: C.self)
        guard let nextKey = C.multiply(ephemeral, by: blinding) else { throw .key }
        var next: [UInt8] = [0]
        next.reserveCapacity(length)
        next.append(contentsOf: nextKey.array)
        next.append(contentsOf: bytes[end + 32..<end + 32 + payloadsLength])
        next.append(contentsOf: nextHMAC.array)
        return Peeled(payload: payload, next: next)
    }

    static func blindingFactor<C: Cryptography>(_ ephemeral: PublicKey, _ secret: Bytes32, by crypto: C.Type) -> Bytes32 {
        C.sha256((ephemeral.array + secret.array).span)
    }

    static func combine<C: Cryptography>(_ bytes: inout [UInt8], _ key: Bytes32, by crypto: C.Type) {
        var span = bytes.mutableSpan
        C.chaCha20(key: key, into: &span)
    }
}
