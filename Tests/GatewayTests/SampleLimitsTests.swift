@testable import Gateway
import Loop
import Testing
import Wire

@Suite("Samples to webhook endpoints")
@LoopActor
struct SampleLimitsTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("one endpoint gets so many in a second, and all of an account's together not many more; another account notices nothing")
    func rates() {
        let limits = SampleLimits()
        func take(_ account: Int64, _ endpoint: String, at now: UInt64 = 0) -> Bool {
            guard case .granted = limits.take(account, endpoint, at: now) else { return false }
            limits.ended(account)
            return true
        }
        #expect((0..<20).count { _ in take(1, "a") } == 5)
        #expect((0..<20).count { take(1, "b\($0)") } == 5)
        #expect(take(2, "c"))
        guard case .tooOften(let quota) = limits.take(1, "a", at: 0) else { Issue.record("granted"); return }
        #expect(quota.limit == 5 && quota.remaining == 0 && quota.retryAfterSeconds == 1 && quota.isExceeded)
        #expect((0..<20).count { _ in take(1, "a", at: Self.second) } == 5)
    }

    @Test("so many of an account's may be unanswered")
    func underWay() {
        let limits = SampleLimits()
        var now: UInt64 = 0
        for number in 0..<SampleLimits.mostUnderWay {
            now += Self.second
            #expect(limits.take(1, "\(number)", at: now) == .granted)
        }
        #expect(limits.take(1, "x", at: now + Self.second) == .tooManyUnderWay)
        #expect(limits.take(2, "y", at: now) == .granted)
        limits.ended(1)
        #expect(limits.take(1, "x", at: now + Self.second) == .granted)
    }
}

@Suite("The test button")
@LoopActor
struct SampleRouteTests {
    @Test("is bounded: one too many is 429 with its limit and when to come back, and under its Idempotency-Key it is carried out later")
    func bounded() async throws {
        try await TestGateway.run { test in
            let hook = try await test.ask("POST", "/v1/webhooks", #"{"url":"https://127.0.0.1.example.invalid/","events":["*"]}"#).json
            let path = "/v1/webhooks/\(try #require(hook["id"]?.text))/test"
            let asked = (0..<30).map { _ in test.begin(path, method: "POST", body: "{}") }
            var answers: [HTTPAnswer] = []
            for exchange in asked { answers.append(await exchange.answer()) }
            let refused = answers.filter { $0.status == 429 }
            #expect(answers.allSatisfy { $0.status == 200 || $0.status == 429 } && (15...25).contains(refused.count))
            let one = try #require(refused.first)
            #expect(one.problem == "too_many_tests" && one.fields["retry-after"] == "1" && one.fields["ratelimit-limit"] == "5")
            #expect(one.fields["ratelimit-remaining"] == "0")
            let other = await test.makeAccount()
            let key = await test.makeKey([.webhooksWrite], account: other)
            #expect(await test.ask("POST", path, "{}", key: key).status == 404, "a foreign account takes nothing from the limit")
        }
    }
}
