import TestSupport
import Testing

@testable import lnsim

@Suite struct HTTPRequestReaderTests {
    private func read(_ text: String, chunk: Int) throws -> [HTTPRequest] {
        var reader = HTTPRequestReader()
        var requests: [HTTPRequest] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            reader.append(Array(bytes[start..<min(start + chunk, bytes.count)]).span)
            while let request = try reader.next() { requests.append(request) }
        }
        return requests
    }

    @Test("requests are cut alike however they arrive", arguments: [1, 2, 3, 7, 1000])
    func chunks(_ size: Int) throws {
        let text =
            "POST /pay?x=1 HTTP/1.1\r\nHost: a\r\ncontent-length: 4\r\n\r\nabcd"
            + "GET /state HTTP/1.1\r\nConnection: close\r\n\r\n"
        let requests = try read(text, chunk: size)
        #expect(
            requests == [
                HTTPRequest(method: "POST", path: "/pay", body: Array("abcd".utf8), keepsAlive: true),
                HTTPRequest(method: "GET", path: "/state", body: [], keepsAlive: false),
            ])
    }

    @Test(
        "what is no request is refused",
        arguments: [
            "\r\n\r\n", "GET\r\n\r\n", "GET / FTP/1\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ])
    func malformed(_ text: String) {
        #expect(throws: HTTPRequestReader.Failure.self) { try read(text, chunk: 1000) }
    }

    @Test("a head without end is refused")
    func endless() {
        #expect(throws: HTTPRequestReader.Failure.headTooLong) {
            try read("GET / HTTP/1.1\r\n" + String(repeating: "a: b\r\n", count: 10_000), chunk: 4096)
        }
    }

    @Test("random and mutated bytes never trap", arguments: 0..<50)
    func fuzz(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let valid = Array("POST /pay HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n{}   ".utf8)
        for _ in 0..<200 {
            var bytes = valid
            for _ in 0..<Int.random(in: 0..<8, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var reader = HTTPRequestReader()
            reader.append(bytes.span)
            while (try? reader.next()) != nil {}
            _ = reader.takeContinue()
        }
    }
}
