/// The client's side of SOCKS5 (RFC 1928) with a name and password or without (RFC 1929): what to say next, given what came.
///
/// A destination's name is never resolved here: the proxy is told the name, so that it can be one that only the proxy knows.
struct SOCKSHandshake {
    enum Step: Equatable {
        case waiting
        case send([UInt8])
        /// The way is open; what came behind the last answer belongs to it.
        case open(rest: [UInt8])
        case failed(String)
    }

    private enum Phase { case greeting, password, request }

    private let request: [UInt8]
    private let password: [UInt8]?
    private var phase = Phase.greeting
    private var received: [UInt8] = []

    /// What to send first; `nil` if the destination cannot be said: a name is at most 255 bytes.
    let greeting: [UInt8]

    init?(to host: String, port: Int, of proxy: SOCKSProxy) {
        guard let address = Self.address(host), let port = UInt16(exactly: port) else { return nil }
        request = [5, 1, 0] + address + [UInt8(port >> 8), UInt8(port & 0xff)]
        password = proxy.credentials.map { [1, UInt8($0.name.utf8.count)] + Array($0.name.utf8) + [UInt8($0.password.utf8.count)] + Array($0.password.utf8) }
        greeting = password == nil ? [5, 1, 0] : [5, 2, 0, 2]
    }

    /// Takes what came; to be asked again, with nothing, after each `send`.
    mutating func receive(_ bytes: [UInt8]) -> Step {
        received += bytes
        switch phase {
        case .greeting:
            guard let answer = take(2) else { return .waiting }
            guard answer[0] == 5 else { return .failed("no SOCKS5 proxy answers there") }
            switch (answer[1], password) {
            case (0, _):
                phase = .request
                return .send(request)
            case (2, let password?):
                phase = .password
                return .send(password)
            case (2, nil): return .failed("the proxy wants a name and a password")
            default: return .failed("the proxy takes neither no password nor this one's way of giving it")
            }
        case .password:
            guard let answer = take(2) else { return .waiting }
            guard answer[1] == 0 else { return .failed("the proxy does not take the name and password") }
            phase = .request
            return .send(request)
        case .request:
            return opening()
        }
    }

    private mutating func opening() -> Step {
        guard received.count >= 2 else { return .waiting }
        guard received[0] == 5 else { return .failed("the proxy does not keep to SOCKS5") }
        guard received[1] == 0 else { return .failed(Self.reason(received[1])) }
        guard received.count >= 5 else { return .waiting }
        let addressCount = switch received[3] {
        case 1: 4
        case 3: 1 + Int(received[4])
        case 4: 16
        default: -1
        }
        guard addressCount >= 0 else { return .failed("the proxy does not keep to SOCKS5") }
        guard take(4 + addressCount + 2) != nil else { return .waiting }
        return .open(rest: received)
    }

    private mutating func take(_ count: Int) -> [UInt8]? {
        guard received.count >= count else { return nil }
        defer { received.removeFirst(count) }
        return Array(received.prefix(count))
    }

    private static func reason(_ code: UInt8) -> String {
        switch code {
        case 1: "the proxy failed"
        case 2: "the proxy's rules forbid this address"
        case 3: "the proxy finds no way to the network"
        case 4: "the proxy cannot reach the host"
        case 5: "the connection was refused to the proxy"
        case 6: "the proxy gave up after a time"
        case 7, 8: "the proxy cannot do what is asked"
        default: "the proxy answers \(code)"
        }
    }

    /// Type and address: in numbers if it is one, else the name.
    private static func address(_ host: String) -> [UInt8]? {
        if let bytes = SocketAddress.numbers(of: host) { return [bytes.count == 4 ? 1 : 4] + bytes }
        let name = Array(host.utf8)
        guard (1...255).contains(name.count) else { return nil }
        return [3, UInt8(name.count)] + name
    }
}
