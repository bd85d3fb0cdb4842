import Foundation
import LNDProto
import Payments
import SwiftProtobuf
import TestSupport
import Testing

@testable import LND

@Suite("LND's messages")
struct MessagesTests {
    private static var request: Routerrpc_ForwardHtlcInterceptRequest {
        .with {
            $0.incomingCircuitKey = .with { $0.chanID = .max; $0.htlcID = 1 << 63 }
            $0.paymentHash = Data(Samples.paymentHash.bytes.array)
            $0.outgoingAmountMsat = 5
            $0.outgoingExpiry = 6
            $0.incomingAmountMsat = 7
            $0.incomingExpiry = .max
            $0.outgoingRequestedChanID = 9
            $0.customRecords = [65536: Data([1])]
            $0.onionBlob = Data(repeating: 3, count: 1366)
            $0.autoFailHeight = -20
            $0.inWireCustomRecords = [106_823: Data([0])]
            $0.outgoingRequestedNodeID = Data(Samples.node.array)
        }
    }

    @Test("an offer is read whole, at the limits of its numbers")
    func offer() throws {
        let offer = try #require(WireOffer(try Self.request.serializedBytes()))
        let htlc = try #require(offer.htlc(at: Samples.node))
        #expect(htlc.circuitKey == CircuitKey(node: Samples.node, chanID: .max, htlcID: 1 << 63))
        #expect(htlc.outgoingAmount == Millisatoshis(5))
        #expect(htlc.outgoingExpiry == 6)
        #expect(htlc.incomingAmount == Millisatoshis(7))
        #expect(htlc.incomingExpiry == .max)
        #expect(htlc.autoFailHeight == -20)
        #expect(htlc.onion == [UInt8](repeating: 3, count: 1366))
        #expect(offer.requestedChannelID == 9)
        #expect(offer.isOnChain == htlc.isOnChain)
    }

    @Test("an offer without a circuit is none: nothing could be answered to it")
    func noCircuit() throws {
        var request = Self.request
        request.clearIncomingCircuitKey()
        #expect(WireOffer(try request.serializedBytes()) == nil)
        #expect(WireOffer([]) == nil)
    }

    @Test("no answer but a settlement has the action that is the wire's default", arguments: [
        (InterceptorSession.Reply.Action.fail(message: [UInt8](repeating: 0, count: 292)), 1), (.failTemporarily, 1), (.failBadOnion(.key), 1), (.resume, 2),
    ] as [(InterceptorSession.Reply.Action, UInt8)])
    func actions(action: InterceptorSession.Reply.Action, number: UInt8) throws {
        let bytes = try #require(InterceptorSession.Reply(circuit: .init(chanID: 0, htlcID: 0), action: action).bytes)
        // An empty circuit key, then field 2 as a number.
        #expect(bytes.prefix(4) == [0x0a, 0, 0x10, number])
    }

    @Test("a settlement carries the preimage and a circuit key, even one of zeros")
    func settlement() throws {
        let reply = InterceptorSession.Reply(circuit: .init(chanID: 0, htlcID: 0), action: .settle(Samples.preimage))
        #expect(reply.bytes == [0x0a, 0, 0x1a, 32] + Samples.preimage.bytes.array)
    }

    @Test("an empty resolution is a time-out on chain")
    func emptyResolution() {
        #expect(Resolution(lookup: []) == Resolution(isSettled: false, isOffChain: false))
        #expect(Resolution(lookup: [8, 1, 16, 1]) == Resolution(isSettled: true, isOffChain: true))
    }

    @Test("an event of a kind that is not known is another one")
    func unknownEvent() {
        #expect(HTLCNotice([]) == .other)
        #expect(HTLCNotice([0xfa, 0x07, 0]) == .other)
    }

    @Test("the version comes from GetVersion's numbers, else from a text")
    func version() throws {
        let info: [UInt8] = try Lnrpc_GetInfoResponse.with { $0.version = "0.20.3-beta commit=x" }.serializedBytes()
        let numbers: [UInt8] = try Verrpc_Version.with { $0.appMinor = 21; $0.appPreRelease = "beta.rc1" }.serializedBytes()
        #expect(NodeValidation.Facts(info: info, version: numbers)?.version == LNDVersion(0, 21, 0, candidate: 1))
        #expect(NodeValidation.Facts(info: info, version: [])?.version == LNDVersion(0, 20, 3))
        #expect(NodeValidation.Facts(info: [], version: [])?.version == nil)
    }

    @Test("no bytes make reading trap", arguments: 0..<8)
    func fuzz(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let event: [UInt8] = try Routerrpc_HtlcEvent.with { $0.incomingHtlcID = 4; $0.finalHtlcEvent = .with { $0.settled = true } }.serializedBytes()
        let info: [UInt8] = try Lnrpc_GetInfoResponse.with {
            $0.identityPubkey = Samples.node.hex
            $0.chains = [.with { $0.network = "regtest" }]
            $0.version = "0.21.2-beta"
        }.serializedBytes()
        let request: [UInt8] = try Self.request.serializedBytes()
        let validation = NodeValidation(pubkey: Samples.node, network: "regtest")
        var session = InterceptorSession(node: Samples.node)
        for round in 0..<2_000 {
            let bytes = round % 4 == 0
                ? (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
                : Self.mutated([request, event, info][round % 3], &generator)
            if let offer = WireOffer(bytes) {
                _ = session.offered(offer)
                session.heightReached(UInt32.random(in: 0...UInt32.max, using: &generator))
            }
            _ = HTLCNotice(bytes)
            _ = WalletState(bytes)
            _ = BlockEpoch.height(bytes)
            _ = Resolution(lookup: bytes)
            if let facts = NodeValidation.Facts(info: bytes, version: bytes) { _ = validation.judge(facts) }
        }
    }

    private static func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<min(bytes.count, 80), using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.remove(at: index)
            default: bytes.removeLast(Int.random(in: 0...bytes.count / 2, using: &generator))
            }
            if bytes.isEmpty { break }
        }
        return bytes
    }
}
