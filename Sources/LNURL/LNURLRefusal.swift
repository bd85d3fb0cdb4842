internal import Payments
internal import Wire

/// Why a wallet does not get what it asks for. The texts hold nothing that came from outside.
public enum LNURLRefusal: Error, Equatable, Sendable {
    case unknown
    case disabled
    case expired
    case alreadyPaid
    case amountMissing
    case amountOutside(minimum: UInt64, maximum: UInt64)
    case commentTooLong(allowed: Int)
    case payerDataInvalid
    case payerDataMissing(PayerDataRequest.Kind)
    case payerSignature
    case noteTooLong
    case query
    case busy
    case unavailable
    case challenge
    case signature
    case stranger
    case address
    case invoice(WithdrawRefusal)
    case alreadyUsed

    /// For people; short and without markup.
    public var reason: String {
        switch self {
        case .unknown: "Not found"
        case .disabled: "This link is switched off"
        case .expired: "This link has expired"
        case .alreadyPaid: "This has been paid already"
        case .amountMissing: "amount has to be a whole number of millisatoshis"
        case .amountOutside(let minimum, let maximum): "The amount has to be from \(minimum) to \(maximum) millisatoshis"
        case .commentTooLong(0): "No comment is taken here"
        case .commentTooLong(let allowed): "The comment may have \(allowed) characters"
        case .payerDataInvalid: "payerdata cannot be read"
        case .payerDataMissing(let kind): "payerdata lacks \(kind.rawValue)"
        case .payerSignature: "The signature of the payer's key is not valid, or too old"
        case .noteTooLong: "Comment and payer data are too long together"
        case .query: "The query cannot be read"
        case .busy: "Too many requests; try again in a moment"
        case .unavailable: "Not available for the moment; try again later"
        case .challenge: "This request is unknown or has expired"
        case .signature: "The signature is not valid"
        case .stranger: "This wallet may not log in here"
        case .address: "This is no Lightning Address"
        case .invoice(let refusal): refusal.reason
        case .alreadyUsed: "This link has been used already"
        }
    }

    /// `{"status":"ERROR","reason":"…"}` and nothing else: wallets look for these two.
    public var document: [UInt8] {
        var json = JSONWriter(capacity: 96)
        json.object { json in
            json.field("status", "ERROR")
            json.field("reason", reason)
        }
        return json.bytes
    }

    /// What is answered where something was done and there is nothing to tell.
    public static let done: [UInt8] = Array(#"{"status":"OK"}"#.utf8)
}
