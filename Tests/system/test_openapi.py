"""What REST answers is what public/openapi.yaml says, and all that it says is answered."""

import concurrent.futures
import json
import subprocess

import pytest
from client import Paying, call, control, create, pay, until, until_state
from coincurve import PrivateKey
from documents import Rest
from instance import environment
from receiver import Receiver
from wire import EventReader

# A few streams fill them. Every key is limited, so that its answers have to say so.
SETTINGS = """edge: {streams_per_key: 4, streams_per_watch_token: 2}
webhooks: {allow_private: true}
limits: {requests_per_second: 100000}
"""
NOBODY = "ley_" + "0" * 16 + "_" + "0" * 64
NEVER = "0" * 64
NO_WEBHOOK = "we_" + "0" * 16


@pytest.fixture(scope="module")
def rest():
    return Rest()


@pytest.fixture(scope="module")
def ask(system, rest):
    """Asks, and looks the answer up in the document."""
    def ask(method, template, body=None, key=system.api_key, query="", headers=None, **parameters):
        path = template.format(**parameters)
        answer = call(method, system.base_url + path + query, body, key=key, headers=headers)
        rest.check(method, path, template, answer.status, answer.headers, answer.body)
        assert key is None or answer.status >= 300 or answer.headers["RateLimit-Limit"], f"{method} {path} does not tell what is left"
        return answer

    return ask


def test_invoices(system, ask):
    assert ask("POST", "/v1/invoices", {}).status == 201
    fields = {"amount_msat": 21_000, "description": "Coffee", "expiry_seconds": 600, "settlement": "hold", "metadata": {"order": [1, {"a": None}], "till": 7}, "order_id": "A 7"}
    made = ask("POST", "/v1/invoices", fields).json
    assert made["metadata"] == fields["metadata"]
    assert ask("POST", "/v1/invoices", {"description_hash": "11" * 32, "stateless": True}).status == 201
    assert ask("POST", "/v1/invoices", b"{").status == 400
    assert ask("POST", "/v1/invoices", {"amount": 1}).json["field"] == "amount"
    page = ask("GET", "/v1/invoices", query="?limit=1").json
    assert page["next"] is not None
    assert ask("GET", "/v1/invoices", query=f"?limit=500&state=open&after={page['next']}").status == 200
    assert ask("GET", "/v1/invoices", query="?state=burnt").status == 400
    times = "created_after=2026-01-01T00:00:00Z&created_before=2100-01-01T00:00:00%2B01:00"
    found = ask("GET", "/v1/invoices", query=f"?order_id=A%207&metadata.till=7&{times}").json["invoices"]
    assert [each["payment_hash"] for each in found] == [made["payment_hash"]] and found[0]["order_id"] == "A 7"
    assert ask("GET", "/v1/invoices", query="?colour=red").json["code"] == "unknown_parameter"
    one = "/v1/invoices/{payment_hash}"
    hash_ = made["payment_hash"]
    assert ask("GET", one, payment_hash=hash_).status == 200
    assert ask("GET", one, payment_hash=NEVER).status == 404
    assert ask("GET", one + "/wait", query="?timeout=0", payment_hash=hash_).status == 402
    assert ask("GET", one + "/wait", query="?timeout=x", payment_hash=hash_).status == 400
    assert ask("GET", one + "/wait", payment_hash=NEVER).status == 404
    assert ask("POST", one + "/settle", {}, payment_hash=hash_).status == 409
    paying = Paying(system, made)
    until_state(system, made, "accepted")
    assert ask("GET", one, payment_hash=hash_).json["set_id"]
    assert ask("POST", one + "/settle", {}, payment_hash=hash_).status == 200
    assert paying.result()["status"] == "succeeded"
    assert ask("GET", one + "/wait", payment_hash=hash_).status == 200
    assert ask("GET", one, payment_hash=hash_).json["preimage"]
    assert ask("POST", one + "/cancel", {}, payment_hash=hash_).status == 409
    other = create(system)["payment_hash"]
    assert ask("POST", one + "/cancel", {}, payment_hash=other).status == 200
    assert ask("GET", one + "/wait", payment_hash=other).status == 410
    for decision in ("/settle", "/cancel"):
        assert ask("POST", one + decision, b"{", payment_hash=other).status == 400
        assert ask("POST", one + decision, {"set_id": 7}, payment_hash=other).status == 422
        assert ask("POST", one + decision, {}, payment_hash=NEVER).status == 404


def test_the_books(system, ask):
    invoice = create(system, 1000, order_id="=1+1")
    part = {"node": 0, "amount_msat": 1500, "incoming_amount_msat": 1507}
    assert pay(system, invoice, [part], total_msat=1500)["status"] == "succeeded"
    until_state(system, invoice, "settled")
    assert ask("GET", "/v1/invoices/{payment_hash}", payment_hash=invoice["payment_hash"]).json["overpaid_msat"] == 500
    page = ask("GET", "/v1/export", query="?limit=1").json
    assert page["next"] is None or ask("GET", "/v1/export", query=f"?after={page['next']}").status == 200
    lines = [line for line in ask("GET", "/v1/export").json["lines"] if line["payment_hash"] == invoice["payment_hash"]]
    assert [(line["type"], line["amount_msat"]) for line in lines] == [("payment", 1500), ("fee", 7)]
    assert b",'=1+1," in ask("GET", "/v1/export", query="?format=csv").body
    until(lambda: ask("GET", "/v1/export", query="?format=csv&limit=1").headers["Link"], what="a second page of the books")
    assert ask("GET", "/v1/export", query="?until=x").status == 400


def test_what_is_paid_in_vain_is_told(system, ask):
    poor, late = create(system, 1000), create(system, 1000, expiry_seconds=1)
    assert pay(system, poor, [{"node": 0, "amount_msat": 999}], total_msat=999)["status"] == "failed"
    until_state(system, late, "expired")
    assert pay(system, late)["status"] == "failed"

    def told():
        events = ask("GET", "/v1/events", query="?type=htlc.failed&limit=1000").json["events"]
        return {event["data"]["payment_hash"]: event["data"]["reason"] for event in events if "set_id" not in event["data"]}

    until(lambda: {poor["payment_hash"], late["payment_hash"]} <= told().keys(), what="both refusals in the log")
    assert told()[poor["payment_hash"]] == "underpaid" and told()[late["payment_hash"]] == "late"


def test_a_path_that_cannot_be_read(ask):
    for template in ("/v1/invoices/{payment_hash}", "/v1/watch/{watch_token}/qr.svg"):
        assert ask("GET", template, payment_hash="%01", watch_token="%01").status == 400
    for what in ("drain", "resume"):
        assert ask("POST", "/v1/nodes/{pubkey}/" + what, {}, pubkey="%01").status == 400
    assert ask("DELETE", "/v1/keys/{id}", id="%01").status == 400
    assert ask("GET", "/v1/webhooks/{webhook_id}", webhook_id="%01").status == 400
    assert ask("DELETE", "/v1/webhooks/{webhook_id}", webhook_id="%01").status == 400
    for method in ("GET", "DELETE"):
        assert ask(method, "/v1/lnurl/pay-links/{pay_link_id}", pay_link_id="%01").status == 400
        assert ask(method, "/v1/lnurl/addresses/{name}", name="%01").status == 400
    for template in ("/.well-known/lnurlp/{name}", "/lnurl/verify/{token}", *("/lnurl/pay/{pay_link_id}" + rest for rest in ("", "/callback", "/qr.svg", "/qr.png"))):
        assert ask("GET", template, key=None, name="%01", token="%01", pay_link_id="%01").status == 400


def test_limits(system, ask):
    invoice = create(system)
    hash_, token = invoice["payment_hash"], invoice["watch_token"]
    key = system.key("admin")["key"]
    readers = [EventReader(system, "/v1/events", {"Authorization": f"Bearer {key}"}) for _ in range(4)]
    readers += [EventReader(system, f"/v1/watch/{token}") for _ in range(2)]
    assert ask("GET", "/v1/events", key=key, headers={"Accept": "text/event-stream"}).json["code"] == "too_many_streams"
    assert ask("GET", "/v1/invoices/{payment_hash}/wait", key=key, payment_hash=hash_).status == 429
    assert ask("GET", "/v1/watch/{watch_token}", key=None, headers={"Accept": "text/event-stream"}, watch_token=token).status == 429
    for reader in readers:
        reader.close()
    assert ask("GET", "/v1/watch/{watch_token}", key=None, query="?after=x", headers={"Accept": "text/event-stream"}, watch_token=token).status == 400
    assert ask("GET", "/v1/events", query="?after=999999999").json["code"] == "beyond_head"
    first = system.sql("SELECT first FROM stream")
    system.sql("UPDATE stream SET first = 5")
    assert ask("GET", "/v1/events", query="?after=1").json["code"] == "offset_gone"
    system.sql(f"UPDATE stream SET first = {first}")
    assert ask("GET", "/v1/events", query="?wait=0&after=" + system.sql("SELECT head FROM stream")).json["next"] is not None


def test_what_an_account_and_the_gateway_are_full_of(system, ask):
    account = ask("POST", "/v1/accounts", {"name": "full"}).json["id"]
    system.sql("INSERT INTO api_keys (id, name, hash, scopes, account, created_at)"
               f" SELECT lpad(to_hex(n), 16, '0'), '', int8send(n), '{{}}', {account}, now() FROM generate_series(1, 1000) n")
    refused = ask("POST", "/v1/keys", {"scopes": ["admin"], "account": account})
    assert refused.status == 409 and refused.json["code"] == "too_many_keys" and refused.json["limit"] == "keys"
    system.sql(f"DELETE FROM api_keys WHERE account = {account}; ALTER TABLE accounts ALTER COLUMN id RESTART WITH 4294967295")
    assert [ask("POST", "/v1/accounts", {"name": name}).status for name in ("last", "beyond")] == [201, 409]
    system.sql("ALTER TABLE accounts ALTER COLUMN id RESTART WITH 100000")


def test_events_and_watching(system, ask, rest):
    invoice = create(system)
    assert pay(system, invoice)["status"] == "succeeded"
    # Nothing more happens while the test waits for nothing.
    until_state(system, invoice, "settled")
    page = ask("GET", "/v1/events", query="?limit=3").json
    assert len(page["events"]) == 3 and page["next"] == page["events"][-1]["offset"]
    assert ask("GET", "/v1/events", query=f"?limit=1000&after={page['next']}&type=invoice.*").status == 200
    assert ask("GET", "/v1/events", query="?after=x").status == 400
    watch = "/v1/watch/{watch_token}"
    assert ask("GET", watch, key=None, watch_token=invoice["watch_token"]).status == 200
    assert ask("GET", watch + "/qr.svg", key=None, watch_token=invoice["watch_token"]).status == 200
    for path in (watch, watch + "/qr.svg"):
        assert ask("GET", path, key=None, watch_token="nothing").status == 404
    waiting = create(system)
    for query, status in (("?wait=1&state=open", 200), ("?wait=x", 400), ("?state=burnt", 400)):
        assert ask("GET", watch, key=None, query=query, watch_token=waiting["watch_token"]).status == status
    epoch = ask("GET", "/v1/info").json["epoch"]
    answer = ask("GET", "/v1/events", query=f"?epoch={epoch}")
    assert answer.status == 200 and answer.headers["Leyden-Epoch"] == epoch
    assert ask("GET", "/v1/events", query="?epoch=another").json["code"] == "epoch_changed"
    assert ask("GET", "/v1/events", query="?after=1000000").json["code"] == "beyond_head"
    head = ask("GET", "/v1/info").json["head"]
    for template, key, query, most in (("/v1/events", system.api_key, f"?wait=60&after={head}", 4), (watch, None, "?wait=60", 2)):
        busy = [EventReader(system, template.format(**waiting), {"Authorization": f"Bearer {key}"} if key else None) for _ in range(most)]
        assert ask("GET", template, key=key, query=query, watch_token=waiting["watch_token"]).status == 429
        for each in busy:
            each.close()
    for template, headers in (("/v1/events", {"Authorization": f"Bearer {system.api_key}"}), (watch, None)):
        reader = EventReader(system, template.format(**invoice), headers)
        rest.check("GET", template, template, reader.answer.status, reader.answer.headers, b"")
        reader.close()


def test_nodes(ask):
    node = ask("GET", "/v1/nodes").json["nodes"][0]["pubkey"]
    assert ask("GET", "/v1/info").json["epoch"]
    for what in ("drain", "resume"):
        assert ask("POST", "/v1/nodes/{pubkey}/" + what, {}, pubkey=node).status == 200
        assert ask("POST", "/v1/nodes/{pubkey}/" + what, {}, pubkey="02" + "11" * 32).status == 404


def test_accounts_and_keys(system, ask):
    account = ask("POST", "/v1/accounts", {"name": "Tea"}).json["id"]
    assert ask("POST", "/v1/accounts", {}).status == 422
    assert ask("POST", "/v1/accounts", b"[").status == 400
    assert account in [each["id"] for each in ask("GET", "/v1/accounts", query="?limit=500").json["accounts"]]
    body = {"name": "till", "scopes": ["invoices:write"], "account": account, "expires_in_seconds": 3600, "limits": {"open_invoices": 1}}
    made = ask("POST", "/v1/keys", body).json
    assert ask("POST", "/v1/keys", {"scopes": ["root"]}).status == 422
    assert ask("POST", "/v1/keys", b"{").status == 400
    assert ask("POST", "/v1/invoices", {}, key=made["key"]).status == 201
    refused = ask("POST", "/v1/invoices", {}, key=made["key"])
    assert refused.json["code"] == "too_many_open_invoices" and refused.headers["Retry-After"]
    assert made["id"] in [each["id"] for each in ask("GET", "/v1/keys", query=f"?limit=500&account={account}").json["keys"]]
    one = "/v1/keys/{id}"
    assert ask("POST", one + "/rotate", {"overlap_seconds": 5}, id=made["id"]).json["key"] != made["key"]
    assert ask("POST", one + "/rotate", {"overlap_seconds": -1}, id=made["id"]).status == 422
    assert ask("POST", one + "/rotate", b"{", id=made["id"]).status == 400
    assert ask("DELETE", one, id=made["id"]).json["revoked_at"]
    for method, path in (("DELETE", one), ("POST", one + "/rotate")):
        assert ask(method, path, id="0" * 16).status == 404
    assert ask("DELETE", one, key=None, id=made["id"]).status == 401
    assert ask("DELETE", one, key=system.key("nodes:write")["key"], id=made["id"]).status == 403
    entries = ask("GET", "/v1/audit", query="?limit=500").json["entries"]
    assert {"POST", "DELETE"} <= {each["method"] for each in entries}
    for path, query in (("/v1/accounts", "?after=x"), ("/v1/keys", "?after=x"), ("/v1/keys", "?account=0"), ("/v1/audit", "?after=x"), ("/v1/audit", "?limit=0")):
        assert ask("GET", path, query=query).status == 400


def test_webhooks(system, ask):
    with Receiver() as receiver:
        made = ask("POST", "/v1/webhooks", {"url": receiver.url, "events": ["invoice.created"], "signatures": ["v1", "v1a"]}).json
        hook = {"webhook_id": made["id"]}
        ask("POST", "/v1/webhooks", {"url": receiver.url, "events": ["*"], "description": None, "signatures": None, "concurrency": None})
        assert ask("GET", "/v1/webhooks", query="?limit=1").json["next"]
        assert ask("GET", "/v1/webhooks", query="?limit=0").status == 400
        assert ask("POST", "/v1/webhooks", b"{").status == 400
        assert ask("POST", "/v1/webhooks", {"url": "x", "events": ["*"]}).status == 422
        one = "/v1/webhooks/{webhook_id}"
        create(system)
        until(lambda: ask("GET", one + "/deliveries", **hook).json["deliveries"], what="a delivery")
        row = ask("GET", one + "/deliveries", query="?limit=1&state=delivered", **hook).json["deliveries"][0]
        assert ask("GET", one + "/deliveries", query="?state=lost", **hook).status == 400
        assert ask("GET", one, **hook).json["cursor"] >= row["offset"]
        assert ask("POST", one + "/redeliver", {"delivery_id": row["id"]}, **hook).status == 202
        assert ask("POST", one + "/redeliver", {"after": 0, "until": row["offset"]}, **hook).json["queued"] >= 1
        assert ask("POST", one + "/test", {"type": "htlc.settled"}, **hook).json["delivered"]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            at_once = lambda: [answer.status for answer in pool.map(lambda _: ask("POST", one + "/test", {}, **hook), range(16))]
            until(lambda: 429 in at_once(), what="one sample too many")
        assert ask("POST", one + "/rotate-secret", {"overlap_seconds": 60}, **hook).json["secret"] != made["secret"]
        changed = ask("PATCH", one, {"description": "mine", "concurrency": 4, "enabled": False, "events": ["htlc.*"], "url": None}, **hook).json
        assert (changed["status"], changed["disabled_reason"]) == ("disabled", "owner")
        assert ask("POST", one + "/redeliver", {"after": 0, "until": 1}, **hook).status == 409
        wrong = {"": ("PATCH", {"events": []}), "/redeliver": ("POST", {"after": 1}), "/test": ("POST", {"type": "a"}), "/rotate-secret": ("POST", {"overlap_seconds": -1})}
        for rest, (method, body) in wrong.items():
            assert ask(method, one + rest, b"{", **hook).status == 400
            assert ask(method, one + rest, body, **hook).status == 422
            good = {"delivery_id": row["id"]} if rest == "/redeliver" else {}
            assert ask(method, one + rest, good, webhook_id=NO_WEBHOOK).status == 404
        for method, rest in (("GET", ""), ("GET", "/deliveries"), ("DELETE", "")):
            assert ask(method, one + rest, webhook_id=NO_WEBHOOK).status == 404
        assert ask("DELETE", one, **hook).json["deleted"]
    system.sql(
        "INSERT INTO webhook_endpoints (id, account, url, events, description, signatures, concurrency, created_at, version, cursor, disabled_reason) "
        "SELECT 'we_' || lpad(to_hex(n), 16, '0'), 1, 'https://a.example', '{*}', '', '{v1}', 1, now(), 1, 0, 'owner' FROM generate_series(1, 1000) n")
    assert ask("POST", "/v1/webhooks", {"url": receiver.url, "events": ["*"]}).json["code"] == "too_many_webhooks"


def test_pay_links_and_addresses(system, ask):
    terms = {"description": "Tea", "min_msat": 1000, "max_msat": 5000}
    full = {**terms, "long_description": "Green", "comment_allowed": 10, "success_action": {"tag": "message", "message": "Thanks"},
            "payer_data": {"name": {"mandatory": True}, "auth": {}}, "disposable": True, "metadata": {"till": 7}}
    for kind, extra, key in (("pay-links", {}, "pay_link_id"), ("addresses", {"name": "Till"}, "name")):
        many, one = f"/v1/lnurl/{kind}", f"/v1/lnurl/{kind}/{{{key}}}"
        made = ask("POST", many, {**full, **extra}).json
        assert made["success_action"] == full["success_action"] and made["metadata"] == {"till": 7}
        assert ask("POST", many, b"{").status == 400
        assert ask("POST", many, {**terms, **extra, "min_msat": 6000}).json["field"] == "max_msat"
        assert ask("GET", many, query="?limit=1").status == 200 and ask("GET", many, query="?limit=0").status == 400
        which = {key: made["id" if key == "pay_link_id" else "name"]}
        assert ask("GET", one, **which).json == made
        changed = ask("PATCH", one, {"success_action": None, "payer_data": None, "comment_allowed": 0, "enabled": True}, **which).json
        assert changed["success_action"] is None and changed["payer_data"] is None
        assert ask("PATCH", one, b"{", **which).status == 400 and ask("PATCH", one, {"min_msat": 0}, **which).status == 422
        for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
            assert ask(method, one, body, **{key: "nobody"}).status == 404
        if key == "name":
            assert ask("POST", many, {**terms, "name": "till"}).json["code"] == "pay_link_refused"
            for asked in ("till", "nobody"):
                assert ask("GET", "/.well-known/lnurlp/{name}", key=None, name=asked).status == 200
        else:
            for asked in (which, {key: "pl_x"}):
                assert ask("GET", "/lnurl/pay/{pay_link_id}", key=None, **asked).status == 200
                for form in ("svg", "png"):
                    assert ask("GET", f"/lnurl/pay/{{pay_link_id}}/qr.{form}", key=None, **asked).status == 200
            callback = "/lnurl/pay/{pay_link_id}/callback"
            answer = ask("GET", callback, key=None, query="?amount=2000", **which).json
            assert ask("GET", callback, key=None, **which).json["status"] == "ERROR"
            assert pay(system, {"payment_request": answer["pr"], "amount_msat": 2000})["status"] == "succeeded"
            token = {"token": answer["verify"].rsplit("/", 1)[1]}
            until(lambda: ask("GET", "/lnurl/verify/{token}", key=None, **token).json["settled"], what="the settlement")
            assert ask("GET", "/lnurl/verify/{token}", key=None, token="x").json["status"] == "ERROR"
            hash_ = next(each["payment_hash"] for each in ask("GET", "/v1/invoices").json["invoices"] if "lnurl" in each)
            assert ask("GET", "/v1/invoices/{payment_hash}", payment_hash=hash_).json["lnurl"] == {"pay_link": made["id"]}
            assert any("lnurl" in each["data"] for each in ask("GET", "/v1/events", query="?limit=500").json["events"])
            order = {**terms, "max_msat": 1000, "order_id": "A7", "expires_in_seconds": 60}
            assert ask("POST", many, order).json["paid"] is False
        assert ask("DELETE", one, **which).json["deleted"] is True


def test_address_requests(ask):
    many, one, face = "/v1/lnurl/address-requests", "/v1/lnurl/address-requests/{id}", "/lnurl/address/{id}"
    made = ask("POST", many, {"description": "Refund", "order_id": "A7", "expires_in_seconds": 60}).json
    which = {"id": made["id"]}
    assert ask("POST", many, b"{").status == 400 and ask("POST", many, {}).json["field"] == "description"
    assert ask("GET", one, **which).json == made and ask("GET", one, id="nobody").status == 404
    for id_ in (made["id"], "nobody"):
        for rest in ("", "/callback", "/qr.svg"):
            assert ask("GET", face + rest, key=None, id=id_).status == 200
    k1 = ask("GET", face, key=None, **which).json["k1"]
    assert ask("GET", face + "/callback", key=None, query=f"?k1={k1}&address=ann@a.example", **which).json == {"status": "OK"}
    assert ask("GET", one, **which).json["answered_at"]
    assert ask("GET", one, id="%01").status == 400
    for rest in ("", "/callback", "/qr.svg"):
        assert ask("GET", face + rest, key=None, id="%01").status == 400


def test_login(system, ask):
    offer = ask("POST", "/v1/login", {}, key=None).json
    assert ask("POST", "/v1/login", b"{", key=None).status == 400
    assert ask("POST", "/v1/login", {"code": "x"}, key=None).status == 422
    assert ask("POST", "/v1/login", {"claim_code": "x"}, key=None).json["code"] == "wrong_claim_code"
    token = offer["url"].split("/auth/")[1].split("?")[0]
    for asked in (token, "x"):
        assert ask("GET", "/lnurl/auth/{token}", key=None, token=asked).json["status"] == "ERROR"
        assert ask("GET", "/lnurl/auth/{token}/qr.svg", key=None, token=asked).status == 200
    for rest in ("", "/qr.svg"):
        assert ask("GET", "/lnurl/auth/{token}" + rest, key=None, token="%01").status == 400
    key = PrivateKey(b"\x09" * 32)
    code = subprocess.run(
        [str(system.binaries / "leyden"), "login", "code", "--config", str(system.configuration)], env=environment(), capture_output=True, text=True, check=True).stdout.strip()
    token = ask("POST", "/v1/login", {"claim_code": code}, key=None).json["url"].split("/auth/")[1].split("?")[0]
    signed = f"?sig={key.sign(bytes.fromhex(token[:64]), hasher=None).hex()}&key={key.public_key.format().hex()}"
    assert ask("GET", "/lnurl/auth/{token}", key=None, query=signed, token=token).json == {"status": "OK"}


def test_payments_out(system, ask):
    outside = [control(system, "/invoice", {"amount_msat": 9_000})["payment_request"] for _ in range(2)]
    made = ask("POST", "/v1/payments", {"payment_request": outside[0], "fee_limit_msat": 100, "timeout_seconds": 30, "purpose": "refund:1"}).json
    one = "/v1/payments/{payment_id}"
    until(lambda: ask("GET", one, payment_id=made["id"]).json["state"] == "settled", what="paid")
    assert ask("GET", one, payment_id=made["id"]).json["preimage"]
    assert ask("POST", "/v1/payments", {"payment_request": outside[0], "fee_limit_msat": 100}).json["code"] == "payment_exists"
    assert ask("POST", "/v1/payments", {"payment_request": outside[1], "fee_limit_msat": -1}).json["field"] == "fee_limit_msat"
    assert ask("POST", "/v1/payments", b"{").status == 400
    assert ask("GET", "/v1/payments", query="?limit=1&state=settled").json["payments"][0]["id"] == made["id"]
    assert ask("GET", "/v1/payments", query="?state=lost").status == 400
    assert ask("GET", one, payment_id="pay_0").status == 404
    assert ask("GET", one, payment_id="%01").status == 400
    assert ask("POST", "/v1/decode", {"payment_request": outside[1]}).json["amount_msat"] == 9_000
    assert ask("POST", "/v1/decode", b"{").status == 400
    assert ask("GET", "/v1/balance").json["account"]["spent_msat"] == 9_009
    assert len(ask("GET", "/v1/channels").json["channels"]) == 4
    peer = {"pubkey": "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "address": "127.0.0.1:9735"}
    assert ask("POST", "/v1/peers", peer).status == 201
    assert ask("POST", "/v1/peers", b"{").status == 400
    assert ask("GET", "/v1/peers").json["peers"]
    assert ask("POST", "/v1/node-invoices", {"amount_msat": 1_000, "memo": "Tea"}).json["state"] == "open"
    assert ask("POST", "/v1/node-invoices", b"{").status == 400
    assert ask("GET", "/v1/node-invoices", query="?limit=1").json["next"]
    assert ask("GET", "/v1/node-invoices", query="?limit=0").status == 400
    told = ask("GET", "/v1/events", query="?type=payment.settled").json["events"]
    assert [event["data"]["id"] for event in told] == [made["id"]]


def operations(rest, system):
    """Every operation that wants a key, with a body and parameters that would be good."""
    parameters = {
        "id": "0" * 16, "payment_hash": NEVER, "pubkey": "02" + "11" * 32, "watch_token": create(system)["watch_token"], "webhook_id": NO_WEBHOOK,
        "pay_link_id": "pl_x", "name": "nobody", "payment_id": "pay_" + "0" * 32}
    for template, path in rest.document["paths"].items():
        for method, operation in path.items():
            if method in ("get", "post", "patch", "delete") and operation.get("security") != []:
                yield method.upper(), template, {} if method in ("post", "patch") else None, operation, parameters


def test_every_operation_asks_for_a_key_and_its_scope(system, ask, rest):
    useless, other = system.key("payments:write")["key"], system.key("webhooks:write")["key"]
    for method, template, body, operation, parameters in operations(rest, system):
        for key in (None, NOBODY):
            assert ask(method, template, body, key=key, **parameters).status == 401
        if "403" in operation["responses"]:
            scope = operation["description"].split("`")[1]
            assert ask(method, template, body, key=other if scope == "payments:write" else useless, **parameters).status == 403
            assert ask(method, template, body, key=system.key(scope)["key"], **parameters).status not in (401, 403)
        else:
            assert ask(method, template, body, key=useless, **parameters).status == 200


def test_the_database_is_away(system, ask, rest):
    wanted = [each for each in operations(rest, system) if "503" in each[3]["responses"]]
    token = create(system)["watch_token"]
    # A key that was never seen can only be looked up.
    fresh = system.key("admin")["key"]
    system.stop_database()
    try:
        for method, template, body, _, parameters in wanted:
            answer = ask(method, template, body, key=fresh, **parameters)
            assert answer.status == 503 and answer.headers["Retry-After"]
        for template in ("/v1/watch/{watch_token}", "/v1/watch/{watch_token}/qr.svg"):
            assert ask("GET", template, key=None, watch_token=token).status == 503
    finally:
        system.start_database()
        until(lambda: system.ready().status == 200, what="a gateway that has found its database")


def test_a_post_is_carried_out_once_under_its_key(system, ask, rest):
    for method, template, body, operation, parameters in operations(rest, system):
        if method != "POST":
            continue
        name = f"{operation['operationId']} 1"
        once = {"Idempotency-Key": name}
        first = ask(method, template, body, headers=once, **parameters)
        again = ask(method, template, body, headers=once, **parameters)
        assert (again.status, again.body) == (first.status, first.body) and again.headers["Idempotency-Replayed"] == "true", template
        assert ask(method, template, {"other": 1}, headers=once, **parameters).json["code"] == "idempotency_key_reused"
        assert ask(method, template, body, headers={"Idempotency-Key": "a" * 256}, **parameters).json["code"] == "invalid_idempotency_key"
        system.sql(f"UPDATE claims SET status = NULL, answer = NULL, claimed_until = now() + interval '1 minute' WHERE key = '{name}'")
        assert ask(method, template, body, headers=once, **parameters).json["code"] == "still_running"


def test_every_operation_can_be_asked_too_often(system, ask, rest):
    slow = call("POST", system.base_url + "/v1/keys", {"scopes": ["admin"], "limits": {"requests_per_second": 1}}, key=system.api_key).json["key"]
    for method, template, body, _, parameters in operations(rest, system):
        until(lambda: ask(method, template, body, key=slow, **parameters).status == 429, what=f"429 from {method} {template}")


def test_all_that_the_document_promises_was_seen(rest):
    missing = set(rest.promised) - rest.seen
    assert not missing, sorted(missing)


def test_all_headers_that_the_document_promises_were_seen(rest):
    missing = set(rest.promised_headers) - rest.seen_headers
    assert not missing, sorted(missing)
