import Keys
import Payments
import TestSupport
import Testing

@testable import Bolt

@Suite struct OnionTests {
    let sessionKey: Bytes32
    let associatedData: PaymentHash
    let packet: [UInt8]
    let route: [Onion.Hop]

    init() throws {
        sessionKey = try #require(Bytes32(hex: OnionVectors.sessionKey))
        associatedData = try #require(PaymentHash(hex: OnionVectors.associatedData))
        packet = try #require(Hex.decode(OnionVectors.onion))
        route = try OnionVectors.hops.map { hop in
            let frame = try #require(Hex.decode(hop.payload))
            var start = 0
            _ = try BigSize.decode(frame.span, at: &start)
            return Onion.Hop(key: try #require(PublicKey(hex: hop.publicKey)), payload: Array(frame[start...]))
        }
    }

    @Test("the example of BOLT 4 is built byte for byte")
    func build() throws {
        let built = try #require(Onion.build(route: route, sessionKey: sessionKey, associatedData: associatedData, by: LibCrypto.self))
        #expect(built.packet == packet)
        #expect(built.sharedSecrets.map(\.hex) == OnionVectors.hops.map(\.sharedSecret))
    }

    @Test("each hop of BOLT 4's example peels its payload, and the last one finds that it is the last")
    func peel() throws {
        var current: [UInt8]? = packet
        for (index, hop) in OnionVectors.hops.enumerated() {
            let packet = try #require(current)
            #expect(packet.count == Onion.length)
            let identity = try #require(Bytes32(hex: hop.privateKey).flatMap(IdentityKey.init))
            #expect(identity.publicKey.hex == hop.publicKey)
            let secret = try #require(identity.sharedSecret(with: try Onion.ephemeralKey(of: packet)))
            #expect(secret.hex == hop.sharedSecret)
            let peeled = try Onion.peel(packet, sharedSecret: secret, associatedData: associatedData, by: LibCrypto.self)
            #expect(peeled.payload == route[index].payload)
            current = peeled.next
        }
        #expect(current == nil)
    }

    @Test("an altered byte, another payment hash or another secret is a wrong HMAC")
    func hmac() throws {
        let secret = try firstSecret()
        var random = SeededGenerator(seed: 4)
        for _ in 0..<200 {
            var altered = packet
            altered[Int.random(in: 34..<Onion.length, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            #expect(failure(altered, secret) == .hmac)
        }
        #expect(failure(packet, secret, PaymentHash(Bytes32())) == .hmac)
        #expect(failure(packet, Bytes32()) == .hmac)
    }

    @Test("another version or length is a wrong version, a key without the form of one a wrong key")
    func versionAndKey() throws {
        let secret = try firstSecret()
        #expect(failure([1] + packet.dropFirst(), secret) == .version)
        #expect(failure(Array(packet.dropLast()), secret) == .version)
        #expect(failure(packet + [0], secret) == .version)
        #expect(failure([], secret) == .version)
        #expect(failure([0, 4] + packet.dropFirst(2), secret) == .key)
        // Has the form of a point, but no such x is on the curve.
        let off = PublicKey([2] + [UInt8](repeating: 0, count: 31) + [5])
        let identity = try #require(IdentityKey(sessionKey))
        #expect(identity.sharedSecret(with: try #require(off)) == nil)
    }

    @Test("a genuine packet whose payload has no valid length is told apart", arguments: [[0], [1, 0], [0xfd, 0, 16], [0xfd, 5, 20], [0xff]] as [[UInt8]])
    func payloadLength(start: [UInt8]) throws {
        let secret = sessionKey
        var payloads = start + [UInt8](repeating: 0, count: Onion.payloadsLength - start.count)
        Onion.combine(&payloads, OnionKey.derive(OnionKey.rho, from: secret, by: LibCrypto.self), by: LibCrypto.self)
        let mu = OnionKey.derive(OnionKey.mu, from: secret, by: LibCrypto.self)
        let hmac = LibCrypto.hmacSHA256(key: mu.storage.span, payloads.span, associatedData.bytes.storage.span)
        #expect(failure(packet[..<34] + payloads + hmac.array, secret) == .payload)
    }

    @Test("the longest payload fits one hop, one byte more does not")
    func longest() throws {
        let identity = try #require(IdentityKey(sessionKey))
        let most = [UInt8](repeating: 1, count: 1300 - 32 - 3)
        let built = try #require(one(most, to: identity))
        let peeled = try Onion.peel(built.packet, sharedSecret: built.sharedSecrets[0], associatedData: associatedData, by: LibCrypto.self)
        #expect(peeled == Onion.Peeled(payload: most, next: nil))
        #expect(one(most + [1], to: identity) == nil)
        #expect(one([1], to: identity) == nil)
        #expect(Onion.build(route: [], sessionKey: sessionKey, associatedData: associatedData, by: LibCrypto.self) == nil)
        #expect(Onion.build(route: route, sessionKey: Bytes32(), associatedData: associatedData, by: LibCrypto.self) == nil)
    }

    @Test("random routes are built and peeled hop by hop")
    func randomRoutes() throws {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<20 {
            let count = Int.random(in: 1...20, using: &random)
            let keys = (0..<count).compactMap { _ in Bytes32(random.bytes(32)).flatMap(IdentityKey.init) }
            try #require(keys.count == count)
            let hops = keys.map { Onion.Hop(key: $0.publicKey, payload: random.bytes(Int.random(in: 2...1300 / keys.count - 35, using: &random))) }
            let session = try #require(Bytes32(random.bytes(32)))
            var current = try #require(Onion.build(route: hops, sessionKey: session, associatedData: associatedData, by: LibCrypto.self)?.packet)
            for (index, key) in keys.enumerated() {
                let secret = try #require(key.sharedSecret(with: try Onion.ephemeralKey(of: current)))
                let peeled = try Onion.peel(current, sharedSecret: secret, associatedData: associatedData, by: LibCrypto.self)
                #expect(peeled.payload == hops[index].payload)
                #expect((peeled.next == nil) == (index == keys.count - 1))
                current = peeled.next ?? []
            }
        }
    }

    @Test("random packets never trap")
    func fuzz() throws {
        var random = SeededGenerator(seed: 6)
        let secret = try firstSecret()
        for round in 0..<2000 {
            let bytes = round % 2 == 0 ? random.mutated(packet) : random.bytes(Int.random(in: 0...1400, using: &random))
            if bytes != packet { #expect(bytes.first == 0 && bytes.dropFirst(34) == packet.dropFirst(34) || failure(bytes, secret) != nil) }
        }
    }

    private func firstSecret() throws -> Bytes32 { try #require(Bytes32(hex: OnionVectors.hops[0].sharedSecret)) }

    private func one(_ payload: [UInt8], to identity: IdentityKey) -> Onion.Built? {
        let route = [Onion.Hop(key: identity.publicKey, payload: payload)]
        return Onion.build(route: route, sessionKey: sessionKey, associatedData: associatedData, by: LibCrypto.self)
    }

    private func failure(_ packet: [UInt8], _ secret: Bytes32, _ hash: PaymentHash? = nil) -> Onion.Failure? {
        do {
            _ = try Onion.peel(packet, sharedSecret: secret, associatedData: hash ?? associatedData, by: LibCrypto.self)
            return nil
        } catch {
            return error
        }
    }
}
