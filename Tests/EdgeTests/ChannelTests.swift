import Edge
import Loop
import Payments
import Testing

@Suite(.serialized) struct ChannelTests {
    private let invoice = "invoice:" + String(repeating: "0", count: 64)

    private func connect(_ test: TestServer, token: String? = nil, receiveBuffer: Int32? = nil) throws -> RawClient {
        let client = RawClient(port: test.port, receiveBuffer: receiveBuffer)
        _ = client.handshake()
        client.sendText(token.map { #"{"id":1,"connect":{"token":"\#($0)"}}"# } ?? #"{"id":1,"connect":{}}"#)
        #expect(try #require(client.text()).contains(#""connect""#))
        return client
    }

    private func subscribe(_ client: RawClient, _ channel: String, _ more: String = "") -> String? {
        client.sendText(#"{"id":2,"subscribe":{"channel":"\#(channel)"\#(more)}}"#)
        return client.text()
    }

    private func publish(_ test: TestServer, _ events: [PublishedEvent]) async {
        await { @LoopActor in
            test.channels.events += events
            test.server.publish(events)
        }()
    }

    private func hasOffset(_ text: String?, _ offset: Int) -> Bool { text?.contains(#""offset":\#(offset)}"#) == true && text?.contains(#""push""#) == true }

    @Test("events go to the channels they belong to, and to nobody of another account")
    func delivers() async throws {
        let test = try await TestServer()
        let key = try connect(test, token: "key"), other = try connect(test, token: "other"), watch = try connect(test, token: "watch")
        for client in [key, other] { #expect(subscribe(client, "events")?.contains(#""epoch":"e1""#) == true) }
        #expect(subscribe(watch, invoice)?.contains(#""state":"open""#) == true)
        await publish(test, [TestServer.event(1), TestServer.event(2, hash: TestChannels.hash), TestServer.event(3, account: 2)])
        for offset in [1, 2] { #expect(hasOffset(key.text(), offset)) }
        #expect(hasOffset(watch.text(), 2))
        #expect(hasOffset(other.text(), 3))
        await test.server.stop()
    }

    @Test("a bad token closes with 3500, garbage with 3501, a channel without right is refused with 103")
    func refuses() async throws {
        let test = try await TestServer()
        let stranger = RawClient(port: test.port)
        _ = stranger.handshake()
        stranger.sendText(#"{"id":1,"connect":{"token":"bad"}}"#)
        #expect(stranger.closeCode() == 3500)
        let garbage = RawClient(port: test.port)
        _ = garbage.handshake()
        garbage.sendText("{]")
        #expect(garbage.closeCode() == 3501)
        let watch = try connect(test, token: "watch")
        #expect(subscribe(watch, "events")?.contains(#""code":103"#) == true)
        #expect(subscribe(watch, "invoice:" + String(repeating: "1", count: 64))?.contains(#""code":103"#) == true)
        #expect(subscribe(try connect(test), invoice)?.contains(#""code":103"#) == true)
        #expect(subscribe(try connect(test), invoice, #","token":"watch""#)?.contains(#""recoverable":true"#) == true)
        await test.server.stop()
    }

    @Test("what happens while the history is read is told once, after it")
    func recovers() async throws {
        let test = try await TestServer()
        await publish(test, (1...5).map { TestServer.event(Int64($0), hash: TestChannels.hash) })
        let client = try connect(test, token: "key")
        await { @LoopActor in test.channels.held = [] }()
        client.sendText(#"{"id":2,"subscribe":{"channel":"\#(invoice)","recover":true,"epoch":"e1","offset":2}}"#)
        #expect(await eventually { test.channels.held?.count == 1 })
        await publish(test, [TestServer.event(6, hash: TestChannels.hash), TestServer.event(7, account: 2, hash: TestChannels.hash)])
        await { @LoopActor in test.channels.letGo() }()
        let reply = try #require(client.text())
        #expect(reply.contains(#""recovered":true"#) && reply.contains(#""evt_3""#) && reply.contains(#""evt_5""#) && !reply.contains(#""evt_6""#))
        #expect(hasOffset(client.text(), 6))
        await publish(test, [TestServer.event(8, hash: TestChannels.hash)])
        #expect(hasOffset(client.text(), 8))
        await test.server.stop()
    }

    @Test("what the store has before it was published is not told twice")
    func ahead() async throws {
        let test = try await TestServer()
        await publish(test, [TestServer.event(1)])
        let committed = [TestServer.event(2), TestServer.event(3)]
        await { @LoopActor in test.channels.events += committed }()
        let client = try connect(test, token: "key")
        let reply = try #require(subscribe(client, "events", #","recover":true,"epoch":"e1","offset":1"#))
        #expect(reply.contains(#""evt_2""#) && reply.contains(#""evt_3""#))
        await { @LoopActor in test.server.publish(committed + [TestServer.event(4)]) }()
        #expect(hasOffset(client.text(), 4))
        await test.server.stop()
    }

    @Test("after unsubscribing nothing comes, and a store that is away is error 100")
    func leaves() async throws {
        let test = try await TestServer()
        await publish(test, [TestServer.event(1)])
        let client = try connect(test, token: "key")
        _ = subscribe(client, "events")
        client.sendText(#"{"id":3,"unsubscribe":{"channel":"events"}}"#)
        #expect(client.text()?.contains(#""id":3"#) == true)
        await publish(test, [TestServer.event(2)])
        await { @LoopActor in test.channels.isAway = true }()
        #expect(subscribe(client, invoice)?.contains(#""code":100"#) == true)
        client.sendText(#"{"id":4,"rpc":{"method":"invoice.get","data":{"payment_hash":"\#(String(repeating: "0", count: 64))"}}}"#)
        #expect(client.text()?.contains(#""id":4,"rpc""#) == true)
        await test.server.stop()
    }

    @Test("a subscriber that does not read is closed with 3008 and costs the others nothing")
    func slow() async throws {
        let test = try await TestServer { $0.limits.outboxBytes = 200_000 }
        let slow = try connect(test, token: "key", receiveBuffer: 4096), quick = try connect(test, token: "key")
        for client in [slow, quick] { _ = subscribe(client, "events") }
        let data = "\"" + String(repeating: "x", count: 5000) + "\""
        for batch in 0..<400 {
            await publish(test, (1...10).map { TestServer.event(Int64(batch * 10 + $0), data: data) })
            for offset in 1...10 { #expect(hasOffset(quick.text(), batch * 10 + offset)) }
            // It is read at once then: the server does not wait long for one that it has closed.
            if await test.server.counters.closes[3008] == 1 { break }
        }
        #expect(await eventually { test.server.counters.closes[3008] == 1 })
        #expect(await test.server.queuedBytes <= 200_000)
        #expect(slow.closeCode() == 3008)
        await test.server.stop()
    }

    @Test("a burst larger than the log reaches those who read")
    func burst() async throws {
        let test = try await TestServer { $0.limits.outboxBytes = 100_000 }
        let client = try connect(test, token: "key")
        _ = subscribe(client, "events")
        await publish(test, (1...1000).map { TestServer.event(Int64($0), data: "\"" + String(repeating: "x", count: 300) + "\"") })
        for offset in 1...1000 { #expect(hasOffset(client.text(), offset)) }
        await test.server.stop()
    }

    @Test("subscriptions, recoveries and closes are counted, and what ends is no longer there")
    func status() async throws {
        let test = try await TestServer()
        await publish(test, [TestServer.event(1, hash: TestChannels.hash)])
        var key: RawClient? = try connect(test, token: "key")
        let watch = try connect(test, token: "watch")
        _ = subscribe(key!, "events", #","recover":true,"epoch":"e1","offset":1"#)
        _ = subscribe(key!, "nodes", #","recover":true,"epoch":"other","offset":1"#)
        _ = subscribe(key!, invoice)
        _ = subscribe(watch, invoice)
        _ = subscribe(key!, "htlcs", #","recover":true,"epoch":"e1","offset":0"#)
        await { @LoopActor in test.channels.isAway = true }()
        let status = await test.server.status
        #expect(status.subscriptions == ["invoice": 2, "events": 1, "nodes": 1, "htlcs": 1])
        #expect(status.counters.recovered == 2 && status.counters.unrecoverable == 1 && status.counters.unavailable == 0)
        _ = subscribe(key!, "invoice:" + String(repeating: "2", count: 64), #","recover":true,"epoch":"e1","offset":0"#)
        #expect(await test.server.status.counters.unavailable == 1)
        key = nil
        #expect(await eventually { test.server.status.subscriptions == ["invoice": 1, "events": 0, "nodes": 0, "htlcs": 0] })
        watch.sendText("{]")
        #expect(watch.closeCode() == 3501)
        #expect(await eventually { test.server.status.counters.closes[3501] == 1 && test.server.status.subscriptions["invoice"] == 0 })
        await test.server.stop()
    }

    @Test("a quiet client is pinged with an empty object")
    func pings() async throws {
        let test = try await TestServer { $0.pingInterval = 1 }
        let client = try connect(test, token: "key")
        #expect(client.text() == "{}")
        await test.server.stop()
    }

    @Test("a method that the credentials do not allow is refused, and whoever keeps the log is told; nobody is told of one without credentials")
    func denied() async throws {
        let test = try await TestServer()
        let watch = try connect(test, token: "watch"), nobody = try connect(test)
        let settle = #"{"id":4,"rpc":{"method":"invoice.settle","data":{"payment_hash":"\#(String(repeating: "0", count: 64))"}}}"#
        for client in [nobody, watch] {
            client.sendText(settle)
            #expect(client.text()?.contains(#""code":103"#) == true)
        }
        #expect(await test.channels.denied == ["invoice.settle"])
    }
}
