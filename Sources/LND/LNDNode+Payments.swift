internal import GRPC
internal import LNDProto
public import Lightning
public import Loop
public import Payments
internal import SwiftProtobuf

// Payments out. LND keeps one payment for a hash: what is on its way or paid it refuses to begin again.
extension LNDNode {
    public func pay(
        _ order: PaymentOrder, answered: @escaping @LoopActor (PayoutAnswer) -> Void, ended: @escaping @LoopActor (PayoutEnd) -> Void
    ) {
        guard let request = try? Routerrpc_SendPaymentRequest(order).serializedBytes() as [UInt8] else {
            return LoopActor.atEndOfTurn { ended(.notBegun(.notStarted)) }
        }
        let call = connection?.call(.sendPayment, request) { [hash] bytes in
            PayoutAnswer(bytes, of: order.paymentHash, by: hash).map(answered)
        } onEnd: { status in
            ended(PayoutEnd(sending: status))
        }
        if call == nil { LoopActor.atEndOfTurn { ended(.notBegun(.notStarted)) } }
    }

    public func follow(
        _ paymentHash: PaymentHash, answered: @escaping @LoopActor (PayoutAnswer) -> Void, ended: @escaping @LoopActor (PayoutEnd) -> Void
    ) {
        var request = Routerrpc_TrackPaymentRequest()
        request.paymentHash = LNDBytes(paymentHash.bytes)
        let bytes = (try? request.serializedBytes() as [UInt8]) ?? []
        let call = connection?.call(.trackPayment, bytes) { [hash] bytes in
            PayoutAnswer(bytes, of: paymentHash, by: hash).map(answered)
        } onEnd: { status in
            ended(PayoutEnd(following: status))
        }
        if call == nil { LoopActor.atEndOfTurn { ended(.lost) } }
    }

    public func payments(after number: UInt64, limit: Int, _ reply: @escaping NodeReply<[SentPayment]>) {
        var request = Lnrpc_ListPaymentsRequest()
        request.includeIncomplete = true
        request.indexOffset = number
        request.maxPayments = UInt64(max(1, limit))
        request.omitHops = true
        ask(.listPayments, request, reply) { [hash] (response: Lnrpc_ListPaymentsResponse) in
            response.payments.compactMap { SentPayment($0, by: hash) }
        }
    }

    public func estimateFee(to destination: PublicKey, _ amount: Millisatoshis, _ reply: @escaping NodeReply<FeeEstimate>) {
        var request = Routerrpc_RouteFeeRequest()
        request.dest = LNDBytes(destination.array)
        request.amtSat = Int64(clamping: (amount.value + 999) / 1000)
        ask(.estimateRouteFee, request, reply) { (response: Routerrpc_RouteFeeResponse) in
            response.failureReason == .failureReasonNone
                ? FeeEstimate(fee: Millisatoshis(UInt64(clamping: response.routingFeeMsat)), timeLock: response.timeLockDelay) : nil
        }
    }
}
