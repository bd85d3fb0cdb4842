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
    /// The merchant's own name for what is paid.
    public var orderID: String?
    /// By what the invoice will be found.
    public var searchTerms: [SearchTerm]
    public var isStateless: Bool

    /// BOLT 11: at most 1023 groups of five bits.
    public static let maximumDescription = 639
    static let maximumMetadata = 4096
    static let maximumOrderID = 128
    public static let maximumExpiry: UInt64 = 31_536_000

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(
            body, known: ["amount_msat", "description", "description_hash", "expiry_seconds", "settlement", "metadata", "order_id", "stateless"])
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
        searchTerms = []
        orderID = try fields.text("order_id")
        if let orderID {
            guard (1...Self.maximumOrderID).contains(orderID.utf8.count) else {
                throw .invalid(field: "order_id", "1 to \(Self.maximumOrderID) bytes of UTF-8")
            }
            guard !orderID.utf8.contains(0) else { throw .invalid(field: "order_id", "must not contain NUL") }
            guard !isStateless else { throw .invalid(field: "order_id", "a stateless invoice stores nothing") }
            searchTerms.append(.orderID(orderID))
        }
        if let value = fields["metadata"] {
            guard value.members != nil else { throw .invalid(field: "metadata", "must be an object") }
            let text = String(decoding: JSONWriter.bytes(value), as: UTF8.self)
            guard text.utf8.count <= Self.maximumMetadata else { throw .invalid(field: "metadata", "at most \(Self.maximumMetadata) bytes") }
            guard !isStateless else { throw .invalid(field: "metadata", "a stateless invoice stores nothing") }
            metadata = text
            searchTerms += SearchTerm.terms(of: value)
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
