public import Payments
internal import Wire

/// What a pay link asks and gives (LUD-06), and how a wallet's requests to it are judged.
public struct PayTerms: Equatable, Sendable {
    public var minimum: Millisatoshis
    /// The same as the minimum where the amount is fixed.
    public var maximum: Millisatoshis
    /// In characters; zero for none.
    public var commentAllowed: Int
    public var payerData: PayerDataRequest?
    public var successAction: SuccessAction?
    /// Whether the wallet shall not keep the link (LUD-11).
    public var isDisposable: Bool
    public var metadata: PayMetadata

    public init(
        minimum: Millisatoshis, maximum: Millisatoshis, commentAllowed: Int = 0, payerData: PayerDataRequest? = nil,
        successAction: SuccessAction? = nil, isDisposable: Bool = false, metadata: PayMetadata
    ) {
        self.minimum = minimum
        self.maximum = maximum
        self.commentAllowed = commentAllowed
        self.payerData = payerData
        self.successAction = successAction
        self.isDisposable = isDisposable
        self.metadata = metadata
    }

    /// The answer to the first request. `challenge` is what the payer's key has to sign, if that is asked for.
    public func document(callback: String, challenge: Bytes32? = nil) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.field("tag", "payRequest")
            json.field("callback", callback)
            json.field("minSendable", minimum.value)
            json.field("maxSendable", maximum.value)
            json.field("metadata", metadata.text)
            if commentAllowed > 0 { json.field("commentAllowed", Int64(commentAllowed)) }
            payerData?.append(challenge: challenge, to: &json)
        }
        return json.bytes
    }

    /// What a wallet asks an invoice for. Parameters that nobody knows are passed over; of one that stands twice the first counts.
    public func judge(query value: (String) -> String?) throws(LNURLRefusal) -> PayRequest {
        guard let text = value("amount"), let amount = Self.amount(text) else { throw .amountMissing }
        guard amount >= minimum, amount <= maximum else { throw .amountOutside(minimum: minimum.value, maximum: maximum.value) }
        var request = PayRequest(amount: amount)
        if let comment = value("comment"), !comment.isEmpty {
            // Wallets count in units of their own; none of them counts fewer than there are scalars.
            guard comment.unicodeScalars.count <= commentAllowed else { throw .commentTooLong(allowed: commentAllowed) }
            request.comment = comment
        }
        guard let payerData else { return request }
        guard let text = value("payerdata"), !text.isEmpty else {
            for kind in PayerDataRequest.Kind.allCases where payerData.kinds[kind] == true { throw .payerDataMissing(kind) }
            return request
        }
        request.payerData = try payerData.read(text)
        return request
    }

    /// Digits and nothing else, not zero.
    private static func amount(_ text: String) -> Millisatoshis? {
        guard (1...19).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }), let value = UInt64(text), value > 0 else { return nil }
        return Millisatoshis(value)
    }
}

/// What a wallet wants an invoice for, once that is known to be in order.
public struct PayRequest: Equatable, Sendable {
    public var amount: Millisatoshis
    public var comment: String?
    public var payerData: PayerData?

    public init(amount: Millisatoshis, comment: String? = nil, payerData: PayerData? = nil) {
        self.amount = amount
        self.comment = comment
        self.payerData = payerData
    }

    /// What the merchant is told when it is paid: an object that the invoice carries. Of a key only that it was proved.
    public func note(link: String, address: String? = nil, tag: String? = nil, orderID: String? = nil) -> PayerNote {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.field("pay_link", link)
            if let address { json.field("address", address) }
            if let tag { json.field("tag", tag) }
            if let orderID { json.field("order_id", orderID) }
            if let comment { json.field("comment", DisplayText.cleaned(comment)) }
            if let payerData, !payerData.fields.isEmpty || payerData.claim != nil {
                json.object("payer_data") { json in
                    for (kind, text) in payerData.fields { json.field(named: kind.rawValue, .string(text)) }
                    if let claim = payerData.claim { json.field("auth_key", claim.key.hex) }
                }
            }
        }
        return PayerNote(json: String(decoding: json.bytes, as: UTF8.self), orderID: orderID)
    }
}

extension PayerNote {
    /// A note as the invoice brought it back; `nil` for what is none.
    public init?(returned bytes: [UInt8]) {
        guard let value = try? JSONReader.read(bytes), value.members != nil else { return nil }
        self.init(json: String(decoding: bytes, as: UTF8.self), orderID: value["order_id"]?.text)
    }

    /// The pay link that was used.
    public var link: String? { (try? JSONReader.read(Array(json.utf8)))?["pay_link"]?.text }
}
