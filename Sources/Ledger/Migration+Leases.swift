extension Migration {
    /// Who holds a claim, which state of a key is the newer one, and how many accounts there can be.
    ///
    /// A lease's number is of a sequence, and not counted in each claim: one that was forgotten and claimed anew has none of the numbers
    /// that it had before. Those that are there have none until somebody takes them over: to number them would write all of them again, and
    /// nobody could claim anything meanwhile. An account's number has to fit into four bytes of a payment secret.
    static let leases = [
        "CREATE SEQUENCE claim_leases",
        "ALTER TABLE claims ADD COLUMN lease bigint NOT NULL DEFAULT 0, ADD COLUMN is_carried_out boolean NOT NULL DEFAULT false",
        "ALTER TABLE claims ALTER COLUMN lease SET DEFAULT nextval('claim_leases')",
        carryOut,
        "ALTER TABLE api_keys ADD COLUMN changed bigint NOT NULL DEFAULT 0",
        """
        CREATE FUNCTION leyden_key_changed() RETURNS trigger LANGUAGE plpgsql AS $function$
        BEGIN
            NEW.changed := OLD.changed + 1;
            RETURN NEW;
        END
        $function$
        """,
        "CREATE TRIGGER api_keys_changed BEFORE UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION leyden_key_changed()",
        "ALTER TABLE accounts ADD CONSTRAINT accounts_number CHECK (id BETWEEN 1 AND 4294967295), ALTER COLUMN id SET MAXVALUE 4294967295",
    ]

    /// Whether an effect is still to be had, in the transaction that has it. The claim's row stays locked until that is decided, so that
    /// nobody claims it in between.
    private static let carryOut = """
        CREATE FUNCTION leyden_carry_out(p_account bigint, p_key text, p_lease bigint) RETURNS boolean LANGUAGE plpgsql AS $function$
        DECLARE v_done boolean;
        BEGIN
            IF p_lease IS NULL THEN
                RETURN true;
            END IF;
            SELECT is_carried_out INTO v_done FROM claims
                WHERE account = p_account AND key = p_key AND lease = p_lease AND answer IS NULL FOR NO KEY UPDATE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'the claim has another holder' USING ERRCODE = 'LY002';
            END IF;
            IF v_done THEN
                RETURN false;
            END IF;
            UPDATE claims SET is_carried_out = true WHERE account = p_account AND key = p_key;
            RETURN true;
        END
        $function$
        """
}
