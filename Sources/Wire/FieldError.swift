internal import Payments

/// What is wrong with a request's body.
public enum FieldError: Error, Equatable, Sendable {
    case notJSON(String)
    case unknownField(String)
    case invalid(field: String, String)
}

/// The members of a request's object, each to be asked for by name.
package struct RequestFields {
    private let members: [(String, JSONValue)]

    /// An empty body is an object without members. Names that nobody knows are an error: they are misspellings.
    package init(_ body: [UInt8], known: [String]) throws(FieldError) {
        guard !body.isEmpty else {
            members = []
            return
        }
        let value: JSONValue
        do throws(JSONReader.Failure) {
            value = try JSONReader.read(body)
        } catch {
            throw .notJSON("\(error)")
        }
        guard let members = value.members else { throw .notJSON("not an object") }
        for (name, _) in members where !known.contains(name) { throw .unknownField(String(name.prefix(64))) }
        self.members = members
    }

    /// Those of an object inside another; a complaint names it too.
    package init(_ value: JSONValue, within name: String, known: [String]) throws(FieldError) {
        guard let members = value.members else { throw .invalid(field: name, "must be an object") }
        for (inner, _) in members where !known.contains(inner) { throw .unknownField(String("\(name).\(inner)".prefix(64))) }
        self.members = members
    }

    /// `nil` if it is absent or null.
    package subscript(_ name: String) -> JSONValue? {
        guard let value = members.first(where: { $0.0 == name })?.1, !value.isNull else { return nil }
        return value
    }

    package func text(_ name: String) throws(FieldError) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.text else { throw .invalid(field: name, "must be text") }
        return text
    }

    package func texts(_ name: String) throws(FieldError) -> [String]? {
        guard let value = self[name] else { return nil }
        let texts = value.items?.compactMap(\.text)
        guard let texts, texts.count == value.items?.count else { throw .invalid(field: name, "must be a list of texts") }
        return texts
    }

    package func flag(_ name: String) throws(FieldError) -> Bool? {
        guard let value = self[name] else { return nil }
        guard let flag = value.flag else { throw .invalid(field: name, "must be true or false") }
        return flag
    }

    package func bytes32(_ name: String) throws(FieldError) -> [UInt8]? {
        guard let text = try text(name) else { return nil }
        guard text.utf8.count == 64, let bytes = Hex.decode(text) else { throw .invalid(field: name, "must be 64 hexadecimal digits") }
        return bytes
    }

    package func whole(_ name: String, in range: ClosedRange<UInt64>) throws(FieldError) -> UInt64? {
        guard let value = self[name] else { return nil }
        guard let number = value.whole, range.contains(number) else {
            throw .invalid(field: name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
