extension Migration {
    /// The log is the queue of every endpoint: `cursor` says how far it has come, and only what was sent has a row of its own.
    ///
    /// `webhook_changes` is locked by whoever changes an endpoint until that is committed, so versions appear in their order
    /// and a reader who asks for what is newer than the last one misses none.
    static let webhooks = [
        "CREATE TABLE webhook_changes (singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), version bigint NOT NULL DEFAULT 0)",
        "INSERT INTO webhook_changes DEFAULT VALUES",
        """
        CREATE TABLE webhook_endpoints (
            id text PRIMARY KEY,
            number bigint GENERATED ALWAYS AS IDENTITY,
            account bigint NOT NULL REFERENCES accounts (id),
            url text NOT NULL,
            events text[] NOT NULL,
            description text NOT NULL,
            signatures text[] NOT NULL,
            concurrency bigint NOT NULL,
            disabled_reason text,
            generation bigint NOT NULL DEFAULT 1,
            previous_until timestamptz,
            created_at timestamptz NOT NULL,
            is_deleted boolean NOT NULL DEFAULT false,
            version bigint NOT NULL,
            cursor bigint NOT NULL,
            failures bigint NOT NULL DEFAULT 0,
            failing_since timestamptz,
            paused_until timestamptz
        ) WITH (fillfactor = 50)
        """,
        "CREATE INDEX webhook_endpoints_of_account ON webhook_endpoints (account, number) WHERE NOT is_deleted",
        "CREATE INDEX webhook_endpoints_changed ON webhook_endpoints (version)",
        """
        CREATE TABLE webhook_deliveries (
            endpoint text NOT NULL REFERENCES webhook_endpoints (id),
            "offset" bigint NOT NULL,
            event_id text NOT NULL,
            type text NOT NULL,
            state bigint NOT NULL,
            attempt bigint NOT NULL,
            attempts bigint NOT NULL,
            status bigint,
            reason text,
            attempted_at timestamptz,
            next_attempt_at timestamptz,
            PRIMARY KEY (endpoint, "offset")
        )
        """,
        "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, next_attempt_at) WHERE next_attempt_at IS NOT NULL",
    ]

    /// Which request began which generation of an endpoint's secrets.
    static let webhookRotations = """
        CREATE TABLE webhook_rotations (
            endpoint text NOT NULL REFERENCES webhook_endpoints (id),
            origin bytea NOT NULL,
            generation bigint NOT NULL,
            made_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (endpoint, origin)
        )
        """
}
