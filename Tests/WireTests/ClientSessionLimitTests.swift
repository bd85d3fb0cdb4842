import Payments
import Testing
import Wire

@Suite struct ClientSessionLimitTests {
    private static func subscribe(_ number: Int, id: Int) -> String {
        let hash = String(repeating: "0", count: 60) + String(10000 + number).dropFirst()
        return #"{"id":\#(id),"subscribe":{"channel":"invoice:\#(hash)"}}"#
    }

    private func send(_ session: inout ClientSession, _ text: String, now: Int64 = 0) -> [SessionOrder] { session.received(Array(text.utf8), now: now) }

    private func isLoading(_ orders: [SessionOrder]) -> Int { orders.count { if case .load = $0 { true } else { false } } }

    @Test("a client with a key that comes back subscribes to all its channels in one message, and to no more")
    func allChannels() {
        var session = ClientSessionTests.connected()
        let orders = send(&session, (0..<128).map { Self.subscribe($0, id: $0 + 2) }.joined(separator: "\n"))
        #expect(isLoading(orders) == 128)
        #expect(ClientSessionTests.error(send(&session, Self.subscribe(128, id: 200))) == 106)
    }

    @Test("a session that waits for nothing takes 96 bytes, of which tens of thousands lie in memory")
    func size() { #expect(MemoryLayout<ClientSession>.size <= 96) }

    @Test("whoever has no key gets four channels")
    func watchedChannels() {
        var session = ClientSession(settings: .init(version: "1"), client: 0xC, now: 0)
        _ = send(&session, #"{"id":1,"connect":{}}"#)
        for number in 0..<5 {
            let orders = send(&session, Self.subscribe(number, id: number + 2).replacing("}}", with: #","token":"t"}}"#))
            #expect(orders.contains { if case .authenticate = $0 { true } else { false } } == (number < 4))
            if number == 4 { #expect(ClientSessionTests.error(orders) == 106) }
        }
    }

    @Test("a flood is refused with 111, then closed with 3013; who waits may go on", arguments: [(ClientSessionTests.key, 500), (.watch(ClientSessionTests.hash), 100)])
    func flood(credentials: Credentials, burst: Int) {
        var session = ClientSessionTests.connected(credentials)
        let flip = [#"{"id":3,"subscribe":{"channel":"events"}}"#, #"{"id":4,"unsubscribe":{"channel":"events"}}"#]
        var answered = 0
        while ClientSessionTests.error(send(&session, flip[answered % 2])) != 111, answered < 10_000 { answered += 1 }
        // The connect command was one of the burst.
        #expect(answered == burst - 1)
        #expect(ClientSessionTests.error(send(&session, flip[0], now: 1)) != 111)
        var refused = 0
        while !send(&session, flip[0], now: 1).contains(.close(.tooManyRequests)), refused < 10_000 { refused += 1 }
        #expect(refused <= burst + burst / 5)
        #expect(send(&session, flip[0], now: 100).isEmpty)
    }

    @Test("a flood of empty objects, which need no answer, is closed too")
    func pongs() {
        var session = ClientSessionTests.connected()
        var sent = 0
        while !send(&session, "{}").contains(.close(.tooManyRequests)), sent < 10_000 { sent += 1 }
        #expect(sent <= 1000)
    }

    @Test("a client that keeps to the rate is never refused")
    func steady() {
        var session = ClientSessionTests.connected()
        for second in 1...100 {
            for _ in 0..<50 { #expect(send(&session, #"{"id":9,"ping":{}}"#, now: Int64(second)).count == 1) }
        }
        let last = send(&session, #"{"id":9,"ping":{}}"#, now: 100)
        #expect(ClientSessionTests.error(last) == nil)
    }

    @Test("what may go better another time says so, what may not does not")
    func temporary() {
        var session = ClientSessionTests.connected()
        let asked = send(&session, #"{"id":2,"subscribe":{"channel":"events"}}"#)
        guard case .load(_, _, _, _, let request)? = asked.last else { Issue.record("no load"); return }
        let orders = session.loaded(nil, isComplete: true, first: 0, head: 0, epoch: "", snapshot: nil, for: request)
        #expect(ClientSessionStreamTests.replies(orders).first?["error"]?["temporary"]?.flag == true)
        let unknown = send(&session, #"{"id":3,"subscribe":{"channel":"nowhere"}}"#)
        #expect(ClientSessionStreamTests.replies(unknown).first?["error"]?["temporary"] == nil)
    }
}
