import Ledger
import Payments
import Wire

/// Entries for tests: everything follows from a payment's number.
struct Payment {
    var hash: PaymentHash
    var parts: [HeldHTLC]
    var account: Int64 = 1

    /// Other attempts at the same invoice have other HTLCs.
    init(_ number: Int, attempt: Int = 0, parts count: Int = 2) {
        hash = PaymentHash(bytes(number, 1))
        parts = (0..<count).map { part in
            HeldHTLC(
                circuitKey: CircuitKey(
                    node: PublicKey([2] + bytes(part % 2, 9).array)!, chanID: UInt64.max - UInt64(number),
                    htlcID: UInt64.max - UInt64(attempt * 16 + part)),
                amount: Millisatoshis(1_000), total: Millisatoshis(UInt64(count) * 1_000), incomingExpiry: 900, outgoingExpiry: 800,
                autoFailHeight: 880, isOnChain: false)
        }
    }

    var setID: SetID {
        var sum = bytes(0, 3)
        for part in parts {
            for shift in 0..<8 {
                sum[shift] ^= UInt8(truncatingIfNeeded: part.circuitKey.chanID >> UInt64(shift * 8))
                sum[8 + shift] = sum[8 + shift] &* 37 &+ UInt8(truncatingIfNeeded: part.circuitKey.htlcID >> UInt64(shift * 8))
            }
        }
        return SetID(sum)
    }

    var preimage: Preimage { Preimage(Bytes32(hash.bytes.array.reversed())!) }
    var terms: InvoiceTerms {
        InvoiceTerms(amount: Millisatoshis(UInt64(parts.count) * 1_000), expiresAt: UnixTime(milliseconds: 5_000), settlement: .hold, isStored: true)
    }
    var record: InvoiceRecord {
        var terms = terms
        terms.account = account
        return InvoiceRecord(
            paymentHash: hash, account: account, paymentRequest: "lnbcrt\(hash)", terms: terms, description: .text("Tea ☕ 'n' \"cake\\"),
            metadata: "{\"order\": 7}", createdAt: now)
    }

    var create: CommitEntry { entry(.create(record), [.invoiceCreated]) }
    func accept(settling: Bool = false) -> CommitEntry {
        let set = AcceptedSet(paymentHash: hash, setID: setID, terms: terms, htlcs: parts)
        return entry(
            .accept(set, settling: settling ? preimage : nil),
            parts.map { _ in .htlcAccepted } + [.invoiceAccepted] + (settling ? [.invoiceSettleRequested] : []))
    }
    var requestSettlement: CommitEntry { entry(.requestSettlement(hash, setID, preimage), [.invoiceSettleRequested]) }
    var void: CommitEntry {
        let set = AcceptedSet(paymentHash: hash, setID: setID, terms: terms, htlcs: parts)
        return entry(.void(set), parts.map { _ in .htlcFailed } + [.invoiceReleased])
    }
    var release: CommitEntry { entry(.release(hash, setID), [.invoiceReleased]) }
    func cancel(_ set: SetID?) -> CommitEntry { entry(.cancel(hash, set), [.invoiceCanceled]) }
    var expire: CommitEntry { entry(.expire(hash), [.invoiceExpired]) }
    func resolve(_ part: Int, settled: Bool = true, concludes: InvoiceState? = nil) -> CommitEntry {
        let step = Change.Step.resolve(hash, parts[part].circuitKey, Resolution(isSettled: settled, isOffChain: true), concludes: concludes)
        let last: [EventType] = switch concludes {
        case .settled?: [.invoiceSettled]
        case .failed?: [.invoiceFailed]
        default: []
        }
        return entry(step, [settled ? .htlcSettled : .htlcFailed] + last)
    }

    private func entry(_ step: Change.Step, _ types: [EventType]) -> CommitEntry {
        let events = types.map { Event($0, .invoice(.init(paymentHash: hash))) }
        let rendered = types.enumerated().map {
            OutboxEvent(id: "evt_\($0.element.rawValue)_\($0.offset)", type: $0.element, paymentHash: hash, data: "{\"payment_hash\":\"\(hash)\"}")
        }
        return CommitEntry(change: Change(step, events: events, time: now), account: account, rendered: rendered)
    }
}

let now = UnixTime(milliseconds: 1_790_000_000_123)

func tell(_ id: String) -> CommitEntry {
    CommitEntry(
        change: Change(.tell, events: [], time: now), account: 1,
        rendered: [OutboxEvent(id: id, type: .nodeConnected, paymentHash: nil, data: "{}")])
}

func bytes(_ number: Int, _ kind: UInt8) -> Bytes32 {
    var bytes = Bytes32()
    bytes[0] = kind
    for shift in 0..<8 { bytes[24 + shift] = UInt8(truncatingIfNeeded: number >> (56 - shift * 8)) }
    return bytes
}

extension CommitResult {
    var isApplied: Bool {
        if case .applied = self { true } else { false }
    }
    var events: [PublishedEvent] {
        if case .applied(let events) = self { events } else { [] }
    }
    var stored: StoredSet? {
        if case .refused(let stored) = self { stored } else { nil }
    }
    var failure: (sqlState: String, stored: StoredSet?)? {
        if case .failed(let sqlState, let stored) = self { (sqlState, stored) } else { nil }
    }
    var isRefused: Bool {
        if case .refused = self { true } else { false }
    }
}
