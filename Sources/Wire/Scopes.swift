/// A set of scopes in the bits of a number: every connected client has one.
public struct Scopes: Equatable, Sendable, ExpressibleByArrayLiteral {
    private var bits: UInt16 = 0

    public init(_ scopes: some Sequence<Scope>) {
        for scope in scopes { bits |= Self.bit(of: scope) }
    }

    public init(arrayLiteral scopes: Scope...) { self.init(scopes) }

    public func contains(_ scope: Scope) -> Bool { bits & Self.bit(of: scope) != 0 }

    private static func bit(of scope: Scope) -> UInt16 {
        switch scope {
        case .invoicesRead: 1 << 0
        case .invoicesWrite: 1 << 1
        case .invoicesSettle: 1 << 2
        case .eventsRead: 1 << 3
        case .nodesRead: 1 << 4
        case .nodesWrite: 1 << 5
        case .paymentsWrite: 1 << 6
        case .webhooksWrite: 1 << 7
        case .admin: 1 << 8
        }
    }
}
