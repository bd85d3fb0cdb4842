/// An array whose first element lies in place: one element, which is all that most clients have, needs no memory of its own.
public struct SmallArray<Element> {
    // In this order, so that whoever holds it can put small things of its own behind an odd end.
    /// Empty as long as there is no first element.
    @usableFromInline var rest: [Element] = []
    @usableFromInline var first: Element?

    @inlinable
    public init() {}

    @inlinable
    public mutating func append(_ element: Element) {
        if first == nil { first = element } else { rest.append(element) }
    }

    /// The order of the others stays.
    @inlinable
    @discardableResult
    public mutating func remove(at index: Int) -> Element {
        if index > 0 { return rest.remove(at: index - 1) }
        let removed = first!
        first = rest.isEmpty ? nil : rest.removeFirst()
        return removed
    }
}

extension SmallArray: RandomAccessCollection, MutableCollection {
    @inlinable
    public var startIndex: Int { 0 }
    @inlinable
    public var endIndex: Int { first == nil ? 0 : 1 + rest.count }

    @inlinable
    public subscript(position: Int) -> Element {
        get { position == 0 ? first! : rest[position - 1] }
        set { if position == 0 { first = newValue } else { rest[position - 1] = newValue } }
    }
}

extension SmallArray: Sendable where Element: Sendable {}
