internal import GRPC
internal import Ledger
internal import LnmuxProto
internal import Loop
internal import Payments
internal import SwiftProtobuf
internal import Wire

extension LnmuxService {
    /// The invoice as it is now, if it is the account's, and the offset from which the log goes on. What is in the log after
    /// that may show in the invoice already; nothing is missing in both.
    private func present(
        _ hash: PaymentHash, _ account: Int64, _ call: ServerCall, _ found: @escaping @LoopActor (InvoiceRecord?, _ head: Int64) -> Void
    ) {
        api.gateway.states.read(hash, of: account) { result in
            guard case .success(let present) = result else { return call.refuse(.unavailable) }
            found(present.record, present.head)
        }
    }

    func waitForFinalStatus(_ request: Lnmux_WaitForInvoiceFinalStatusRequest, _ call: ServerCall, _ credentials: Credentials) {
        guard let account = credentials.account, let bytes = call.bytes32("hash", request.hash) else { return }
        let hash = PaymentHash(bytes)
        present(hash, account, call) { [self] record, head in
            guard let record, record.settlementWasRequested else {
                return call.finish(GRPCStatus(.notFound, "no settlement of this invoice was requested"))
            }
            if let status = Lnmux_InvoiceStatus(final: record.state) { return Self.tell(status, call) }
            var following: CallFeed?
            let filter = EventFilter(account: account, types: [.invoiceSettled, .invoiceFailed], paymentHash: hash)
            following = CallFeed(call, of: credentials, among: streams, api.gateway.history, after: head, filter) { events in
                guard let last = events.last else { return }
                following?.close()
                Self.tell(last.type == .invoiceSettled ? .settled : .failed, call)
            }
            following?.start()
        }
    }

    private static func tell(_ status: Lnmux_InvoiceStatus, _ call: ServerCall) {
        call.answer(Lnmux_WaitForInvoiceFinalStatusResponse.with { $0.invoiceStatus = status })
    }

    func subscribeSingleInvoice(_ request: Lnmux_SubscribeSingleInvoiceRequest, _ call: ServerCall, _ credentials: Credentials) {
        guard let account = credentials.account, let bytes = call.bytes32("hash", request.hash) else { return }
        let hash = PaymentHash(bytes)
        present(hash, account, call) { [self] record, head in
            var steps = InvoiceSteps()
            var following: CallFeed?
            let tell: @LoopActor (InvoiceSteps.Outcome) -> Void = { outcome in
                switch outcome {
                case .nothing: break
                case .step(let state):
                    following?.send((try? Lnmux_SubscribeSingleInvoiceResponse.with { $0.state = state }.serializedBytes()) ?? [])
                    if state == .stateSettled { following?.finish(.ok) }
                case .over(let state): following?.finish(GRPCStatus(.aborted, "the invoice is \(state)"))
                }
            }
            let filter = EventFilter(account: account, types: InvoiceSteps.types, paymentHash: hash)
            following = CallFeed(call, of: credentials, among: streams, api.gateway.history, after: head, filter) { events in
                for event in events { tell(steps.happened(event.type)) }
            }
            call.sendHeaders()
            if let record { tell(steps.found(record.state)) }
            following?.start()
        }
    }
}

extension Lnmux_InvoiceStatus {
    /// `nil` while it can change.
    init?(final state: InvoiceState) {
        switch state {
        case .settled: self = .settled
        case .failed: self = .failed
        case .open, .accepted, .settleRequested, .canceled, .expired: return nil
        }
    }
}
