@testable import Delivery
import Payments
import Testing

@Suite("When an event is tried again")
struct RetryTests {
    static let now = UnixTime(seconds: 1_790_000_000)

    @Test("ten attempts over about seventy-five hours, spread by a tenth")
    func schedule() {
        let total = (1..<RetrySchedule.attempts).compactMap { RetrySchedule.delay(afterAttempts: $0, jitter: 0.5) }.reduce(0, +)
        #expect(abs(total - 75 * 3_600_000) < 3_600_000)
        #expect(RetrySchedule.attempts == 10)
        #expect(RetrySchedule.delay(afterAttempts: 10, jitter: 0.5) == nil)
        #expect(RetrySchedule.delay(afterAttempts: 1, jitter: 0) == 4500)
        #expect(RetrySchedule.delay(afterAttempts: 1, jitter: 0.999_999)! <= 5500)
        #expect(RetrySchedule.delay(afterAttempts: 1, jitter: 7)! == 5500)
    }

    @Test("an endpoint in trouble is asked at first often, at last once an hour")
    func pauses() {
        #expect(RetrySchedule.pause(afterFailures: 3, jitter: 0.5) == 5000)
        #expect(RetrySchedule.pause(afterFailures: 4, jitter: 0.5) == 10_000)
        #expect(RetrySchedule.pause(afterFailures: 10_000, jitter: 0.5) == 3_600_000)
    }

    @Test("Retry-After is seconds or a date", arguments: [
        ("120", 120_000), ("0", 0), (" 5", 5000), ("Mon, 21 Sep 2026 14:13:30 GMT", 10_000), ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
    ] as [(String, Int64)])
    func retryAfter(text: String, wait: Int64) {
        #expect(RetryAfter.milliseconds(text, at: Self.now) == wait)
    }

    @Test("anything else is no Retry-After", arguments: ["", "-1", "1.5", "soon", "9999999999", "Mon, 21 Xyz 2026 14:13:20 GMT", "Mon, 21 Sep 2026 14:13:20", "Mon, 99 Sep 2026 14:13:20 GMT"])
    func noRetryAfter(text: String) {
        #expect(RetryAfter.milliseconds(text, at: Self.now) == nil)
    }

    @Test("28: what an answer means")
    func verdicts() {
        func verdict(_ status: Int, _ retryAfter: String? = nil) -> Verdict {
            Verdict(.answered(status: status, retryAfter: retryAfter, body: []), at: Self.now)
        }
        for status in [200, 201, 204, 299] { #expect(verdict(status) == .delivered(status: status)) }
        #expect(verdict(410) == .gone)
        #expect(verdict(429, "30") == .failed(status: 429, reason: "answered 429", retryAfter: 30_000))
        #expect(verdict(503, "999999999") == .failed(status: 503, reason: "answered 503", retryAfter: 86_400_000))
        #expect(verdict(500) == .failed(status: 500, reason: "answered 500", retryAfter: nil))
        #expect(verdict(302, "30") == .failed(status: 302, reason: "answered 302; redirects are not followed", retryAfter: nil))
        #expect(Verdict(.failed(.timedOut), at: Self.now) == .failed(status: nil, reason: "no answer in time", retryAfter: nil))
    }
}

@Suite("What is sent")
struct SignedMessageTests {
    @Test("is the event's object, and over twenty kilobytes only where it is to be found")
    func body() {
        var event = PublishedEvent(
            offset: 7, id: "evt_1", type: .invoiceSettled, account: 1, paymentHash: nil, time: RetryTests.now, data: #"{"a":1}"#)
        let message = SignedMessage(event, at: UnixTime(milliseconds: 1_790_000_001_999))
        let text = String(decoding: message.signedBytes, as: UTF8.self)
        #expect(text == #"evt_1.1790000001.{"offset":7,"id":"evt_1","type":"invoice.settled","time":"2026-09-21T14:13:20Z","data":{"a":1}}"#)
        #expect(message.fields(signatures: ["v1,a", "v1,b"]).map(\.value) == ["application/json", "evt_1", "1790000001", "v1,a v1,b"])
        event.data = #"{"a":""# + String(repeating: "x", count: 30_000) + #""}"#
        let short = SignedMessage(event, at: RetryTests.now)
        #expect(short.body.count < 300)
        #expect(String(decoding: short.body, as: UTF8.self).contains(#""data":{"truncated":true}"#))
    }

    @Test("is what the endpoint has selected")
    func selection() throws {
        let some = try #require(EventSelection(["invoice.*", "htlc.failed"]))
        #expect(some.admits(.invoiceSettled) && some.admits(.htlcFailed) && !some.admits(.htlcSettled) && !some.admits(.nodeConnected))
        #expect(some.types.count == 9)
        #expect(some.admits(.other("invoice.shredded")))
        let all = try #require(EventSelection(["*"]))
        #expect(all.admits(.nodeConnected) && all.types.isEmpty)
        for wrong in [[], ["invoice"], ["invoice.paid"], ["*.settled"], [""], [".*"], ["inv*"], [String](repeating: "*", count: 65)] {
            #expect(EventSelection(wrong) == nil)
        }
    }
}
