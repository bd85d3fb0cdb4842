public import Delivery

/// What the operator decides about webhooks.
public struct WebhookSettings: Sendable {
    public var rules: OutboundRules
    /// How long a receiver may take for its answer.
    public var timeoutMilliseconds: Int64

    public init(rules: OutboundRules = OutboundRules(), timeoutMilliseconds: Int64 = 15_000) {
        self.rules = rules
        self.timeoutMilliseconds = timeoutMilliseconds
    }
}
