/// Reads requests of HTTP/1.1 and 1.0 (RFC 9112) out of what a client has sent so far.
///
/// Strict where leniency lets two readers disagree: no bare line feeds, no folded fields, no space before the colon,
/// no two lengths, no length beside chunks.
struct HTTPParser {
    enum Outcome: Equatable {
        /// More bytes are needed.
        case incomplete
        /// The request and how many bytes it took.
        case request(HTTPRequest, Traits, consumed: Int)
        /// What cannot be read is answered with this status and the connection is closed.
        case refused(Int)
    }

    /// What the connection has to know beside the request.
    struct Traits: Equatable {
        var keepsAlive = true
        var isVersion11 = true
        /// The key of a complete WebSocket handshake (RFC 6455 section 4.1).
        var webSocketKey: String?
        /// Whether `centrifuge-json` is among the subprotocols the client speaks.
        var offersCentrifuge = false
    }

    /// What is found in the head when the body is still on its way, so that it is parsed once.
    struct Pending {
        var request: HTTPRequest
        var traits: Traits
        var headBytes: Int
        var length: Int?
        var expectsContinue: Bool
    }

    let headLimit: Int
    let bodyLimit: Int
    /// The head of a request whose body has not arrived as a whole.
    private(set) var pending: Pending?
    private var scanned = 0

    init(headLimit: Int, bodyLimit: Int) {
        self.headLimit = headLimit
        self.bodyLimit = bodyLimit
    }

    /// Whether the client waits for `100 Continue` before it sends the body. Asking clears it.
    mutating func takeContinue() -> Bool {
        guard pending?.expectsContinue == true else { return false }
        pending?.expectsContinue = false
        return true
    }

    /// `bytes` begins with the request and has grown, never changed, since the last call that was ``Outcome/incomplete``.
    mutating func parse(_ bytes: borrowing Span<UInt8>) -> Outcome {
        if pending == nil {
            guard let end = endOfHead(bytes) else {
                return bytes.count > headLimit ? .refused(431) : .incomplete
            }
            guard end <= headLimit else { return .refused(431) }
            var head = HTTPHead()
            if let status = head.read(bytes, end: end) { return .refused(status) }
            if let length = head.length, length > bodyLimit { return .refused(413) }
            pending = Pending(
                request: head.request, traits: head.traits, headBytes: end,
                length: head.isChunked ? nil : head.length ?? 0, expectsContinue: head.expectsContinue)
        }
        guard let pending else { return .incomplete }
        var request = pending.request
        var consumed = pending.headBytes
        if let length = pending.length {
            guard bytes.count >= consumed + length else { return .incomplete }
            if length > 0 { request.body = unsafe bytes.extracting(consumed..<(consumed + length)).withUnsafeBufferPointer { unsafe Array($0) } }
            consumed += length
        } else {
            switch ChunkedBody.read(bytes, from: consumed, limit: bodyLimit) {
            case .incomplete: return .incomplete
            case .refused(let status): return .refused(status)
            case .body(let body, let end):
                request.body = body
                consumed = end
            }
        }
        scanned = 0
        self.pending = nil
        return .request(request, pending.traits, consumed: consumed)
    }

    /// One past the empty line, or `nil`. Each byte is looked at once however it dribbles in.
    private mutating func endOfHead(_ bytes: borrowing Span<UInt8>) -> Int? {
        var index = max(scanned, 3)
        while index < bytes.count {
            if bytes[index] == 10, bytes[index - 1] == 13, bytes[index - 2] == 10, bytes[index - 3] == 13 { return index + 1 }
            index += 1
        }
        scanned = bytes.count
        return nil
    }
}
