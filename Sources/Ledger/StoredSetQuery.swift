internal import Payments

/// Reads what the store knows of invoices and the HTLCs they were decided with.
enum StoredSetQuery {
    private static let columns = """
        i.payment_hash, i.state::text, i.set_id, i.amount_msat, i.expires_at, i.settlement, i.is_stored,
        x.node, x.chan_id, x.htlc_id, x.amount_msat, x.total_msat, x.incoming_expiry, x.outgoing_expiry,
        x.auto_fail_height, x.is_on_chain, x.is_settled, x.is_off_chain, x.fee_msat, i.metadata, i.order_id
        """
    private static let join = "LEFT JOIN htlcs x ON x.payment_hash = i.payment_hash AND x.set_id = i.set_id"
    private static let order = "ORDER BY i.payment_hash, x.node, x.chan_id, x.htlc_id"

    static func lookup(_ hashes: some Sequence<PaymentHash>) -> Step {
        var column = Column(TypeID.bytea)
        for hash in Set(hashes) { column.append(hash.bytes) }
        var parameters = Parameters()
        parameters.append(column)
        return Step(
            Statement("lookup", """
                SELECT \(columns) FROM unnest($1) q (hash) JOIN invoices i ON i.payment_hash = q.hash \(join) \(order)
                """, [TypeID.array(of: TypeID.bytea)]),
            parameters)
    }

    static let unresolved = Step(Statement("unresolved", """
        SELECT \(columns) FROM invoices i \(join) WHERE i.state IN ('accepted', 'settle_requested') \(order)
        """))

    /// Rows of one invoice follow each other. An invoice with anything in it that this version does not know, of a newer one
    /// perhaps, is told apart: whether it is paid is not decided on a guess.
    static func read(_ rows: Rows) -> (sets: [StoredSet], unreadable: [PaymentHash: LedgerError]) {
        var sets: [StoredSet] = []
        var unreadable: [PaymentHash: LedgerError] = [:]
        for row in 0..<rows.count {
            let hash = PaymentHash(rows.bytes32(row, 0))
            guard unreadable[hash] == nil else { continue }
            do throws(LedgerError) {
                if sets.last?.paymentHash != hash {
                    sets.append(StoredSet(
                        paymentHash: hash, state: try rows.state(row, 1), setID: rows.optional(row, 2, rows.bytes32).map(SetID.init),
                        terms: try rows.terms(row, from: 3), htlcs: [], note: rows.note(row, isStored: 6, metadata: 19, orderID: 20)))
                }
                if !rows.isNull(row, 7) { sets[sets.count - 1].htlcs.append(try htlc(rows, row)) }
            } catch {
                unreadable[hash] = error
                if sets.last?.paymentHash == hash { sets.removeLast() }
            }
        }
        return (sets, unreadable)
    }

    private static func htlc(_ rows: Rows, _ row: Int) throws(LedgerError) -> StoredSet.HTLC {
        guard let node = rows.publicKey(row, 7) else { throw .unavailable("the node of an HTLC is no public key") }
        let held = HeldHTLC(
            circuitKey: CircuitKey(node: node, chanID: rows.unsigned(row, 8), htlcID: rows.unsigned(row, 9)),
            amount: Millisatoshis(rows.unsigned(row, 10)), total: Millisatoshis(rows.unsigned(row, 11)),
            incomingExpiry: UInt32(truncatingIfNeeded: rows.integer(row, 12)),
            outgoingExpiry: UInt32(truncatingIfNeeded: rows.integer(row, 13)),
            autoFailHeight: Int32(truncatingIfNeeded: rows.integer(row, 14)), isOnChain: rows.flag(row, 15),
            fee: Millisatoshis(rows.unsigned(row, 18)))
        return StoredSet.HTLC(
            held: held, resolution: rows.optional(row, 16, rows.flag).map { Resolution(isSettled: $0, isOffChain: rows.flag(row, 17)) })
    }
}

extension Rows {
    func bytes32(_ row: Int, _ column: Int) -> Bytes32 { Bytes32(bytes(row, column)) ?? Bytes32() }
    func unsigned(_ row: Int, _ column: Int) -> UInt64 { UInt64(bitPattern: integer(row, column)) }
    func publicKeys(_ row: Int, _ column: Int) -> [PublicKey] { slices(row, column).compactMap { PublicKey($0) } }
    func publicKey(_ row: Int, _ column: Int) -> PublicKey? { PublicKey(bytes(row, column)) }

    func optional<Value>(_ row: Int, _ column: Int, _ read: (Int, Int) -> Value?) -> Value? {
        isNull(row, column) ? nil : read(row, column)
    }

    /// A state of another version must not be taken for one of this.
    func state(_ row: Int, _ column: Int) throws(LedgerError) -> InvoiceState {
        let name = text(row, column)
        guard let state = InvoiceState(rawValue: name) else { throw .unavailable("an invoice has the unknown state \(name)") }
        return state
    }

    /// Amount, expiry, settlement, whether stored: four columns.
    func terms(_ row: Int, from column: Int) throws(LedgerError) -> InvoiceTerms {
        let settlement: InvoiceTerms.Settlement
        switch integer(row, column + 2) {
        case 0: settlement = .auto
        case 1: settlement = .hold
        case let number: throw .unavailable("an invoice has the unknown settlement \(number)")
        }
        return InvoiceTerms(
            amount: optional(row, column, unsigned).map { Millisatoshis($0) }, expiresAt: time(row, column + 1),
            settlement: settlement, isStored: flag(row, column + 3))
    }

    /// A stateless invoice has no metadata of a merchant, but perhaps what came with the payment.
    func note(_ row: Int, isStored: Int, metadata: Int, orderID: Int) -> PayerNote? {
        guard !flag(row, isStored), let json = optional(row, metadata, text) else { return nil }
        return PayerNote(json: json, orderID: optional(row, orderID, text))
    }
}
