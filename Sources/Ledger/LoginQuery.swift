internal import Payments

/// The statements on wallets that may log in (LUD-04).
enum LoginQuery {
    /// Makes the key of a login, if the wallet may. `claims`: if no wallet may yet, this one may from now on, for the first account and
    /// everything. One statement, so of two that claim at once one does.
    ///
    /// Answers whether the wallet may, and whether the key was made: the same login makes it once.
    static func login(_ wallet: PublicKey, _ key: APIKeyRecord, claims: Bool) -> Step {
        var scopes = Column(TypeID.text)
        for scope in key.scopes { scopes.append(scope) }
        var parameters = Parameters()
        parameters.append(wallet)
        parameters.append(claims)
        parameters.append(key.account)
        parameters.append(scopes)
        parameters.append(key.id)
        parameters.append(key.name)
        parameters.append(key.hash)
        parameters.append(key.createdAt)
        parameters.append(key.expiresAt)
        return Step(
            Statement("log in", """
                WITH first AS (
                    INSERT INTO login_wallets (key, account, scopes, created_at, is_first)
                    SELECT $1, $3, $4, $8, true WHERE $2 AND NOT EXISTS (SELECT FROM login_wallets)
                    ON CONFLICT DO NOTHING RETURNING account, scopes),
                wallet AS (SELECT account, scopes FROM login_wallets WHERE key = $1 UNION ALL SELECT account, scopes FROM first),
                made AS (
                    INSERT INTO api_keys (id, name, hash, scopes, account, created_at, expires_at)
                    SELECT $5, $6, $7, w.scopes, w.account, $8, $9 FROM wallet w
                    ON CONFLICT DO NOTHING RETURNING id)
                SELECT EXISTS (SELECT FROM wallet), EXISTS (SELECT FROM made)
                """, [
                    TypeID.bytea, TypeID.boolean, TypeID.bigint, scopes.arrayType, TypeID.text, TypeID.text, TypeID.bytea, TypeID.timestamp,
                    TypeID.timestamp,
                ]),
            parameters)
    }

    static let forget = Step(Statement("forget wallets", "DELETE FROM login_wallets"))
}
