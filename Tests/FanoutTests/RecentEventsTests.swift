import Payments
import Testing

@testable import Fanout

@Suite struct RecentEventsTests {
    private func event(_ offset: Int64, account: Int64 = 1) -> PublishedEvent {
        PublishedEvent(offset: offset, id: "evt_\(offset)", type: .invoiceSettled, account: account, paymentHash: nil, time: UnixTime(seconds: 1), data: "{}")
    }

    @Test("resumes exactly after the offset, in order")
    func resumes() {
        var recent = RecentEvents(limit: 10)
        for offset in 5...30 { recent.append(event(Int64(offset))) }
        #expect(recent.count == 10 && recent.newest == 30)
        #expect(recent.events(after: 27, most: 10) { _ in true }?.map(\.offset) == [28, 29, 30])
        #expect(recent.events(after: 30, most: 10) { _ in true } == [])
        #expect(recent.events(after: 20, most: 3) { _ in true }?.map(\.offset) == [21, 22, 23])
    }

    @Test("does not promise what it does not hold, nor the future")
    func refuses() {
        var recent = RecentEvents(limit: 10)
        #expect(recent.events(after: 0, most: 1) { _ in true } == nil)
        for offset in 1...30 { recent.append(event(Int64(offset))) }
        #expect(recent.events(after: 19, most: 1) { _ in true } == nil)
        #expect(recent.events(after: -5, most: 1) { _ in true } == nil)
        #expect(recent.events(after: 31, most: 1) { _ in true } == nil)
        #expect(recent.events(after: .max, most: 1) { _ in true } == nil)
    }

    @Test("a gap drops what came before it, a repetition changes nothing")
    func gaps() {
        var recent = RecentEvents(limit: 10)
        for offset in [1, 2, 3, 3, 2, 7, 8] as [Int64] { recent.append(event(offset)) }
        #expect(recent.events(after: 5, most: 9) { _ in true } == nil)
        #expect(recent.events(after: 6, most: 9) { _ in true }?.map(\.offset) == [7, 8])
    }

    @Test("filters by account and counts only what is wanted")
    func filters() {
        var recent = RecentEvents(limit: 100)
        for offset in 1...50 { recent.append(event(Int64(offset), account: Int64(offset % 2))) }
        #expect(recent.events(after: 40, most: 3) { $0.account == 1 }?.map(\.offset) == [41, 43, 45])
    }
}
