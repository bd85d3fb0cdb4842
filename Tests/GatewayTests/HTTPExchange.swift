import Loop
import Wire

struct HTTPAnswer {
    var status: Int
    /// Lower-case names.
    var fields: [String: String]
    var body: String

    var json: JSONValue { get throws { try JSONReader.read(Array(body.utf8)) } }
    /// The code of a problem, and the field that it names.
    var problem: String? { (try? json)?["code"]?.text }
    var field: String? { (try? json)?["field"]?.text }
}

/// One connection that asks once. The tests share the server's loop, so nothing in here blocks.
@LoopActor
final class HTTPExchange {
    private let stream: TCPStream
    private var bytes: [UInt8] = []
    private(set) var isClosed = false

    init(port: Int) {
        stream = TCPStream(host: "127.0.0.1", port: port)
        stream.onBytes = { [unowned self] in unsafe $0.withUnsafeBufferPointer { unsafe self.bytes.append(contentsOf: $0) } }
        stream.onClose = { [weak self] _ in self?.isClosed = true }
    }

    isolated deinit { stream.close() }

    /// What has come so far.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    func send(_ method: String, _ path: String, _ body: String? = nil, fields: [String: String] = [:]) {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
        stream.write(Array((head + "\r\n" + (body ?? "")).utf8))
    }

    func ask(_ method: String, _ path: String, _ body: String? = nil, fields: [String: String] = [:]) async -> HTTPAnswer {
        send(method, path, body, fields: fields)
        return await answer()
    }

    /// The whole answer; status zero if none came.
    func answer() async -> HTTPAnswer {
        _ = await eventually { self.isClosed }
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let lines = parts[0].split(separator: "\r\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            fields[pair[0].lowercased(), default: ""] += String(pair[1].drop { $0 == " " })
        }
        let status = lines.first.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
        return HTTPAnswer(status: status, fields: fields, body: parts.count > 1 ? String(parts[1]) : "")
    }

    func close() { stream.close() }
}
