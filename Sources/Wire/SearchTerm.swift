public import Payments

/// A name and a value by which invoices are found: the order id, or a member of the metadata.
public struct SearchTerm: Hashable, Sendable {
    public var name: String
    public var value: String

    /// So many members of one invoice's metadata are indexed, each up to this length.
    static let maximumMembers = 32
    static let maximumValue = 256
    private static let prefix = "metadata."

    public static func orderID(_ value: String) -> Self { Self(name: "order_id", value: value) }

    private init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// Of a query's item; `nil` for names that mean something else.
    public init?(parameter name: String, _ value: String) {
        guard name == "order_id" || name.hasPrefix(Self.prefix) && name.utf8.count > Self.prefix.utf8.count else { return nil }
        self.init(name: name, value: value)
    }

    /// Of the members at the top of the metadata that are texts, numbers or truth values, the first ones.
    public static func terms(of metadata: JSONValue) -> [Self] {
        let terms = (metadata.members ?? []).lazy.compactMap { name, value in
            text(value).map { Self(name: prefix + name, value: $0) }
        }
        return Array(terms.filter { $0.value.utf8.count <= maximumValue }.prefix(maximumMembers))
    }

    /// Sixty-four bits under which the store keeps it. Two terms may share them, so what is found has to be looked at.
    public func number<Hash: SHA256Digest>(by hash: Hash.Type) -> Int64 {
        let digest = Hash.sha256(Array("\(name)=\(value)".utf8).span)
        return (0..<8).reduce(0) { $0 << 8 | Int64(digest[$1]) }
    }

    public func matches(_ invoice: InvoiceRecord) -> Bool {
        guard name.hasPrefix(Self.prefix) else { return invoice.orderID == value }
        guard let metadata = invoice.metadata.flatMap({ try? JSONReader.read(Array($0.utf8)) }) else { return false }
        return metadata[String(name.dropFirst(Self.prefix.count))].flatMap(Self.text) == value
    }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .unsigned(let number): String(number)
        case .negative(let number): String(number)
        case .double(let number): "\(number)"
        case .null, .array, .object: nil
        }
    }
}
