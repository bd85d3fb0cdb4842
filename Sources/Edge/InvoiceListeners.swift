internal import CLWS
internal import Loop
internal import Payments

/// Who listens to single invoices. Nearly every invoice has one listener, and what it takes to tell it lies in one cache
/// line of an open hash table with linear probing: among ten thousand clients every line is one that memory is waited for.
@LoopActor
@safe
final class InvoiceListeners {
    /// Sixty-four bytes.
    @safe
    struct Listener {
        let hash: PaymentHash
        /// Alive as long as it stands here: a client that goes is taken out before it is released, in `WebSocketHub.closed`.
        unowned(unsafe) let client: WebSocketClient
        let wsi: OpaquePointer
        /// `nil` for the holder of the invoice's watch token.
        let account: Int64?
        /// What the client says of itself.
        var isBlocked: Bool
        let descriptor: Int32
    }

    // A power of two, of which at most three quarters are taken, so that every search ends at a free one. Allocated and
    // released here; no index is beyond the mask.
    private var slots = unsafe InvoiceListeners.room(for: 16)
    private var mask = 15
    private var taken = 0
    /// Those beyond the first of an invoice.
    private var others: [PaymentHash: [Listener]] = [:]
    /// Nobody can choose hashes that fall together.
    private let seed = UInt64.random(in: 0 ... .max)

    isolated deinit { unsafe slots.deallocate() }

    var isEmpty: Bool { taken == 0 }
    var count: Int { taken + others.values.reduce(0) { $0 + $1.count } }

    /// Brings the line of an invoice nearer, without waiting for it.
    func expect(_ hash: PaymentHash) { unsafe clws_prefetch(slots + home(hash)) }

    func first(of hash: PaymentHash) -> Listener? { unsafe slots[place(of: hash)] }
    func others(of hash: PaymentHash) -> [Listener] { others.isEmpty ? [] : others[hash] ?? [] }

    func add(_ client: WebSocketClient, account: Int64?, to hash: PaymentHash) {
        let listener = unsafe Listener(
            hash: hash, client: client, wsi: client.wsi, account: account, isBlocked: client.isBlocked, descriptor: client.descriptor)
        guard first(of: hash) == nil else { return others[hash, default: []].append(listener) }
        if (taken + 1) * 4 > (mask + 1) * 3 { grow() }
        unsafe slots[place(of: hash)] = listener
        taken += 1
    }

    func remove(_ client: WebSocketClient, from hash: PaymentHash) {
        let place = place(of: hash)
        var rest = others(of: hash)
        if let first = unsafe slots[place], unsafe first.client === client {
            if rest.isEmpty { free(place) } else { unsafe slots[place] = rest.removeFirst() }
        } else {
            rest.removeAll { unsafe $0.client === client }
        }
        if !others.isEmpty { others[hash] = rest.isEmpty ? nil : rest }
    }

    func setBlocked(_ client: WebSocketClient, _ isBlocked: Bool, on hash: PaymentHash) {
        let place = place(of: hash)
        if let first = unsafe slots[place], unsafe first.client === client { unsafe slots[place]!.isBlocked = isBlocked }
        guard var rest = others[hash] else { return }
        for index in rest.indices where unsafe rest[index].client === client { rest[index].isBlocked = isBlocked }
        others[hash] = rest
    }

    // MARK: The table

    private static func room(for count: Int) -> UnsafeMutablePointer<Listener?> {
        let bytes = count * MemoryLayout<Listener?>.stride
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 64)
        let slots = unsafe room.baseAddress!.bindMemory(to: Listener?.self, capacity: count)
        unsafe slots.initialize(repeating: nil, count: count)
        return unsafe slots
    }

    private func home(_ hash: PaymentHash) -> Int {
        var mixed = seed
        unsafe hash.bytes.storage.span.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: 32, by: 8) {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
                let product = (mixed ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
                mixed = product.high ^ product.low
            }
        }
        return Int(truncatingIfNeeded: mixed) & mask
    }

    /// Where an invoice's listener is, or would be.
    private func place(of hash: PaymentHash) -> Int {
        var place = home(hash)
        while let listener = unsafe slots[place], listener.hash != hash { place = (place + 1) & mask }
        return place
    }

    private func grow() {
        let old = unsafe slots
        let count = mask + 1
        unsafe slots = Self.room(for: count * 2)
        mask = count * 2 - 1
        for place in 0..<count { if let listener = unsafe old[place] { unsafe slots[self.place(of: listener.hash)] = listener } }
        unsafe old.deallocate()
    }

    /// Those behind it that could not be where they belong move up, so that no search ends too early.
    private func free(_ place: Int) {
        var free = place
        var next = place
        taken -= 1
        while true {
            next = (next + 1) & mask
            guard let listener = unsafe slots[next] else { break }
            let home = home(listener.hash)
            if (next - home) & mask >= (next - free) & mask {
                unsafe slots[free] = listener
                free = next
            }
        }
        unsafe slots[free] = nil
    }
}
