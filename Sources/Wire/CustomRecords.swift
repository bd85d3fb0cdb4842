public import Payments

/// What goes to a payee beside the amount, as text: an object of types and hexadecimal values.
public enum CustomRecords {
    /// Below this the types belong to the protocol.
    public static let lowestType: UInt64 = 65_536
    /// By which a payment to a key carries its preimage; ours to set.
    public static let spontaneousType: UInt64 = 5_482_373_484
    static let maximumBytes = 1024

    /// `nil` for none.
    public static func text(_ records: [UInt64: [UInt8]]) -> String? {
        guard !records.isEmpty else { return nil }
        let members = records.keys.sorted().map { (String($0), JSONValue.string(Hex.encode(records[$0] ?? []))) }
        return String(decoding: JSONWriter.bytes(.object(members)), as: UTF8.self)
    }

    /// Whatever is no record is left out.
    public static func read(_ text: String) -> [UInt64: [UInt8]] {
        guard let value = try? JSONReader.read(Array(text.utf8)) else { return [:] }
        return records(in: value) ?? [:]
    }

    /// `nil` if it is no object of types and hexadecimal values.
    static func records(in value: JSONValue) -> [UInt64: [UInt8]]? {
        guard let members = value.members else { return nil }
        var records: [UInt64: [UInt8]] = [:]
        for (name, value) in members {
            guard let type = UInt64(name), String(type) == name, type >= lowestType, type != spontaneousType,
                let bytes = value.text.flatMap({ Hex.decode($0) }), bytes.count <= maximumBytes
            else { return nil }
            records[type] = bytes
        }
        return records
    }
}
