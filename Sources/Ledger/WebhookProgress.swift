public import Delivery

/// What the deliverer has to store, in one transaction: how its endpoints stand and how attempts ended.
public struct WebhookProgress: Equatable, Sendable {
    public var endpoints: [String: EndpointMachine.Progress] = [:]
    public var records: [(endpoint: String, record: DeliveryRecord)] = []
    /// What waits at these need not wait any longer.
    public var broughtForward: Set<String> = []
    public var disabled: [String: DisabledReason] = [:]

    public init() {}

    public var isEmpty: Bool { endpoints.isEmpty && records.isEmpty && broughtForward.isEmpty && disabled.isEmpty }

    /// Each record by itself, and then each endpoint: a cursor never passes what is not stored yet.
    public var pieces: [WebhookProgress] {
        var pieces: [WebhookProgress] = []
        for entry in records {
            var piece = WebhookProgress()
            piece.records = [entry]
            pieces.append(piece)
        }
        for id in Set(endpoints.keys).union(broughtForward).union(disabled.keys).sorted() {
            var piece = WebhookProgress()
            piece.endpoints[id] = endpoints[id]
            piece.disabled[id] = disabled[id]
            if broughtForward.contains(id) { piece.broughtForward = [id] }
            pieces.append(piece)
        }
        return pieces
    }

    /// What was added later is newer.
    public mutating func add(_ later: WebhookProgress) {
        endpoints.merge(later.endpoints) { $1 }
        records += later.records
        broughtForward.formUnion(later.broughtForward)
        disabled.merge(later.disabled) { $1 }
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.endpoints == right.endpoints && left.broughtForward == right.broughtForward && left.disabled == right.disabled
            && left.records.elementsEqual(right.records) { $0.endpoint == $1.endpoint && $0.record == $1.record }
    }
}
