/// Where something listens or is reached.
struct HostPort: Sendable, Equatable, CustomStringConvertible {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    var host: String
    var port: UInt16

    /// Reads `host:port` or `[ipv6]:port`. Port 0 lets the system choose.
    init(_ text: String) throws(BadValue) {
        guard let colon = text.lastIndex(of: ":") else { throw BadValue("expected host:port") }
        guard let port = UInt16(text[text.index(after: colon)...]) else { throw BadValue("the port has to be 0 to 65535") }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw BadValue("an IPv6 address stands in brackets")
        }
        guard !host.isEmpty else { throw BadValue("the host is missing; 0.0.0.0 listens on every address") }
        guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") }) else {
            throw BadValue("expected host:port")
        }
        self.host = String(host)
        self.port = port
    }

    /// The same host, as many ports further; port 0 stays the system's choice.
    func shifted(by ports: Int) -> HostPort {
        var shifted = self
        if port != 0 { shifted.port = UInt16(clamping: Int(port) + ports) }
        return shifted
    }

    /// What can be listened on: `localhost` is the one name that needs no look-up.
    var numericHost: String { host.lowercased() == "localhost" ? "127.0.0.1" : host }

    /// Whether only this machine reaches it.
    var isLoopback: Bool { numericHost.hasPrefix("127.") || numericHost == "::1" }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
