public import Payments

/// The body of `POST /v1/invoices`.
public struct InvoiceRequest: Equatable, Sendable {
    public var amount: Millisatoshis?
    public var description: InvoiceRecord.Description
    public var expirySeconds: Int64
    /// What the gateway is configured for if the request does not say.
    public var settlement: InvoiceTerms.Settlement?
    /// A JSON object, as text.
    public var metadata: String?
    public var isStateless: Bool

    /// BOLT 11: at most 1023 groups of five bits.
    public static let maximumDescription = 639
    static let maximumMetadata = 4096
    public static let maximumExpiry: UInt64 = 31_536_000

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(
            body, known: ["amount_msat", "description", "description_hash", "expiry_seconds", "settlement", "metadata", "stateless"])
        amount = try fields.whole("amount_msat", in: 1...Millisatoshis.supply.value).map { Millisatoshis($0) }
        switch (try fields.text("description"), try fields.bytes32("description_hash")) {
        case (_?, _?): throw .invalid(field: "description_hash", "not together with description")
        case (let text?, nil):
            guard text.utf8.count <= Self.maximumDescription else {
                throw .invalid(field: "description", "at most \(Self.maximumDescription) bytes of UTF-8")
            }
            // Postgres stores no NUL in a text.
            guard !text.utf8.contains(0) else { throw .invalid(field: "description", "must not contain NUL") }
            description = .text(text)
        case (nil, let bytes?):
            guard let hash = Bytes32(bytes) else { throw .invalid(field: "description_hash", "must be 64 hexadecimal digits") }
            description = .hash(hash)
        case (nil, nil): description = .text("")
        }
        expirySeconds = Int64(try fields.whole("expiry_seconds", in: 1...Self.maximumExpiry) ?? 3600)
        switch try fields.text("settlement") {
        case nil: settlement = nil
        case "auto": settlement = .auto
        case "hold": settlement = .hold
        default: throw .invalid(field: "settlement", "must be auto or hold")
        }
        isStateless = try fields.flag("stateless") ?? false
        metadata = nil
        if let value = fields["metadata"] {
            guard value.members != nil else { throw .invalid(field: "metadata", "must be an object") }
            let text = String(decoding: JSONWriter.bytes(value), as: UTF8.self)
            guard text.utf8.count <= Self.maximumMetadata else { throw .invalid(field: "metadata", "at most \(Self.maximumMetadata) bytes") }
            guard !isStateless else { throw .invalid(field: "metadata", "a stateless invoice stores nothing") }
            metadata = text
        }
    }
}

/// The body of `POST …/settle` and `…/cancel`.
public struct DecisionRequest: Equatable, Sendable {
    /// Pins the set that is meant.
    public var setID: SetID?

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(body, known: ["set_id"])
        setID = try fields.bytes32("set_id").flatMap { Bytes32($0) }.map { SetID($0) }
    }
}
