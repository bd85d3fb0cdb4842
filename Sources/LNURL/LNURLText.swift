public import Bolt

/// The forms in which a wallet is given an address (LUD-01, LUD-17).
public struct LNURLText: Equatable, Sendable {
    public enum Failure: Error, Equatable, Sendable {
        case text(Bech32.Failure)
        /// Not `lnurl` before the separator.
        case prefix
        /// Bits are left over that no byte needs, or bytes that are not UTF-8.
        case bytes
        /// Neither `https` nor `http` to an onion service.
        case scheme
        /// Longer than wallets take.
        case tooLong
    }

    /// What wallets of the other sort do with the address (LUD-17).
    public enum Scheme: String, Sendable, CaseIterable { case pay = "lnurlp", withdraw = "lnurlw", login = "keyauth" }

    static let maximumLength = 2000

    /// The address itself.
    public let url: String

    public init(url: String) { self.url = url }

    /// Lower case; links take it so.
    public var bech32: String { Bech32(prefix: "lnurl", bytes: Array(url.utf8)).encode() }

    /// For a QR code: upper case makes it smaller.
    public var code: String { "LIGHTNING:" + bech32.uppercased() }

    /// For a link that opens a wallet.
    public var link: String { "lightning:" + bech32 }

    /// The address with another scheme, as plain text: `https://` or `http://` is replaced.
    public func plain(_ scheme: Scheme) -> String {
        guard let range = url.utf8.firstRange(of: "://".utf8) else { return url }
        return scheme.rawValue + "://" + url[range.upperBound...]
    }

    /// Reads any of the forms: bech32 in either case, with or without `lightning:`, the schemes of LUD-17, and a page's address with
    /// `lightning=` in its query.
    public init(reading text: String) throws(Failure) {
        guard text.utf8.count <= Self.maximumLength * 2 else { throw .tooLong }
        var rest = Substring(text)
        if let range = rest.utf8.firstRange(of: ":".utf8), rest[..<range.lowerBound].lowercased() == "lightning" {
            rest = rest[range.upperBound...]
            while rest.hasPrefix("/") { rest = rest.dropFirst() }
        }
        if let range = rest.utf8.firstRange(of: "://".utf8) {
            let scheme = rest[..<range.lowerBound].lowercased()
            let address = rest[range.upperBound...]
            if Scheme(rawValue: scheme) != nil {
                self.url = try Self.checked((Self.isOnion(address) ? "http://" : "https://") + address)
                return
            }
            guard scheme == "https" || scheme == "http" else { throw .scheme }
            guard let question = address.utf8.firstIndex(of: UInt8(ascii: "?")) else {
                self.url = try Self.checked(scheme + "://" + address)
                return
            }
            let query = address[address.utf8.index(after: question)...]
            guard let pair = query.split(separator: "&").first(where: { $0.hasPrefix("lightning=") }) else {
                self.url = try Self.checked(scheme + "://" + address)
                return
            }
            rest = pair.dropFirst("lightning=".count)
        }
        let bech32: Bech32
        do { bech32 = try Bech32(decoding: String(rest)) } catch { throw .text(error) }
        guard bech32.prefix.elementsEqual("lnurl".utf8) else { throw .prefix }
        guard let bytes = bech32.bytes, let url = String(validating: bytes, as: UTF8.self) else { throw .bytes }
        self.url = try Self.checked(url)
    }

    private static func checked(_ url: String) throws(Failure) -> String {
        guard url.utf8.count <= maximumLength else { throw .tooLong }
        guard !url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F || $0 == 0x5C }) else { throw .bytes }
        if url.hasPrefix("https://") { return url }
        guard url.hasPrefix("http://"), isOnion(url.dropFirst("http://".count)) else { throw .scheme }
        return url
    }

    private static func isOnion(_ address: some StringProtocol) -> Bool {
        let authority = address.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority.split(separator: ":").first ?? ""
        return host.lowercased().hasSuffix(".onion")
    }
}

/// One QR code for wallets of every sort: an address on chain, an invoice, or both (BIP 21).
public struct UnifiedURI: Equatable, Sendable {
    public var address: String?
    /// Has to be what the invoice asks for.
    public var amountMillisatoshis: UInt64?
    public var invoice: String

    public init(address: String? = nil, amountMillisatoshis: UInt64? = nil, invoice: String) {
        self.address = address
        self.amountMillisatoshis = amountMillisatoshis
        self.invoice = invoice
    }

    /// Keys are lower case always; values may be upper case, which a QR code prefers. The amount is in bitcoin with a dot, and left out if
    /// it is no whole number of satoshis.
    public func text(upperCase: Bool = false) -> String {
        var items: [String] = []
        if let amount = amountMillisatoshis, amount % 1000 == 0 { items.append("amount=" + Self.bitcoin(amount / 1000)) }
        items.append("lightning=" + (upperCase ? invoice.uppercased() : invoice))
        return "bitcoin:" + (address ?? "") + "?" + items.joined(separator: "&")
    }

    private static func bitcoin(_ satoshis: UInt64) -> String {
        let whole = satoshis / 100_000_000
        var digits = String(satoshis % 100_000_000)
        if digits == "0" { return String(whole) }
        digits = String(repeating: "0", count: 8 - digits.utf8.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
