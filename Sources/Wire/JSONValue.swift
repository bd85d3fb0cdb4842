/// A JSON document. Whole numbers keep all their digits; members keep their order.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case unsigned(UInt64)
    /// Below zero.
    case negative(Int64)
    /// Anything with a fraction or an exponent, or beyond 64 bits.
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([(String, JSONValue)])

    /// The first member of that name, if this is an object.
    public subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.0 == name }?.1
    }

    public var members: [(String, JSONValue)]? { if case .object(let members) = self { members } else { nil } }
    public var items: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    public var text: String? { if case .string(let text) = self { text } else { nil } }
    public var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    public var isNull: Bool { if case .null = self { true } else { false } }
    /// A whole number that is not negative.
    public var whole: UInt64? { if case .unsigned(let number) = self { number } else { nil } }
    /// A whole number that fits.
    public var integer: Int64? {
        switch self {
        case .unsigned(let number): Int64(exactly: number)
        case .negative(let number): number
        default: nil
        }
    }
    public var number: Double? {
        switch self {
        case .unsigned(let number): Double(number)
        case .negative(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }
}
