internal import CLWS
internal import Loop
internal import Payments
internal import Wire

/// Who listens to single invoices. Nearly every listener holds the invoice's watch token and is the only one: these stand
/// in an open hash table with linear probing, sixteen bytes each, whose hash is the client's own.
@LoopActor
@safe
final class InvoiceListeners {
    /// One of the others: with a key, or not the first with the invoice's token.
    struct Listener {
        let client: WebSocketClient
        /// `nil` for the holder of a watch token.
        let account: Int64?
    }

    @safe
    private struct Slot {
        /// Mixed from the hash: two that have the same are hardly ever two.
        var mark: UInt64
        /// Alive as long as it stands here: a client that goes is taken out before it is released, in `WebSocketHub.closed`.
        var client: Unmanaged<WebSocketClient>?
    }

    // A power of two, of which at most three quarters are taken, so that every search ends at a free one. Allocated and
    // released here; no index is beyond the mask.
    private var slots = unsafe InvoiceListeners.room(for: 16)
    private var mask = 15
    private var taken = 0
    private var others: [PaymentHash: [Listener]] = [:]
    /// Nobody can choose hashes that fall together.
    private let seed = UInt64.random(in: 0 ... .max)

    isolated deinit { unsafe slots.deallocate() }

    var isEmpty: Bool { taken == 0 && others.isEmpty }
    var count: Int { taken + others.values.reduce(0) { $0 + $1.count } }

    /// The holder of the invoice's token, or the first of them.
    func holder(of hash: PaymentHash) -> WebSocketClient? { unsafe slots[place(of: hash)].client?.takeUnretainedValue() }
    func others(of hash: PaymentHash) -> [Listener] { others.isEmpty ? [] : others[hash] ?? [] }

    func add(_ client: WebSocketClient, account: Int64?, to hash: PaymentHash) {
        // A client's own invoice never changes, so what stands in the table stays true.
        guard client.watches(hash), holder(of: hash) == nil else {
            return others[hash, default: []].append(Listener(client: client, account: account))
        }
        if (taken + 1) * 4 > (mask + 1) * 3 { grow() }
        unsafe slots[place(of: hash)] = Slot(mark: mark(of: hash), client: .passUnretained(client))
        taken += 1
    }

    func remove(_ client: WebSocketClient, from hash: PaymentHash) {
        if holder(of: hash) === client { return free(place(of: hash)) }
        guard var rest = others[hash] else { return }
        rest.removeAll { $0.client === client }
        others[hash] = rest.isEmpty ? nil : rest
    }

    // MARK: Ahead of time: nothing here waits for memory that is not near

    /// Brings the line of the table nearer. What it returns finds the holder.
    func expect(_ hash: PaymentHash) -> UInt64 {
        let mark = mark(of: hash)
        unsafe clws_prefetch(slots + Int(truncatingIfNeeded: mark) & mask)
        return mark
    }

    /// Brings the lines of a holder nearer that writing to it asks for. Whoever counts a reference to it waits for them.
    func expectHolder(_ mark: UInt64) -> Unmanaged<WebSocketClient>? {
        var place = Int(truncatingIfNeeded: mark) & mask
        while let client = unsafe slots[place].client {
            if unsafe slots[place].mark == mark {
                unsafe clws_prefetch(client.toOpaque())
                unsafe clws_prefetch(client.toOpaque() + 64)
                return unsafe client
            }
            place = (place + 1) & mask
        }
        return nil
    }

    // MARK: The table

    private static func room(for count: Int) -> UnsafeMutablePointer<Slot> {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
        unsafe slots.initialize(repeating: Slot(mark: 0, client: nil), count: count)
        return unsafe slots
    }

    private func mark(of hash: PaymentHash) -> UInt64 { Self.mix(hash, seed) }

    /// Not on the loop's actor: a closure that is has its actor looked up at run time whenever the standard library calls it.
    private nonisolated static func mix(_ hash: PaymentHash, _ seed: UInt64) -> UInt64 {
        var mixed = seed
        unsafe hash.bytes.storage.span.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: 32, by: 8) {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
                let product = (mixed ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
                mixed = product.high ^ product.low
            }
        }
        return mixed
    }

    /// Where an invoice's holder is, or would be.
    private func place(of hash: PaymentHash) -> Int {
        let mark = mark(of: hash)
        var place = Int(truncatingIfNeeded: mark) & mask
        while let client = unsafe slots[place].client {
            if unsafe slots[place].mark == mark, unsafe client.takeUnretainedValue().watches(hash) { break }
            place = (place + 1) & mask
        }
        return place
    }

    private func grow() {
        let old = unsafe slots
        let count = mask + 1
        unsafe slots = Self.room(for: count * 2)
        mask = count * 2 - 1
        for place in 0..<count where unsafe old[place].client != nil {
            var free = Int(truncatingIfNeeded: unsafe old[place].mark) & mask
            while unsafe slots[free].client != nil { free = (free + 1) & mask }
            unsafe slots[free] = old[place]
        }
        unsafe old.deallocate()
    }

    /// Those behind it that could not be where they belong move up, so that no search ends too early.
    private func free(_ place: Int) {
        var free = place
        var next = place
        taken -= 1
        while true {
            next = (next + 1) & mask
            guard unsafe slots[next].client != nil else { break }
            let home = Int(truncatingIfNeeded: unsafe slots[next].mark) & mask
            if (next - home) & mask >= (next - free) & mask {
                unsafe slots[free] = slots[next]
                free = next
            }
        }
        unsafe slots[free] = Slot(mark: 0, client: nil)
    }
}
