/// The names that BOLT 4 gives its failure codes.
enum FailureNames {
    static func name(of code: UInt16) -> String { names[code] ?? "unknown_failure" }

    private static let names: [UInt16: String] = [
        0x2002: "temporary_node_failure", 0x6002: "permanent_node_failure", 0x6003: "required_node_feature_missing",
        0xc004: "invalid_onion_version", 0xc005: "invalid_onion_hmac", 0xc006: "invalid_onion_key",
        0x1007: "temporary_channel_failure", 0x4008: "permanent_channel_failure",
        0x4009: "required_channel_feature_missing", 0x400a: "unknown_next_peer", 0x100b: "amount_below_minimum",
        0x100c: "fee_insufficient", 0x100d: "incorrect_cltv_expiry", 0x100e: "expiry_too_soon",
        0x400f: "incorrect_or_unknown_payment_details", 0x0012: "final_incorrect_cltv_expiry",
        0x0013: "final_incorrect_htlc_amount", 0x1014: "channel_disabled", 0x0015: "expiry_too_far",
        0x4016: "invalid_onion_payload", 0x0017: "mpp_timeout", 0xc018: "invalid_onion_blinding",
    ]
}
