internal import Loop
internal import Payments

/// Who listens to single invoices. Nearly every invoice has one listener, which lies in the table itself.
@LoopActor
struct InvoiceListeners {
    /// `account` is `nil` for the holder of the invoice's watch token.
    @safe
    struct Listener {
        /// Alive as long as it stands here: a client that goes is taken out before it is released, in `WebSocketHub.closed`.
        unowned(unsafe) let client: WebSocketClient
        let wsi: OpaquePointer
        let account: Int64?
    }

    private var firsts: [PaymentHash: Listener] = [:]
    /// Those beyond the first of an invoice.
    private var others: [PaymentHash: [Listener]] = [:]

    var isEmpty: Bool { firsts.isEmpty }

    func first(of hash: PaymentHash) -> Listener? { firsts[hash] }
    func others(of hash: PaymentHash) -> [Listener] { others.isEmpty ? [] : others[hash] ?? [] }

    mutating func add(_ client: WebSocketClient, account: Int64?, to hash: PaymentHash) {
        let listener = unsafe Listener(client: client, wsi: client.wsi, account: account)
        if firsts[hash] == nil { firsts[hash] = listener } else { others[hash, default: []].append(listener) }
    }

    mutating func remove(_ client: WebSocketClient, from hash: PaymentHash) {
        var rest = others(of: hash)
        if unsafe firsts[hash]?.client === client {
            firsts[hash] = rest.isEmpty ? nil : rest.removeFirst()
        } else {
            rest.removeAll { unsafe $0.client === client }
        }
        if !others.isEmpty { others[hash] = rest.isEmpty ? nil : rest }
    }
}
