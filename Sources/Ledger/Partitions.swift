extension Migration {
    /// Events in partitions by a number that the `stream` row holds.
    ///
    /// Writers take the number with their offsets, so it grows with them, and a new partition begins between two commits
    /// without moving or checking a row. It exists before the number is raised: a commit always finds its partition.
    static let partitions = [
        """
        ALTER TABLE stream
            ADD COLUMN part bigint NOT NULL DEFAULT 0,
            ADD COLUMN first bigint NOT NULL DEFAULT 1,
            ADD COLUMN origin text
        """,
        """
        CREATE TABLE event_partitions (
            part bigint PRIMARY KEY,
            first bigint NOT NULL,
            begun_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """,
        "INSERT INTO event_partitions (part, first) VALUES (0, 1)",
        "ALTER TABLE events RENAME TO events_whole",
        """
        CREATE TABLE events (
            "offset" bigint NOT NULL,
            part bigint NOT NULL,
            account bigint NOT NULL,
            time timestamptz NOT NULL,
            id text NOT NULL,
            type text NOT NULL,
            payment_hash bytea,
            data text NOT NULL,
            CONSTRAINT events_by_offset PRIMARY KEY ("offset", part)
        ) PARTITION BY LIST (part)
        """,
        "CREATE TABLE events_0 PARTITION OF events FOR VALUES IN (0)",
        """
        INSERT INTO events ("offset", part, account, time, id, type, payment_hash, data)
        SELECT "offset", 0, account, time, id, type, payment_hash, data FROM events_whole
        """,
        "DROP TABLE events_whole",
        "CREATE INDEX events_of_account ON events (account, \"offset\")",
        "CREATE INDEX events_of_invoice ON events (payment_hash, \"offset\") WHERE payment_hash IS NOT NULL",
        "CREATE INDEX events_of_nothing ON events (id) WHERE payment_hash IS NULL",
        beginPartition, dropPartitions,
    ]

    /// Begins a new partition if a step of time has begun since the last one was. Attaching takes a lock that neither
    /// readers nor writers meet.
    private static let beginPartition = """
        CREATE FUNCTION leyden_begin_partition(p_term bigint, p_step interval) RETURNS boolean LANGUAGE plpgsql AS $function$
        DECLARE
            v_now timestamptz := clock_timestamp();
            v_last event_partitions;
            v_part bigint;
            v_head bigint;
        BEGIN
            SELECT * INTO v_last FROM event_partitions ORDER BY part DESC LIMIT 1;
            IF date_bin(p_step, v_last.begun_at, '2000-01-01 00:00Z') >= date_bin(p_step, v_now, '2000-01-01 00:00Z') THEN
                RETURN false;
            END IF;
            v_part := v_last.part + 1;
            EXECUTE format('CREATE TABLE events_%s (LIKE events INCLUDING ALL)', v_part);
            EXECUTE format('ALTER TABLE events ATTACH PARTITION events_%s FOR VALUES IN (%s)', v_part, v_part);
            UPDATE stream SET part = v_part WHERE term = p_term AND leader IS NOT NULL RETURNING head INTO v_head;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'the term is not current' USING ERRCODE = 'LY001';
            END IF;
            INSERT INTO event_partitions (part, first, begun_at) VALUES (v_part, v_head + 1, v_now);
            RETURN true;
        END
        $function$
        """

    /// Drops what is older than the retention, whole partitions only. The stream's row is locked first, as commits do it,
    /// and a reader who takes his time is not waited for: they would wait behind.
    private static let dropPartitions = """
        CREATE FUNCTION leyden_drop_partitions(p_term bigint, p_retention interval) RETURNS integer LANGUAGE plpgsql AS $function$
        DECLARE
            v_kept event_partitions;
            v_part bigint;
            v_dropped integer := 0;
        BEGIN
            -- What was written before the kept one begun is older still.
            SELECT * INTO v_kept FROM event_partitions WHERE begun_at < clock_timestamp() - p_retention ORDER BY part DESC LIMIT 1;
            IF NOT EXISTS (SELECT FROM event_partitions WHERE part < v_kept.part) THEN
                RETURN 0;
            END IF;
            PERFORM set_config('lock_timeout', '100ms', true);
            UPDATE stream SET first = v_kept.first WHERE term = p_term AND leader IS NOT NULL;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'the term is not current' USING ERRCODE = 'LY001';
            END IF;
            FOR v_part IN DELETE FROM event_partitions WHERE part < v_kept.part RETURNING part LOOP
                EXECUTE format('DROP TABLE events_%s', v_part);
                v_dropped := v_dropped + 1;
            END LOOP;
            RETURN v_dropped;
        END
        $function$
        """
}
