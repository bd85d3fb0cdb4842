import Edge
import Loop
import Payments
import Testing

/// Invoices' own listeners: each is told its invoice's events, whatever happens to the others.
@Suite(.serialized) struct InvoiceListenersTests {
    private func connect(_ test: TestServer, token: String = "key", receiveBuffer: Int32? = nil) throws -> RawClient {
        let client = RawClient(port: test.port, receiveBuffer: receiveBuffer)
        _ = client.handshake()
        client.sendText(#"{"id":1,"connect":{"token":"\#(token)"}}"#)
        #expect(try #require(client.text()).contains(#""id":1"#))
        return client
    }

    private func ask(_ client: RawClient, _ what: String, _ hash: PaymentHash) throws {
        client.sendText(#"{"id":2,"\#(what)":{"channel":"invoice:\#(hash)"}}"#)
        #expect(try #require(client.text()).contains(#""id":2"#))
    }

    private func hash(_ number: Int) -> PaymentHash {
        var bytes = Bytes32()
        bytes[0] = UInt8(number & 0xFF)
        bytes[31] = UInt8(number >> 8)
        return PaymentHash(bytes)
    }

    @Test("the second listener of an invoice is told the very event at which the first is closed as slow")
    func promoted() async throws {
        let test = try await TestServer { $0.limits.outboxBytes = 100_000 }
        let slow = try connect(test, receiveBuffer: 4096), quick = try connect(test)
        for client in [slow, quick] { try ask(client, "subscribe", TestChannels.hash) }
        let data = "\"" + String(repeating: "x", count: 20_000) + "\""
        var offset = 0
        while await test.server.counters.closes[3008] != 1, offset < 2000 {
            offset += 1
            let event = TestServer.event(Int64(offset), hash: TestChannels.hash, data: data)
            await { @LoopActor in test.server.publish([event]) }()
            #expect(try #require(quick.text()).contains(#""offset":\#(offset),"#))
        }
        #expect(await test.server.counters.closes[3008] == 1)
        await test.server.stop()
    }

    @Test("holders of one token are each told its events once, with a key's listener beside them, while others come and go")
    func holders() async throws {
        let test = try await TestServer()
        let count = 40
        var clients: [[RawClient]] = []
        for number in 0..<count {
            // Invoices with one holder, two and three.
            clients.append(try (0...number % 3).map { _ in try connect(test, token: "watch:\(hash(number))") })
            for client in clients[number] { try ask(client, "subscribe", hash(number)) }
        }
        let key = try connect(test)
        try ask(key, "subscribe", hash(2))
        // The first holder of every fourth goes, and so does the only one of some.
        for number in stride(from: 0, to: count, by: 4) { try ask(clients[number][0], "unsubscribe", hash(number)) }
        let events = (0..<count).map { TestServer.event(Int64($0 + 1), hash: hash($0)) }
        await { @LoopActor in test.server.publish(events) }()
        // What they hear next has to be the only one of the first events.
        await { @LoopActor in test.server.publish(events.map { TestServer.event($0.offset + 100, hash: $0.paymentHash!) }) }()
        for number in 0..<count {
            for (place, client) in clients[number].enumerated() where place > 0 || number % 4 > 0 {
                for offset in [number + 1, number + 101] {
                    let text = try #require(client.text())
                    #expect(text.contains("invoice:\(hash(number))") && text.contains(#""offset":\#(offset)}"#), "\(number) \(place) \(text)")
                }
            }
        }
        for offset in [3, 103] { #expect(try #require(key.text()).contains(#""offset":\#(offset)}"#)) }
        let holders = clients.reduce(0) { $0 + $1.count }
        #expect(await test.server.status.subscriptions["invoice"] == holders - count / 4 + 1)
        await test.server.stop()
    }

    @Test("of many invoices each listener hears its own, while others come and go")
    func many() async throws {
        let test = try await TestServer()
        let clients = try (0..<4).map { _ in try connect(test) }
        let count = 96
        // Each invoice has one listener, the first half two; every third then loses its first.
        for number in 0..<count {
            try ask(clients[number % 2], "subscribe", hash(number))
            if number < count / 2 { try ask(clients[2 + number % 2], "subscribe", hash(number)) }
        }
        for number in stride(from: 0, to: count, by: 3) { try ask(clients[number % 2], "unsubscribe", hash(number)) }
        let events = (0..<count).map { TestServer.event(Int64($0 + 1), hash: hash($0)) }
        await { @LoopActor in test.server.publish(events) }()
        for place in 0..<4 {
            let own = (0..<count).filter { place < 2 ? $0 % 2 == place && $0 % 3 != 0 : $0 < count / 2 && $0 % 2 == place - 2 }
            for number in own {
                let text = try #require(clients[place].text())
                #expect(text.contains("invoice:\(hash(number))") && text.contains(#""offset":\#(number + 1)}"#), "\(place) \(number) \(text)")
            }
        }
        #expect(await test.server.status.subscriptions["invoice"] == count + count / 2 - count / 3)
        await test.server.stop()
    }
}
