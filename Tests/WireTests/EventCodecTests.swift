import Payments
import Testing
import Wire

@Suite struct EventCodecTests {
    /// Not SHA-256, but different bytes give different digests often enough.
    enum Folding: SHA256Digest {
        static func sha256(_ bytes: borrowing Span<UInt8>) -> Bytes32 {
            var digest = Bytes32()
            var sum: UInt8 = 7
            for index in bytes.indices {
                sum = sum &* 31 &+ bytes[index]
                digest[index % 32] = digest[index % 32] &* 17 &+ sum
            }
            return digest
        }
    }

    @Test("The same happening has the same id whenever it is told; a node's comings are told apart by time")
    func ids() {
        func id(_ event: Event, at seconds: Int64) -> String {
            EventCodec.render(event, nodeNames: [:], time: UnixTime(seconds: seconds), by: Folding.self).id
        }
        let hash = PaymentHash(Bytes32())
        let accepted = Event(.invoiceAccepted, .invoice(.init(paymentHash: hash, setID: SetID(Bytes32()))))
        #expect(id(accepted, at: 1) == id(accepted, at: 2))
        #expect(id(accepted, at: 1).utf8.count == 36)
        #expect(id(accepted, at: 1) != id(Event(.invoiceSettled, accepted.subject), at: 1))
        let node = Event(.nodeConnected, .node(PublicKey(InlineArray(repeating: 2)), reason: nil))
        #expect(id(node, at: 1) != id(node, at: 2))
    }

    @Test("A publication carries the event's object and offset")
    func publication() {
        let event = PublishedEvent(
            offset: 42, id: "evt_1", type: .nodeConnected, account: 1, paymentHash: nil, time: UnixTime(seconds: 0), data: #"{"node":"x"}"#)
        let object = #"{"offset":42,"id":"evt_1","type":"node.connected","time":"1970-01-01T00:00:00Z","data":{"node":"x"}}"#
        #expect(String(decoding: Push.publication(event, on: .nodes), as: UTF8.self) == #"{"push":{"channel":"nodes","pub":{"data":\#(object),"offset":42}}}"#)
    }

    @Test("An event of a newer version keeps its type's name")
    func foreign() {
        let event = PublishedEvent(
            offset: 42, id: "evt_1", type: .other("invoice.refunded"), account: 1, paymentHash: nil, time: UnixTime(seconds: 0), data: "{}")
        #expect(
            String(decoding: EventCodec.object(event), as: UTF8.self)
                == #"{"offset":42,"id":"evt_1","type":"invoice.refunded","time":"1970-01-01T00:00:00Z","data":{}}"#)
    }

    @Test("Channel identifiers of unsigned 64 bits are text")
    func circuits() {
        let circuit = CircuitKey(node: PublicKey(InlineArray(repeating: 2)), chanID: .max, htlcID: .max)
        let facts = Event.HTLCFacts(
            paymentHash: PaymentHash(Bytes32()), setID: SetID(Bytes32()), circuitKey: circuit, amount: Millisatoshis(1), expiryHeight: 2, blocksLeft: -3)
        let rendered = EventCodec.render(Event(.htlcAccepted, .htlc(facts)), nodeNames: [circuit.node: "a\"b\n"], time: UnixTime(seconds: 0), by: Folding.self)
        let data = try? JSONReader.read(Array(rendered.data.utf8))
        #expect(data?["chan_id"]?.text == "18446744073709551615")
        #expect(data?["blocks_left"]?.integer == -3)
        #expect(data?["node_name"]?.text == "a\"b\n")
    }
}
