internal import FoundationEssentials
internal import GRPC
internal import Ledger
internal import LnmuxProto
internal import Loop
internal import Payments
internal import SwiftProtobuf
internal import Wire

extension LnmuxService {
    /// A long list is read page by page, so that none of them holds up the loop.
    private final class Listing {
        let call: ServerCall
        private let place: ListPlaces.Place
        let account: Int64
        var next: Int64
        var missing: Int
        var first: Int64 = 0
        var last: Int64 = 0
        var bytes: [UInt8] = []

        init(_ call: ServerCall, _ place: ListPlaces.Place, account: Int64, from start: Int64, count: Int) {
            self.call = call
            self.place = place
            self.account = account
            next = start
            missing = count
        }
    }

    private static let page = 500

    func listInvoices(_ request: Lnmux_ListInvoicesRequest, _ call: ServerCall, _ credentials: Credentials) {
        guard let account = credentials.account else { return call.refuse(.forbidden) }
        guard request.maxInvoicesCount > 0 else { return call.refuse(field: "max_invoices_count", "must be positive") }
        // One more than is answered at most, so that nobody takes part of what he asked for to be all of it.
        let count = min(Int(clamping: request.maxInvoicesCount), LnmuxSettings.maximumListed + 1)
        guard let place = lists.take(OpenStreams.Owner(credentials)) else { return call.refuse(.tooManyStreams) }
        goOn(Listing(call, place, account: account, from: Int64(clamping: request.sequenceStart), count: count))
    }

    private func goOn(_ listing: Listing) {
        let limit = min(listing.missing, Self.page)
        api.ledger.settlements(account: listing.account, from: listing.next, limit: limit) { [self] result in
            guard !listing.call.hasEnded else { return }
            guard case .success(let found) = result else { return listing.call.refuse(.unavailable) }
            // Messages that follow each other are one message: what repeats is joined.
            let part = Lnmux_ListInvoicesResponse.with { $0.invoice = found.map(Lnmux_Invoice.init) }
            listing.bytes += (try? part.serializedBytes()) ?? []
            if listing.first == 0, let first = found.first { listing.first = first.sequence }
            if let last = found.last {
                listing.last = last.sequence
                listing.next = last.sequence + 1
            }
            listing.missing -= found.count
            if found.count == limit, listing.missing > 0 { return goOn(listing) }
            finish(listing, isTooLong: listing.last - listing.first >= Int64(LnmuxSettings.maximumListed))
        }
    }

    private func finish(_ listing: Listing, isTooLong: Bool) {
        if isTooLong {
            return listing.call.finish(GRPCStatus(
                .resourceExhausted, "there are more than \(LnmuxSettings.maximumListed): ask for fewer, and go on from last_sequence_number + 1"))
        }
        let ends = Lnmux_ListInvoicesResponse.with {
            $0.firstSequenceNumber = UInt64(listing.first)
            $0.lastSequenceNumber = UInt64(listing.last)
        }
        listing.bytes += (try? ends.serializedBytes()) ?? []
        let call = listing.call
        // It holds its place until the client has taken it, and not for ever.
        call.onDrain = { [listing] in listing.call.finish(.ok) }
        call.send(listing.bytes)
        listing.bytes = []
        _ = Timer(afterMilliseconds: LnmuxSettings.listMilliseconds) { [weak call] in call?.overrun() }
    }
}

extension Lnmux_Invoice {
    init(_ settlement: RequestedSettlement) {
        self.init()
        hash = .init(settlement.paymentHash.bytes.array)
        preimage = .init(settlement.preimage?.bytes.array ?? [])
        amountMsat = settlement.received.value
        status = switch settlement.state {
        case .settleRequested: .settleRequested
        case .settled: .settled
        case .failed: .failed
        case .open, .accepted, .canceled, .expired: .unknown
        }
        settleRequestedAt = UInt64(clamping: settlement.requestedAt.seconds)
        finalizedAt = UInt64(clamping: settlement.finalizedAt?.seconds ?? 0)
        sequenceNumber = UInt64(settlement.sequence)
    }
}
