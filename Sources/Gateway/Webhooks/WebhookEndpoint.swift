internal import Delivery
internal import Keys
internal import Ledger
internal import Payments
internal import Webhooks

/// An endpoint in memory: what its owner wants, with the keys that sign for it.
struct WebhookEndpoint {
    let record: WebhookEndpointRecord
    let selection: EventSelection
    private let url: TargetURL?
    private let secret: WebhookSecret
    private let signingKey: WebhookSigningKey?
    private let previous: (secret: WebhookSecret, signingKey: WebhookSigningKey?)?

    init(_ record: WebhookEndpointRecord, secrets: WebhookSecrets) {
        self.record = record
        selection = EventSelection(stored: record.events)
        url = try? TargetURL(record.url)
        func keys(_ generation: Int64) -> (secret: WebhookSecret, signingKey: WebhookSigningKey?) {
            (
                secrets.secret(endpoint: record.id, generation: generation),
                record.signatures.contains(.v1a) ? secrets.signingKey(endpoint: record.id, generation: generation) : nil
            )
        }
        (secret, signingKey) = keys(record.generation)
        previous = record.generation > 1 && record.previousUntil != nil ? keys(record.generation - 1) : nil
    }

    /// The secret as its owner gets it, once.
    var secretText: String { secret.text }
    var publicKeyText: String? { signingKey?.publicText }

    /// The signed request; `nil` if the URL cannot be called, which only another version can have let in.
    func request(_ event: PublishedEvent, at now: UnixTime, timeoutMilliseconds: Int64) -> OutboundRequest? {
        guard let url else { return nil }
        let message = SignedMessage(event, at: now)
        let bytes = message.signedBytes
        var signatures: [String] = []
        func sign(_ secret: WebhookSecret, _ key: WebhookSigningKey?) {
            if record.signatures.contains(.v1) { signatures.append(secret.sign(bytes)) }
            if let key { signatures.append(key.sign(bytes)) }
        }
        sign(secret, signingKey)
        if let previous, let until = record.previousUntil, now < until { sign(previous.secret, previous.signingKey) }
        return OutboundRequest(
            url: url, fields: message.fields(signatures: signatures), body: message.body, timeoutMilliseconds: timeoutMilliseconds, account: record.account)
    }
}
