internal import Payments

/// Reads what the store knows of invoices and the HTLCs they were decided with.
enum StoredSetQuery {
    private static let columns = """
        i.payment_hash, i.state::text, i.set_id, i.amount_msat, i.expires_at, i.settlement, i.is_stored,
        x.node, x.chan_id, x.htlc_id, x.amount_msat, x.total_msat, x.incoming_expiry, x.outgoing_expiry,
        x.auto_fail_height, x.is_on_chain, x.is_settled, x.is_off_chain, x.fee_msat
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

    /// Rows of one invoice follow each other.
    static func read(_ rows: Rows) -> [StoredSet] {
        var sets: [StoredSet] = []
        for row in 0..<rows.count {
            guard let hash = rows.optional(row, 0, rows.bytes32), let state = InvoiceState(rawValue: rows.text(row, 1)) else { continue }
            if sets.last?.paymentHash.bytes != hash {
                sets.append(StoredSet(
                    paymentHash: PaymentHash(hash), state: state, setID: rows.optional(row, 2, rows.bytes32).map(SetID.init),
                    terms: rows.terms(row, from: 3), htlcs: []))
            }
            guard let node = rows.optional(row, 7, rows.publicKey) else { continue }
            let circuit = CircuitKey(node: node, chanID: rows.unsigned(row, 8), htlcID: rows.unsigned(row, 9))
            let held = HeldHTLC(
                circuitKey: circuit, amount: Millisatoshis(rows.unsigned(row, 10)), total: Millisatoshis(rows.unsigned(row, 11)),
                incomingExpiry: UInt32(truncatingIfNeeded: rows.integer(row, 12)),
                outgoingExpiry: UInt32(truncatingIfNeeded: rows.integer(row, 13)),
                autoFailHeight: Int32(truncatingIfNeeded: rows.integer(row, 14)), isOnChain: rows.flag(row, 15),
                fee: Millisatoshis(rows.unsigned(row, 18)))
            let resolution = rows.optional(row, 16, rows.flag).map { Resolution(isSettled: $0, isOffChain: rows.flag(row, 17)) }
            sets[sets.count - 1].htlcs.append(StoredSet.HTLC(held: held, resolution: resolution))
        }
        return sets
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

    /// Amount, expiry, settlement, whether stored: four columns.
    func terms(_ row: Int, from column: Int) -> InvoiceTerms {
        InvoiceTerms(
            amount: optional(row, column, unsigned).map { Millisatoshis($0) }, expiresAt: time(row, column + 1),
            settlement: integer(row, column + 2) == 0 ? .auto : .hold, isStored: flag(row, column + 3))
    }
}
