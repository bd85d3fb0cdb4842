internal import Edge

/// What is asked for below `/v1/webhooks`.
enum WebhookRoute: Equatable {
    case create
    case list
    case show(String)
    case change(String)
    case delete(String)
    case deliveries(String)
    case redeliver(String)
    case test(String)
    case rotate(String)

    init?(_ method: HTTPRequest.Method, _ segments: some Collection<String>) {
        let segments = Array(segments)
        switch (method, segments.count) {
        case (.post, 0): self = .create
        case (.get, 0): self = .list
        case (.get, 1): self = .show(segments[0])
        case (.patch, 1): self = .change(segments[0])
        case (.delete, 1): self = .delete(segments[0])
        case (.get, 2) where segments[1] == "deliveries": self = .deliveries(segments[0])
        case (.post, 2) where segments[1] == "redeliver": self = .redeliver(segments[0])
        case (.post, 2) where segments[1] == "test": self = .test(segments[0])
        case (.post, 2) where segments[1] == "rotate-secret": self = .rotate(segments[0])
        default: return nil
        }
    }
}
