internal import Payments
internal import Wire

/// The statements on payouts.
enum PayoutQuery {
    private static let columns = """
        number, id, account, key_id, purpose, payment_hash, destination, amount_msat, fee_limit_msat, payment_request, amount_is_open, spontaneous,
        custom_records, timeout_seconds, only_node, created_at, expires_at, state::text, attempt, node, tried, fee_msat, preimage, failure, updated_at
        """

    static func create(_ intent: PayoutIntent, isBounded: Bool, _ event: RenderedEvent) -> Step {
        var parameters = Parameters()
        parameters.append(intent.id.text)
        parameters.append(intent.account)
        parameters.append(intent.keyID)
        parameters.append(intent.purpose)
        parameters.append(intent.paymentHash.bytes)
        parameters.append(intent.destination)
        parameters.append(Int64(clamping: intent.amount.value))
        parameters.append(Int64(clamping: intent.feeLimit.value))
        parameters.append(intent.paymentRequest)
        parameters.append(intent.amountIsOpen)
        parameters.append(intent.spontaneous?.bytes)
        parameters.append(CustomRecords.text(intent.customRecords))
        parameters.append(intent.timeoutSeconds)
        parameters.append(intent.onlyNode)
        parameters.append(intent.createdAt)
        parameters.append(intent.expiresAt)
        parameters.append(isBounded)
        append(event, to: &parameters)
        return Step(
            Statement("create payout", """
                SELECT leyden_create_payout($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::integer, $14, $15, $16, $17, $18, $19, $20)
                """, [
                    TypeID.text, TypeID.bigint, TypeID.text, TypeID.text, TypeID.bytea, TypeID.bytea, TypeID.bigint, TypeID.bigint, TypeID.text,
                    TypeID.boolean, TypeID.bytea, TypeID.text, TypeID.bigint, TypeID.bytea, TypeID.timestamp, TypeID.timestamp, TypeID.boolean,
                    TypeID.text, TypeID.text, TypeID.text,
                ]),
            parameters)
    }

    static func readCreation(_ rows: Rows) -> PayoutCreation {
        switch rows.integer(0, 0) {
        case 1: .repeated
        case 2: .made
        case 3: .balanceTooLow
        case 4: .budgetTooLow
        case 5: .purposeIsTaken
        case 6: .ownInvoice
        case 7: .tooManyUnderWay
        default: .hashIsTaken
        }
    }

    static func move(_ change: PayoutChange, term: Int64, _ event: RenderedEvent?) -> Step {
        var node: PublicKey?
        var preimage: Preimage?
        var fee: Millisatoshis?
        var failure: PayoutFailure?
        let step: Int64
        switch change.step {
        case .send(let key): (step, node) = (0, key)
        case .doubt: step = 1
        case .settle(let proof, let paid): (step, preimage, fee) = (2, proof, paid)
        case .retry(let reason): (step, failure) = (3, reason)
        case .fail(let reason): (step, failure) = (4, reason)
        }
        var parameters = Parameters()
        parameters.append(term)
        parameters.append(change.id.text)
        parameters.append(change.attempt)
        parameters.append(step)
        parameters.append(node)
        parameters.append(preimage?.bytes)
        parameters.append(fee.map { Int64(clamping: $0.value) })
        parameters.append(failure?.rawValue)
        parameters.append(change.time)
        append(event, to: &parameters)
        return Step(
            Statement("move payout", "SELECT leyden_move_payout($1, $2, $3, $4::smallint, $5, $6, $7, $8, $9, $10, $11, $12)", [
                TypeID.bigint, TypeID.text, TypeID.bigint, TypeID.bigint, TypeID.bytea, TypeID.bytea, TypeID.bigint, TypeID.text, TypeID.timestamp,
                TypeID.text, TypeID.text, TypeID.text,
            ]),
            parameters)
    }

    static func readCommit(_ rows: Rows) -> PayoutCommit {
        switch rows.integer(0, 0) {
        case 1, 2: .stored
        case 3: .deposed
        default: .refused
        }
    }

    private static func append(_ event: RenderedEvent?, to parameters: inout Parameters) {
        parameters.append(event?.id)
        parameters.append(event?.type.rawValue)
        parameters.append(event?.data)
    }

    // MARK: Reading

    /// Whoever guesses an id sees only what is the account's own.
    static func one(_ id: PayoutID, account: Int64?) -> Step {
        var parameters = Parameters()
        parameters.append(id.text)
        parameters.append(account)
        return Step(
            Statement("payout", "SELECT \(columns) FROM payouts WHERE id = $1 AND ($2 IS NULL OR account = $2)", [TypeID.text, TypeID.bigint]), parameters)
    }

    static func one(hash: PaymentHash, account: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(hash.bytes)
        parameters.append(account)
        return Step(
            Statement("payout of hash", "SELECT \(columns) FROM payouts WHERE payment_hash = $1 AND account = $2", [TypeID.bytea, TypeID.bigint]), parameters)
    }

    /// Asks for one more than the limit, to know whether there is a next page.
    static func page(account: Int64, state: PayoutState?, after number: Int64, limit: Int) -> Step {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(number)
        parameters.append(state?.rawValue)
        parameters.append(Int64(limit) + 1)
        return Step(
            Statement("payouts", """
                SELECT \(columns) FROM payouts WHERE account = $1 AND number > $2 AND ($3 IS NULL OR state = $3::payout_state) ORDER BY number LIMIT $4
                """, [TypeID.bigint, TypeID.bigint, TypeID.text, TypeID.bigint]),
            parameters)
    }

    static func unfinished(after number: Int64, limit: Int) -> Step {
        var parameters = Parameters()
        parameters.append(number)
        parameters.append(Int64(limit) + 1)
        return Step(
            Statement("unfinished payouts", """
                SELECT \(columns) FROM payouts WHERE state IN ('created', 'sending', 'unknown') AND number > $1 ORDER BY number LIMIT $2
                """, [TypeID.bigint, TypeID.bigint]),
            parameters)
    }

    static func readPage(_ rows: Rows, limit: Int) throws(LedgerError) -> PayoutPage {
        let payouts = try read(rows)
        let next = rows.count > limit ? rows.integer(limit - 1, 0) : nil
        return PayoutPage(payouts: Array(payouts.prefix(limit)), next: next)
    }

    static func read(_ rows: Rows) throws(LedgerError) -> [Payout] {
        try (0..<rows.count).map { row throws(LedgerError) in try read(rows, row) }
    }

    /// What this version does not know must not be taken for something else: it would be paid, or not, on a guess.
    private static func read(_ rows: Rows, _ row: Int) throws(LedgerError) -> Payout {
        guard let destination = rows.publicKey(row, 6) else { throw .unavailable("the destination of a payout is no public key") }
        let name = rows.text(row, 17)
        guard let state = PayoutState(rawValue: name) else { throw .unavailable("a payout has the unknown state \(name)") }
        let intent = PayoutIntent(
            id: PayoutID(rows.text(row, 1)), account: rows.integer(row, 2), keyID: rows.optional(row, 3, rows.text), purpose: rows.optional(row, 4, rows.text),
            paymentHash: PaymentHash(rows.bytes32(row, 5)), destination: destination, amount: Millisatoshis(rows.unsigned(row, 7)),
            feeLimit: Millisatoshis(rows.unsigned(row, 8)), paymentRequest: rows.optional(row, 9, rows.text), amountIsOpen: rows.flag(row, 10),
            spontaneous: rows.optional(row, 11, rows.bytes32).map(Preimage.init),
            customRecords: rows.optional(row, 12, rows.text).map(CustomRecords.read) ?? [:], timeoutSeconds: rows.integer(row, 13),
            onlyNode: rows.publicKey(row, 14), createdAt: rows.time(row, 15), expiresAt: rows.optional(row, 16, rows.time))
        return Payout(
            intent: intent, state: state, attempt: rows.integer(row, 18),
            node: rows.publicKey(row, 19), tried: rows.publicKeys(row, 20),
            fee: rows.optional(row, 21, rows.unsigned).map { Millisatoshis($0) }, preimage: rows.optional(row, 22, rows.bytes32).map(Preimage.init),
            failure: rows.optional(row, 23, rows.text).flatMap(PayoutFailure.init(rawValue:)), updatedAt: rows.time(row, 24))
    }

    static func balance(_ account: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(account)
        return Step(
            Statement("balance", "SELECT received_msat, spent_msat, reserved_msat FROM balances WHERE account = $1", [TypeID.bigint]), parameters)
    }

    static func readBalance(_ rows: Rows) -> AccountBalance {
        guard rows.count == 1 else { return AccountBalance() }
        return AccountBalance(
            received: Millisatoshis(rows.unsigned(0, 0)), spent: Millisatoshis(rows.unsigned(0, 1)), reserved: Millisatoshis(rows.unsigned(0, 2)))
    }
}
