public import Delivery
public import Payments
internal import Loop

// All on a connection of its own: what an owner asks for may take its time, nobody else's reads wait for it, and what the deliverer reads
// of an endpoint never is older than what it has stored before.
extension Ledger {
    // MARK: For owners

    /// The endpoint as it was stored; `nil` if the account has `limit` of them.
    public func insertWebhook(
        _ endpoint: WebhookEndpointRecord, limit: Int64, completion: @escaping @LoopActor (Result<WebhookEndpointRecord?, LedgerError>) -> Void
    ) {
        webhooks.read(WebhookEndpointQuery.insert(endpoint, limit: limit), completion) { WebhookEndpointQuery.read($0).first }
    }

    /// `nil` if the account has no such endpoint; so with all that follow.
    public func webhook(
        _ id: String, account: Int64, completion: @escaping @LoopActor (Result<WebhookEndpointRecord?, LedgerError>) -> Void
    ) {
        webhooks.read(WebhookEndpointQuery.one(id, account: account), completion) { WebhookEndpointQuery.read($0).first }
    }

    /// An account's endpoints after one's number, oldest first.
    public func webhooks(
        account: Int64, after number: Int64, limit: Int, completion: @escaping @LoopActor (Result<[WebhookEndpointRecord], LedgerError>) -> Void
    ) {
        webhooks.read(WebhookEndpointQuery.page(account: account, after: number, limit: Int64(limit)), completion, WebhookEndpointQuery.read)
    }

    /// The endpoint as it is then; `nil` if the account has none with this id.
    public func updateWebhook(
        _ id: String, account: Int64, _ change: WebhookEndpointChange,
        completion: @escaping @LoopActor (Result<WebhookEndpointRecord?, LedgerError>) -> Void
    ) {
        webhooks.read(WebhookEndpointQuery.update(id, account: account, change), completion) { WebhookEndpointQuery.read($0).first }
    }

    /// Begins a new generation of its secrets; the present one goes on signing until `until`. Once for a claim.
    public func rotateWebhook(
        _ id: String, account: Int64, until: UnixTime, for lease: ClaimLease? = nil,
        completion: @escaping @LoopActor (Result<WebhookEndpointRecord?, LedgerError>) -> Void
    ) {
        webhooks.read(WebhookEndpointQuery.rotate(id, account: account, until: until, for: lease), completion) { WebhookEndpointQuery.read($0).first }
    }

    /// `false` if there is none.
    public func deleteWebhook(_ id: String, account: Int64, completion: @escaping @LoopActor (Result<Bool, LedgerError>) -> Void) {
        webhooks.read(WebhookEndpointQuery.delete(id, account: account), completion) { $0.count == 1 }
    }

    /// An endpoint's deliveries of events before an offset, the newest first.
    public func webhookDeliveries(
        _ endpoint: String, account: Int64, before offset: Int64, state: DeliveryRecord.State?, limit: Int,
        completion: @escaping @LoopActor (Result<[WebhookDeliveryRow], LedgerError>) -> Void
    ) {
        let step = WebhookDeliveryQuery.page(endpoint, account: account, before: offset, state: state, limit: Int64(limit))
        webhooks.read(step, completion, WebhookDeliveryQuery.readPage)
    }

    /// Has events of the range sent again, at most `limit`; says how many these are and which is the last.
    public func redeliver(
        to endpoint: WebhookEndpointRecord, types: [EventType], after: Int64, until: Int64, limit: Int64,
        completion: @escaping @LoopActor (Result<(count: Int64, last: Int64?), LedgerError>) -> Void
    ) {
        let step = WebhookDeliveryQuery.redeliver(endpoint, types: types, after: after, until: until, limit: limit)
        webhooks.read(step, completion) { rows in (rows.integer(0, 0), rows.optional(0, 1, rows.integer)) }
    }

    // MARK: For the deliverer

    /// Endpoints that were changed after a version, in the order of their versions, at most a thousand. After zero: all there are.
    public func webhooks(changedAfter version: Int64, completion: @escaping @LoopActor (Result<[WebhookEndpointRecord], LedgerError>) -> Void) {
        webhooks.read(WebhookEndpointQuery.changed(after: version), completion, WebhookEndpointQuery.read)
    }

    /// Written only while the term is the current one.
    public func store(_ progress: WebhookProgress, term: Int64, completion: @escaping @LoopActor (Result<Void, LedgerError>) -> Void) {
        let steps = WebhookDeliveryQuery.store(progress, term: term)
        webhooks.read(steps, completion) { _ in }
    }

    /// Deliveries that wait for an attempt, the most urgent first.
    public func waitingDeliveries(
        _ endpoint: String, limit: Int, completion: @escaping @LoopActor (Result<[WaitingDelivery], LedgerError>) -> Void
    ) {
        webhooks.read(WebhookDeliveryQuery.waiting(endpoint, limit: limit), completion, WebhookDeliveryQuery.readWaiting)
    }

    /// Forgets finished deliveries of events that the log does not hold any more, and those to deleted endpoints; says whether there may be others.
    public func pruneDeliveries(completion: @escaping @LoopActor (Result<Bool, LedgerError>) -> Void) {
        webhooks.read(WebhookDeliveryQuery.prune, completion) { $0.affected >= WebhookDeliveryQuery.pruned }
    }
}
