/// Cuts a stream of bytes into HTTP/1.1 requests. Bodies need a Content-Length.
struct HTTPRequestReader: Sendable {
    enum Failure: Error, Equatable, Sendable {
        case malformed
        case headTooLong
        case bodyTooLong
        /// Transfer-Encoding is not spoken here.
        case chunked
    }

    static let maximumHead = 16 * 1024
    static let maximumBody = 64 * 1024 * 1024

    private var buffer: [UInt8] = []
    /// How much of the buffer is known to hold no end of a head.
    private var scanned = 0
    private var head: Head?

    private struct Head {
        var method: String
        var path: String
        var keepsAlive: Bool
        var length: Int
        var isExpectingContinue: Bool
    }

    mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0) }
    }

    /// Whether the client has sent more than any request may have, without waiting for answers.
    var isOverfull: Bool { buffer.count > Self.maximumBody + Self.maximumHead }

    /// The next whole request, or `nil` if more bytes are needed.
    mutating func next() throws(Failure) -> HTTPRequest? {
        if head == nil { head = try takeHead() }
        guard let head, buffer.count >= head.length else { return nil }
        let body = Array(buffer[..<head.length])
        buffer.removeFirst(head.length)
        self.head = nil
        return HTTPRequest(method: head.method, path: head.path, body: body, keepsAlive: head.keepsAlive)
    }

    /// Whether the client waits for permission to send a body. Answers `true` once for each request.
    mutating func takeContinue() -> Bool {
        guard head?.isExpectingContinue == true else { return false }
        head?.isExpectingContinue = false
        return true
    }

    private mutating func takeHead() throws(Failure) -> Head? {
        guard let end = endOfHead() else {
            scanned = max(0, buffer.count - 3)
            if buffer.count > Self.maximumHead { throw .headTooLong }
            return nil
        }
        guard end <= Self.maximumHead else { throw .headTooLong }
        let text = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeFirst(end + 4)
        scanned = 0
        return try Self.parse(text)
    }

    private func endOfHead() -> Int? {
        guard buffer.count >= 4 else { return nil }
        var index = scanned
        while index + 3 < buffer.count {
            if buffer[index] == 13, buffer[index + 1] == 10, buffer[index + 2] == 13, buffer[index + 3] == 10 { return index }
            index += 1
        }
        return nil
    }

    private static func parse(_ text: String) throws(Failure) -> Head {
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        let request = (lines.popFirst() ?? "").split(separator: " ", omittingEmptySubsequences: false)
        guard request.count == 3, request[2].hasPrefix("HTTP/1."), request[1].hasPrefix("/") else { throw .malformed }
        var head = Head(
            method: String(request[0]), path: String(request[1].prefix { $0 != "?" }), keepsAlive: request[2] == "HTTP/1.1",
            length: 0, isExpectingContinue: false)
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { throw .malformed }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }.lowercased()
            switch line[..<colon].lowercased() {
            case "content-length":
                guard !value.isEmpty, value.utf8.allSatisfy({ (48...57).contains($0) }) else { throw .malformed }
                guard let length = Int(value), length <= maximumBody else { throw .bodyTooLong }
                head.length = length
            case "transfer-encoding": throw .chunked
            case "connection" where value == "close": head.keepsAlive = false
            case "connection" where value == "keep-alive": head.keepsAlive = true
            case "expect": head.isExpectingContinue = value == "100-continue"
            default: break
            }
        }
        return head
    }
}
