/// Things under keys that take turns: who was served goes to the end.
public struct Rotation<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var order: [Key] = []
    private var values: [Key: Value] = [:]

    public init() {}

    public var isEmpty: Bool { order.isEmpty }

    /// The value under the key; one that is new comes last.
    public mutating func change(_ key: Key, default empty: @autoclosure () -> Value, _ body: (inout Value) -> Void) {
        if values[key] == nil { order.append(key) }
        body(&values[key, default: empty()])
    }

    /// Asks one after the other, the one that has waited longest first, until one has something to give. Who says that it has
    /// nothing more is forgotten.
    public mutating func serve<Gift>(_ body: (Key, inout Value) -> (gift: Gift, isOver: Bool)?) -> Gift? {
        for index in order.indices {
            let key = order[index]
            // In place: to take the value out would copy what it holds.
            guard values[key] != nil, let given = body(key, &values[key]!) else { continue }
            order.remove(at: index)
            if given.isOver { values[key] = nil } else { order.append(key) }
            return given.gift
        }
        return nil
    }
}
