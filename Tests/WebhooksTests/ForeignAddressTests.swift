import Delivery
import Loop
import Testing
@testable import Webhooks

/// Names are answered by the test, so that they can lie.
@Suite("Names and addresses that lead where nobody may go")
@LoopActor
struct ForeignAddressTests {
    private static let good = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    private static let here = IPAddress("127.0.0.1")!
    /// 127.0.0.1 stands for the public world.
    private static let rules = OutboundRules(allowsHTTP: true, allowed: [AddressRange("127.0.0.1")!])

    /// A client whose names are answered one after the other with these, the last for ever.
    private final class Names {
        private(set) var asked: [String] = []
        private var answers: [[IPAddress]]

        init(_ answers: [[IPAddress]]) { self.answers = answers }

        @LoopActor var book: AddressBook {
            AddressBook { [self] host, done in
                asked.append(host)
                let answer = answers.count > 1 ? answers.removeFirst() : answers[0]
                LoopActor.atEndOfTurn { done(answer) }
            }
        }
    }

    /// What the receiver answers next.
    @LoopActor
    private final class Script {
        var next: Receiver.Reply

        init(_ first: Receiver.Reply) { next = first }
    }

    private func client(_ names: Names, _ rules: OutboundRules = rules) -> OutboundClient {
        OutboundClient(rules: rules, userAgent: "tests", book: names.book)
    }

    private func request(_ url: String, timeout: Int64 = 5000) throws -> OutboundRequest {
        OutboundRequest(url: try TargetURL(url), fields: [], body: Array("{}".utf8), timeoutMilliseconds: timeout)
    }

    @Test("18: a name whose second answer is private: it was asked once, and the address that was checked is the one that is called")
    func rebinding() async throws {
        let receiver = try Receiver { _ in .bytes(Self.good) }
        let names = Names([[Self.here], [try #require(IPAddress("127.0.0.2"))]])
        let client = client(names)
        for _ in 0..<3 {
            let answer = await client.send(try request("http://shop.example:\(receiver.port)/"))
            #expect(answer == .answered(status: 200, retryAfter: nil, body: Array("ok".utf8)))
        }
        #expect(names.asked == ["shop.example"])
        #expect(receiver.requests.count == 3 && receiver.requests.allSatisfy { $0.contains("\r\nHost: shop.example:") })
        client.close()
        receiver.stop()
    }

    @Test("18: asked for again later, its new answer is judged anew, and the connection of before is of no use to it")
    func rebindingLater() async throws {
        let receiver = try Receiver { _ in .bytes(Self.good) }
        let names = Names([[Self.here], [try #require(IPAddress("127.0.0.2"))]])
        let book = AddressBook(memorySeconds: 0) { host, done in names.book.resolve(host, for: 1, done) }
        let client = OutboundClient(rules: Self.rules, userAgent: "tests", book: book)
        #expect(await client.send(try request("http://shop.example:\(receiver.port)/")) == .answered(status: 200, retryAfter: nil, body: Array("ok".utf8)))
        let answer = await client.send(try request("http://shop.example:\(receiver.port)/"))
        #expect(answer == .failed(.forbiddenAddress(try #require(IPAddress("127.0.0.2")))))
        #expect(receiver.requests.count == 1)
        client.close()
        receiver.stop()
    }

    @Test("18: one forbidden address among good ones forbids the name", arguments: [
        "10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "::1", "fe80::1", "fd00:ec2::254", "64:ff9b::a00:1", "2002:a00:1::1", "0.0.0.0", "100.64.0.1", "::",
    ])
    func mixed(text: String) async throws {
        let receiver = try Receiver { _ in .bytes(Self.good) }
        let forbidden = try #require(IPAddress(text))
        for answer in [[Self.here, forbidden], [forbidden, Self.here], [forbidden]] {
            let client = client(Names([answer]))
            #expect(await client.send(try request("http://shop.example:\(receiver.port)/")) == .failed(.forbiddenAddress(forbidden)))
            client.close()
        }
        #expect(receiver.requests.isEmpty && receiver.connections == 0)
        receiver.stop()
    }

    @Test("18: addresses in numbers are judged however they are written", arguments: [
        "http://[::ffff:10.0.0.1]/", "http://[::ffff:a00:1]/", "http://169.254.169.254/", "http://[::ffff:169.254.169.254]/", "http://127.0.0.2/",
        "http://[::ffff:127.0.0.2]/", "http://[0:0:0:0:0:0:0:1]/", "http://[64:ff9b::7f00:2]/", "http://0.0.0.0/",
    ])
    func numbers(text: String) async throws {
        let names = Names([[Self.here]])
        let client = client(names)
        guard case .failed(.forbiddenAddress) = await client.send(try request(text)) else { Issue.record("\(text) was called"); return }
        #expect(names.asked.isEmpty)
        client.close()
    }

    @Test("18: what is an address to some readers and a name to others is neither here", arguments: [
        "http://2130706434/", "http://0x7f.0.0.2/", "http://0177.0.0.2/", "http://127.2/", "http://0x7f000002/", "http://127.0.0.0x2/", "http://017700000002/",
        "http://user@127.0.0.2/", "http://shop.example:80@127.0.0.2/", "http://127.0.0.1\\@127.0.0.2/", "http://①②⑦.0.0.2/",
    ])
    func ambiguous(text: String) { #expect(throws: TargetURL.Failure.self) { try TargetURL(text) } }

    @Test("18: a redirect to a private address is an answer; nobody goes there, nor asks for its name")
    func redirect() async throws {
        let hidden = try Receiver { _ in .bytes(Self.good) }
        for target in ["http://127.0.0.1:\(hidden.port)/", "http://169.254.169.254/latest/", "http://inside.example/", "//inside.example/"] {
            let receiver = try Receiver { _ in .bytes("HTTP/1.1 307 Temporary Redirect\r\nlocation: \(target)\r\ncontent-length: 0\r\n\r\n") }
            let names = Names([[Self.here]])
            let client = client(names)
            #expect(await client.send(try request("http://shop.example:\(receiver.port)/")) == .answered(status: 307, retryAfter: nil, body: []))
            #expect(names.asked == ["shop.example"] && hidden.connections == 0 && receiver.requests.count == 1)
            client.close()
            receiver.stop()
        }
        hidden.stop()
    }

    @Test("the next address is tried where one refuses, and where one does not answer at all")
    func nextAddress() async throws {
        let receiver = try Receiver { _ in .bytes(Self.good) }
        let silence = try Silence(host: "127.0.0.2", port: receiver.port)
        let open = OutboundRules(allowsPrivate: true, allowsHTTP: true)
        for (first, timeout) in [("127.0.0.3", 5000), ("127.0.0.2", 3000)] as [(String, Int64)] {
            let client = client(Names([[try #require(IPAddress(first)), Self.here]]), open)
            let answer = await client.send(try request("http://shop.example:\(receiver.port)/", timeout: timeout))
            #expect(answer == .answered(status: 200, retryAfter: nil, body: Array("ok".utf8)), "after \(first)")
            #expect(client.idleHandles == 1)
            client.close()
        }
        let client = client(Names([[try #require(IPAddress("127.0.0.2"))]]), open)
        #expect(await client.send(try request("http://shop.example:\(receiver.port)/", timeout: 300)) == .failed(.timedOut))
        client.close()
        silence.close()
        receiver.stop()
    }

    @Test("every outcome gives libcurl's handle back, and one serves all requests that come one after the other")
    func handles() async throws {
        let replies: [Receiver.Reply] = [
            .bytes(Self.good), .bytes("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"), .endless, .nothing, .close, .bytes("no HTTP\r\n\r\n"),
            .bytes("HTTP/1.1 200 OK\r\nx: \(String(repeating: "y", count: 40_000))\r\n\r\n"), .bytes("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"),
        ]
        let script = Script(replies[0])
        let receiver = try Receiver { _ in script.next }
        let noTLS = try Receiver(greeting: "This is no TLS.\n") { _ in .nothing }
        let names = Names([[Self.here]])
        let client = client(names)
        #expect(client.idleHandles == 0)
        for _ in 0..<3 {
            for index in replies.indices {
                script.next = replies[index]
                _ = await client.send(try request("http://shop.example:\(receiver.port)/", timeout: 300))
                #expect(client.idleHandles == 1 && client.underWay == 0, "after reply \(index)")
            }
            for url in ["https://shop.example:\(noTLS.port)/", "http://shop.example:1/", "http://10.0.0.1/"] {
                _ = await client.send(try request(url, timeout: 300))
                #expect(client.idleHandles == 1 && client.underWay == 0, "after \(url)")
            }
        }
        script.next = .nothing
        var left = 40
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            for _ in 0..<40 {
                guard let request = try? request("http://shop.example:\(receiver.port)/", timeout: 300) else { continue }
                client.send(request) { _ in
                    left -= 1
                    if left == 0 { done.resume() }
                }
            }
        }
        #expect(client.idleHandles == 40 && client.underWay == 0)
        client.close()
        #expect(client.idleHandles == 0)
        receiver.stop()
        noTLS.stop()
    }
}
