/// How an attempt ended.
enum WebhookOutcome: String, CaseIterable {
    case delivered
    /// Another attempt follows.
    case retried
    case failed
}
