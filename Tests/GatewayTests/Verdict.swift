import Bolt
import Gateway
import LND
import Payments

extension Screening {
    func judge(_ htlc: InterceptedHTLC) -> Verdict { judge(htlc, height: PaidInvoice.height) }
}

extension Screening.Verdict {
    var offer: Offer? { if case .offer(let offer, _) = self { offer } else { nil } }
    var failure: FailureMessage? { if case .failure(let message, _) = self { message } else { nil } }
    var badOnion: Answer.BadOnion? { if case .badOnion(let fault) = self { fault } else { nil } }
    var sharedSecret: Bytes32? {
        switch self {
        case .offer(_, let secret), .failure(_, let secret): secret
        case .badOnion: nil
        }
    }
}
