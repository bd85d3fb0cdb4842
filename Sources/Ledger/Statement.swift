/// A statement that every connection prepares once, under this name.
struct Statement: Sendable {
    let name: String
    let text: String
    let types: [UInt32]

    init(_ name: String, _ text: String, _ types: [UInt32] = []) {
        self.name = name
        self.text = text
        self.types = types
    }
}

/// A statement with its values.
struct Step {
    let statement: Statement
    let parameters: Parameters

    init(_ statement: Statement, _ parameters: Parameters = Parameters()) {
        self.statement = statement
        self.parameters = parameters
    }
}

/// Object ids of Postgres' own types; they never change (`pg_type.dat`).
enum TypeID {
    static let boolean: UInt32 = 16
    static let bytea: UInt32 = 17
    static let bigint: UInt32 = 20
    static let smallint: UInt32 = 21
    static let integer: UInt32 = 23
    static let text: UInt32 = 25
    static let timestamp: UInt32 = 1184

    /// The type of arrays of `element`.
    static func array(of element: UInt32) -> UInt32 {
        switch element {
        case boolean: 1000
        case bytea: 1001
        case smallint: 1005
        case integer: 1007
        case text: 1009
        case bigint: 1016
        default: 1185
        }
    }
}
