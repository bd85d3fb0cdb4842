internal import LnmuxProto
internal import Payments

/// The way of one invoice as SubscribeSingleInvoice tells it: each step once, although it may show in the invoice and in the
/// log, and again if the invoice was released in between.
struct InvoiceSteps {
    enum Outcome: Equatable {
        case nothing
        case step(Lnmux_SubscribeSingleInvoiceResponse.InvoiceState)
        /// It will never be paid.
        case over(String)
    }

    static let types: [EventType] = [
        .invoiceAccepted, .invoiceSettleRequested, .invoiceSettled, .invoiceReleased, .invoiceFailed, .invoiceCanceled, .invoiceExpired,
    ]

    private var last = -1

    mutating func found(_ state: InvoiceState) -> Outcome {
        switch state {
        case .open: .nothing
        case .accepted: step(.stateAccepted)
        case .settleRequested: step(.stateSettleRequested)
        case .settled: step(.stateSettled)
        case .canceled, .expired, .failed: .over(state.rawValue)
        }
    }

    mutating func happened(_ type: EventType) -> Outcome {
        switch type {
        case .invoiceAccepted: return found(.accepted)
        case .invoiceSettleRequested: return found(.settleRequested)
        case .invoiceSettled: return found(.settled)
        case .invoiceFailed: return found(.failed)
        case .invoiceCanceled: return found(.canceled)
        case .invoiceExpired: return found(.expired)
        case .invoiceReleased:
            last = -1
            return .nothing
        default: return .nothing
        }
    }

    private mutating func step(_ state: Lnmux_SubscribeSingleInvoiceResponse.InvoiceState) -> Outcome {
        guard state.rawValue > last else { return .nothing }
        last = state.rawValue
        return .step(state)
    }
}
