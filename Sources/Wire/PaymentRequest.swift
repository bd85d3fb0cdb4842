public import Payments

/// The body of `POST /v1/payments`.
public struct PaymentRequest: Equatable, Sendable {
    public var paymentRequest: String?
    public var destination: PublicKey?
    public var amount: Millisatoshis?
    public var feeLimit: Millisatoshis
    public var timeoutSeconds: Int64
    /// A node's name or key.
    public var node: String?
    public var customRecords: [UInt64: [UInt8]]
    /// Of what is paid for at most one payment is not failed.
    public var purpose: String?

    static let maximumPurpose = 128
    /// Longer than any invoice that LND takes.
    public static let maximumInvoice = 7089

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(
            body, known: ["payment_request", "destination", "amount_msat", "fee_limit_msat", "timeout_seconds", "node", "custom_records", "purpose"])
        paymentRequest = try fields.text("payment_request")
        if let paymentRequest, paymentRequest.utf8.count > Self.maximumInvoice { throw .invalid(field: "payment_request", "is too long") }
        destination = nil
        if let text = try fields.text("destination") {
            guard let key = PublicKey(hex: text) else { throw .invalid(field: "destination", "must be a public key in 66 hexadecimal digits") }
            guard paymentRequest == nil else { throw .invalid(field: "destination", "not together with payment_request") }
            destination = key
        }
        guard paymentRequest != nil || destination != nil else { throw .invalid(field: "payment_request", "must not be missing, unless destination is given") }
        amount = try fields.whole("amount_msat", in: 1...Millisatoshis.supply.value).map { Millisatoshis($0) }
        guard destination == nil || amount != nil else { throw .invalid(field: "amount_msat", "must not be missing with destination") }
        guard let limit = try fields.whole("fee_limit_msat", in: 0...Millisatoshis.supply.value) else {
            throw .invalid(field: "fee_limit_msat", "must not be missing")
        }
        feeLimit = Millisatoshis(limit)
        timeoutSeconds = Int64(try fields.whole("timeout_seconds", in: 1...600) ?? 60)
        node = try fields.text("node")
        purpose = try fields.text("purpose")
        if let purpose, !(1...Self.maximumPurpose).contains(purpose.utf8.count) || purpose.utf8.contains(0) {
            throw .invalid(field: "purpose", "1 to \(Self.maximumPurpose) bytes of UTF-8")
        }
        customRecords = [:]
        if let value = fields["custom_records"] {
            guard let records = CustomRecords.records(in: value) else {
                throw .invalid(field: "custom_records", "must be an object of types from \(CustomRecords.lowestType) and hexadecimal values of at most \(CustomRecords.maximumBytes) bytes")
            }
            customRecords = records
        }
    }
}

/// The body of `POST /v1/decode`.
public struct DecodeRequest: Equatable, Sendable {
    public var paymentRequest: String

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(body, known: ["payment_request"])
        guard let text = try fields.text("payment_request") else { throw .invalid(field: "payment_request", "must not be missing") }
        guard text.utf8.count <= PaymentRequest.maximumInvoice else { throw .invalid(field: "payment_request", "is too long") }
        paymentRequest = text
    }
}

/// The body of `POST /v1/peers`.
public struct PeerRequest: Equatable, Sendable {
    public var node: String?
    public var pubkey: PublicKey
    /// Host and port.
    public var address: String

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(body, known: ["node", "pubkey", "address"])
        node = try fields.text("node")
        guard let key = try fields.text("pubkey").flatMap({ PublicKey(hex: $0) }) else {
            throw .invalid(field: "pubkey", "must be a public key in 66 hexadecimal digits")
        }
        pubkey = key
        guard let text = try fields.text("address"), (1...262).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalid(field: "address", "must be host:port")
        }
        address = text
    }
}

/// The body of `POST /v1/node-invoices`.
public struct NodeInvoiceRequest: Equatable, Sendable {
    public var node: String?
    public var amount: Millisatoshis?
    public var memo: String
    public var expirySeconds: Int64
    public var holding: PaymentHash?

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(body, known: ["node", "amount_msat", "memo", "expiry_seconds", "payment_hash"])
        node = try fields.text("node")
        amount = try fields.whole("amount_msat", in: 1...Millisatoshis.supply.value).map { Millisatoshis($0) }
        memo = try fields.text("memo") ?? ""
        guard memo.utf8.count <= InvoiceRequest.maximumDescription else {
            throw .invalid(field: "memo", "at most \(InvoiceRequest.maximumDescription) bytes of UTF-8")
        }
        expirySeconds = Int64(try fields.whole("expiry_seconds", in: 1...InvoiceRequest.maximumExpiry) ?? 3600)
        holding = try fields.bytes32("payment_hash").flatMap { Bytes32($0) }.map { PaymentHash($0) }
    }
}
