internal import Bolt
internal import Delivery
internal import Foundation
internal import Logging
internal import Loop
internal import Payments

/// How the text of each kind of setting is understood. What is refused never echoes a secret.
enum SettingParser {
    static func network(_ text: String) throws(BadValue) -> Network {
        guard let network = Network(rawValue: text) else {
            throw BadValue("\(Text.shown(text)) is not one of mainnet, testnet, signet, regtest, simnet")
        }
        return network
    }

    static func privateKey(_ text: String) throws(BadValue) -> Secret<Bytes32> {
        guard let key = Bytes32(hex: text) else { throw BadValue("expected 64 hex digits; `leyden keygen` makes a key") }
        // The order of secp256k1 (SEC 2); a key is below it and not zero.
        let order = Bytes32(hex: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141") ?? Bytes32()
        guard !key.isZero, key < order else { throw BadValue("not a private key of secp256k1; `leyden keygen` makes one") }
        return Secret(key)
    }

    static func dsn(_ text: String) throws(BadValue) -> Secret<String> {
        guard text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") || text.contains("=") else {
            throw BadValue("expected a libpq connection string: key=value words or a postgresql:// URL")
        }
        return Secret(text)
    }

    static func baseURL(_ text: String) throws(BadValue) -> String {
        let wrong = BadValue("expected http(s)://host[:port][/path]")
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(), scheme == "http" || scheme == "https",
            let host = url.host, !host.isEmpty, url.query == nil, url.fragment == nil, url.user == nil, url.password == nil
        else { throw wrong }
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }

    /// `*` is every origin.
    static func origin(_ text: String) throws(BadValue) -> String {
        if text == "*" { return text }
        let url: String
        do { url = try baseURL(text) } catch { throw BadValue("expected scheme://host[:port]") }
        guard URLComponents(string: url)?.path == "" else { throw BadValue("an origin has no path") }
        return url
    }

    static func address(_ text: String) throws(BadValue) -> String {
        var octets = in6_addr()
        let isAddress = unsafe inet_pton(AF_INET, text, &octets) == 1 || inet_pton(AF_INET6, text, &octets) == 1
        guard isAddress else { throw BadValue("expected an IPv4 or IPv6 address in numbers") }
        return text
    }

    static func network(range text: String) throws(BadValue) -> AddressRange {
        guard let range = AddressRange(text) else { throw BadValue("expected a network such as 10.8.0.0/16 or fd00::/8, or one address") }
        return range
    }

    static func nodeName(_ text: String) throws(BadValue) -> String {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw BadValue("expected 1 to 64 printable ASCII characters without spaces")
        }
        return text
    }

    static func bool(_ text: String) throws(BadValue) -> Bool {
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw BadValue("expected true or false")
        }
    }

    static func settlement(_ text: String) throws(BadValue) -> InvoiceTerms.Settlement {
        switch text {
        case "auto": return .auto
        case "hold": return .hold
        default: throw BadValue("\(Text.shown(text)) is neither auto nor hold")
        }
    }

    static func logLevel(_ text: String) throws(BadValue) -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            throw BadValue("\(Text.shown(text)) is not one of " + Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return level
    }

    /// `host:port`, or a URL that may have a name and a password in front of them.
    static func proxy(_ text: String) throws(BadValue) -> SOCKSProxy {
        var place = text[...]
        for scheme in ["socks5://", "socks5h://"] where text.lowercased().hasPrefix(scheme) { place = text.dropFirst(scheme.count) }
        var credentials: SOCKSProxy.Credentials?
        if let at = place.lastIndex(of: "@") {
            let parts = place[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0).removingPercentEncoding ?? "" }
            credentials = parts.count == 2 ? SOCKSProxy.Credentials(name: parts[0], password: parts[1]) : nil
            guard credentials != nil else { throw BadValue("expected name:password before the @, each of 1 to 255 bytes") }
            place = place[place.index(after: at)...]
        }
        if place.hasSuffix("/") { place = place.dropLast() }
        let address = try HostPort(String(place))
        guard address.port != 0 else { throw BadValue("the port has to be 1 to 65535") }
        return SOCKSProxy(host: address.host, port: Int(address.port), credentials: credentials)
    }

    static func logFormat(_ text: String) throws(BadValue) -> LogLine.Format {
        guard let format = LogLine.Format(rawValue: text) else { throw BadValue("\(Text.shown(text)) is neither console nor json") }
        return format
    }

    static func number<Number: FixedWidthInteger>(_ range: ClosedRange<Number>) -> (String) throws(BadValue) -> Number {
        { (text) throws(BadValue) in
            guard let number = Number(text), range.contains(number) else {
                throw BadValue("\(Text.shown(text)) is not a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
    }

    static func interval(atLeast minimum: Int64) -> (String) throws(BadValue) -> Interval {
        { (text) throws(BadValue) in
            let interval = try Interval(text)
            guard interval.milliseconds >= minimum else { throw BadValue("below \(Interval(milliseconds: minimum))") }
            return interval
        }
    }
}
