"""What breaks around the gateway: nodes, streams, the database, another gateway, the chain."""

import signal
import time

import pytest
from client import Paying, api, assert_dense, call, control, create, events, pay, simulated, state, types, until, until_state
from copies import StreamLock
from wire import EventReader

SETTINGS = "cluster:\n  lease: 1s\nhold:\n  accept_timeout: 120s\n"
PARTS = [{"node": 0, "amount_msat": 40_000}, {"node": 1, "amount_msat": 60_000}]


@pytest.fixture(autouse=True)
def whole(system):
    """Whatever a test broke works again for the next one."""
    yield
    system.start_database()
    control(system, "/delay", {"answer_ms": 0, "final_ms": 0})
    for node in (0, 1):
        control(system, "/peer", {"node": node, "away": False})
        if not simulated(system)[node]["running"]:
            control(system, "/fault/start_node", {"node": node})
    if not system.is_running():
        system.start_gateway()
    until(lambda: system.ready().status == 200, what="ready again")
    system.until_connected("alice", "bob")


def decide(system, invoice, what):
    return api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/{what}", {})


def until_decided(system, invoice, what):
    until(lambda: decide(system, invoice, what).status == 200, what=f"{what} of {invoice['payment_hash'][:8]}")


def held(system, parts=PARTS):
    """A hold invoice whose parts are accepted, and who pays it."""
    invoice = create(system, settlement="hold")
    paying = Paying(system, invoice, parts)
    until_state(system, invoice, "accepted")
    return invoice, paying


def assert_settled(system, invoice, paying):
    result = paying.result()
    assert result["status"] == "succeeded", result
    until_state(system, invoice, "settled")
    told = types(events(system, invoice["payment_hash"]))
    assert told.count("invoice.accepted") == told.count("invoice.settle_requested") == told.count("invoice.settled") == 1, told
    assert_dense(system)


# Nodes and their streams


def test_a_node_that_restarts_offers_in_any_order_and_gets_the_same_answers(system):
    waiting = [held(system) for _ in range(6)]
    control(system, "/fault/restart_node", {"node": 1, "down_ms": 300})
    for invoice, _ in waiting:
        until_decided(system, invoice, "settle")
    for invoice, paying in waiting:
        assert_settled(system, invoice, paying)


def test_a_stream_that_is_dropped_between_the_parts_costs_no_part(system):
    invoice = create(system)
    first = Paying(system, invoice, PARTS[:1], total_msat=100_000)
    until(lambda: simulated(system)[0]["held_count"] == 1, what="the first part held")
    control(system, "/fault/drop_stream", {"node": 0})
    second = Paying(system, invoice, PARTS[1:], total_msat=100_000)
    assert first.result()["status"] == second.result()["status"] == "succeeded"
    until_state(system, invoice, "settled")


def test_a_connection_that_is_cut_in_a_settlement_changes_nothing(system):
    invoice, paying = held(system)
    control(system, "/fault/drop_stream", {"node": 0, "connection": True})
    control(system, "/fault/drop_stream", {"node": 1, "connection": True})
    until_decided(system, invoice, "settle")
    assert_settled(system, invoice, paying)


def test_a_place_that_a_ghost_holds_is_waited_for(system):
    invoice, paying = held(system)
    control(system, "/fault/ghost", {"node": 0, "ms": 3000})
    until(lambda: system.node_states()["alice"]["state"] != "connected", what="the loss noticed")
    # The other node goes on meanwhile.
    assert pay(system, create(system), [{"node": 1, "amount_msat": 100_000}])["status"] == "succeeded"
    until_decided(system, invoice, "settle")
    assert_settled(system, invoice, paying)


def test_one_node_pays_while_the_other_is_down(system):
    control(system, "/fault/stop_node", {"node": 0})
    until(lambda: system.node_states()["alice"]["state"] != "connected", what="the loss noticed")
    invoice = create(system)
    assert pay(system, invoice, [{"node": 1, "amount_msat": 100_000}])["status"] == "succeeded"
    until_state(system, invoice, "settled")
    assert system.ready().status == 200
    control(system, "/fault/start_node", {"node": 0})
    system.until_connected("alice")
    told = [(event["type"], event["data"].get("node_name")) for event in events(system) if event["type"].startswith("node.")]
    assert told[-2:] == [("node.disconnected", "alice"), ("node.connected", "alice")]


def test_a_set_whose_node_is_away_is_not_settled_before_it_is_back(system):
    invoice, paying = held(system)
    control(system, "/fault/stop_node", {"node": 1})
    until(lambda: system.node_states()["bob"]["state"] != "connected", what="the loss noticed")
    assert decide(system, invoice, "settle").status == 503
    assert state(system, invoice) == "accepted"
    control(system, "/fault/start_node", {"node": 1})
    until_decided(system, invoice, "settle")
    assert_settled(system, invoice, paying)


# The database


def test_a_database_that_stops_in_a_payment_delays_it_and_fails_nothing(system):
    waiting, paying_waiting = held(system)
    system.stop_database()
    assert decide(system, waiting, "settle").status == 503
    refused = api(system, "POST", "/v1/invoices", {"amount_msat": 1000}, timeout=20)
    assert refused.status == 503 and refused.headers["Retry-After"], refused.body
    ready = system.ready()
    assert ready.status == 503 and ready.json["database"] == "away"
    assert call("GET", system.internal_url + "/health").status == 200
    system.start_database()
    until_decided(system, waiting, "settle")
    assert_settled(system, waiting, paying_waiting)


def test_htlcs_that_come_while_the_database_is_away_are_decided_when_it_is_back(system):
    invoices = [create(system, 100_000 + number) for number in range(4)]
    system.stop_database()
    paying = [Paying(system, invoice, [{"node": 0, "amount_msat": 50_000}, {"node": 1, "amount_msat": invoice["amount_msat"] - 50_000}])
              for invoice in invoices]
    held_count = lambda: sum(node["held_count"] for node in simulated(system))
    until(lambda: held_count() == 8, what="all of them held")
    time.sleep(1.5)
    assert held_count() == 8, "held, not failed"
    system.start_database()
    until(lambda: (answer := system.ready()) and answer.status == 200, what="ready with the database")
    for invoice, each in zip(invoices, paying):
        assert_settled(system, invoice, each)


def test_a_database_that_dies_with_a_commit_under_way_loses_nothing(system):
    invoice = create(system)
    with StreamLock(system) as lock:
        paying = Paying(system, invoice, PARTS)
        lock.until_waiting()
        system.stop_database()
    system.start_database()
    assert_settled(system, invoice, paying)


def paying_unequal(system, invoice):
    """Two parts, of which the first one has hundreds of blocks less than the second."""
    height = call("GET", system.control_url + "/state").json["height"]
    longer = {"incoming_expiry": height + 700, "outgoing_expiry": height + 600, "payload_cltv": height + 600}
    return (Paying(system, invoice, PARTS[:1], total_msat=100_000),
            Paying(system, invoice, PARTS[1:], total_msat=100_000, **longer))


def assert_let_go(system, invoice, parts):
    """Neither part was paid, nobody was told that one would be, and the invoice can be paid by another set."""
    for part in parts:
        assert part.result()["status"] == "failed"
    assert state(system, invoice) == "open"
    assert types(events(system, invoice["payment_hash"])) == ["invoice.created"]
    assert pay(system, invoice, PARTS)["status"] == "succeeded"
    until_state(system, invoice, "settled")
    assert_dense(system)


def test_a_set_of_which_a_node_has_failed_a_part_while_the_database_was_away_is_not_settled(system):
    invoice = create(system)
    system.stop_database()
    parts = paying_unequal(system, invoice)
    until(lambda: sum(node["held_count"] for node in simulated(system)) == 2, what="both parts held")
    control(system, "/blocks", {"count": 200})
    assert parts[0].result()["status"] == "failed", "its node has let it go"
    assert simulated(system)[1]["held_count"] == 1, "nobody knows yet whether it is part of an old settlement"
    system.start_database()
    assert_let_go(system, invoice, parts)


def test_a_set_that_may_have_reached_the_database_is_made_void_before_its_parts_are_failed(system):
    invoice = create(system)
    with StreamLock(system) as lock:
        parts = paying_unequal(system, invoice)
        lock.until_waiting()
        control(system, "/blocks", {"count": 200})
        assert parts[0].result()["status"] == "failed", "its node has let it go"
        lock.abort_commits()
        lock.until_waiting()
        assert simulated(system)[1]["held_count"] == 1
    assert_let_go(system, invoice, parts)
    assert system.sql("SELECT count(*) FROM htlcs WHERE was_failed_back AND payment_hash = '\\x" + invoice["payment_hash"] + "'") == "2"


def test_a_gateway_that_starts_before_its_database_waits_for_it(system):
    system.end("leyden")
    system.stop_database()
    system.spawn_gateway()
    until(lambda: system.ready() is not None, what="listening without a database")
    assert system.ready().status == 503
    assert api(system, "GET", "/v1/info").status == 503
    system.start_database()
    until(lambda: system.ready().status == 200, what="ready with the database")
    system.until_connected("alice", "bob")
    assert pay(system, create(system), PARTS)["status"] == "succeeded"


# Two gateways


def test_the_second_gateway_takes_over_when_the_first_is_killed(system):
    base_url, internal_url = system.start_second()
    try:
        until(lambda: (answer := system.ready(internal_url)) and answer.status == 200, what="the standby ready")
        assert system.ready(internal_url).json["leader"] == "other"
        invoice, paying = held(system)
        system.kill()
        until(lambda: system.ready(internal_url).json["leader"] == "this", 20, "the take-over")
        settle = lambda: call("POST", f"{base_url}/v1/invoices/{invoice['payment_hash']}/settle", {}, key=system.api_key).status == 200
        until(settle, what="settling at the second gateway")
        assert paying.result()["status"] == "succeeded"
        wait = call("GET", f"{base_url}/v1/invoices/{invoice['payment_hash']}/wait?timeout=15", key=system.api_key)
        assert wait.status == 200, wait.body
    finally:
        system.end("second")


def test_a_standby_reads_the_log_as_it_grows(system):
    base_url, internal_url = system.start_second()
    try:
        until(lambda: (answer := system.ready(internal_url)) and answer.status == 200, what="the standby ready")
        invoice = create(system)
        paying = Paying(system, invoice, PARTS)
        began = time.monotonic()
        wait = call("GET", f"{base_url}/v1/invoices/{invoice['payment_hash']}/wait?timeout=60", key=system.api_key)
        assert wait.status == 200 and time.monotonic() - began < 20, "it answers when it happens, not when its time is over"
        paying.result()
        # What the standby writes reaches the readers of the leader as well.
        head = events(system)[-1]["offset"]
        reader = EventReader(system, f"/v1/events?after={head}", {"Authorization": f"Bearer {system.api_key}"})
        made = call("POST", base_url + "/v1/invoices", {"amount_msat": 1000}, key=system.api_key)
        assert made.status == 201, made.body
        assert reader.take(1)[0][2]["data"]["payment_hash"] == made.json["payment_hash"]
        reader.close()
    finally:
        system.end("second")


def test_a_leader_that_slept_through_its_lease_commits_nothing(system):
    invoice, paying = held(system)
    base_url, internal_url = system.start_second()
    try:
        system.send("leyden", signal.SIGSTOP)
        until(lambda: (answer := system.ready(internal_url)) and answer.json["leader"] == "this", what="the take-over")
        # The nodes notice by themselves that nobody answers any more; here it goes faster.
        control(system, "/fault/drop_stream", {"connection": True})
        connected = lambda: all(node["state"] == "connected" for node in system.ready(internal_url).json["nodes"])
        until(connected, 30, "the nodes with the second gateway")
        term = system.sql("SELECT term FROM stream")
        system.send("leyden", signal.SIGCONT)
        # It still believes that it leads. Once it does not any more, it asks the one that does.
        # What is decided already is answered from the store, so only the first yes says who gave it.
        if any(decide(system, invoice, "settle").status == 200 for _ in range(3)):
            done = system.sql(f"SELECT count(*) FROM leader_requests WHERE answer = 'done' AND term = {term}")
            assert done != "0", "a deposed leader has settled what another one holds"
        until(lambda: system.ready().json["leader"] == "other", what="giving way")
        assert system.sql("SELECT term FROM stream") == term
        settle = lambda: call("POST", f"{base_url}/v1/invoices/{invoice['payment_hash']}/settle", {}, key=system.api_key).status == 200
        until(settle, what="settling at the second gateway")
        assert_settled(system, invoice, paying)
    finally:
        system.send("leyden", signal.SIGCONT)
        system.end("second")


def test_a_leader_that_is_told_to_stop_hands_over_at_once(system):
    _, internal_url = system.start_second()
    try:
        until(lambda: (answer := system.ready(internal_url)) and answer.status == 200, what="the standby ready")
        system.end("leyden")
        until(lambda: system.ready(internal_url).json["leader"] == "this", 20, "the take-over")
    finally:
        system.end("second")


# The chain


def test_a_set_is_let_go_before_the_nodes_do_it_and_never_settled_after(system):
    invoice, paying = held(system)
    left = min(event["data"]["blocks_left"] for event in events(system, invoice["payment_hash"]) if event["type"] == "htlc.accepted")
    auto_failed = [node["auto_failed"] for node in simulated(system)]
    control(system, "/blocks", {"count": left - 1})
    result = paying.result()
    assert result["status"] == "failed" and [node["auto_failed"] for node in simulated(system)] == auto_failed
    until_state(system, invoice, "open")
    assert decide(system, invoice, "settle").status == 409
    told = types(events(system, invoice["payment_hash"]))
    assert told[-1] == "invoice.released" and "invoice.settle_requested" not in told
    # It can be paid again.
    again = Paying(system, invoice, PARTS)
    until_state(system, invoice, "accepted")
    until_decided(system, invoice, "settle")
    assert again.result()["status"] == "succeeded"


def test_a_chain_that_goes_back_changes_no_decision(system):
    invoice, paying = held(system)
    height = call("GET", system.control_url + "/state").json["height"]
    control(system, "/blocks", {"height": height - 3})
    control(system, "/blocks", {"height": height + 1})
    until_decided(system, invoice, "settle")
    assert_settled(system, invoice, paying)


def test_what_goes_on_chain_undecided_is_answered_with_silence(system):
    invoice, paying = held(system, PARTS[:1] + [{"node": 0, "amount_msat": 60_000}])
    violations = simulated(system)[0]["violations"]
    control(system, "/onchain", {"node": 0})
    until_state(system, invoice, "open")
    assert decide(system, invoice, "settle").status == 409
    time.sleep(0.5)
    node = simulated(system)[0]
    assert node["violations"] == violations and "htlc.settled" not in types(events(system, invoice["payment_hash"]))
    control(system, "/blocks", {"count": 300})
    assert paying.result()["status"] == "failed", "its time ran out on chain"
    assert simulated(system)[0]["violations"] == violations


def test_what_goes_on_chain_after_the_decision_is_settled_there(system):
    control(system, "/peer", {"node": 0, "away": True})
    invoice = create(system)
    paying = Paying(system, invoice)
    until_state(system, invoice, "settle_requested")
    control(system, "/onchain", {"node": 0})
    assert_settled(system, invoice, paying)


def test_a_part_that_the_node_gives_up_takes_the_others_with_it(system):
    invoice, paying = held(system)
    control(system, "/autofail", {"node": 0})
    assert paying.result()["status"] == "failed"
    until_state(system, invoice, "open")
    assert "invoice.settle_requested" not in types(events(system, invoice["payment_hash"]))


def test_a_decided_payment_that_the_chain_took_back_is_failed_and_never_paid(system):
    control(system, "/peer", {"node": 0, "away": True})
    invoice = create(system)
    paying = Paying(system, invoice)
    until_state(system, invoice, "settle_requested")
    control(system, "/blocks", {"count": 300})
    assert paying.result()["status"] == "failed"
    until_state(system, invoice, "failed")
    told = types(events(system, invoice["payment_hash"]))
    assert told[-1] == "invoice.failed" and "invoice.settled" not in told
    assert api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}/wait").status == 410


# Nodes that are not what they should be


def refused(system, reason):
    """Alice is refused for that reason and with a remedy, and Bob takes payments."""
    named = lambda node: node["state"] != "connected" and node["remedy"] and reason in (node["reason"] + " " + node["remedy"]).lower()
    until(lambda: (node := system.node_states().get("alice")) and named(node), 20, f"refused with {reason}")
    assert system.ready().status == 200
    system.until_connected("bob")
    assert pay(system, create(system), [{"node": 1, "amount_msat": 100_000}])["status"] == "succeeded"


@pytest.mark.parametrize(
    "change, usual, reason",
    [
        ({"require_htlc_interceptor": False}, {"require_htlc_interceptor": True}, "requireinterceptor"),
        ({"store_final_htlc_resolutions": False}, {"store_final_htlc_resolutions": True}, "store-final-htlc-resolutions"),
        ({"network": "mainnet"}, {"network": "regtest"}, "network"),
        ({"version": "0.14.0-beta"}, {"version": "0.21.2-beta commit=v0.21.2-beta"}, "too old"),
        ({"macaroon_error": "verification failed: signature mismatch"}, {"macaroon_error": ""}, "macaroon"),
    ],
)
def test_a_node_that_cannot_be_used_is_refused_with_its_reason(system, change, usual, reason):
    system.end("leyden")
    control(system, "/node", {"node": 0, **change})
    try:
        system.spawn_gateway()
        until(lambda: (answer := system.ready()) and answer.status == 200, what="ready with the other node")
        refused(system, reason)
    finally:
        control(system, "/node", {"node": 0, **usual})
    # And used again, by itself, when it can be.
    system.until_connected("alice")


@pytest.mark.parametrize("setting, reason", [("pubkey", "pubkey"), ("macaroon_file", "macaroon"), ("tls_cert", "certificate")])
def test_a_node_that_is_not_the_one_configured_is_refused(system, setting, reason):
    text = system.configuration.read_text()
    first = text.split("  - name: ")[1]
    value = next(line for line in first.splitlines() if line.strip().startswith(setting + ":"))
    if setting == "pubkey":
        wrong = "    pubkey: '02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'"
    elif setting == "macaroon_file":
        other = system.directory / "other.macaroon"
        other.write_bytes((system.directory / "lnsim" / "1" / "gateway.macaroon").read_bytes())
        other.chmod(0o600)
        wrong = f"    macaroon_file: {other}"
    else:
        wrong = f"    tls_cert: {system.directory / 'lnsim' / '1' / 'tls.cert'}"
    system.end("leyden")
    system.configuration.write_text(text.replace(value, wrong, 1))
    try:
        system.spawn_gateway()
        until(lambda: (answer := system.ready()) and answer.status == 200, what="ready with the other node")
        refused(system, reason)
    finally:
        system.end("leyden")
        system.configuration.write_text(text)
        system.start_gateway()
