internal import Bolt
internal import LND
internal import Payments

extension FailureMessage {
    /// What the payer is told. Most reasons read the same on purpose: a prober learns nothing (BOLT 4).
    ///
    /// `nil` where the failure is the virtual channel's and not the virtual node's: only LND's own code can say that.
    init?(_ rejection: Rejection, amount: Millisatoshis, height: UInt32) {
        switch rejection {
        case .notPayable, .late, .noAmount, .underpaid, .overpaid, .totalMismatch, .expiryRefused, .setFull, .released, .unattended:
            self = .incorrectOrUnknownPaymentDetails(amount: amount, height: height)
        case .timedOut: self = .mppTimeout
        case .overloaded: self = .temporaryNodeFailure
        case .amountBelowOnion: self = .finalIncorrectHTLCAmount(amount)
        case .expiryBelowOnion(let expiry): self = .finalIncorrectCLTVExpiry(expiry)
        case .routingRefused: return nil
        }
    }
}

extension Onion.Failure {
    /// LND's code for what only the node itself may report; `nil` if the onion was opened.
    var badOnion: Answer.BadOnion? {
        switch self {
        case .version: .version
        case .hmac: .hmac
        case .key: .key
        case .payload: nil
        }
    }
}
