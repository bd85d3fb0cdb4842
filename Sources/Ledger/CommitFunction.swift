extension Migration {
    /// Applies a batch of changes, in one transaction with their events.
    ///
    /// Entries come in waves: no invoice occurs twice in a wave, so that a wave is a handful of set-based statements, and
    /// what an earlier wave did is seen by the next. Everything is behind the lock on the `stream` row, so between
    /// deciding and writing nothing can change, and offsets are taken in commit order without gaps.
    ///
    /// Kinds: 0 create, 1 accept, 2 request settlement, 3 release, 4 cancel, 5 expire, 6 resolve, 7 tell, 8 void.
    /// Outcomes: 0 refused, 1 repeated, from 2 on applied: 2 with a new invoice, 3 with a change of the invoice, 4 an
    /// accepted set is settled (its accepted events have been told), 5 without touching the invoice, 6 a set that was
    /// never accepted is void (nothing is told).
    static let commitFunction = """
        CREATE OR REPLACE FUNCTION leyden_commit(
            p_term bigint,
            p_wave integer[], p_kind smallint[], p_hash bytea[], p_account bigint[], p_time timestamptz[], p_state text[],
            p_set bytea[], p_preimage bytea[], p_received bigint[], p_amount bigint[], p_expires timestamptz[],
            p_settlement smallint[], p_stored boolean[], p_request text[], p_description text[],
            p_description_hash bytea[], p_metadata text[], p_order text[],
            p_node bytea[], p_chan bigint[], p_htlc bigint[], p_settled boolean[], p_off_chain boolean[],
            p_part_entry integer[], p_part_hash bytea[], p_part_set bytea[], p_part_node bytea[], p_part_chan bigint[], p_part_htlc bigint[],
            p_part_amount bigint[], p_part_total bigint[], p_part_incoming bigint[], p_part_outgoing bigint[],
            p_part_fail integer[], p_part_on_chain boolean[], p_part_fee bigint[],
            p_search_entry integer[], p_search_hash bytea[], p_search bigint[],
            p_event_entry integer[], p_event_id text[], p_event_type text[], p_event_hash bytea[], p_event_data text[],
            OUT o_head bigint, OUT o_outcomes smallint[], OUT o_accounts bigint[]
        ) LANGUAGE plpgsql AS $function$
        DECLARE
            v_is_current boolean;
            v_part bigint;
            v_wave integer;
            v_kinds smallint[];
            v_taken integer[];
            v_outcomes smallint[];
            v_accounts bigint[];
            v_written bigint;
        BEGIN
            SELECT s.head, s.part, s.term = p_term AND s.leader IS NOT NULL INTO o_head, v_part, v_is_current FROM stream s FOR UPDATE;
            IF p_term IS NULL THEN
                v_is_current := p_kind <@ '{0,7}'::smallint[];
            END IF;
            IF NOT v_is_current THEN
                RAISE EXCEPTION 'the term is not current' USING ERRCODE = 'LY001';
            END IF;

            o_outcomes := '{}';
            o_accounts := '{}';
            FOR v_wave IN 0 .. p_wave[cardinality(p_wave)] LOOP
                SELECT array_agg(DISTINCT e.kind) INTO v_kinds FROM unnest(p_wave, p_kind) e (wave, kind) WHERE e.wave = v_wave;

                -- An HTLC belongs to one set for ever: those that were failed back cannot make up another.
                -- A telling has no row to ask, so its event is looked for.
                v_taken := '{}';
                IF 1 = ANY (v_kinds) THEN
                    SELECT coalesce(array_agg(DISTINCT h.entry), '{}') INTO v_taken
                    FROM unnest(p_part_entry, p_part_hash, p_part_node, p_part_chan, p_part_htlc) h (entry, hash, node, chan, htlc)
                    JOIN htlcs x ON x.payment_hash = h.hash AND x.node = h.node AND x.chan_id = h.chan AND x.htlc_id = h.htlc
                    WHERE p_wave[h.entry] = v_wave;
                END IF;
                IF 7 = ANY (v_kinds) THEN
                    SELECT v_taken || coalesce(array_agg(DISTINCT v.entry), '{}') INTO v_taken
                    FROM unnest(p_event_entry, p_event_id, p_event_hash) v (entry, id, hash)
                    WHERE p_wave[v.entry] = v_wave AND p_kind[v.entry] = 7 AND CASE WHEN v.hash IS NULL
                        THEN EXISTS (SELECT FROM events o WHERE o.id = v.id AND o.payment_hash IS NULL)
                        ELSE EXISTS (SELECT FROM events o WHERE o.payment_hash = v.hash AND o.id = v.id) END;
                END IF;

                SELECT array_agg(d.outcome ORDER BY d.n), array_agg(d.account ORDER BY d.n) INTO v_outcomes, v_accounts
                FROM (
                    SELECT e.n, coalesce(i.account, e.account) AS account, (CASE e.kind
                        WHEN 0 THEN CASE
                            WHEN i.payment_hash IS NULL THEN 2
                            WHEN i.account = e.account AND i.payment_request = e.request THEN 1
                            ELSE 0 END
                        WHEN 1 THEN CASE
                            WHEN i.payment_hash IS NULL THEN CASE WHEN e.n = ANY (v_taken) THEN 0 ELSE 2 END
                            WHEN i.state = 'open' THEN CASE WHEN e.n = ANY (v_taken) THEN 0 ELSE 3 END
                            WHEN i.set_id IS DISTINCT FROM e.set_id THEN 0
                            WHEN i.state = 'accepted' THEN CASE WHEN e.preimage IS NULL THEN 1 ELSE 4 END
                            WHEN i.state IN ('settle_requested', 'settled', 'failed') THEN 1
                            ELSE 0 END
                        WHEN 2 THEN CASE
                            WHEN i.set_id IS DISTINCT FROM e.set_id THEN 0
                            WHEN i.state = 'accepted' THEN 3
                            WHEN i.state IN ('settle_requested', 'settled', 'failed') THEN 1
                            ELSE 0 END
                        WHEN 3 THEN CASE
                            WHEN i.state = 'accepted' AND i.set_id = e.set_id THEN 3
                            WHEN EXISTS (SELECT FROM htlcs x WHERE x.payment_hash = e.hash AND x.set_id = e.set_id AND x.was_failed_back) THEN 1
                            ELSE 0 END
                        WHEN 4 THEN CASE
                            WHEN i.state = 'open' OR i.state = 'accepted' AND i.set_id = e.set_id THEN 3
                            WHEN i.state = 'canceled' THEN 1
                            ELSE 0 END
                        WHEN 5 THEN CASE i.state WHEN 'open' THEN 3 WHEN 'expired' THEN 1 ELSE 0 END
                        WHEN 6 THEN CASE
                            WHEN x.payment_hash IS NULL THEN 0
                            WHEN x.is_settled = e.settled THEN 1
                            WHEN x.is_settled IS NOT NULL THEN 0
                            WHEN e.state IS NULL THEN 5
                            WHEN i.state = 'settle_requested' AND x.set_id = i.set_id AND NOT EXISTS (
                                SELECT FROM htlcs o
                                WHERE o.payment_hash = e.hash AND o.set_id = i.set_id AND o.is_settled IS NULL
                                    AND (o.node, o.chan_id, o.htlc_id) <> (e.node, e.chan, e.htlc)) THEN 3
                            ELSE 0 END
                        WHEN 8 THEN CASE
                            WHEN i.state = 'accepted' AND i.set_id = e.set_id THEN 3
                            WHEN i.state NOT IN ('open', 'accepted') THEN 0
                            WHEN EXISTS (SELECT FROM htlcs x WHERE x.payment_hash = e.hash AND x.set_id = e.set_id AND x.was_failed_back) THEN 1
                            ELSE 6 END
                        -- Anybody can try to pay an invoice as often as he likes; it is not told more often than this.
                        ELSE CASE
                            WHEN e.n = ANY (v_taken) THEN 1
                            WHEN e.hash IS NULL THEN 5
                            WHEN i.payment_hash IS NULL THEN 0
                            WHEN (SELECT count(*) FROM (
                                SELECT FROM events o WHERE o.payment_hash = e.hash AND o.type = 'htlc.failed' LIMIT 20) t) = 20 THEN 0
                            ELSE 5 END
                        END)::smallint AS outcome
                    FROM unnest(p_wave, p_kind, p_hash, p_account, p_state, p_set, p_preimage, p_request, p_node, p_chan, p_htlc, p_settled)
                        WITH ORDINALITY e (wave, kind, hash, account, state, set_id, preimage, request, node, chan, htlc, settled, n)
                    LEFT JOIN invoices i ON i.payment_hash = e.hash
                    LEFT JOIN htlcs x ON x.payment_hash = e.hash AND x.node = e.node AND x.chan_id = e.chan AND x.htlc_id = e.htlc
                    WHERE e.wave = v_wave
                ) d;
                -- Waves follow each other in the arrays, so an entry's outcome stands at its own place.
                o_outcomes := o_outcomes || v_outcomes;
                o_accounts := o_accounts || v_accounts;

                IF 2 = ANY (v_outcomes) THEN
                    INSERT INTO invoices (payment_hash, account, state, payment_request, amount_msat, received_msat, settlement,
                        is_stored, description, description_hash, metadata, order_id, created_at, expires_at, set_id, preimage)
                    SELECT e.hash, e.account, e.state::invoice_state, e.request, e.amount, e.received, e.settlement,
                        e.stored, e.description, e.description_hash, e.metadata, e.order_id, e.time, e.expires, e.set_id, e.preimage
                    FROM unnest(p_wave, p_hash, p_account, p_time, p_state, p_set, p_preimage, p_received, p_amount, p_expires,
                        p_settlement, p_stored, p_request, p_description, p_description_hash, p_metadata, p_order)
                        WITH ORDINALITY e (wave, hash, account, time, state, set_id, preimage, received, amount, expires,
                        settlement, stored, request, description, description_hash, metadata, order_id, n)
                    WHERE e.wave = v_wave AND o_outcomes[e.n] = 2;
                END IF;

                IF 2 = ANY (v_outcomes) AND cardinality(p_search) > 0 THEN
                    INSERT INTO invoice_terms (account, term, created_at, number)
                    SELECT i.account, t.term, i.created_at, i.number
                    FROM unnest(p_search_entry, p_search_hash, p_search) t (entry, hash, term) JOIN invoices i ON i.payment_hash = t.hash
                    WHERE p_wave[t.entry] = v_wave AND o_outcomes[t.entry] = 2
                    ON CONFLICT DO NOTHING;
                END IF;

                IF v_outcomes && '{3,4}'::smallint[] THEN
                    UPDATE invoices i SET
                        state = e.state::invoice_state,
                        set_id = CASE WHEN e.kind = 1 THEN e.set_id ELSE i.set_id END,
                        preimage = coalesce(e.preimage, i.preimage),
                        received_msat = CASE WHEN e.kind = 1 THEN e.received WHEN e.kind IN (3, 4, 8) THEN 0 ELSE i.received_msat END,
                        settled_at = CASE WHEN e.state = 'settled' THEN e.time ELSE i.settled_at END,
                        booked_at = CASE WHEN e.state IN ('settled', 'failed') THEN e.time ELSE i.booked_at END
                    FROM unnest(p_wave, p_kind, p_hash, p_time, p_state, p_set, p_preimage, p_received)
                        WITH ORDINALITY e (wave, kind, hash, time, state, set_id, preimage, received, n)
                    WHERE e.wave = v_wave AND o_outcomes[e.n] IN (3, 4) AND i.payment_hash = e.hash;
                END IF;

                IF 1 = ANY (v_kinds) THEN
                    INSERT INTO htlcs (payment_hash, node, chan_id, htlc_id, set_id, amount_msat, total_msat, incoming_expiry,
                        outgoing_expiry, auto_fail_height, is_on_chain, fee_msat, accepted_at)
                    SELECT h.hash, h.node, h.chan, h.htlc, h.set_id, h.amount, h.total, h.incoming,
                        h.outgoing, h.fail, h.on_chain, h.fee, p_time[h.entry]
                    FROM unnest(p_part_entry, p_part_hash, p_part_set, p_part_node, p_part_chan, p_part_htlc, p_part_amount,
                        p_part_total, p_part_incoming, p_part_outgoing, p_part_fail, p_part_on_chain, p_part_fee)
                        h (entry, hash, set_id, node, chan, htlc, amount, total, incoming, outgoing, fail, on_chain, fee)
                    WHERE p_wave[h.entry] = v_wave AND p_kind[h.entry] = 1 AND o_outcomes[h.entry] IN (2, 3);
                END IF;

                IF v_kinds && '{3,4,8}'::smallint[] THEN
                    UPDATE htlcs x SET was_failed_back = true
                    FROM unnest(p_wave, p_kind, p_hash) WITH ORDINALITY e (wave, kind, hash, n), invoices i
                    WHERE e.wave = v_wave AND e.kind IN (3, 4, 8) AND o_outcomes[e.n] = 3
                        AND i.payment_hash = e.hash AND x.payment_hash = e.hash AND x.set_id = i.set_id;
                END IF;

                -- An acceptance of any of these that arrives later finds them taken.
                IF 6 = ANY (v_outcomes) THEN
                    INSERT INTO htlcs (payment_hash, node, chan_id, htlc_id, set_id, amount_msat, total_msat, incoming_expiry,
                        outgoing_expiry, auto_fail_height, is_on_chain, fee_msat, was_failed_back, accepted_at)
                    SELECT h.hash, h.node, h.chan, h.htlc, h.set_id, h.amount, h.total, h.incoming,
                        h.outgoing, h.fail, h.on_chain, h.fee, true, p_time[h.entry]
                    FROM unnest(p_part_entry, p_part_hash, p_part_set, p_part_node, p_part_chan, p_part_htlc, p_part_amount,
                        p_part_total, p_part_incoming, p_part_outgoing, p_part_fail, p_part_on_chain, p_part_fee)
                        h (entry, hash, set_id, node, chan, htlc, amount, total, incoming, outgoing, fail, on_chain, fee)
                    WHERE p_wave[h.entry] = v_wave AND o_outcomes[h.entry] = 6
                    ON CONFLICT DO NOTHING;
                END IF;

                IF 6 = ANY (v_kinds) THEN
                    UPDATE htlcs x SET is_settled = e.settled, is_off_chain = e.off_chain, resolved_at = e.time
                    FROM unnest(p_wave, p_kind, p_hash, p_time, p_node, p_chan, p_htlc, p_settled, p_off_chain)
                        WITH ORDINALITY e (wave, kind, hash, time, node, chan, htlc, settled, off_chain, n)
                    WHERE e.wave = v_wave AND e.kind = 6 AND o_outcomes[e.n] >= 2
                        AND x.payment_hash = e.hash AND x.node = e.node AND x.chan_id = e.chan AND x.htlc_id = e.htlc;
                END IF;

                -- With the last resolution what was received is the account's to spend.
                IF 6 = ANY (v_kinds) AND 3 = ANY (v_outcomes) THEN
                    INSERT INTO balances AS b (account, received_msat)
                    SELECT i.account, sum(x.amount_msat)
                    FROM unnest(p_wave, p_kind, p_hash) WITH ORDINALITY e (wave, kind, hash, n)
                    JOIN invoices i ON i.payment_hash = e.hash
                    JOIN htlcs x ON x.payment_hash = e.hash AND x.set_id = i.set_id AND x.is_settled
                    WHERE e.wave = v_wave AND e.kind = 6 AND o_outcomes[e.n] = 3
                    GROUP BY i.account
                    ON CONFLICT (account) DO UPDATE SET received_msat = b.received_msat + excluded.received_msat;
                END IF;
            END LOOP;

            WITH written AS (
                INSERT INTO events ("offset", part, account, time, id, type, payment_hash, data)
                SELECT o_head + row_number() OVER (ORDER BY v.n), v_part, o_accounts[v.entry], p_time[v.entry], v.id, v.type, v.hash, v.data
                FROM unnest(p_event_entry, p_event_id, p_event_type, p_event_hash, p_event_data)
                    WITH ORDINALITY v (entry, id, type, hash, data, n)
                WHERE o_outcomes[v.entry] BETWEEN 2 AND 5
                    AND NOT (o_outcomes[v.entry] = 4 AND v.type IN ('htlc.accepted', 'invoice.accepted'))
                RETURNING "offset", account, time, type, payment_hash
            ), requested AS (
                INSERT INTO settlements (account, sequence, payment_hash, requested_at)
                SELECT w.account, coalesce((SELECT max(s.sequence) FROM settlements s WHERE s.account = w.account), 0)
                    + row_number() OVER (PARTITION BY w.account ORDER BY w."offset"), w.payment_hash, w.time
                FROM written w WHERE w.type = 'invoice.settle_requested'
            )
            SELECT count(*) INTO v_written FROM written;
            IF v_written > 0 THEN
                UPDATE stream SET head = o_head + v_written;
                PERFORM pg_notify('leyden_events', (o_head + v_written)::text);
            END IF;
        END
        $function$
        """
}
