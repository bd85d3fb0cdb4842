import Payments
import Testing

@testable import Wire

@Suite struct ClientSessionTests {
    static let hash = PaymentHash(Bytes32())
    static func other(_ byte: UInt8) -> PaymentHash {
        var bytes = Bytes32()
        bytes[31] = byte
        return PaymentHash(bytes)
    }
    static let key = Credentials.key(id: "a", account: 1, scopes: [.eventsRead, .invoicesRead])

    static func fresh() -> ClientSession { ClientSession(settings: .init(version: "1"), client: 0xC, now: 0) }

    static func send(_ session: inout ClientSession, _ text: String) -> [SessionOrder] { session.received(Array(text.utf8), now: 0) }

    static func answer(_ session: inout ClientSession, _ orders: [SessionOrder], _ outcome: ClientSession.Authentication) -> [SessionOrder] {
        for case .authenticate(_, let request) in orders { return session.authenticated(outcome, for: request) }
        return []
    }

    static func connected(_ credentials: Credentials = key) -> ClientSession {
        var session = fresh()
        let asked = send(&session, #"{"id":1,"connect":{"token":"t"}}"#)
        _ = answer(&session, asked, .known(credentials))
        return session
    }

    static func error(_ orders: [SessionOrder]) -> UInt64? {
        for case .send(let frame) in orders { return (try? JSONReader.read(frame))?["error"]?["code"]?.whole }
        return nil
    }

    @Test("A bad connection token closes with 3500")
    func badToken() {
        var session = Self.fresh()
        let asked = Self.send(&session, #"{"id":1,"connect":{"token":"t"}}"#)
        #expect(Self.answer(&session, asked, .unknown).contains(.close(.invalidToken)))
    }

    @Test("Negative, huge and fractional offsets are refused", arguments: ["-1", "1.5", "1e3", "18446744073709551615", "\"3\""])
    func badOffsets(offset: String) {
        var session = Self.connected()
        let orders = Self.send(&session, #"{"id":2,"subscribe":{"channel":"events","recover":true,"epoch":"e","offset":\#(offset)}}"#)
        #expect(!orders.contains { if case .load = $0 { true } else { false } })
    }

    @Test("A watch token opens its own invoice and nothing else", arguments: [("events", 103), ("htlcs", 103), ("nodes", 103), ("accepted", 102)])
    func watchToken(channel: String, code: UInt64) {
        var session = Self.connected(.watch(Self.hash))
        #expect(Self.error(Self.send(&session, #"{"id":2,"subscribe":{"channel":"\#(channel)"}}"#)) == code)
    }

    @Test("A refresh cannot turn the connection over to another account")
    func refresh() {
        var session = Self.connected()
        let asked = Self.send(&session, #"{"id":2,"refresh":{"token":"u"}}"#)
        #expect(Self.error(Self.answer(&session, asked, .known(.key(id: "b", account: 2, scopes: [])))) == 103)
    }

    @Test("A refresh cannot end the right by which a channel is open, or the channel would outlive it", arguments: [
        ([Scope.invoicesRead], 103), ([.eventsRead], nil),
    ] as [([Scope], UInt64?)])
    func lesserRefresh(scopes: [Scope], code: UInt64?) {
        var session = Self.connected()
        _ = Self.send(&session, #"{"id":2,"subscribe":{"channel":"events"}}"#)
        let asked = Self.send(&session, #"{"id":3,"refresh":{"token":"u"}}"#)
        #expect(Self.error(Self.answer(&session, asked, .known(.key(id: "b", account: 1, scopes: Scopes(scopes))))) == code)
    }

    @Test("A watch token's connection stays with its invoice; the same token may be shown again")
    func watchRefresh() {
        var session = Self.connected(.watch(Self.hash))
        let other = Self.other(7)
        // A channel with a right of its own would otherwise admit any.
        let subscribed = Self.send(&session, #"{"id":2,"subscribe":{"channel":"invoice:\#(Self.hash)","token":"t"}}"#)
        _ = Self.answer(&session, subscribed, .known(.watch(Self.hash)))
        #expect(Self.error(Self.answer(&session, Self.send(&session, #"{"id":3,"refresh":{"token":"u"}}"#), .known(.watch(other)))) == 103)
        #expect(Self.error(Self.answer(&session, Self.send(&session, #"{"id":4,"refresh":{"token":"u"}}"#), .known(.watch(Self.hash)))) == nil)
        #expect(session.channels == [.invoice(Self.hash)])
    }

    @Test("Channels can be opened and closed in any order, and each is counted once")
    func channels() {
        let own = Self.other(7)
        let all = [Channel.invoice(own), .events, .htlcs, .nodes, .invoice(Self.hash), .invoice(Self.other(9))]
        for first in all.indices {
            var open = OpenChannels()
            for place in 0..<all.count { open.insert(all[(first + place) % all.count], own: own) }
            for channel in all { open.insert(channel, own: own) }
            #expect(open.count == all.count && Set(open.all(own: own)) == Set(all))
            var rest = Set(all)
            for place in 0..<all.count {
                let channel = all[(first + 5 * place) % all.count]
                #expect(open.remove(channel, own: own) && !open.remove(channel, own: own))
                rest.remove(channel)
                #expect(Set(open.all(own: own)) == rest && open.count == rest.count)
            }
        }
    }

    @Test("What will pass is called temporary, so that clients ask again; what stands is not", arguments: [
        (ClientSession.Authentication.unavailable, true), (.known(.key(id: "b", account: 2, scopes: [])), false),
    ])
    func temporaryErrors(outcome: ClientSession.Authentication, isTemporary: Bool) throws {
        var session = Self.connected()
        let asked = Self.send(&session, #"{"id":2,"subscribe":{"channel":"events","token":"u"}}"#)
        guard case .send(let frame)? = Self.answer(&session, asked, outcome).first else { Issue.record("no answer"); return }
        #expect(try (JSONReader.read(frame)["error"]?["temporary"]?.flag ?? false) == isTemporary)
    }

    /// What the session says to a page after `offset` when the log holds what begins with `first`.
    private func page(since place: String, limit: Int = 5, first: Int64 = 4, head: Int64 = 9) -> [SessionOrder] {
        var session = Self.connected()
        let asked = Self.send(&session, #"{"id":2,"history":{"channel":"events","limit":\#(limit)\#(place)}}"#)
        guard case .load(_, _, _, _, let request)? = asked.last else { return asked }
        return session.loaded([], isComplete: true, first: first, head: head, epoch: "e", snapshot: nil, for: request)
    }

    @Test("A history that begins before what is kept is unrecoverable, never a gap", arguments: [
        (#","since":{"offset":2,"epoch":"e"}"#, true), (#","since":{"offset":3,"epoch":"e"}"#, false), (#","since":{"offset":2}"#, true),
        // Zero is no place where somebody was: it asks for all that is kept.
        (#","since":{"offset":0,"epoch":"e"}"#, false), ("", false),
        (#","since":{"offset":9,"epoch":"e"}"#, false), (#","since":{"offset":10,"epoch":"e"}"#, true),
        (#","since":{"offset":5,"epoch":"other"}"#, true), (#","since":{"offset":0,"epoch":"other"}"#, true),
    ])
    func historyBeforeWhatIsKept(place: String, isRefused: Bool) {
        #expect(Self.error(page(since: place)) == (isRefused ? 112 : nil))
    }

    @Test("A history of no events asks for the position, and no more than the epoch has to be right", arguments: [("e", false), ("other", true)])
    func historyOfNothing(epoch: String, isRefused: Bool) {
        #expect(Self.error(page(since: #","since":{"offset":2,"epoch":"\#(epoch)"}"#, limit: 0, first: 10)) == (isRefused ? 112 : nil))
    }

    @Test("Offsets of a history that are none are no command", arguments: ["-1", "1.5", "1e3", "18446744073709551615", "\"3\"", "true"])
    func badHistoryOffsets(offset: String) {
        #expect(page(since: #","since":{"offset":\#(offset),"epoch":"e"}"#) == [.close(.badRequest)])
    }

    @Test("What comes behind the connect command waits for its answer, in order")
    func early() {
        var session = Self.fresh()
        let asked = Self.send(&session, #"{"id":1,"connect":{"token":"t"}}"# + "\n" + #"{"id":2,"subscribe":{"channel":"events"}}"#)
        #expect(asked.count == 1)
        #expect(Self.send(&session, #"{"id":3,"ping":{}}"#).isEmpty)
        let orders = Self.answer(&session, asked, .known(Self.key))
        let ids = orders.compactMap { if case .send(let frame) = $0 { try? JSONReader.read(frame)["id"]?.whole } else { nil } }
        #expect(ids == [1, 3])
        #expect(orders.contains { if case .load(.events, account: 1, _, _, _) = $0 { true } else { false } })
    }

    @Test("What comes behind a connect command that is refused is not obeyed")
    func earlyInVain() {
        var session = Self.fresh()
        let asked = Self.send(&session, #"{"id":1,"connect":{"token":"t"}}"# + "\n" + #"{"id":2,"ping":{}}"#)
        #expect(Self.answer(&session, asked, .unknown) == [.close(.invalidToken)])
    }

    @Test("A second connect command closes, also before the first is answered")
    func connectTwice() {
        var session = Self.fresh()
        let asked = Self.send(&session, #"{"id":1,"connect":{"token":"t"}}"#)
        #expect(Self.send(&session, #"{"id":2,"connect":{"token":"t"}}"#).isEmpty)
        #expect(Self.answer(&session, asked, .known(Self.key)).contains(.close(.badRequest)))
    }

    @Test("No more waits than may: neither commands nor bytes")
    func earlyFlood() {
        var session = Self.fresh()
        _ = Self.send(&session, #"{"id":1,"connect":{"token":"t"}}"#)
        var sent = 0
        while !Self.send(&session, #"{"id":9,"ping":{}}"#).contains(.close(.tooManyRequests)), sent < 1000 { sent += 1 }
        #expect(sent < 200)
        session = Self.fresh()
        _ = Self.send(&session, #"{"id":1,"connect":{"token":"t"}}"#)
        let long = #"{"id":9,"refresh":{"token":""# + String(repeating: "x", count: 20_000) + #""}}"#
        let orders = (0..<4).map { _ in Self.send(&session, long) }
        #expect(orders.map(\.isEmpty) == [true, true, true, false])
    }

    @Test("An empty object before the connect command is no way to stay without one")
    func pongBeforeConnect() {
        var session = Self.fresh()
        #expect(Self.send(&session, "{}") == [.close(.badRequest)])
    }

    @Test("A page of the log in reverse is not to be had, rather than given in another order")
    func reverseHistory() {
        var session = Self.connected()
        #expect(Self.error(Self.send(&session, #"{"id":2,"history":{"channel":"events","limit":5,"reverse":true}}"#)) == 108)
    }

    @Test("When the store goes away in the middle of a recovery, the connection ends instead of going on with a gap")
    func recoveryInterrupted() {
        var session = Self.connected()
        let event = PublishedEvent(
            offset: 4, id: "evt_4", type: .invoiceAccepted, account: 1, paymentHash: Self.hash, time: UnixTime(seconds: 1), data: "{}")
        var orders = Self.send(&session, #"{"id":2,"subscribe":{"channel":"events","recover":true,"epoch":"e","offset":3}}"#)
        guard case .load(_, _, _, _, let first)? = orders.last else { Issue.record("no load"); return }
        orders = session.loaded([event], isComplete: false, first: 1, head: 9, epoch: "e", snapshot: nil, for: first)
        guard case .load(_, _, let after, _, let second)? = orders.last else { Issue.record("no second load"); return }
        #expect(after == 4)
        orders = session.loaded(nil, isComplete: false, first: 0, head: 0, epoch: "", snapshot: nil, for: second)
        #expect(orders.contains(.close(.internalError)))
    }
}

@Suite struct ClientSessionRightTests {
    @Test("A token that has expired is error 109, and the client may connect with another one")
    func expiredToken() {
        var session = ClientSessionTests.fresh()
        let asked = ClientSessionTests.send(&session, #"{"id":1,"connect":{"token":"t"}}"#)
        #expect(ClientSessionTests.error(ClientSessionTests.answer(&session, asked, .expired)) == 109)
        #expect(!session.isConnected)
        let again = ClientSessionTests.send(&session, #"{"id":2,"connect":{"token":"u"}}"#)
        #expect(ClientSessionTests.error(ClientSessionTests.answer(&session, again, .known(ClientSessionTests.key))) == nil)
        #expect(session.isConnected)
    }

    @Test("An expired token of a refresh or a subscription is error 109 too, and the connection goes on", arguments: [
        #"{"id":2,"refresh":{"token":"u"}}"#, #"{"id":2,"subscribe":{"channel":"events","token":"u"}}"#,
    ])
    func expiredLater(command: String) {
        var session = ClientSessionTests.connected()
        let asked = ClientSessionTests.send(&session, command)
        #expect(ClientSessionTests.error(ClientSessionTests.answer(&session, asked, .expired)) == 109)
        #expect(session.isConnected && session.channels.count == 0)
    }

    @Test("A connection ends with 3500 when its key is revoked, and with 3005 when it expires", arguments: [
        (Standing.revoked, Disconnect.invalidToken), (.expired, .expired),
    ])
    func ended(standing: Standing, disconnect: Disconnect) {
        var session = ClientSessionTests.connected()
        #expect(session.reviewed { _ in .valid } == [])
        #expect(session.reviewed { $0 == ClientSessionTests.key ? standing : .valid } == [.close(disconnect)])
        #expect(session.reviewed { _ in standing } == [], "once")
    }

    @Test("A connection that shows no key ends with the key of one of its channels; a watch token ends with nothing")
    func endedChannel() {
        var session = ClientSessionTests.connected(.watch(ClientSessionTests.hash))
        let asked = ClientSessionTests.send(&session, #"{"id":2,"subscribe":{"channel":"events","token":"u"}}"#)
        _ = ClientSessionTests.answer(&session, asked, .known(ClientSessionTests.key))
        #expect(session.reviewed { $0 == ClientSessionTests.key ? .revoked : .valid } == [.close(.invalidToken)])
    }
}
