/// A refusal as `application/problem+json` (RFC 9457). `code` never changes: clients act on it.
public struct Problem: Error, Equatable, Sendable {
    public var status: Int
    public var code: String
    public var title: String
    public var detail: String?
    /// The field or parameter that is wrong.
    public var field: String?
    /// Which limit was reached, by its name in the configuration and in a key's document.
    public var limit: String?
    /// When to ask again, where asking again helps.
    public var retryAfterSeconds: Int64?

    public init(
        status: Int, code: String, title: String, detail: String? = nil, field: String? = nil, limit: String? = nil, retryAfterSeconds: Int64? = nil
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.field = field
        self.limit = limit
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// With the time after which it may be asked again, if that helps.
    public var timed: Problem {
        guard status == 503 || status == 429, retryAfterSeconds == nil else { return self }
        var problem = self
        problem.retryAfterSeconds = 1
        return problem
    }

    public func encode() -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("type", "about:blank")
            json.field("status", Int64(status))
            json.field("code", code)
            json.field("title", title)
            if let detail { json.field("detail", detail) }
            if let field { json.field("field", field) }
            if let limit { json.field("limit", limit) }
            if let retryAfterSeconds { json.field("retry_after_seconds", retryAfterSeconds) }
        }
        return json.bytes
    }

    public static let notFound = Problem(status: 404, code: "not_found", title: "There is nothing here")
    public static let unknownInvoice = Problem(status: 404, code: "unknown_invoice", title: "There is no such invoice")
    public static let unknownWebhook = Problem(status: 404, code: "unknown_webhook", title: "There is no such webhook endpoint")
    public static let unknownDelivery = Problem(status: 404, code: "unknown_delivery", title: "There is no such delivery to this endpoint")
    public static let tooManyWebhooks = Problem(
        status: 409, code: "too_many_webhooks", title: "The account has as many webhook endpoints as it may have", limit: "webhooks")
    public static let webhookDisabled = Problem(
        status: 409, code: "webhook_disabled", title: "The webhook endpoint is disabled", detail: "enable it first, with PATCH and {\"enabled\": true}")
    public static let unknownPayLink = Problem(status: 404, code: "unknown_pay_link", title: "There is no such pay link or address")
    public static let unknownAddressRequest = Problem(status: 404, code: "unknown_address_request", title: "There is no such address request")
    public static let noDomain = Problem(
        status: 409, code: "no_domain", title: "The account has no domain for addresses", detail: "lnurl.domains of the configuration gives it one")
    public static let wrongClaimCode = Problem(status: 403, code: "wrong_claim_code", title: "`leyden login code` prints another one")
    public static let payLinkRefused = Problem(
        status: 409, code: "pay_link_refused", title: "The name is taken, or the account has as many links as it may have")
    public static let tooManyRedeliveries = Problem(
        status: 429, code: "too_many_redeliveries", title: "Another range of the account's events is being put in line again")
    public static let tooManySamples = Problem(
        status: 429, code: "too_many_tests", title: "More samples than may be sent to one endpoint, or to all of an account, in a second or at once")
    public static let methodNotAllowed = Problem(status: 405, code: "method_not_allowed", title: "Not with this method")
    public static let unauthorized = Problem(status: 401, code: "unauthorized", title: "A valid API key is needed")
    public static let forbidden = Problem(status: 403, code: "forbidden", title: "The key lacks the scope")
    public static let unavailable = Problem(status: 503, code: "database_unavailable", title: "The database does not answer")

    public static let rateLimited = Problem(
        status: 429, code: "rate_limited", title: "More requests in a second than this key may send", limit: "requests_per_second")
    /// Guessed keys cost look-ups, and those are bounded: the keys that were shown before are known without.
    public static let tooManyUnknownKeys = Problem(
        status: 503, code: "too_many_unknown_keys", title: "More unknown API keys are shown than are looked up", detail: "a key that is good is let in later")
    public static let logFull = Problem(
        status: 503, code: "audit_log_unavailable", title: "The audit log takes nothing now", detail: "nothing was done; ask again later")
    public static let stillRunning = Problem(
        status: 409, code: "still_running", title: "A request with this Idempotency-Key is being carried out", detail: "ask again for its answer")
    public static let otherRequest = Problem(
        status: 422, code: "idempotency_key_reused", title: "This Idempotency-Key was used for another request", field: "Idempotency-Key")
    public static let badIdempotencyKey = Problem(
        status: 400, code: "invalid_idempotency_key", title: "An Idempotency-Key has 1 to 255 printable ASCII characters", field: "Idempotency-Key")
    public static let unknownKey = Problem(status: 404, code: "unknown_key", title: "There is no such key")
    public static let expired = Problem(status: 401, code: "key_expired", title: "The API key has expired")

    public static func tooManyOpenInvoices(_ limit: Int64) -> Problem {
        Problem(
            status: 429, code: "too_many_open_invoices", title: "As many invoices as this key may have open are open",
            detail: "its limit is \(limit); one that is settled, canceled or expired makes room", limit: "open_invoices")
    }

    public static func tooManyKeys(_ limit: Int64) -> Problem {
        Problem(
            status: 409, code: "too_many_keys", title: "The account has as many valid API keys as it may have",
            detail: "its limit is \(limit); one that is revoked or expires makes room", limit: "keys")
    }

    public static let tooManyAccounts = Problem(status: 409, code: "too_many_accounts", title: "There are as many accounts as there can be", limit: "accounts")

    public static let noReceivingNode = Problem(
        status: 503, code: "no_receiving_node", title: "No node can receive now", detail: "an invoice that names no node could not be paid")
    public static let tooManyStreams = Problem(
        status: 429, code: "too_many_streams", title: "As many streams and waiting requests as one key or token may have are open", limit: "streams")
    public static let allStreamsTaken = Problem(
        status: 503, code: "too_many_streams", title: "As many streams and waiting requests as may be are open", limit: "streams")
    public static let stopping = Problem(status: 503, code: "stopping", title: "This process ends; ask again")

    /// `first` is the oldest offset that is kept.
    public static func offsetGone(first: Int64) -> Problem {
        Problem(
            status: 410, code: "offset_gone", title: "Events after this offset are not kept any more",
            detail: "the oldest that is kept has offset \(first); what came before shows in the invoices only", field: "after")
    }

    /// The stream that the client has read is not this one.
    public static func epochChanged(_ epoch: String) -> Problem {
        Problem(
            status: 410, code: "epoch_changed", title: "The stream has another epoch",
            detail: "it is \(epoch): the database was restored, and offsets of before mean nothing; what is shows in the invoices", field: "epoch")
    }

    /// The position in `field` is none of this stream.
    public static func beyondHead(_ field: String) -> Problem {
        Problem(
            status: 400, code: "beyond_head", title: "The stream has not come so far",
            detail: "An offset of another stream, or of this one before the database was restored; /v1/info tells epoch and head.", field: field)
    }

    public static func conflict(_ detail: String) -> Problem {
        Problem(status: 409, code: "conflict", title: "It contradicts what is stored", detail: detail)
    }

    public static func invalidQuery(_ name: String) -> Problem {
        Problem(status: 400, code: "invalid_parameter", title: "A parameter has no valid value", field: name)
    }

    /// A parameter that nobody knows, or that stands twice.
    public static func strangeParameter(_ name: String) -> Problem {
        Problem(status: 400, code: "unknown_parameter", title: "There is no such parameter, or it stands twice", field: String(name.prefix(64)))
    }

    /// 400 for what is not JSON at all, 422 for a field.
    public static func invalid(_ error: FieldError) -> Problem {
        switch error {
        case .notJSON(let detail): Problem(status: 400, code: "invalid_json", title: "The body is not a JSON object", detail: detail)
        case .unknownField(let name): Problem(status: 422, code: "unknown_field", title: "There is no such field", field: name)
        case .invalid(let name, let detail): Problem(status: 422, code: "invalid_field", title: "A field has no valid value", detail: detail, field: name)
        }
    }
}
