/// Request line and header fields.
struct HTTPHead {
    var request = HTTPRequest(method: .get, path: "/")
    var traits = HTTPParser.Traits()
    var length: Int?
    var isChunked = false
    var expectsContinue = false
    private var upgrade = false
    private var connectionUpgrades = false
    private var key: String?
    private var hasVersion = false
    private var hosts = 0

    /// `nil`, or the status with which it is refused. `end` is one past the empty line.
    mutating func read(_ bytes: borrowing Span<UInt8>, end: Int) -> Int? {
        // A client may send an empty line between requests (RFC 9112 section 2.2).
        var position = bytes[0] == 13 && bytes[1] == 10 ? 2 : 0
        guard let line = Self.line(bytes, position, end) else { return 400 }
        if let status = readRequestLine(bytes, position, line) { return status }
        position = line + 2
        while position < end - 2 {
            guard let line = Self.line(bytes, position, end) else { return 400 }
            if let status = readField(bytes, position, line) { return status }
            position = line + 2
        }
        if isChunked, length != nil { return 400 }
        if traits.isVersion11, hosts != 1 { return 400 }
        if upgrade, connectionUpgrades, hasVersion, request.method == .get, traits.isVersion11, length ?? 0 == 0, !isChunked {
            traits.webSocketKey = key
        }
        return nil
    }

    private mutating func readRequestLine(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        guard let methodEnd = Self.index(of: 0x20, in: bytes, start, end),
            let targetEnd = Self.index(of: 0x20, in: bytes, methodEnd + 1, end)
        else { return 400 }
        let version = Self.text(bytes, targetEnd + 1, end)
        switch version {
        case "HTTP/1.1": traits.isVersion11 = true
        case "HTTP/1.0":
            traits.isVersion11 = false
            traits.keepsAlive = false
        default: return version.hasPrefix("HTTP/") ? 505 : 400
        }
        let name = Self.text(bytes, start, methodEnd)
        // These are known, and nobody may.
        guard let method = HTTPRequest.Method(rawValue: name) else { return ["TRACE", "CONNECT", "QUERY"].contains(name) ? 405 : 501 }
        request.method = method
        let question = Self.index(of: 0x3F, in: bytes, methodEnd + 1, targetEnd) ?? targetEnd
        guard let path = RequestTarget.path(bytes, methodEnd + 1, question) else { return 400 }
        request.path = path
        if question < targetEnd {
            if let query = RequestTarget.query(bytes, question + 1, targetEnd) { request.query = query } else { request.isQueryMalformed = true }
        }
        return nil
    }

    private mutating func readField(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        guard let colon = Self.index(of: 0x3A, in: bytes, start, end), colon > start else { return 400 }
        for index in start..<colon where !Self.isToken(bytes[index]) { return 400 }
        var from = colon + 1
        var to = end
        while from < to, bytes[from] == 0x20 || bytes[from] == 9 { from += 1 }
        while to > from, bytes[to - 1] == 0x20 || bytes[to - 1] == 9 { to -= 1 }
        for index in from..<to where (bytes[index] < 0x20 && bytes[index] != 9) || bytes[index] == 0x7F { return 400 }
        // The length of the name leaves at most two candidates, so most fields cost no comparison.
        func isNamed(_ name: StaticString) -> Bool { Self.equals(bytes, start, name) }
        func value() -> String { Self.text(bytes, from, to) }
        switch colon - start {
        case 4:
            if isNamed("host") {
                hosts += 1
                request.headers.host = value()
            }
        case 6:
            if isNamed("accept") { request.headers.accept = value() }
            if isNamed("origin") { request.headers.origin = value() }
            if isNamed("expect") { expectsContinue = Self.lowered(value()) == "100-continue" }
        case 7: if isNamed("upgrade") { upgrade = Self.lowered(value()) == "websocket" }
        case 10:
            if isNamed("connection") {
                for option in Self.lowered(value()).split(separator: ",") {
                    switch Self.trimmed(option) {
                    case "close": traits.keepsAlive = false
                    case "keep-alive": traits.keepsAlive = true
                    case "upgrade": connectionUpgrades = true
                    default: break
                    }
                }
            }
        case 12:
            if isNamed("content-type") { request.headers.contentType = value() }
            if isNamed("x-request-id") { request.headers.requestID = value() }
        case 13:
            if isNamed("authorization") { request.headers.authorization = value() }
            if isNamed("last-event-id") { request.headers.lastEventID = value() }
            if isNamed("if-none-match") { request.headers.ifNoneMatch = value() }
        case 14: if isNamed("content-length") { return readLength(bytes, from, to) }
        case 15: if isNamed("idempotency-key") { request.headers.idempotencyKey = value() }
        case 17:
            if isNamed("transfer-encoding") {
                guard !isChunked, traits.isVersion11 else { return 400 }
                guard Self.lowered(value()) == "chunked" else { return 501 }
                isChunked = true
            }
            // Sixteen bytes in base64; anything else is not passed on.
            if isNamed("sec-websocket-key"), to - from == 24 { key = value() }
        case 21: if isNamed("sec-websocket-version") { hasVersion = value() == "13" }
        case 22:
            if isNamed("sec-websocket-protocol") {
                traits.offersCentrifuge = value().split(separator: ",").contains { Self.trimmed($0) == "centrifuge-json" }
            }
        default: break
        }
        return nil
    }

    private mutating func readLength(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        guard length == nil, end > start, end - start <= 15 else { return 400 }
        var value = 0
        for index in start..<end {
            guard case 0x30...0x39 = bytes[index] else { return 400 }
            value = value * 10 + Int(bytes[index] - 0x30)
        }
        length = value
        return nil
    }

    // MARK: Bytes

    /// The index of the CR of the line that begins at `start`; `nil` if it ends in a bare line feed or has a bare CR.
    private static func line(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        var index = start
        while index + 1 < end {
            if bytes[index] == 13 { return bytes[index + 1] == 10 ? index : nil }
            if bytes[index] == 10 { return nil }
            index += 1
        }
        return nil
    }

    private static func index(of byte: UInt8, in bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        var index = start
        while index < end {
            if bytes[index] == byte { return index }
            index += 1
        }
        return nil
    }

    private static func text(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> String {
        guard start < end else { return "" }
        return unsafe bytes.extracting(start..<end).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    private static func equals(_ bytes: borrowing Span<UInt8>, _ start: Int, _ name: StaticString) -> Bool {
        name.withUTF8Buffer { name in
            for index in 0..<name.count where unsafe bytes[start + index] | 0x20 != name[index] | 0x20 { return false }
            return true
        }
    }

    private static func lowered(_ text: String) -> String { text.lowercased() }
    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }

    /// RFC 9110 section 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}
