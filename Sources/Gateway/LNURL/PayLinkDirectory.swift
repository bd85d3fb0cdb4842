internal import LNURL
internal import Ledger
internal import Loop
internal import Payments

/// All pay links and addresses, in memory: a wallet's request touches no database.
///
/// It asks every second for what has changed, and at once when somebody asks for a link that it does not know: a link made by another
/// process is found by the first who looks for it. Questions that come meanwhile share the next one, so guessing costs the
/// database one small question at a time.
@LoopActor
final class PayLinkDirectory {
    typealias Found = @LoopActor (Result<PayLink?, LedgerError>) -> Void

    private let ledger: Ledger
    private let publicURL: String
    private let domains: [LNURLSettings.Domain]
    private var links: [String: PayLink] = [:]
    private var addresses: [String: [String: String]] = [:]
    /// Those that are bound to an order, by the payment hash of all their invoices.
    private var orders: [PaymentHash: String] = [:]
    private var version: Int64 = 0
    private var isComplete = false
    private var isAsking = false
    private var waiting: [@LoopActor (Bool) -> Void] = []
    private var ticks: Timer?

    init(ledger: Ledger, publicURL: String, settings: LNURLSettings) {
        self.ledger = ledger
        self.publicURL = publicURL
        domains = settings.domains
        ticks = Timer(afterMilliseconds: 1_000, repeats: 1_000) { [weak self] in self?.ask() }
    }

    isolated deinit { ticks?.cancel() }

    var count: Int { links.count }

    /// Where an account's links and addresses are: at its own domain, if it has one.
    func base(of account: Int64) -> String { domains.first { $0.account == account }?.url ?? publicURL }

    /// The host of an account's addresses; `nil` if it has none.
    func host(of account: Int64) -> String? {
        if let domain = domains.first(where: { $0.account == account }) { return domain.host }
        return account == Caller.operatorAccount ? LNURLSettings.Domain.host(of: publicURL) : nil
    }

    // MARK: For wallets

    func find(_ id: String, _ found: @escaping Found) {
        if isComplete, let link = links[id] { return found(.success(link)) }
        catchUp { [self] isKnown in found(isKnown ? .success(links[id]) : .failure(.unavailable("pay links"))) }
    }

    /// `host` as the client sent it.
    func find(name: String, host: String?, _ found: @escaping Found) {
        guard let host = Self.host(host) else { return found(.success(nil)) }
        if isComplete, let id = addresses[host]?[name] { return found(.success(links[id])) }
        catchUp { [self] isKnown in found(isKnown ? .success(addresses[host]?[name].flatMap { links[$0] }) : .failure(.unavailable("pay links"))) }
    }

    /// A port that goes without saying is left out.
    private static func host(_ text: String?) -> String? {
        guard var host = text?.lowercased(), !host.isEmpty else { return nil }
        for port in [":443", ":80"] where host.hasSuffix(port) { host.removeLast(port.utf8.count) }
        return host
    }

    // MARK: What changes

    /// What was stored just now, here.
    func learned(_ record: PayLinkRecord) { put(record) }

    /// An order that is paid is not paid again.
    func published(_ events: [PublishedEvent]) {
        guard !orders.isEmpty else { return }
        for event in events {
            guard let hash = event.paymentHash, let id = orders[hash] else { continue }
            switch event.type {
            case .invoiceAccepted, .invoiceSettleRequested, .invoiceSettled: links[id]?.isTaken = true
            case .invoiceReleased: links[id]?.isTaken = false
            default: break
            }
        }
    }

    private func catchUp(_ done: @escaping @LoopActor (Bool) -> Void) {
        waiting.append(done)
        ask()
    }

    private func ask() {
        guard !isAsking else { return }
        isAsking = true
        // Whoever comes from now on may look for what this question does not see any more.
        let asking = waiting
        waiting = []
        ledger.payLinks(changedAfter: version) { [self] result in
            isAsking = false
            switch result {
            case .failure:
                for each in asking { each(false) }
            case .success(let records):
                for record in records { put(record) }
                version = max(version, records.last?.version ?? 0)
                if records.count == 1000 {
                    waiting = asking + waiting
                    return ask()
                }
                isComplete = true
                for each in asking { each(true) }
            }
            if !waiting.isEmpty { ask() }
        }
    }

    private func put(_ record: PayLinkRecord) {
        if let known = links[record.id] {
            guard known.record.version <= record.version else { return }
            if let host = known.record.host, let name = known.record.name, addresses[host]?[name] == record.id { addresses[host]?[name] = nil }
        }
        guard !record.isDeleted else {
            links[record.id] = nil
            if let hash = record.paymentHash { orders[hash] = nil }
            return
        }
        links[record.id] = PayLink(record, base: base(of: record.account))
        if let host = record.host, let name = record.name { addresses[host, default: [:]][name] = record.id }
        if let hash = record.paymentHash { orders[hash] = record.id }
    }
}
