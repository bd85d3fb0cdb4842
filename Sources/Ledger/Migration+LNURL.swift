extension Migration {
    /// Pay links and Lightning Addresses. Every process that serves wallets has them in memory and asks for what has changed since a
    /// version; so what is deleted keeps its row, and its name is free again.
    static let payLinks = [
        "CREATE TABLE pay_link_changes (version bigint NOT NULL)",
        "INSERT INTO pay_link_changes VALUES (0)",
        """
        CREATE TABLE pay_links (
            id text PRIMARY KEY,
            number bigint GENERATED ALWAYS AS IDENTITY,
            account bigint NOT NULL REFERENCES accounts (id),
            name text,
            host text,
            description text NOT NULL,
            long_description text,
            min_msat bigint NOT NULL,
            max_msat bigint NOT NULL,
            comment_allowed bigint NOT NULL,
            success_action text,
            payer_data text,
            is_disposable boolean NOT NULL,
            metadata text,
            order_id text,
            payment_hash bytea,
            expires_at timestamptz,
            is_enabled boolean NOT NULL DEFAULT true,
            is_deleted boolean NOT NULL DEFAULT false,
            shown text NOT NULL,
            created_at timestamptz NOT NULL,
            version bigint NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX pay_links_by_name ON pay_links (host, name) WHERE NOT is_deleted AND name IS NOT NULL",
        "CREATE INDEX pay_links_of_account ON pay_links (account, number) WHERE NOT is_deleted",
        "CREATE INDEX pay_links_changed ON pay_links (version)",
    ]

    /// The keys of wallets that may log in, and as what. One of them has claimed the gateway: two at once cannot.
    static let loginWallets = [
        """
        CREATE TABLE login_wallets (
            key bytea PRIMARY KEY,
            account bigint NOT NULL REFERENCES accounts (id),
            scopes text[] NOT NULL,
            created_at timestamptz NOT NULL,
            is_first boolean NOT NULL DEFAULT false
        )
        """,
        "CREATE UNIQUE INDEX login_wallets_first ON login_wallets (is_first) WHERE is_first",
    ]

    /// Who was asked for a Lightning Address, and what was answered.
    static let addressRequests = """
        CREATE TABLE address_requests (
            id text PRIMARY KEY,
            account bigint NOT NULL REFERENCES accounts (id),
            description text NOT NULL,
            order_id text,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            address text,
            answered_at timestamptz
        )
        """
}
