/// What the control address understands, for `GET /` and for readers of the code.
enum ControlGuide {
    struct Entry: Sendable {
        var request: String
        var body: String
        var does: String
    }

    static let tampering = """
        payment_hash, payment_secret, total_msat, payload_amount_msat, payload_cltv, outgoing_amount_msat, outgoing_expiry, \
        incoming_amount_msat, incoming_expiry, scid, payload (hex), onion (garbage, wrong_version, wrong_hmac, wrong_key, \
        malformed_payload, unknown_even_type, no_payment_data, short): for the whole payment or inside a part
        """

    static let entries = [
        Entry(request: "GET /", body: "", does: "this guide"),
        Entry(
            request: "GET /state", body: "",
            does: "height, payments, and of each node what it holds, counts, settings and what its clients did wrong"),
        Entry(
            request: "POST /pay",
            body: #"{"payment_request", "parts": [{"node": 0, "amount_msat"}…], "amount_msat"?, "wait": true, "timeout_ms": 30000, …}"#,
            does: """
                pays with real onions and answers {id, status: succeeded|failed|pending, preimage?, parts: [{node, chan_id, \
                htlc_id, state: settled|failed|forwarded|pending, failure?: {code, name, origin: \
                virtual_node|node|unreadable, and the code's data: amount_msat, height, expiry, type, offset}}]}; \
                parts default to node 0, a part without an amount takes what the others leave
                """),
        Entry(request: "POST /pay, done wrong", body: tampering, does: "replaces what an honest payer would send"),
        Entry(request: "GET /payments/{id}", body: "", does: "the same answer, now"),
        Entry(
            request: "POST /foreign", body: #"{"node", "amount_msat": 10000, "wait": true, "timeout_ms": 30000}"#,
            does: "an HTLC between two real channels; its part ends as forwarded when the interceptor resumes it"),
        Entry(
            request: "POST /prepare", body: #"{"payment_requests": […], "split": [0, 1]?}"#,
            does: "builds a payment for each, in equal parts over `split` or over one node in turn; answers {prepared}"),
        Entry(
            request: "POST /fire", body: #"{"count"?, "rate": 0, "in_flight": 256, "timeout_ms": 120000}"#,
            does: """
                sends prepared payments at a rate per second, or with 0 as fast as they are answered; answers {count, succeeded, \
                failed, pending, seconds, per_second, latency_ms: {p50, p90, p99, max}, failures} from first offer to last SETTLE
                """),
        Entry(request: "POST /blocks", body: #"{"count": 1} or {"height"}"#, does: "mines, or reorganises down to a height"),
        Entry(
            request: "POST /onchain", body: #"{"node", "chan_id"?, "htlc_id"?}"#,
            does: "puts an HTLC, or all of the node, on chain: it is offered again and may only be settled"),
        Entry(
            request: "POST /autofail", body: #"{"node", "chan_id"?, "htlc_id"?}"#,
            does: "the node gives a held HTLC up, or all"),
        Entry(
            request: "POST /delay", body: #"{"node"?, "answer_ms"?, "final_ms"?}"#,
            does: "how long an answer takes to reach the peer, and how long after that the HTLC is final"),
        Entry(
            request: "POST /peer", body: #"{"node", "away": true}"#,
            does: "the channel's peer leaves or comes back; answers wait for it, and are lost at expiry"),
        Entry(
            request: "POST /node",
            body: #"""
                {"node"?, "require_htlc_interceptor", "store_final_htlc_resolutions", "wallet_state", "version", "network", \#
                "build_tags", "synced_to_chain", "macaroon_error"}
                """#,
            does: "changes what the node says of itself; macaroon_error is the text that macaroons are refused with, or \"\""),
        Entry(
            request: "POST /fault/drop_stream", body: #"{"node"?, "connection": false}"#,
            does: "ends the interceptor's stream, or with `connection` cuts the whole connection"),
        Entry(
            request: "POST /fault/ghost", body: #"{"node", "ms": 80000}"#,
            does: "cuts the connection while the interceptor's place stays taken"),
        Entry(
            request: "POST /fault/replay", body: #"{"node", "chan_id"?, "htlc_id"?}"#,
            does: "offers an HTLC again, even one that has ended; without a name all that have not"),
        Entry(
            request: "POST /invoice", body: #"{"amount_msat"?, "expiry_seconds": 3600, "count": 1}"#,
            does: "an invoice of somebody outside, for the nodes to pay: {payment_request, payment_hash, payment_requests}"),
        Entry(
            request: "POST /wallet", body: #"{"node"?, "local_msat"?, "remote_msat"?}"#,
            does: "what each node's channels hold and what it has paid, and how many hashes were paid twice; amounts that are given are set first"),
        Entry(
            request: "POST /wallet/plan",
            body: #"{"node"?, "outcome": "succeed", "failure": 2, "fee_msat"?, "ms": 0, "hangs": false, "accident": "none", "down_ms": 200, "count": 1}"#,
            does: """
                how the next payments of a node go: succeed or fail (LND's number of the reason), after so long or never; accident:                 break_before, break_after (the connection), die_before, die_after (the node), exists (it is begun, and answered as a duplicate)
                """),
        Entry(
            request: "POST /wallet/end", body: #"{"node"?, "payment_hash"?, "outcome": "succeed", "failure": 2}"#,
            does: "ends payments that hang"),
        Entry(request: "POST /fault/restart_node", body: #"{"node", "down_ms": 0}"#, does: "stops a node and starts it again"),
        Entry(request: "POST /fault/stop_node", body: #"{"node"}"#, does: "stops it: HTLCs that were held stay"),
        Entry(request: "POST /fault/start_node", body: #"{"node"}"#, does: "starts it again"),
    ]
}
