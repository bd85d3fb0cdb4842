import Keys
import Payments
import TestSupport
import Testing

@testable import Bolt

@Suite struct FailureTests {
    static let secrets = OnionVectors.hops.compactMap { Bytes32(hex: $0.sharedSecret) }
    static let hash = Bytes32(filledBy: { $0[31] = 3 })
    static let messages: [(FailureMessage, String)] = [
        (.temporaryNodeFailure, "2002"), (.permanentNodeFailure, "6002"), (.requiredNodeFeatureMissing, "6003"),
        (.invalidOnionVersion(hash), "c004" + hash.hex), (.invalidOnionHMAC(hash), "c005" + hash.hex),
        (.invalidOnionKey(hash), "c006" + hash.hex), (.invalidOnionBlinding(hash), "c018" + hash.hex),
        (.temporaryChannelFailure(update: []), "10070000"), (.temporaryChannelFailure(update: [1, 2]), "100700020102"),
        (.permanentChannelFailure, "4008"), (.requiredChannelFeatureMissing, "4009"), (.unknownNextPeer, "400a"),
        (.amountBelowMinimum(Millisatoshis(1), update: [9]), "100b0000000000000001000109"),
        (.feeInsufficient(Millisatoshis(2), update: []), "100c00000000000000020000"),
        (.incorrectCLTVExpiry(800_000, update: []), "100d000c35000000"), (.expiryTooSoon(update: [7]), "100e000107"),
        (.incorrectOrUnknownPaymentDetails(amount: Millisatoshis(100), height: 800_000), "400f0000000000000064000c3500"),
        (.finalIncorrectCLTVExpiry(800_000), "0012000c3500"), (.finalIncorrectHTLCAmount(Millisatoshis(.max)), "0013ffffffffffffffff"),
        (.channelDisabled(flags: 0, update: []), "101400000000"), (.expiryTooFar, "0015"),
        (.invalidOnionPayload(type: 65_536, offset: 6), "4016fe000100000006"), (.mppTimeout, "0017"),
        (.other(code: 0x4010, data: [5]), "401005"),
    ]

    @Test("each message has BOLT 4's code and data", arguments: messages)
    func codes(message: FailureMessage, hex: String) throws {
        #expect(Hex.encode(message.encode()) == hex)
        let bytes = try #require(Hex.decode(hex))
        #expect(FailureMessage(decoding: bytes.span) == message)
    }

    @Test("bytes after the data are ignored, data that is too short makes another message")
    func extraBytes() throws {
        #expect(FailureMessage(decoding: [0, 23, 1, 2, 3].span) == .mppTimeout)
        #expect(FailureMessage(decoding: [0x40, 0x0f, 1].span) == .other(code: 0x400f, data: [1]))
        #expect(FailureMessage(decoding: [0x40].span) == nil)
    }

    @Test("each failure that we send makes 292 bytes, the same each time", arguments: messages)
    func length(message: FailureMessage, hex: String) throws {
        let packet = FailurePacket.create(message, sharedSecret: Self.secrets[0], by: LibCrypto.self)
        #expect(packet.count == 292)
        #expect(packet == FailurePacket.create(message, sharedSecret: Self.secrets[0], by: LibCrypto.self))
        let read = try #require(FailurePacket.unwrap(packet, sharedSecrets: Self.secrets, by: LibCrypto.self))
        #expect(read.hop == 0)
        #expect(read.message == message)
    }

    @Test("the failure example of BOLT 4 is made and read")
    func example() throws {
        var packet = FailurePacket.create(.temporaryNodeFailure, sharedSecret: Self.secrets[4], by: LibCrypto.self)
        for secret in Self.secrets.dropLast().reversed() { packet = FailurePacket.wrap(packet, sharedSecret: secret, by: LibCrypto.self) }
        #expect(Hex.encode(packet) == OnionVectors.failurePacket)
        let read = try #require(FailurePacket.unwrap(packet, sharedSecrets: Self.secrets, by: LibCrypto.self))
        #expect(read.hop == 4)
        #expect(read.message == .temporaryNodeFailure)
    }

    @Test("the trace of BOLT 4's longer failure is made hop by hop and read")
    func longExample() throws {
        let text = try #require(Hex.decode(OnionVectors.longFailure))
        let message = FailureMessage.other(code: 0x400f, data: Array(text.dropFirst(2)))
        var packet = FailurePacket.create(message, paddedTo: 1024, sharedSecret: Self.secrets[4], by: LibCrypto.self)
        #expect(Hex.encode(packet) == OnionVectors.longFailurePackets[4])
        for hop in (0..<4).reversed() {
            packet = FailurePacket.wrap(packet, sharedSecret: Self.secrets[hop], by: LibCrypto.self)
            #expect(Hex.encode(packet) == OnionVectors.longFailurePackets[hop])
        }
        let read = try #require(FailurePacket.unwrap(packet, sharedSecrets: Self.secrets, by: LibCrypto.self))
        #expect(read.hop == 4)
        #expect(read.message == .incorrectOrUnknownPaymentDetails(amount: Millisatoshis(100), height: 800_000))
    }

    @Test("a packet that none of the hops made, or that was altered, is not read")
    func foreign() {
        let packet = FailurePacket.create(.mppTimeout, sharedSecret: Bytes32(), by: LibCrypto.self)
        #expect(FailurePacket.unwrap(packet, sharedSecrets: Self.secrets, by: LibCrypto.self) == nil)
        #expect(FailurePacket.unwrap([], sharedSecrets: Self.secrets, by: LibCrypto.self) == nil)
        #expect(FailurePacket.unwrap(packet, sharedSecrets: [], by: LibCrypto.self) == nil)
    }

    @Test("random messages and packets never trap")
    func fuzz() {
        var random = SeededGenerator(seed: 7)
        for round in 0..<5000 {
            let genuine = Self.messages[round % Self.messages.count].0.encode()
            let bytes = round % 2 == 0 ? random.mutated(genuine) : random.bytes(Int.random(in: 0...50, using: &random))
            if let message = FailureMessage(decoding: bytes.span) { #expect(FailureMessage(decoding: message.encode().span) == message) }
        }
        let packet = FailurePacket.create(.mppTimeout, sharedSecret: Self.secrets[0], by: LibCrypto.self)
        for _ in 0..<500 {
            let bytes = random.mutated(packet)
            #expect(bytes == packet || FailurePacket.unwrap(bytes, sharedSecrets: [Self.secrets[0]], by: LibCrypto.self) == nil)
        }
    }
}
