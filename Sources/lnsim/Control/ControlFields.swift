import Payments
import Wire

/// The fields of a JSON object of a control request. Names that nobody asked for are an error, to catch misspellings.
struct ControlFields {
    private let values: [String: JSONValue]
    private let path: String

    /// An empty body is an object without fields.
    init(_ body: [UInt8], allowed: [String]) throws(ControlProblem) {
        var value = JSONValue.object([])
        if !body.isEmpty {
            do {
                value = try JSONReader.read(body)
            } catch {
                throw .invalid("the body is not JSON: \(error)")
            }
        }
        try self.init(value, at: "", allowed: allowed)
    }

    init(_ value: JSONValue, at path: String, allowed: [String]) throws(ControlProblem) {
        guard let members = value.members else { throw .invalid("\(path.isEmpty ? "the body" : path) must be an object") }
        var values: [String: JSONValue] = [:]
        for (name, member) in members {
            guard allowed.contains(name) else {
                throw .invalid("unknown field \(path)\(name); known are \(allowed.joined(separator: ", "))")
            }
            if !member.isNull { values[name] = member }
        }
        (self.values, self.path) = (values, path.isEmpty ? "" : path + ".")
    }

    /// A number that is whole and not negative, or the same as text: 64 bits do not fit a JavaScript number.
    func integer(_ name: String, max: UInt64 = .max) throws(ControlProblem) -> UInt64? {
        guard let value = values[name] else { return nil }
        guard let number = value.whole ?? value.text.flatMap({ UInt64($0) }), number <= max else {
            throw .invalid("\(path)\(name) must be a whole number up to \(max)")
        }
        return number
    }

    func integer32(_ name: String) throws(ControlProblem) -> UInt32? {
        try integer(name, max: UInt64(UInt32.max)).map(UInt32.init)
    }

    func number(_ name: String) throws(ControlProblem) -> Double? {
        guard let value = values[name] else { return nil }
        guard let number = value.number, number.isFinite, number >= 0 else {
            throw .invalid("\(path)\(name) must be a number that is not negative")
        }
        return number
    }

    func text(_ name: String) throws(ControlProblem) -> String? {
        guard let value = values[name] else { return nil }
        guard let text = value.text else { throw .invalid("\(path)\(name) must be text") }
        return text
    }

    func flag(_ name: String) throws(ControlProblem) -> Bool? {
        guard let value = values[name] else { return nil }
        guard let flag = value.flag else { throw .invalid("\(path)\(name) must be true or false") }
        return flag
    }

    func hex(_ name: String) throws(ControlProblem) -> [UInt8]? {
        guard let text = try text(name) else { return nil }
        guard let bytes = Hex.decode(text) else { throw .invalid("\(path)\(name) must be hexadecimal") }
        return bytes
    }

    func bytes32(_ name: String) throws(ControlProblem) -> Bytes32? {
        guard let bytes = try hex(name) else { return nil }
        guard let value = Bytes32(bytes) else { throw .invalid("\(path)\(name) must be 32 bytes") }
        return value
    }

    func list(_ name: String) throws(ControlProblem) -> [JSONValue]? {
        guard let value = values[name] else { return nil }
        guard let items = value.items else { throw .invalid("\(path)\(name) must be a list") }
        return items
    }

    func texts(_ name: String) throws(ControlProblem) -> [String]? {
        guard let items = try list(name) else { return nil }
        var texts: [String] = []
        for item in items {
            guard let text = item.text else { throw .invalid("\(path)\(name) must be a list of texts") }
            texts.append(text)
        }
        return texts
    }

    func require<Value>(_ value: Value?, _ name: String) throws(ControlProblem) -> Value {
        guard let value else { throw .missing(path + name) }
        return value
    }
}
