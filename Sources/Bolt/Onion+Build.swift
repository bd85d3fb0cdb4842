public import Payments

extension Onion {
    /// One hop of a route: who reads the payload (``HopPayload/encode()``).
    public struct Hop: Equatable, Sendable {
        public var key: PublicKey
        public var payload: [UInt8]
        public init(key: PublicKey, payload: [UInt8]) {
            self.key = key
            self.payload = payload
        }
    }

    /// An onion for a route, and what its maker needs to read a failure that comes back.
    public struct Built: Equatable, Sendable {
        /// 1366 bytes.
        public var packet: [UInt8]
        /// One for each hop, the nearest first.
        public var sharedSecrets: [Bytes32]
    }

    /// Wraps the payloads for the hops, the nearest first. `nil` if there is no hop, the payloads do not fit, one is
    /// shorter than two bytes, or a key or the session key is not valid. A session key must never be used twice.
    public static func build<C: Cryptography>(
        route: [Hop], sessionKey: Bytes32, associatedData: PaymentHash, by crypto: C.Type
    ) -> Built? {
        let frames = route.map { frame($0.payload) }
        guard !route.isEmpty, route.allSatisfy({ $0.payload.count > 1 }),
            frames.reduce(0, { $0 + $1.count + 32 }) <= payloadsLength,
            let firstKey = C.publicKey(of: sessionKey),
            let secrets = sharedSecrets(route.map(\.key), sessionKey: sessionKey, by: C.self)
        else { return nil }

        let rho = secrets.map { OnionKey.derive(OnionKey.rho, from: $0, by: C.self) }
        let filler = filler(sizes: frames.map { $0.count + 32 }, rho: rho, by: C.self)
        var payloads = [UInt8](repeating: 0, count: payloadsLength)
        combine(&payloads, OnionKey.derive(OnionKey.pad, from: sessionKey, by: C.self), by: C.self)
        var hmac = Bytes32()
        for hop in route.indices.reversed() {
            payloads = frames[hop] + hmac.array + payloads.prefix(payloadsLength - frames[hop].count - 32)
            combine(&payloads, rho[hop], by: C.self)
            if hop == route.count - 1 { payloads.replaceSubrange((payloadsLength - filler.count)..., with: filler) }
            let mu = OnionKey.derive(OnionKey.mu, from: secrets[hop], by: C.self)
            hmac = C.hmacSHA256(key: mu.storage.span, payloads.span, associatedData.bytes.storage.span)
        }
        return Built(packet: [0] + firstKey.array + payloads + hmac.array, sharedSecrets: secrets)
    }

    private static func frame(_ payload: [UInt8]) -> [UInt8] {
        var bytes = [UInt8]()
        BigSize.append(UInt64(payload.count), to: &bytes)
        return bytes + payload
    }

    private static func sharedSecrets<C: Cryptography>(_ keys: [PublicKey], sessionKey: Bytes32, by crypto: C.Type) -> [Bytes32]? {
        var scalar = sessionKey
        var secrets = [Bytes32]()
        for key in keys {
            guard let ephemeral = C.publicKey(of: scalar), let point = C.multiply(key, by: scalar) else { return nil }
            let secret = C.sha256(point.storage.span)
            secrets.append(secret)
            guard let next = C.multiply(scalar: scalar, by: blindingFactor(ephemeral, secret, by: C.self)) else { return nil }
            scalar = next
        }
        return secrets
    }

    /// What the last hop must find at the end of its payloads, because each hop before it shifts in its own stream.
    private static func filler<C: Cryptography>(sizes: [Int], rho: [Bytes32], by crypto: C.Type) -> [UInt8] {
        var filler = [UInt8]()
        for hop in sizes.indices.dropLast() {
            var stream = [UInt8](repeating: 0, count: payloadsLength - filler.count) + filler
            stream.append(contentsOf: repeatElement(0, count: sizes[hop]))
            let kept = payloadsLength - filler.count
            combine(&stream, rho[hop], by: C.self)
            filler = Array(stream[kept...])
        }
        return filler
    }
}
