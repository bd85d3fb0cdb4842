public import Payments

/// A failure message on its way back to the payer (BOLT 4, "Returning Errors"): HMAC, message and padding under one
/// stream cipher per hop. The same message and secret always give the same packet.
public enum FailurePacket {
    /// The packet as the failing hop hands it to its predecessor: 292 bytes, more only for a message of more than 256.
    public static func create<C: Cryptography>(_ message: FailureMessage, sharedSecret: Bytes32, by crypto: C.Type) -> [UInt8] {
        create(message, paddedTo: 256, sharedSecret: sharedSecret, by: C.self)
    }

    static func create<C: Cryptography>(
        _ message: FailureMessage, paddedTo length: Int, sharedSecret: Bytes32, by crypto: C.Type
    ) -> [UInt8] {
        let text = message.encode().prefix(Int(UInt16.max))
        let padding = max(0, length - text.count)
        var body = [UInt8]()
        body.reserveCapacity(text.count + padding + 4)
        BigEndian.append(UInt64(text.count), count: 2, to: &body)
        body.append(contentsOf: text)
        BigEndian.append(UInt64(padding), count: 2, to: &body)
        body.append(contentsOf: repeatElement(0, count: padding))
        let um = OnionKey.derive(OnionKey.um, from: sharedSecret, by: C.self)
        let hmac = C.hmacSHA256(key: um.storage.span, body.span)
        return wrap(hmac.array + body, sharedSecret: sharedSecret, by: C.self)
    }

    /// What each hop on the way back adds; applied twice it takes itself off.
    public static func wrap<C: Cryptography>(_ packet: [UInt8], sharedSecret: Bytes32, by crypto: C.Type) -> [UInt8] {
        var bytes = packet
        Onion.combine(&bytes, OnionKey.derive(OnionKey.ammag, from: sharedSecret, by: C.self), by: C.self)
        return bytes
    }

    /// Finds the hop that failed the HTLC, counted from the nearest, and its message. `nil` if none of them made it.
    public static func unwrap<C: Cryptography>(
        _ packet: [UInt8], sharedSecrets: [Bytes32], by crypto: C.Type
    ) -> (hop: Int, message: FailureMessage)? {
        guard packet.count > 34 else { return nil }
        var bytes = packet
        for (hop, secret) in sharedSecrets.enumerated() {
            bytes = wrap(bytes, sharedSecret: secret, by: C.self)
            let um = OnionKey.derive(OnionKey.um, from: secret, by: C.self)
            let body = bytes.span.extracting(32..<bytes.count)
            guard C.hmacSHA256(key: um.storage.span, body) == Bytes32(bytes.span.extracting(0..<32)) else { continue }
            let count = Int(BigEndian.integer(body, 0..<2))
            guard body.count >= count + 2, let message = FailureMessage(decoding: body.extracting(2..<count + 2)) else { return nil }
            return (hop, message)
        }
        return nil
    }
}
