"""Accounts, keys, limits and Idempotency-Key on running processes: over REST, WebSocket and event streams, by the command line and over
restarts and several processes."""

import concurrent.futures
import json
import signal
import subprocess

import pytest
from client import api, call, create, pay, until
from instance import environment
from session import Socket
from websocket import WebSocketClosed
from wire import EventReader


def keys(system, *arguments):
    return system.command_json("keys", *arguments)


def start_second(system):
    """The address of another process of the same gateway."""
    base_url, internal_url = system.start_second()
    until(lambda: (answer := system.ready(internal_url)) and answer.status == 200, what="a second process")
    return base_url


def test_a_shop_of_its_own(system):
    account = api(system, "POST", "/v1/accounts", {"name": "Tea"}).json["id"]
    shop = keys(system, "create", "--account", str(account), "--name", "till", "--scope", "invoices:write", "--scope", "invoices:read", "--scope", "events:read", "--expires-in", "1d")
    assert shop["account"] == account and shop["expires_at"]
    for body in ({"amount_msat": 5_000}, {"amount_msat": 7_000, "stateless": True}):
        invoice = api(system, "POST", "/v1/invoices", body, key=shop["key"]).json
        assert pay(system, invoice)["status"] == "succeeded"
        theirs = api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}", key=shop["key"])
        assert theirs.status == 200 and theirs.json["received_msat"] == body["amount_msat"], "a stateless invoice too is the account's that made it"
        assert api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").status == 404

    def kinds():
        return [each["type"] for each in api(system, "GET", "/v1/events", key=shop["key"]).json["events"]]

    until(lambda: kinds().count("invoice.settled") == 2, what="both settlements in the log")
    assert kinds().count("invoice.created") == 1
    listed = {each["id"]: each for each in keys(system, "list", "--account", str(account))["keys"]}
    assert set(listed) == {shop["id"]}
    until(lambda: keys(system, "list", "--account", str(account))["keys"][0]["last_used_at"], what="the last use")


@pytest.mark.parametrize("ending, code, status", [("revoked", 3500, "unauthorized"), ("expired", 3005, "key_expired"), ("rotated", 3005, "key_expired")])
def test_who_is_connected_is_let_go(system, ending, code, status):
    made = keys(system, "create", "--scope", "events:read", *(["--expires-in", "15s"] if ending == "expired" else []))
    socket = Socket(system, made["key"])
    assert "connect" in socket.connected
    assert "subscribe" in socket.ask(subscribe={"channel": "events"})
    stream = EventReader(system, "/v1/events", {"Authorization": f"Bearer {made['key']}"}, timeout=60)
    if ending == "revoked":
        assert keys(system, "revoke", made["id"])["revoked_at"]
    if ending == "rotated":
        other = keys(system, "rotate", made["id"], "--overlap", "1s")["key"]
        assert api(system, "GET", "/v1/events?limit=1", key=other).status == 200
    assert socket.until_closed(60) == code
    while stream.answer.readline():
        pass
    assert api(system, "GET", "/v1/events?limit=1", key=made["key"]).json["code"] == status
    if ending == "revoked":
        with pytest.raises(WebSocketClosed, match="closed with 3500"):
            Socket(system, made["key"])
    else:
        assert Socket(system, made["key"]).connected["error"]["code"] == 109


def test_the_same_request_at_every_process_is_carried_out_once(system):
    second = start_second(system)
    for number in range(5):
        ask = lambda url: call("POST", url + "/v1/invoices", {"amount_msat": 1000 + number}, key=system.api_key, headers={"Idempotency-Key": f"order {number}"})
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(ask, [system.base_url, second] * 6))
        assert {each.status for each in answers} <= {201, 409}
        made = {each.body for each in answers if each.status == 201}
        assert len(made) == 1
        assert ask(second).body == ask(system.base_url).body == made.pop()
    assert system.sql("SELECT count(*) FROM invoices WHERE amount_msat BETWEEN 1000 AND 1004") == "5"
    system.end("second")


def test_a_process_killed_in_between_makes_no_second_invoice(system):
    headers = {"Idempotency-Key": "killed"}
    ask = lambda: call("POST", system.base_url + "/v1/invoices", {"amount_msat": 4242}, key=system.api_key, headers=headers)
    # The invoice is made, and its answer cannot be stored.
    system.sql("CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.answer IS NOT NULL THEN PERFORM pg_sleep(20); END IF; RETURN NEW; END $$;"
               "CREATE TRIGGER stall BEFORE UPDATE ON claims FOR EACH ROW EXECUTE FUNCTION stall()")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        until(lambda: system.sql("SELECT count(*) FROM invoices WHERE amount_msat = 4242") == "1", what="the invoice")
        system.kill()
        assert asked.exception() is not None, "nobody was answered"
    stalled = "FROM pg_stat_activity WHERE query LIKE 'UPDATE claims%' AND state = 'active'"
    system.sql("SELECT pg_terminate_backend(pid) " + stalled)
    until(lambda: system.sql("SELECT count(*) " + stalled) == "0", what="the end of the statement")
    system.sql("DROP TRIGGER stall ON claims; UPDATE claims SET status = NULL, answer = NULL, claimed_until = now() + interval '60 seconds' WHERE key = 'killed'")
    system.start_gateway()
    assert ask().status == 409, "it may still be at it"
    system.sql("UPDATE claims SET claimed_until = now() WHERE key = 'killed'")
    first = ask()
    assert first.status == 201 and ask().body == first.body
    assert system.sql("SELECT count(*) FROM invoices WHERE amount_msat = 4242") == "1"
    assert pay(system, first.json)["status"] == "succeeded"


def test_a_process_that_stood_still_does_not_do_what_its_successor_has_done(system):
    second = start_second(system)
    key = keys(system, "create", "--scope", "invoices:read")
    path = f"/v1/keys/{key['id']}/rotate"
    rotate = lambda url, name: call("POST", url + path, {"overlap_seconds": 60}, key=system.api_key, headers={"Idempotency-Key": name}, timeout=120)
    # The claim is made, and the process stops before it hears of that.
    system.sql("CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.key = 'stood still' THEN PERFORM pg_sleep(3); END IF; RETURN NEW; END $$;"
               "CREATE TRIGGER dawdle BEFORE INSERT ON claims FOR EACH ROW EXECUTE FUNCTION dawdle()")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(rotate, second, "stood still")
        until(lambda: system.sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'") == "1", what="the claim under way")
        system.send("second", signal.SIGSTOP)
        try:
            until(lambda: system.sql("SELECT count(*) FROM claims WHERE key = 'stood still'") == "1", what="the claim")
            system.sql("DROP TRIGGER dawdle ON claims; UPDATE claims SET claimed_until = now() WHERE key = 'stood still'")
            done = rotate(system.base_url, "stood still")
            assert done.status == 200
            newest = rotate(system.base_url, "another one").json["key"]
        finally:
            system.send("second", signal.SIGCONT)
        late = asked.result()
    assert late.status == 503 or late.status == 409, (late.status, late.body)
    assert rotate(second, "stood still").body == rotate(system.base_url, "stood still").body == done.body
    assert system.sql(f"SELECT generation FROM api_keys WHERE id = '{key['id']}'") == "3", "rotated twice, as it was asked for"
    assert api(system, "GET", "/v1/invoices", key=newest).status == 200
    system.end("second")


def test_open_invoices_are_counted_over_restarts_and_processes(system):
    made = keys(system, "create", "--scope", "invoices:write", "--scope", "invoices:settle", "--scope", "invoices:read", "--open-invoices", "3")
    new = lambda url=system.base_url: call("POST", url + "/v1/invoices", {"amount_msat": 1000}, key=made["key"])
    first = new().json
    second = start_second(system)
    assert [new(second).status, new().status, new(second).status] == [201, 201, 429]
    system.end("second")
    system.kill()
    system.start_gateway()
    assert new().status == 429
    assert pay(system, first)["status"] == "succeeded"
    until(lambda: new().status == 201, 20, "room for another")
    assert new().status == 429


def test_the_audit_log_names_who_did_what(system):
    made = keys(system, "create", "--scope", "invoices:settle", "--scope", "invoices:read")
    invoice = create(system)
    assert api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {}, key=made["key"]).status == 409
    socket = Socket(system, made["key"])
    assert "rpc" in socket.ask(rpc={"method": "invoice.cancel", "data": {"payment_hash": invoice["payment_hash"]}})
    socket.close()
    entries = [each for each in api(system, "GET", "/v1/audit").json["entries"] if each["key_id"] == made["id"]]
    assert [(each["transport"], each["status"]) for each in entries] == [("websocket", 200), ("http", 409)]
    assert entries[0]["target"] == invoice["payment_hash"] and invoice["payment_hash"] in entries[1]["path"]
    assert system.api_key[21:] not in json.dumps(api(system, "GET", "/v1/audit?limit=500").json)


def test_no_secret_of_a_key_lies_in_the_database(system):
    made = api(system, "POST", "/v1/keys", {"scopes": ["admin"]}, headers={"Idempotency-Key": "secret"}).json["key"]
    rotated = api(system, "POST", f"/v1/keys/{made[4:20]}/rotate", {"overlap_seconds": 60}, headers={"Idempotency-Key": "rotated"}).json["key"]
    whole = subprocess.run(["/usr/lib/postgresql/15/bin/pg_dump", system.dsn, "--inserts"], env=environment(), capture_output=True, text=True, check=True).stdout
    for key in (made, rotated, system.api_key):
        secret = key[21:]
        assert secret not in whole and secret.encode().hex() not in whole
