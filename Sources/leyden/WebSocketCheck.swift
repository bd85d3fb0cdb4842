internal import Foundation
internal import Loop

/// Opens the WebSocket at an address as a client does, up to the first answer of the gateway.
@LoopActor
final class WebSocketCheck {
    enum Outcome: Sendable, Equatable {
        case answered
        /// The first line of an answer that opened nothing.
        case refused(String)
        /// It was opened, and no gateway spoke.
        case silent
        case unreachable(String)
    }

    private static let seconds: UInt64 = 5
    private static let question = #"{"id":1,"connect":{"name":"leyden doctor"}}"#

    private let stream: any ByteStream
    private let request: String
    private var received: [UInt8] = []
    private var isOpened = false
    private var timer: Loop.Timer?
    private var done: (@LoopActor (Outcome) -> Void)?

    /// `base` is `http` or `https`, without a slash at the end.
    static func run(_ base: String) async -> Outcome {
        guard let url = URLComponents(string: base), let host = url.host, let scheme = url.scheme?.lowercased() else { return .unreachable("no URL") }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let isSecure = scheme == "https"
        let port = url.port ?? (isSecure ? 443 : 80)
        do {
            let stream: any ByteStream = isSecure
                ? TLSStream(host: bare, port: port, client: try TLSClient(trustedFor: bare), timeoutMilliseconds: seconds * 1000)
                : TCPStream(host: bare, port: port, timeoutMilliseconds: seconds * 1000)
            let authority = url.port.map { "\(host):\($0)" } ?? host
            let check = WebSocketCheck(stream, """
                GET \(url.percentEncodedPath)/connection/websocket HTTP/1.1\r
                Host: \(authority)\r
                Origin: \(scheme)://\(authority)\r
                Connection: Upgrade\r
                Upgrade: websocket\r
                Sec-WebSocket-Version: 13\r
                Sec-WebSocket-Key: bGV5ZGVuIGRvY3RvciBrZXk=\r
                \r

                """)
            return await withCheckedContinuation { done in check.start { done.resume(returning: $0) } }
        } catch {
            return .unreachable("\(error)")
        }
    }

    private init(_ stream: any ByteStream, _ request: String) {
        self.stream = stream
        self.request = request
    }

    private func start(_ done: @escaping @LoopActor (Outcome) -> Void) {
        self.done = done
        stream.onBytes = { self.received($0) }
        stream.onClose = { reason in self.end(self.isOpened ? .silent : .unreachable("\(reason)")) }
        stream.write(Array(request.utf8))
        timer = Loop.Timer(afterMilliseconds: Self.seconds * 1000) { self.end(self.isOpened ? .silent : .unreachable("no answer within \(Self.seconds) s")) }
    }

    private func received(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe received.append(contentsOf: $0) }
        if received.count > 65_536 { return end(.silent) }
        if !isOpened {
            // In bytes: what is no UTF-8 becomes longer as text.
            guard let head = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
            guard received.starts(with: Array("HTTP/1.1 101".utf8)) else {
                return end(.refused(String(decoding: received.prefix { $0 != 13 }, as: UTF8.self)))
            }
            isOpened = true
            received.removeFirst(head.upperBound)
            stream.write(Self.frame(Self.question))
        }
        // The gateway refuses a visitor without a token or lets him in; a proxy's page does neither.
        let answer = String(decoding: received, as: UTF8.self)
        if answer.contains(#""connect":{"#) || answer.contains(#""error":{"code""#) { end(.answered) }
    }

    private func end(_ outcome: Outcome) {
        timer?.cancel()
        timer = nil
        let done = done
        self.done = nil
        stream.close()
        done?(outcome)
    }

    /// A client masks what it sends; which mask is the same to the reader.
    private static func frame(_ text: String) -> [UInt8] {
        let mask: [UInt8] = [1, 2, 3, 4]
        let bytes = text.utf8.enumerated().map { $1 ^ mask[$0 % 4] }
        return [0x81, 0x80 | UInt8(bytes.count)] + mask + bytes
    }
}
