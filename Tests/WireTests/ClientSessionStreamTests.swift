import Payments
import Testing
import Wire

@Suite struct ClientSessionStreamTests {
    static func event(_ offset: Int64) -> PublishedEvent {
        PublishedEvent(
            offset: offset, id: "evt_\(offset)", type: .invoiceSettled, account: 1, paymentHash: nil, time: UnixTime(seconds: 1), data: "{}")
    }

    static func subscribing(_ command: String) -> (session: ClientSession, request: UInt32, limit: Int) {
        var session = ClientSessionTests.connected()
        for case .load(_, _, _, let limit, let request) in ClientSessionTests.send(&session, command) { return (session, request, limit) }
        Issue.record("nothing was loaded")
        return (session, 0, 0)
    }

    static func replies(_ orders: [SessionOrder]) -> [JSONValue] {
        orders.compactMap { if case .send(let text) = $0 { try? JSONReader.read(text) } else { nil } }
    }

    @Test("a recovery is told page by page, and joined when nothing is missing")
    func pages() {
        var (session, request, limit) = Self.subscribing(#"{"id":2,"subscribe":{"channel":"events","recover":true,"epoch":"e","offset":3}}"#)
        let first = (4..<Int64(4 + limit)).map(Self.event)
        let orders = session.loaded(first, isComplete: false, first: 1, head: 900, epoch: "e", snapshot: nil, for: request)
        let subscribed = Self.replies(orders).first?["subscribe"]
        #expect(subscribed?["recovered"]?.flag == true)
        #expect(subscribed?["publications"]?.items?.count == limit)
        #expect(!orders.contains(.join(.events, account: 1)))
        guard case .load(_, _, let after, _, let next)? = orders.last else { return #expect(Bool(false), "the next page is not asked for") }
        #expect(after == first.last?.offset)
        let rest = session.loaded([Self.event(899)], isComplete: true, first: 1, head: 900, epoch: "e", snapshot: nil, for: next)
        #expect(Self.replies(rest).first?["push"]?["pub"]?["offset"]?.integer == 899)
        #expect(rest.last == .join(.events, account: 1))
    }

    @Test("another epoch, an offset from the future and one before what is kept are not recovered", arguments: [("x", 3, 1), ("e", 901, 1), ("e", 3, 5)])
    func unrecoverable(epoch: String, offset: Int, first: Int64) {
        var (session, request, _) = Self.subscribing(#"{"id":2,"subscribe":{"channel":"events","recover":true,"epoch":"\#(epoch)","offset":\#(offset)}}"#)
        let orders = session.loaded([Self.event(4)], isComplete: true, first: first, head: 900, epoch: "e", snapshot: nil, for: request)
        let subscribed = Self.replies(orders).first?["subscribe"]
        #expect(subscribed?["recovered"]?.flag == false)
        #expect(subscribed?["publications"]?.items?.isEmpty == true)
        #expect(subscribed?["offset"]?.integer == 900)
        #expect(orders.last == .join(.events, account: 1))
    }

    @Test("a bad subscription token closes with 3500; one of another invoice is refused")
    func subscriptionTokens() {
        let name = "invoice:" + ClientSessionTests.hash.description
        for (outcome, isClosed) in [(ClientSession.Authentication.unknown, true), (.known(.watch(PaymentHash(Bytes32(filledBy: { $0[0] = 1 })))), false)] {
            var session = ClientSession(settings: .init(version: "1"), client: 0xC, now: 0)
            _ = ClientSessionTests.send(&session, #"{"id":1,"connect":{}}"#)
            let asked = ClientSessionTests.send(&session, #"{"id":2,"subscribe":{"channel":"\#(name)","token":"t"}}"#)
            let orders = ClientSessionTests.answer(&session, asked, outcome)
            #expect(orders.contains(.close(.invalidToken)) == isClosed)
            if !isClosed { #expect(ClientSessionTests.error(orders) == 103) }
        }
    }

    @Test("a subscription that waits for its token gives no history")
    func historyBeforeToken() {
        var session = ClientSession(settings: .init(version: "1"), client: 0xC, now: 0)
        let orders = ClientSessionTests.send(&session, """
            {"id":1,"connect":{}}
            {"id":2,"subscribe":{"channel":"events","token":"t"}}
            {"id":3,"history":{"channel":"events","limit":-1,"since":{"offset":0,"epoch":""}}}
            """)
        #expect(!orders.contains { if case .load = $0 { true } else { false } })
        #expect(Self.replies(orders).last?["error"]?["code"]?.whole == 103)
    }

    @Test("history is read with the right by which the channel was opened")
    func historyOfToken() {
        var session = ClientSession(settings: .init(version: "1"), client: 0xC, now: 0)
        let name = "invoice:" + ClientSessionTests.hash.description
        _ = ClientSessionTests.send(&session, #"{"id":1,"connect":{}}"#)
        let asked = ClientSessionTests.send(&session, #"{"id":2,"subscribe":{"channel":"\#(name)","token":"t"}}"#)
        _ = ClientSessionTests.answer(&session, asked, .known(.key(id: "k", account: 7, scopes: [.eventsRead])))
        let orders = ClientSessionTests.send(&session, #"{"id":3,"history":{"channel":"\#(name)","limit":5}}"#)
        guard case .load(_, let account, _, _, _)? = orders.last else { return #expect(Bool(false), "nothing is loaded") }
        #expect(account == 7)
    }

    @Test("a client that does not answer a ping is closed with 3012")
    func ping() {
        var session = ClientSessionTests.connected()
        #expect(session.timePassed(now: 10).isEmpty)
        #expect(session.timePassed(now: 25) == [.send(Array("{}".utf8))])
        var other = session
        #expect(session.timePassed(now: 36) == [.close(.noPong)])
        #expect(other.received(Array("{}".utf8), now: 30).isEmpty)
        #expect(other.timePassed(now: 36).isEmpty)
    }

    @Test("a watch token gets four channels, and no channel twice")
    func limits() {
        var session = ClientSessionTests.connected(.watch(ClientSessionTests.hash))
        let name = "invoice:" + ClientSessionTests.hash.description
        _ = ClientSessionTests.send(&session, #"{"id":2,"subscribe":{"channel":"\#(name)"}}"#)
        #expect(ClientSessionTests.error(ClientSessionTests.send(&session, #"{"id":3,"subscribe":{"channel":"\#(name)"}}"#)) == 105)
    }

    @Test("a client that never connects is closed")
    func stale() {
        var session = ClientSession(settings: .init(version: "1"), client: 0xC, now: 0)
        #expect(session.timePassed(now: 16) == [.close(.stale)])
    }
}
