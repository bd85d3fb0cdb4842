/// Where this machine may be made to call by somebody else's URL.
///
/// A name is judged by every address that it resolves to, and the connection is made to one of the addresses judged: a name
/// that answers otherwise a moment later changes nothing.
public struct OutboundRules: Equatable, Sendable {
    /// Addresses of this machine and of private networks too.
    public var allowsPrivate: Bool
    /// Without TLS too.
    public var allowsHTTP: Bool
    /// Addresses that are good whatever else is said of them.
    public var allowed: [AddressRange]

    public init(allowsPrivate: Bool = false, allowsHTTP: Bool = false, allowed: [AddressRange] = []) {
        self.allowsPrivate = allowsPrivate
        self.allowsHTTP = allowsHTTP
        self.allowed = allowed
    }

    public func admits(_ address: IPAddress) -> Bool {
        if allowed.contains(where: { $0.contains(address) }) { return true }
        let address = address.embedded.map(IPAddress.init(v4:)) ?? address
        if Self.metadata.contains(address) { return false }
        return allowsPrivate || Self.isPublic(address)
    }

    /// What is wrong with the URL before anybody is asked about its name; `nil` if nothing is.
    public func complaint(about url: TargetURL) -> String? {
        if !url.isTLS, !allowsHTTP { return "must begin with https://" }
        if let address = url.address, !admits(address) { return "leads to an address that is not public" }
        if url.host == "localhost" || url.host.hasSuffix(".localhost"), !allowsPrivate, allowed.isEmpty { return "leads to an address that is not public" }
        if url.host.hasSuffix(".onion") { return "is an onion service, which cannot be reached from here" }
        return nil
    }

    /// Where clouds hand out their machines' credentials. Never meant by anybody who opens private networks.
    private static let metadata: Set<IPAddress> = [IPAddress(v4: 0xa9fe_a9fe), IPAddress(high: 0xfd00_0ec2_0000_0000, low: 0x254)]

    /// Globally reachable unicast, by the registries of special addresses (RFC 6890 and its successors).
    static func isPublic(_ address: IPAddress) -> Bool {
        if address.v4 != nil { return !special4.contains { $0.contains(address) } }
        guard address.high >> 61 == 1 else { return false }
        return !special6.contains { $0.contains(address) }
    }

    private static let special4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    ].compactMap { AddressRange($0) }

    /// Within 2000::/3: protocol assignments with Teredo, documentation, segment routing.
    private static let special6 = ["2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16"].compactMap { AddressRange($0) }
}
