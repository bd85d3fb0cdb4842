import Loop

/// A server that answers each request with bytes that the test has chosen, or not at all.
@LoopActor
final class Receiver {
    enum Reply {
        case bytes(String)
        case endless
        case nothing
        case close
    }

    private(set) var requests: [String] = []
    private(set) var connections = 0
    private var listener: TCPListener!
    private var streams: [TCPStream] = []
    var port: Int { listener.port }

    /// `greeting` is said before anything was asked.
    init(greeting: String? = nil, _ reply: @escaping @LoopActor (String) -> Reply) throws {
        listener = try TCPListener(host: "127.0.0.1", port: 0) { [weak self] stream in
            guard let self else { return }
            connections += 1
            streams.append(stream)
            if let greeting { stream.write(Array(greeting.utf8)) }
            var text = ""
            stream.onBytes = { [weak self] bytes in
                for index in bytes.indices { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
                // The tests' bodies end with this.
                guard text.hasSuffix("}") else { return }
                let request = text
                text = ""
                self?.requests.append(request)
                switch reply(request) {
                case .bytes(let answer): stream.write(Array(answer.utf8))
                case .endless:
                    stream.write(Array("HTTP/1.1 200 OK\r\ncontent-length: 10485760\r\n\r\n".utf8))
                    stream.write([UInt8](repeating: 0x78, count: 10_485_760))
                case .nothing: break
                case .close: stream.close()
                }
            }
        }
    }

    func stop() {
        for stream in streams { stream.close() }
        listener.close()
    }
}
