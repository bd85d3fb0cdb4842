internal import FoundationEssentials
internal import GRPC
internal import Ledger
internal import LnmuxProto
internal import Loop
internal import Payments
internal import SwiftProtobuf
internal import Wire

extension LnmuxService {
    func subscribeAccepted(_ call: ServerCall, _ credentials: Credentials) {
        guard let account = credentials.account else { return call.refuse(.forbidden) }
        AcceptedStream(self, call, account).start(credentials)
    }
}

/// SubscribeInvoiceAccepted: the sets that are accepted now, page by page as the client reads them, and then the log from where
/// it stood before the first page was asked for. A set that stands in both is told once.
@LoopActor
private final class AcceptedStream {
    private struct Told: Hashable {
        var hash: PaymentHash
        var setID: SetID
    }

    private static let page = 200

    private let service: LnmuxService
    private let call: ServerCall
    private let account: Int64
    private var following: CallFeed?
    /// What the pages told and the log may tell again.
    private var told: Set<Told> = []

    init(_ service: LnmuxService, _ call: ServerCall, _ account: Int64) {
        self.service = service
        self.call = call
        self.account = account
    }

    func start(_ credentials: Credentials) {
        let gateway = service.api.gateway
        following = CallFeed(
            call, of: credentials, among: service.streams, gateway.history, after: gateway.head,
            EventFilter(account: account, types: [.invoiceAccepted])
        ) { events in self.happened(events) }
        guard let following else { return }
        gateway.metrics.acceptedSubscribers += 1
        gateway.attendance.joined(account)
        following.onClose = { [account] in
            gateway.metrics.acceptedSubscribers -= 1
            gateway.attendance.left(account)
            self.following = nil
        }
        call.sendHeaders()
        replay(after: nil)
    }

    private func replay(after cursor: PageCursor?) {
        let search = InvoiceSearch(account: account, state: .accepted, after: cursor, limit: Self.page)
        service.api.ledger.invoices(search) { [self] result in
            guard let following else { return }
            guard case .success(let page) = result else { return following.finish(GRPCStatus(refusing: .unavailable)) }
            for invoice in page.invoices {
                guard let setID = invoice.setID else { continue }
                told.insert(Told(hash: invoice.paymentHash, setID: setID))
                send(invoice.paymentHash, setID)
            }
            guard let next = page.next else { return follow() }
            guard call.bufferedBytes > 0 else { return replay(after: next) }
            call.onDrain = { [self] in
                call.onDrain = nil
                replay(after: next)
            }
        }
    }

    private func follow() {
        following?.start()
        // What was committed before the pages were read is published within this time; later it would be told twice, no more.
        _ = Timer(afterMilliseconds: 60_000) { [weak self] in self?.told = [] }
    }

    private func happened(_ events: [PublishedEvent]) {
        for event in events {
            guard let hash = event.paymentHash, let setID = EventCodec.setID(in: event) else { continue }
            if told.remove(Told(hash: hash, setID: setID)) == nil { send(hash, setID) }
        }
    }

    private func send(_ hash: PaymentHash, _ setID: SetID) {
        let message = Lnmux_SubscribeInvoiceAcceptedResponse.with {
            $0.hash = .init(hash.bytes.array)
            $0.setID = .init(setID.bytes.array)
        }
        following?.send((try? message.serializedBytes()) ?? [])
    }
}
