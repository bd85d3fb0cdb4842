import Glibc

/// A client of bare system calls, for what no decent client would send.
final class RawClient {
    let descriptor: Int32
    private var buffer: [UInt8] = []

    init(port: UInt16, receiveBuffer: Int32? = nil) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer { unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var timeout = timeval(tv_sec: 30, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        // sockaddr_in by hand: family, port in network order, 127.0.0.1.
        var address = sockaddr()
        address.sa_family = sa_family_t(AF_INET)
        unsafe withUnsafeMutableBytes(of: &address.sa_data) { bytes in
            unsafe bytes[0] = UInt8(port >> 8)
            unsafe bytes[1] = UInt8(port & 0xFF)
            unsafe bytes[2] = 127
            unsafe bytes[5] = 1
        }
        _ = unsafe connect(descriptor, &address, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// A reader of the test server's stream of events, which has begun.
    static func streaming(from port: UInt16, receiveBuffer: Int32? = nil) -> RawClient {
        let client = RawClient(port: port, receiveBuffer: receiveBuffer)
        client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = client.answer(hasBody: false)
        return client
    }

    deinit { close(descriptor) }

    func send(_ text: String) { send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// False at the end of the stream, after a reset and after thirty seconds of silence.
    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
        if count <= 0 { return false }
        buffer += chunk[..<count]
        return true
    }

    func take(_ count: Int) -> [UInt8]? {
        while buffer.count < count { if !fill() { return nil } }
        let bytes = Array(buffer.prefix(count))
        buffer.removeFirst(count)
        return bytes
    }

    /// Up to and with `marker`.
    func take(until marker: String) -> String? {
        let end = Array(marker.utf8)
        var scanned = 0
        while true {
            while scanned + end.count <= buffer.count {
                if buffer[scanned..<(scanned + end.count)].elementsEqual(end) {
                    return take(scanned + end.count).map { String(decoding: $0, as: UTF8.self) }
                }
                scanned += 1
            }
            if !fill() { return nil }
        }
    }

    /// True if the server has ended the connection and nothing is unread.
    func isAtEnd() -> Bool {
        if !buffer.isEmpty { return false }
        var byte: UInt8 = 0
        return unsafe recv(descriptor, &byte, 1, 0) == 0
    }

    /// True if the connection ends within the time-out, whatever still comes.
    func ends() -> Bool {
        while fill() { buffer = [] }
        return errno != EAGAIN
    }

    struct Answer {
        var status: Int
        var head: String
        var body: String
        func field(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
        }
    }

    func answer(hasBody: Bool = true) -> Answer? {
        guard let head = take(until: "\r\n\r\n"), let status = Int(head.split(separator: " ")[1]) else { return nil }
        var answer = Answer(status: status, head: head, body: "")
        if hasBody, let length = answer.field("content-length").flatMap({ Int($0) }) {
            guard let body = take(length) else { return nil }
            answer.body = String(decoding: body, as: UTF8.self)
        }
        return answer
    }

    func request(_ text: String) -> Answer? {
        send(text)
        return answer()
    }

    // MARK: WebSocket

    func handshake(path: String = "/connection/websocket", fields: String = "") -> Answer? {
        send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(fields)\r\n")
        return answer()
    }

    func sendFrame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true) {
        var frame: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
        if payload.count < 126 {
            frame.append(0x80 | UInt8(payload.count))
        } else if payload.count < 65536 {
            frame += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        } else {
            frame += [0xFF, 0, 0, 0, 0] + [24, 16, 8, 0].map { UInt8(payload.count >> $0 & 0xFF) }
        }
        let mask: [UInt8] = [1, 2, 3, 4]
        frame += mask
        for (index, byte) in payload.enumerated() { frame.append(byte ^ mask[index % 4]) }
        send(frame)
    }

    func sendText(_ text: String) { sendFrame(1, Array(text.utf8)) }

    func frame() -> (opcode: UInt8, payload: [UInt8])? {
        guard let start = take(2) else { return nil }
        var count = Int(start[1] & 0x7F)
        if count == 126 {
            guard let length = take(2) else { return nil }
            count = Int(length[0]) << 8 | Int(length[1])
        } else if count == 127 {
            guard let length = take(8) else { return nil }
            count = length.reduce(0) { $0 << 8 | Int($1) }
        }
        guard let payload = take(count) else { return nil }
        return (start[0] & 0x0F, payload)
    }

    func text() -> String? {
        guard let frame = frame(), frame.opcode == 1 else { return nil }
        return String(decoding: frame.payload, as: UTF8.self)
    }

    /// The code of the next close frame; frames before it are skipped.
    func closeCode() -> Int? {
        while let frame = frame() {
            if frame.opcode == 8, frame.payload.count >= 2 { return Int(frame.payload[0]) << 8 | Int(frame.payload[1]) }
        }
        return nil
    }
}
