@testable import Delivery
import Loop
import Testing
@testable import Webhooks

@Suite("Names are looked up")
@LoopActor
struct AddressBookTests {
    /// Look-ups that the test answers when it likes.
    @LoopActor
    private final class Resolver {
        private(set) var asked: [String] = []
        private var open: [String: @LoopActor ([IPAddress]) -> Void] = [:]
        lazy var book = AddressBook { [self] host, done in
            asked.append(host)
            open[host] = done
        }

        func answer(_ host: String) { open.removeValue(forKey: host)?([IPAddress(v4: 0x7f00_0001)]) }
    }

    @Test("28: an account's names that never resolve keep no other account's waiting, not even a name that it asks for itself")
    func fair() {
        let resolver = Resolver()
        var resolved: [String] = []
        func ask(_ host: String, _ account: Int64) { resolver.book.resolve(host, for: account) { _ in resolved.append("\(account) \(host)") } }
        for number in 0..<1000 { ask("slow\(number).example", 1) }
        ask("shop.example", 1)
        #expect(resolver.asked.count == AddressBook.mostOfAccount)
        for number in 0..<100 {
            ask("quick\(number).example", 2)
            #expect(resolver.asked.last == "quick\(number).example")
            resolver.answer("quick\(number).example")
        }
        ask("shop.example", 2)
        #expect(resolver.asked.last == "shop.example")
        resolver.answer("shop.example")
        #expect(resolved.suffix(2) == ["1 shop.example", "2 shop.example"] && resolved.count == 102)
    }

    @Test("28: what waits for names that do not resolve is bounded for each account, and is asked for again when they do")
    func full() {
        let resolver = Resolver()
        var refused = 0, resolved = 0
        func ask(_ host: String, _ account: Int64) { resolver.book.resolve(host, for: account) { if $0.isEmpty { refused += 1 } else { resolved += 1 } } }
        for number in 0..<AddressBook.mostWaiting { ask(number % 2 == 0 ? "slow.example" : "slow\(number).example", 1) }
        #expect(refused == 0)
        ask("slow.example", 1)
        ask("one more.example", 1)
        #expect(refused == 2 && resolved == 0)
        ask("shop.example", 2)
        resolver.answer("shop.example")
        #expect(refused == 2 && resolved == 1)
        resolver.answer("slow.example")
        #expect(resolved == 1 + AddressBook.mostWaiting / 2)
        ask("one more.example", 1)
        #expect(refused == 2)
    }

    @Test("so many are looked up at once, each name once, and all come to their turn")
    func bounded() {
        let resolver = Resolver()
        var resolved = 0
        for account in 1...20 as ClosedRange<Int64> {
            for number in 0..<5 { resolver.book.resolve("\(account)-\(number).example", for: account) { _ in resolved += 1 } }
            resolver.book.resolve("shared.example", for: account) { _ in resolved += 1 }
        }
        #expect(resolver.asked.count == AddressBook.mostAtOnce)
        var next = 0
        while next < resolver.asked.count {
            resolver.answer(resolver.asked[next])
            next += 1
        }
        #expect(resolver.asked.count == 101 && Set(resolver.asked).count == 101 && resolved == 120)
        resolver.book.resolve("shared.example", for: 1) { _ in resolved += 1 }
        #expect(resolved == 121 && resolver.asked.count == 101)
    }
}
