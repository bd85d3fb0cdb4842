extension Migration {
    /// Keys that end, rotate and are limited, and what they have done.
    ///
    /// A rotated key has two secrets until the overlap is over; `generation` counts them, so that whoever was let in by the
    /// older one can be told from the others. `origin` is what an account was made from, so that making it twice makes one.
    /// Ids of the audit log begin with the time: new ones are added at the index's end.
    static let accounts = [
        "ALTER TABLE accounts ADD COLUMN origin bytea UNIQUE",
        """
        ALTER TABLE api_keys
            ADD COLUMN generation integer NOT NULL DEFAULT 1,
            ADD COLUMN previous_hash bytea,
            ADD COLUMN previous_until timestamptz,
            ADD COLUMN expires_at timestamptz,
            ADD COLUMN last_used_at timestamptz,
            ADD COLUMN rate integer,
            ADD COLUMN open_invoices integer
        """,
        "CREATE UNIQUE INDEX api_keys_previous ON api_keys (previous_hash) WHERE previous_hash IS NOT NULL",
        "CREATE INDEX api_keys_of_account ON api_keys (account, id)",
        """
        CREATE TABLE audit (
            id text COLLATE "C" PRIMARY KEY,
            time timestamptz NOT NULL,
            account bigint NOT NULL,
            key_id text NOT NULL,
            transport text NOT NULL,
            method text NOT NULL,
            path text NOT NULL,
            target text,
            status smallint NOT NULL,
            request_id text
        )
        """,
        "CREATE INDEX audit_of_account ON audit (account, id)",
    ]

    /// A claim is somebody's right to carry a request out. `seed` is what everything is made from that the request makes, so
    /// that carrying it out again, after a crash, makes nothing new. `claimed_until` is null once it is answered.
    static let claims = [
        """
        CREATE TABLE claims (
            account bigint NOT NULL,
            key text COLLATE "C" NOT NULL,
            request bytea NOT NULL,
            seed bytea NOT NULL,
            created_at timestamptz NOT NULL,
            claimed_until timestamptz,
            status smallint,
            answer bytea,
            PRIMARY KEY (account, key)
        )
        """,
        "CREATE INDEX claims_by_age ON claims (created_at)",
    ]

    /// How many invoices of a key are open, for keys with a limit, and which.
    ///
    /// Both functions lock a key's row first, in the order of the keys, so that processes cannot wait for each other.
    static let countedInvoices = [
        "CREATE TABLE open_invoices (key_id text PRIMARY KEY, count integer NOT NULL) WITH (fillfactor = 50)",
        """
        CREATE TABLE counted_invoices (
            payment_hash bytea PRIMARY KEY,
            key_id text NOT NULL,
            counted_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """,
        """
        CREATE FUNCTION leyden_count_invoices(p_key text[], p_hash bytea[], p_limit bigint[], OUT o_admitted smallint[])
        LANGUAGE plpgsql AS $function$
        BEGIN
            INSERT INTO open_invoices (key_id, count) SELECT DISTINCT k, 0 FROM unnest(p_key) k ORDER BY k ON CONFLICT DO NOTHING;
            PERFORM FROM open_invoices WHERE key_id = ANY (p_key) ORDER BY key_id FOR UPDATE;
            o_admitted := '{}';
            FOR i IN 1 .. cardinality(p_key) LOOP
                IF EXISTS (SELECT FROM counted_invoices WHERE payment_hash = p_hash[i]) THEN
                    o_admitted := o_admitted || 1::smallint;
                    CONTINUE;
                END IF;
                UPDATE open_invoices SET count = count + 1 WHERE key_id = p_key[i] AND count < p_limit[i];
                IF FOUND THEN
                    INSERT INTO counted_invoices (payment_hash, key_id) VALUES (p_hash[i], p_key[i]);
                    o_admitted := o_admitted || 1::smallint;
                ELSE
                    o_admitted := o_admitted || 0::smallint;
                END IF;
            END LOOP;
        END
        $function$
        """,
        """
        CREATE FUNCTION leyden_uncount_invoices(p_hash bytea[]) RETURNS bigint LANGUAGE plpgsql AS $function$
        DECLARE v_gone bigint;
        BEGIN
            PERFORM FROM open_invoices WHERE key_id IN (SELECT key_id FROM counted_invoices WHERE payment_hash = ANY (p_hash))
                ORDER BY key_id FOR UPDATE;
            WITH gone AS (DELETE FROM counted_invoices WHERE payment_hash = ANY (p_hash) RETURNING key_id),
                sums AS (SELECT key_id, count(*) AS count FROM gone GROUP BY key_id),
                less AS (UPDATE open_invoices o SET count = greatest(0, o.count - s.count) FROM sums s WHERE o.key_id = s.key_id)
            SELECT coalesce(sum(count), 0) INTO v_gone FROM sums;
            RETURN v_gone;
        END
        $function$
        """,
    ]
}
