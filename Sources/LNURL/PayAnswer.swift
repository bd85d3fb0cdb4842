public import Payments
internal import Wire

/// The answer with the invoice (LUD-06, 09, 10, 11, 21).
public struct PayAnswer: Equatable, Sendable {
    public var paymentRequest: String
    public var verify: String
    public var isDisposable: Bool
    public var successAction: SuccessAction?
    public var sealed: SuccessAction.Sealed?

    public init(paymentRequest: String, verify: String, isDisposable: Bool, successAction: SuccessAction? = nil, sealed: SuccessAction.Sealed? = nil) {
        self.paymentRequest = paymentRequest
        self.verify = verify
        self.isDisposable = isDisposable
        self.successAction = successAction
        self.sealed = sealed
    }

    /// `routes` is of no use, but some wallets refuse an answer without it.
    public var document: [UInt8] {
        var json = JSONWriter(capacity: paymentRequest.utf8.count * 2 + 256)
        json.object { json in
            json.field("pr", paymentRequest)
            json.array("routes") { _ in }
            json.field("disposable", isDisposable)
            successAction?.append(sealed, to: &json)
            json.field("verify", verify)
        }
        return json.bytes
    }
}

/// The answer to whoever asks whether an invoice is paid (LUD-21). The preimage is told when it is settled, not before.
public struct VerifyAnswer: Equatable, Sendable {
    public var paymentRequest: String
    public var preimage: Preimage?

    public init(paymentRequest: String, preimage: Preimage?) {
        self.paymentRequest = paymentRequest
        self.preimage = preimage
    }

    public var document: [UInt8] {
        var json = JSONWriter(capacity: paymentRequest.utf8.count + 160)
        json.object { json in
            json.field("status", "OK")
            json.field("settled", preimage != nil)
            if let preimage { json.field("preimage", preimage.bytes) } else { json.field("preimage", nil as String?) }
            json.field("pr", paymentRequest)
        }
        return json.bytes
    }
}

/// Asks a wallet for a Lightning Address, to send a refund to (LUD-23).
public struct AddressRequest: Equatable, Sendable {
    public var callback: String
    public var challenge: Bytes32
    public var description: String

    public init(callback: String, challenge: Bytes32, description: String) {
        self.callback = callback
        self.challenge = challenge
        self.description = description
    }

    public var document: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("tag", "addressRequest")
            json.field("callback", callback)
            json.field("k1", challenge)
            json.field("description", description)
        }
        return json.bytes
    }
}
