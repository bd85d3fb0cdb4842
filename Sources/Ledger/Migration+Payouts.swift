extension Migration {
    /// Payouts, and what each account and key may spend.
    ///
    /// A payment hash has one payout, for ever. `purpose` is whatever a payout is made for at most once: one that failed makes room.
    /// `term` is that of the leader that named the node. `ledger_entries` is only appended to: what each payout has changed of
    /// what its account has left, so that the sums of an account are those of its row in `balances`.
    ///
    /// Accounts begin with nothing to spend: what they received before there were payouts has been settled in other ways.
    static let payouts = [
        // A leader of an older version resigns: it would settle without crediting.
        "UPDATE stream SET term = term + 1, leader = NULL, lease_until = NULL WHERE leader IS NOT NULL",
        """
        CREATE TABLE balances (
            account bigint PRIMARY KEY,
            received_msat bigint NOT NULL DEFAULT 0,
            spent_msat bigint NOT NULL DEFAULT 0,
            reserved_msat bigint NOT NULL DEFAULT 0
        ) WITH (fillfactor = 50)
        """,
        "ALTER TABLE api_keys ADD COLUMN budget_msat bigint",
        "CREATE TABLE key_spending (key_id text PRIMARY KEY, used_msat bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50)",
        "CREATE TYPE payout_state AS ENUM ('created', 'sending', 'unknown', 'settled', 'failed')",
        """
        CREATE TABLE payouts (
            id text COLLATE "C" PRIMARY KEY,
            number bigint GENERATED ALWAYS AS IDENTITY,
            account bigint NOT NULL,
            key_id text,
            purpose text COLLATE "C",
            payment_hash bytea NOT NULL UNIQUE CHECK (length(payment_hash) = 32),
            destination bytea NOT NULL,
            amount_msat bigint NOT NULL,
            fee_limit_msat bigint NOT NULL,
            payment_request text,
            amount_is_open boolean NOT NULL,
            spontaneous bytea,
            custom_records text,
            timeout_seconds integer NOT NULL,
            only_node bytea,
            created_at timestamptz NOT NULL,
            expires_at timestamptz,
            state payout_state NOT NULL DEFAULT 'created',
            attempt bigint NOT NULL DEFAULT 0,
            term bigint,
            node bytea,
            tried bytea[] NOT NULL DEFAULT '{}',
            fee_msat bigint,
            preimage bytea,
            failure text,
            updated_at timestamptz NOT NULL
        ) WITH (fillfactor = 50)
        """,
        "CREATE INDEX payouts_of_account ON payouts (account, number)",
        "CREATE INDEX payouts_booked ON payouts (account, updated_at, number) WHERE state = 'settled'",
        "CREATE INDEX payouts_under_way ON payouts (account) WHERE state IN ('created', 'sending', 'unknown')",
        "CREATE INDEX payouts_unfinished ON payouts (number) WHERE state IN ('created', 'sending', 'unknown')",
        "CREATE UNIQUE INDEX payouts_of_purpose ON payouts (account, purpose) WHERE purpose IS NOT NULL AND state <> 'failed'",
        """
        CREATE TABLE ledger_entries (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            account bigint NOT NULL,
            payout text COLLATE "C" NOT NULL,
            kind text NOT NULL,
            amount_msat bigint NOT NULL,
            time timestamptz NOT NULL
        )
        """,
        "CREATE INDEX ledger_entries_of_payout ON ledger_entries (payout)",
        createPayout,
        movePayout,
    ]

    /// Of one account. What is under way is looked after on the loop that answers HTLCs.
    static let mostUnderWay = 1000

    /// Reserves what a payout may cost and remembers it, with its event, or says why not.
    ///
    /// The `stream` row is locked first here as everywhere, so that nothing waits in a circle, and so that two of a purpose, a
    /// hash or the last of a balance see each other.
    /// Outcomes: 0 the hash has another payout, 1 repeated, 2 made, 3 the account has not enough, 4 the key's budget is not
    /// enough, 5 its purpose has another payout, 6 the invoice is one of this gateway, 7 the account has too many under way.
    private static let createPayout = """
        CREATE FUNCTION leyden_create_payout(
            p_id text, p_account bigint, p_key text, p_purpose text, p_hash bytea, p_destination bytea, p_amount bigint, p_limit bigint,
            p_request text, p_open boolean, p_spontaneous bytea, p_records text, p_timeout integer, p_only bytea,
            p_time timestamptz, p_expires timestamptz, p_is_bounded boolean, p_event_id text, p_event_type text, p_event_data text,
            OUT o_outcome smallint
        ) LANGUAGE plpgsql AS $function$
        DECLARE
            v_head bigint;
            v_part bigint;
            v_budget bigint;
        BEGIN
            SELECT s.head, s.part INTO v_head, v_part FROM stream s FOR UPDATE;
            o_outcome := NULL;
            SELECT CASE WHEN p.id = p_id AND p.account = p_account AND p.payment_hash = p_hash THEN 1 ELSE 0 END INTO o_outcome FROM payouts p WHERE p.payment_hash = p_hash OR p.id = p_id;
            IF FOUND THEN RETURN; END IF;
            IF EXISTS (SELECT FROM invoices i WHERE i.payment_hash = p_hash) THEN o_outcome := 6; RETURN; END IF;
            IF p_purpose IS NOT NULL AND EXISTS (
                SELECT FROM payouts p WHERE p.account = p_account AND p.purpose = p_purpose AND p.state <> 'failed') THEN o_outcome := 5; RETURN; END IF;

            IF (SELECT count(*) FROM payouts p WHERE p.account = p_account AND p.state IN ('created', 'sending', 'unknown')) >= \(mostUnderWay)
                THEN o_outcome := 7; RETURN; END IF;

            INSERT INTO balances (account) VALUES (p_account) ON CONFLICT DO NOTHING;
            UPDATE balances b SET reserved_msat = b.reserved_msat + p_amount + p_limit
            WHERE b.account = p_account AND (NOT p_is_bounded OR b.received_msat - b.spent_msat - b.reserved_msat >= p_amount + p_limit);
            IF NOT FOUND THEN o_outcome := 3; RETURN; END IF;

            IF p_key IS NOT NULL THEN
                SELECT k.budget_msat INTO v_budget FROM api_keys k WHERE k.id = p_key;
                INSERT INTO key_spending (key_id) VALUES (p_key) ON CONFLICT DO NOTHING;
                UPDATE key_spending s SET used_msat = s.used_msat + p_amount + p_limit
                WHERE s.key_id = p_key AND (v_budget IS NULL OR s.used_msat + p_amount + p_limit <= v_budget);
                IF NOT FOUND THEN
                    UPDATE balances b SET reserved_msat = b.reserved_msat - p_amount - p_limit WHERE b.account = p_account;
                    o_outcome := 4;
                    RETURN;
                END IF;
            END IF;

            INSERT INTO payouts (id, account, key_id, purpose, payment_hash, destination, amount_msat, fee_limit_msat, payment_request, amount_is_open,
                spontaneous, custom_records, timeout_seconds, only_node, created_at, expires_at, updated_at)
            VALUES (p_id, p_account, p_key, p_purpose, p_hash, p_destination, p_amount, p_limit, p_request, p_open,
                p_spontaneous, p_records, p_timeout, p_only, p_time, p_expires, p_time);
            INSERT INTO ledger_entries (account, payout, kind, amount_msat, time) VALUES (p_account, p_id, 'reserve', -(p_amount + p_limit), p_time);
            INSERT INTO events ("offset", part, account, time, id, type, payment_hash, data)
            VALUES (v_head + 1, v_part, p_account, p_time, p_event_id, p_event_type, NULL, p_event_data);
            UPDATE stream SET head = v_head + 1;
            PERFORM pg_notify('leyden_events', (v_head + 1)::text);
            o_outcome := 2;
        END
        $function$
        """

    /// Moves a payout one step on, under the leader's term, with its event and what it changes of the books.
    ///
    /// Steps: 0 send, 1 doubt, 2 settle, 3 retry, 4 fail. Outcomes: 0 refused, 1 repeated, 2 done, 3 the term is over.
    private static let movePayout = """
        CREATE FUNCTION leyden_move_payout(
            p_term bigint, p_id text, p_attempt bigint, p_step smallint, p_node bytea, p_preimage bytea, p_fee bigint, p_failure text,
            p_time timestamptz, p_event_id text, p_event_type text, p_event_data text,
            OUT o_outcome smallint
        ) LANGUAGE plpgsql AS $function$
        DECLARE
            v_head bigint;
            v_part bigint;
            v_is_current boolean;
            p payouts%ROWTYPE;
            v_reserve bigint;
            v_cost bigint;
            v_is_under_way boolean;
        BEGIN
            SELECT s.head, s.part, s.term = p_term AND s.leader IS NOT NULL INTO v_head, v_part, v_is_current FROM stream s FOR UPDATE;
            IF NOT v_is_current THEN o_outcome := 3; RETURN; END IF;
            SELECT * INTO p FROM payouts WHERE id = p_id;
            IF NOT FOUND THEN o_outcome := 0; RETURN; END IF;
            v_is_under_way := p.state IN ('sending', 'unknown') AND p.attempt = p_attempt;
            o_outcome := CASE p_step
                WHEN 0 THEN CASE
                    WHEN p.state = 'created' AND p.attempt + 1 = p_attempt THEN 2
                    WHEN p.state = 'sending' AND p.attempt = p_attempt AND p.node = p_node AND p.term = p_term THEN 1
                    ELSE 0 END
                WHEN 1 THEN CASE
                    WHEN p.state = 'sending' AND p.attempt = p_attempt THEN 2
                    WHEN p.state = 'unknown' AND p.attempt = p_attempt THEN 1
                    ELSE 0 END
                WHEN 2 THEN CASE
                    WHEN v_is_under_way THEN 2
                    WHEN p.state = 'settled' AND p.attempt = p_attempt AND p.preimage = p_preimage THEN 1
                    ELSE 0 END
                WHEN 3 THEN CASE
                    WHEN v_is_under_way THEN 2
                    WHEN p.state = 'created' AND p.attempt = p_attempt AND p_attempt > 0 THEN 1
                    ELSE 0 END
                WHEN 4 THEN CASE
                    WHEN v_is_under_way OR p.state = 'created' AND p.attempt = p_attempt THEN 2
                    WHEN p.state = 'failed' AND p.attempt = p_attempt THEN 1
                    ELSE 0 END
                ELSE 0 END;
            IF o_outcome <> 2 THEN RETURN; END IF;

            UPDATE payouts u SET
                state = (CASE p_step WHEN 0 THEN 'sending' WHEN 1 THEN 'unknown' WHEN 2 THEN 'settled' WHEN 3 THEN 'created' ELSE 'failed' END)::payout_state,
                attempt = p_attempt,
                node = CASE WHEN p_step = 0 THEN p_node ELSE u.node END,
                term = CASE WHEN p_step = 0 THEN p_term ELSE u.term END,
                tried = CASE WHEN p_step = 3 THEN u.tried || u.node ELSE u.tried END,
                preimage = CASE WHEN p_step = 2 THEN p_preimage ELSE u.preimage END,
                fee_msat = CASE WHEN p_step = 2 THEN p_fee ELSE u.fee_msat END,
                failure = CASE WHEN p_step = 2 THEN NULL ELSE coalesce(p_failure, u.failure) END,
                updated_at = p_time
            WHERE u.id = p_id;

            IF p_step IN (2, 4) THEN
                v_reserve := p.amount_msat + p.fee_limit_msat;
                v_cost := CASE WHEN p_step = 2 THEN p.amount_msat + p_fee ELSE 0 END;
                UPDATE balances b SET reserved_msat = b.reserved_msat - v_reserve, spent_msat = b.spent_msat + v_cost WHERE b.account = p.account;
                UPDATE key_spending s SET used_msat = s.used_msat - v_reserve + v_cost WHERE s.key_id = p.key_id;
                INSERT INTO ledger_entries (account, payout, kind, amount_msat, time) VALUES (p.account, p_id, 'return', v_reserve - v_cost, p_time);
            END IF;

            IF p_event_id IS NOT NULL THEN
                INSERT INTO events ("offset", part, account, time, id, type, payment_hash, data)
                VALUES (v_head + 1, v_part, p.account, p_time, p_event_id, p_event_type, NULL, p_event_data);
                UPDATE stream SET head = v_head + 1;
                PERFORM pg_notify('leyden_events', (v_head + 1)::text);
            END IF;
        END
        $function$
        """
}
