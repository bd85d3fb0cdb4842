"""What must not be had of another account, by any route, list, search or key of a request; and what must not be had by a page of another site."""

import re
from urllib.parse import quote

import pytest
from client import api, call, create, pay, until_state
from documents import Rest

# The rooms of this file's routes: what a merchant's back end uses.
ROOMS = ("/v1/invoices", "/v1/keys", "/v1/webhooks", "/v1/accounts", "/v1/audit", "/v1/export", "/v1/events", "/v1/nodes", "/v1/info")
SETTINGS = "webhooks: {allow_private: true, allow_http: true}\n"
FORGED = "2026-01-01 ERROR forged"


class World:
    """An account with everything that an account can have, and an `admin` of another one."""

    def __init__(self, system):
        self.system = system
        self.invoice = create(system, 5000, order_id="A7", metadata={"shop": "north"})
        assert pay(system, self.invoice)["status"] == "succeeded"
        until_state(system, self.invoice, "settled")
        self.open = create(system, 6000, order_id="A8")
        self.key = api(system, "POST", "/v1/keys", {"scopes": ["invoices:read"], "name": "till"}).json
        self.webhook = api(system, "POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/", "events": ["*"]}).json
        account = api(system, "POST", "/v1/accounts", {"name": "other"}).json["id"]
        self.foreign = api(system, "POST", "/v1/keys", {"scopes": ["admin"], "account": account}).json["key"]
        self.theirs = self.ask("POST", "/v1/invoices", {"amount_msat": 1}).json
        self.parameters = {
            "payment_hash": self.open["payment_hash"], "webhook_id": self.webhook["id"], "id": self.key["id"],
            "pubkey": api(system, "GET", "/v1/nodes").json["nodes"][0]["pubkey"],
        }

    def ask(self, method, path, body=None, **options):
        """As the other account's admin."""
        return call(method, self.system.base_url + path, body, key=self.foreign, **options)

    def stored(self):
        """All that the first account has, as the database holds it."""
        # Without what changes by itself: when a key was used, and how deliveries go.
        questions = {
            "invoices": "* FROM invoices WHERE account = 1", "keys": "id, name, hash, revoked_at, generation FROM api_keys WHERE account = 1",
            "webhooks": "id, url, events, description, generation, is_deleted FROM webhook_endpoints WHERE account = 1",
            "account": "* FROM accounts WHERE id = 1", "events": "* FROM events WHERE account = 1",
        }
        return {name: self.system.sql(f"SELECT {question} ORDER BY 1") for name, question in questions.items()}


@pytest.fixture(scope="module")
def world(system):
    return World(system)


def routes():
    """Every route of a merchant's that names one thing."""
    for path, operations in Rest().document["paths"].items():
        if "{" in path and path.startswith(ROOMS):
            for method in operations:
                if method in ("get", "post", "patch", "delete", "put"):
                    yield method.upper(), path


# What a route needs to come as far as the thing that it names.
BODIES = {"PATCH": {"description": "mine now"}, "/redeliver": {"after": 0, "until": 5}}


@pytest.mark.parametrize("method, template", list(routes()))
def test_30_what_another_account_has_is_not_there(world, method, template):
    before = world.stored()
    path = re.sub(r"{(\w+)}", lambda match: world.parameters[match[1]], template)
    body = BODIES.get(method) or BODIES.get("/" + path.rsplit("/", 1)[-1]) or ({} if method == "POST" else None)
    answer = world.ask(method, path, body)
    # Nodes serve all accounts, and only the gateway's own account says how.
    assert answer.status == (403 if template.startswith("/v1/nodes") else 404), answer.body
    for secret in (world.key["key"][-64:], world.webhook["secret"], world.invoice["payment_request"], "till"):
        assert secret.encode() not in answer.body
    if answer.status == 404:
        # It reads as what was never there.
        unknown = world.ask(method, re.sub(r"{(\w+)}", lambda match: re.sub("[0-9a-f]", "0", world.parameters[match[1]]), template), body)
        assert (answer.status, answer.json["code"]) == (unknown.status, unknown.json["code"])
    assert world.stored() == before


def test_30_lists_searches_and_counts_tell_nothing_of_another_account(world):
    theirs = [world.theirs["payment_hash"]]

    def hashes(query):
        page = world.ask("GET", "/v1/invoices" + query).json
        return [each["payment_hash"] for each in page["invoices"]], page["next"]

    assert hashes("") == (theirs, None) and hashes("?limit=1") == (theirs, None), "no next page is promised either"
    for query in ("?order_id=A7", "?order_id=A8", "?metadata.shop=north", "?state=settled", "?metadata.shop=north&state=settled"):
        assert hashes(query) == ([], None)
    mine = api(world.system, "GET", "/v1/invoices?limit=1").json["next"]
    assert hashes(f"?after={quote(mine)}")[0] in ([], theirs), "a place in another's list is a place in one's own"
    assert [each["data"].get("payment_hash") for each in world.ask("GET", "/v1/events").json["events"]] == theirs
    assert world.ask("GET", "/v1/export").json["lines"] == []
    assert len(world.ask("GET", "/v1/export?format=csv").body.splitlines()) == 1
    assert world.ask("GET", "/v1/webhooks").json == {"webhooks": [], "next": None}
    assert len(world.ask("GET", "/v1/keys").json["keys"]) == len(world.ask("GET", "/v1/accounts").json["accounts"]) == 1
    assert {each["account"] for each in world.ask("GET", "/v1/audit?limit=500").json["entries"]} == {world.ask("GET", "/v1/accounts").json["accounts"][0]["id"]}
    for path in ("/v1/keys?account=1", "/v1/audit?account=1"):
        assert world.ask("GET", path).status == 403


def test_30_the_idempotency_key_of_another_account_is_another_key(world):
    headers = {"Idempotency-Key": "order 7"}
    mine = api(world.system, "POST", "/v1/invoices", {"amount_msat": 7000}, headers=headers)
    theirs = world.ask("POST", "/v1/invoices", {"amount_msat": 7000}, headers=headers)
    assert theirs.status == 201 and theirs.headers["Idempotency-Replayed"] is None
    assert theirs.json["payment_hash"] != mine.json["payment_hash"]
    for ask in (lambda body: api(world.system, "POST", "/v1/invoices", body, headers=headers), lambda body: world.ask("POST", "/v1/invoices", body, headers=headers)):
        other = ask({"amount_msat": 7001})
        assert other.status == 422 and other.json["code"] == "idempotency_key_reused"
    assert world.ask("POST", "/v1/invoices", {"amount_msat": 7000}, headers=headers).body == theirs.body
    world.ask("POST", f"/v1/invoices/{theirs.json['payment_hash']}/cancel", {})


@pytest.mark.parametrize("path, body", [("/v1/keys", {"scopes": ["admin"], "account": 1}), ("/v1/accounts", {"name": "third"})])
def test_30_nobody_makes_himself_another_account_s(world, path, body):
    before = world.stored()
    assert world.ask("POST", path, body).status == 403
    assert world.stored() == before


def test_33_a_page_of_another_site_does_nothing_in_somebody_s_name(world):
    """What a browser sends by itself, cookies and Basic, is no credential, and no other site is allowed to send ours."""
    evil = {"Origin": "https://evil.example", "Cookie": f"key={world.system.api_key}; token={world.system.api_key}", "Referer": world.system.base_url}
    before = world.stored()
    for method, path, body in (("POST", "/v1/invoices", {}), ("POST", "/v1/keys", {"scopes": ["admin"]}), ("DELETE", f"/v1/keys/{world.key['id']}", None),
                               ("POST", f"/v1/invoices/{world.open['payment_hash']}/cancel", {}), ("GET", "/v1/invoices", None)):
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            answer = call(method, world.system.base_url + path, body, headers={**evil, "Content-Type": kind})
            assert answer.status == 401 and answer.headers["Access-Control-Allow-Origin"] is None
        preflight = call("OPTIONS", world.system.base_url + path, headers={
            "Origin": "https://evil.example", "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"})
        assert preflight.status >= 400 and preflight.headers["Access-Control-Allow-Origin"] is None
    assert world.stored() == before


def test_32_no_secret_in_the_environment_or_an_error_page(world):
    system = world.system
    environment = open(f"/proc/{system._children['leyden'].pid}/environ").read()
    secrets = [system.api_key, world.key["key"], world.webhook["secret"], (system.directory / "identity.key").read_text().strip()]
    pages = [call(method, system.base_url + path, body, key=system.api_key).body.decode() for method, path, body in (
        ("GET", "/v1/nothing", None), ("GET", f"/v1/invoices?after={system.api_key}", None), ("POST", "/v1/invoices", b"{" + system.api_key.encode()),
        ("POST", "/v1/invoices", {system.api_key: 1}), ("POST", "/v1/keys", {"scopes": [world.webhook["secret"]]}), ("DELETE", "/v1/invoices", None))]
    for text in [environment, *pages[:3], *pages[4:]]:
        assert not any(secret in text for secret in secrets), text[:200]


def test_38_no_name_of_anything_forges_a_line_of_the_log(world):
    system = world.system
    evil = f"a\n{FORGED}\r\x1b[2J\x1b]0;x\x07"
    for path, body in (("/v1/keys", {"scopes": ["invoices:read"], "name": evil}), ("/v1/accounts", {"name": evil})):
        answer = api(system, "POST", path, body)
        assert answer.status == 422 and answer.json["field"] == "name"
    kept = api(system, "POST", "/v1/invoices", {"amount_msat": 1, "order_id": evil, "metadata": {evil: evil}, "description": evil})
    assert kept.status == 201 and kept.json["order_id"] == evil
    described = api(system, "POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/", "events": ["*"], "description": evil})
    assert described.status in (201, 422)
    assert api(system, "POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/\r\nX: y", "events": ["*"]}).status == 422
    assert api(system, "GET", "/v1/invoices/" + quote(evil)).status in (400, 404)
    api(system, "POST", "/v1/invoices", {"amount_msat": 1}, headers={"X-Request-Id": "a\x1b[2J " + FORGED, "Idempotency-Key": FORGED})
    log = system.log.read_text(errors="replace")
    assert "\x1b" not in log and not any(line.startswith(FORGED) for line in log.splitlines())
