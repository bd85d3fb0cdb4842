public import Payments
public import Wire

/// The body of `POST` and `PATCH` for a pay link or a Lightning Address. What is absent stays as it is.
public struct PayLinkRequest: Equatable, Sendable {
    /// Of an address only.
    public var name: String?
    public var description: String?
    public var longDescription: String?
    public var minimum: Millisatoshis?
    public var maximum: Millisatoshis?
    public var commentAllowed: Int?
    public var successAction: SuccessAction?
    public var payerData: PayerDataRequest?
    public var isDisposable: Bool?
    /// The merchant's own, a JSON object as text.
    public var metadata: String?
    public var orderID: String?
    public var expiresInSeconds: Int64?
    public var isEnabled: Bool?
    /// Those that are given as null: they are taken away.
    public var removed: Set<String> = []

    public enum Kind: Sendable { case link, address }

    static let maximumDescription = 600
    static let maximumLongDescription = 4000
    /// More would not fit the invoice that carries it.
    public static let maximumComment: UInt64 = 500
    static let maximumMetadata = 4096
    static let maximumOrderID = 128
    static let maximumExpiry: UInt64 = 31_536_000

    public init(decoding body: [UInt8], _ kind: Kind, isNew: Bool) throws(FieldError) {
        var known = [
            "description", "long_description", "min_msat", "max_msat", "comment_allowed", "success_action", "payer_data", "disposable", "metadata",
        ]
        if isNew { known += kind == .address ? ["name"] : ["order_id", "expires_in_seconds"] } else { known.append("enabled") }
        let fields = try RequestFields(body, known: known)
        if !isNew, let members = (try? JSONReader.read(body))?.members {
            removed = Set(members.filter { $0.1.isNull }.map(\.0)).intersection(["long_description", "success_action", "payer_data", "metadata"])
        }
        if kind == .address, isNew {
            guard let text = try fields.text("name") else { throw .invalid(field: "name", "is missing") }
            guard let name = LightningAddress.name(text) else { throw .invalid(field: "name", "1 to 64 of a-z, 0-9, '-', '_' and '.'") }
            self.name = name
        }
        description = try Self.text(fields, "description", 1...Self.maximumDescription)
        longDescription = try Self.text(fields, "long_description", 1...Self.maximumLongDescription, allowsLines: true)
        minimum = try fields.whole("min_msat", in: 1...Millisatoshis.supply.value).map { Millisatoshis($0) }
        maximum = try fields.whole("max_msat", in: 1...Millisatoshis.supply.value).map { Millisatoshis($0) }
        commentAllowed = try fields.whole("comment_allowed", in: 0...Self.maximumComment).map { Int($0) }
        isDisposable = try fields.flag("disposable")
        isEnabled = try fields.flag("enabled")
        orderID = try Self.text(fields, "order_id", 1...Self.maximumOrderID)
        expiresInSeconds = try fields.whole("expires_in_seconds", in: 1...Self.maximumExpiry).map { Int64($0) }
        successAction = try fields["success_action"].map { (value) throws(FieldError) in try SuccessAction(value) }
        payerData = try fields["payer_data"].map { (value) throws(FieldError) in try PayerDataRequest(value) }
        if let value = fields["metadata"] {
            guard value.members != nil else { throw .invalid(field: "metadata", "must be an object") }
            let text = String(decoding: JSONWriter.bytes(value), as: UTF8.self)
            guard text.utf8.count <= Self.maximumMetadata else { throw .invalid(field: "metadata", "at most \(Self.maximumMetadata) bytes") }
            metadata = text
        }
        guard isNew else { return }
        for (name, isThere) in [("description", description != nil), ("min_msat", minimum != nil), ("max_msat", maximum != nil)] where !isThere {
            throw .invalid(field: name, "is missing")
        }
    }

    private static func text(
        _ fields: RequestFields, _ name: String, _ length: ClosedRange<Int>, allowsLines: Bool = false
    ) throws(FieldError) -> String? {
        guard let text = try fields.text(name) else { return nil }
        guard length.contains(text.utf8.count) else { throw .invalid(field: name, "\(length.lowerBound) to \(length.upperBound) bytes of UTF-8") }
        guard DisplayText.isPlain(text, maximum: length.upperBound, allowsLines: allowsLines) else {
            throw .invalid(field: name, "must not contain control characters")
        }
        return text
    }
}

/// The body of `POST /v1/login`.
public struct LoginRequest: Equatable, Sendable {
    /// Of whoever wants to claim a gateway that nobody has claimed.
    public var claimCode: String?

    public init(decoding body: [UInt8]) throws(FieldError) {
        claimCode = try RequestFields(body, known: ["claim_code"]).text("claim_code")
    }
}

extension SuccessAction {
    /// Of a request or as it was stored.
    package init(_ value: JSONValue) throws(FieldError) {
        let fields = try RequestFields(value, within: "success_action", known: ["tag", "message", "description", "url", "text"])
        func text(_ name: String, _ most: Int, allowsLines: Bool = false) throws(FieldError) -> String {
            // Some wallets refuse what is blank.
            guard let text = try fields.text(name), !text.allSatisfy(\.isWhitespace), text.utf8.count <= most,
                DisplayText.isPlain(text, maximum: most, allowsLines: allowsLines)
            else { throw .invalid(field: "success_action.\(name)", "1 to \(most) bytes of text") }
            return text
        }
        switch try fields.text("tag") {
        case "message": self = .message(try text("message", Self.maximumText))
        case "url": self = .url(description: try text("description", Self.maximumText), url: try text("url", 1000))
        case "aes": self = .aes(description: try text("description", Self.maximumText), text: try text("text", Self.maximumSecret, allowsLines: true))
        default: throw .invalid(field: "success_action.tag", "must be message, url or aes")
        }
    }

    /// As owners see it and as it is stored.
    public var stored: String {
        var json = JSONWriter()
        json.object { json in
            switch self {
            case .message(let message):
                json.field("tag", "message")
                json.field("message", message)
            case .url(let description, let url):
                json.field("tag", "url")
                json.field("description", description)
                json.field("url", url)
            case .aes(let description, let text):
                json.field("tag", "aes")
                json.field("description", description)
                json.field("text", text)
            }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    public init?(stored text: String) {
        guard let value = try? JSONReader.read(Array(text.utf8)), let action = try? SuccessAction(value) else { return nil }
        self = action
    }
}

extension PayerDataRequest {
    package init(_ value: JSONValue) throws(FieldError) {
        let names = Kind.allCases.map(\.rawValue)
        _ = try RequestFields(value, within: "payer_data", known: names)
        var kinds: [Kind: Bool] = [:]
        for (name, inner) in value.members ?? [] {
            guard let kind = Kind(rawValue: name) else { continue }
            let fields = try RequestFields(inner, within: "payer_data.\(name)", known: ["mandatory"])
            kinds[kind] = try fields.flag("mandatory") ?? false
        }
        guard !kinds.isEmpty else { throw .invalid(field: "payer_data", "must ask for one of \(names.joined(separator: ", "))") }
        self.init(kinds: kinds)
    }

    public var stored: String {
        var json = JSONWriter()
        json.object { json in
            for kind in Kind.allCases {
                guard let isMandatory = kinds[kind] else { continue }
                json.field(named: kind.rawValue, .object([("mandatory", .bool(isMandatory))]))
            }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    public init?(stored text: String) {
        guard let value = try? JSONReader.read(Array(text.utf8)), let request = try? PayerDataRequest(value) else { return nil }
        self = request
    }
}
