"""What one tenant's webhooks can do to others, and what can be asked of them without a right. Numbers are those of the abuse cases."""

import concurrent.futures
import json
import subprocess
import time

import pytest
from client import api, call, create, events, until
from copies import PSQL
from receiver import Receiver, hang
from test_webhooks import deliveries, endpoint, make, show
from websocket import WebSocket, WebSocketClosed

SETTINGS = "webhooks:\n  allow_networks: [127.0.0.1]\n  timeout: 10s\nlog:\n  level: trace\n"
OTHER = 77


@pytest.fixture(scope="module")
def tenant(system):
    """Another account's key."""
    key = system.key("webhooks:write", "invoices:write", "events:read")
    system.give_to_another_account(key)
    return key["key"]


@pytest.fixture(autouse=True)
def forget_endpoints(system, tenant):
    yield
    for key in (system.api_key, tenant):
        while found := api(system, "GET", "/v1/webhooks?limit=500", key=key).json["webhooks"]:
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda hook: api(system, "DELETE", f"/v1/webhooks/{hook['id']}", key=key), found))


def tell(system, account, count):
    """As many events of the account at once, as a leader would commit them."""
    system.sql(f"""
        WITH s AS (UPDATE stream SET head = head + {count} RETURNING head - {count} AS base, part)
        INSERT INTO events ("offset", part, account, time, id, type, data)
        SELECT base + n, part, {account}, now(), 'evt_' || md5(base::text || '/' || n), 'node.connected', '{{"node":"02","node_name":"alice"}}'
        FROM s, generate_series(1, {count}) n;
        SELECT pg_notify('leyden_events', head::text) FROM stream""")


def test_28_slow_endpoints_of_one_account_never_delay_anothers(system, tenant):
    """They answer 200, each time just before the time is over: nothing ever fails."""
    with Receiver(lambda _: time.sleep(8)) as slow, Receiver() as quick:
        for _ in range(16):
            made = api(system, "POST", "/v1/webhooks", {"url": slow.url, "events": ["node.*"], "concurrency": 64}, key=tenant)
            assert made.status == 201
        endpoint(system, quick.url)
        tell(system, OTHER, 100)
        slow.until(200, 7)
        for _ in range(4):
            start = time.monotonic()
            quick.until_ids(make(system, 1))
            assert time.monotonic() - start < 4, "it waited for a slow one's answer"
        assert len(slow.deliveries) < 512, "the other account holds every place"


def test_28_a_thousand_hanging_endpoints_of_one_account_do_not_delay_anothers(system, tenant):
    with Receiver(lambda _: hang) as bad, Receiver() as good:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: api(system, "POST", "/v1/webhooks", {"url": bad.url, "events": ["node.*"]}, key=tenant).status, range(1000)))
        assert made == [201] * 1000
        assert api(system, "POST", "/v1/webhooks", {"url": bad.url, "events": ["*"]}, key=tenant).json["code"] == "too_many_webhooks", "37"
        endpoint(system, good.url)
        tell(system, OTHER, 3)
        bad.until(100)
        for _ in range(4):
            start = time.monotonic()
            good.until_ids(make(system, 1))
            assert time.monotonic() - start < 4
        assert len({hook["id"] for hook in pages(system, tenant)}) == 1000


def pages(system, key):
    found, after = [], 0
    while after is not None:
        page = api(system, "GET", f"/v1/webhooks?limit=300&after={after}", key=key).json
        found += page["webhooks"]
        after = page["next"]
    return found


def test_the_test_button_is_no_gun(system):
    with Receiver() as receiver:
        hook = endpoint(system, receiver.url)
        path = f"/v1/webhooks/{hook['id']}/test"
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda _: api(system, "POST", path, {}), range(40)))
        refused = [each for each in answers if each.status == 429]
        assert len(receiver.deliveries) == sum(each.status == 200 for each in answers) and len(refused) >= 10
        for each in refused:
            assert each.json["code"] == "too_many_tests" and int(each.headers["Retry-After"]) >= 1 and each.headers["RateLimit-Limit"] in ("5", "10")
        until(lambda: api(system, "POST", path, {}).status == 200, what="the limit over")


def test_23_offsets_that_cannot_be_send_nothing_and_read_nothing(system, tenant):
    with Receiver() as receiver:
        hook = endpoint(system, receiver.url, ["*"])
        path = f"/v1/webhooks/{hook['id']}"
        head = api(system, "GET", "/v1/info").json["head"]
        for body in ({"after": -1, "until": 5}, {"after": 5, "until": 5}, {"after": 1.5, "until": 5}, {"after": "0", "until": 5}, {"after": 0, "until": 1 << 64},
                     {"after": 9, "until": 3}, {"after": 0}, {"until": 5}):
            answer = api(system, "POST", path + "/redeliver", body)
            assert answer.status == 422 and answer.json["field"] in ("after", "until"), (body, answer.body)
        assert api(system, "POST", path + "/redeliver", {"after": head + 1000, "until": (1 << 63) - 1}).json == {"queued": 0, "next": None}
        for query in ("after=-1", "after=1.5", "after=99999999999999999999", "limit=0", "limit=501"):
            assert api(system, "GET", f"{path}/deliveries?{query}").status == 400, query
        time.sleep(1.5)
        assert receiver.deliveries == []
        for wrong in (f"after={head + 1000}", "after=-1", "after=0&epoch=00"):
            assert api(system, "GET", f"/v1/events?{wrong}").status in (400, 410), wrong


def test_23_nobody_without_a_right_replays_the_log(system, tenant):
    tell(system, OTHER, 3000)
    invoice = create(system)
    for headers in ({}, {"Accept": "text/event-stream"}, {"Accept": "text/event-stream", "Last-Event-ID": "0"}):
        for key in (None, invoice["watch_token"], "x"):
            assert call("GET", system.base_url + "/v1/events?after=0&limit=500", key=key, headers=headers).status in (401, 403)
    channel = f"invoice:{invoice['payment_hash']}"
    for connect, subscribe in (({}, {"channel": "events"}), ({"token": invoice["watch_token"]}, {"channel": "events"}),
                               ({"token": invoice["watch_token"]}, {"channel": "accepted"}), ({}, {"channel": channel})):
        socket = WebSocket(system.base_url.replace("http", "ws", 1) + "/connection/websocket")
        socket.send(json.dumps({"id": 1, "connect": connect}))
        socket.send(json.dumps({"id": 2, "subscribe": {**subscribe, "recover": True, "offset": 0, "epoch": ""}}))
        answers = {}
        while 2 not in answers:
            try:
                answers |= {each.get("id"): each for each in map(json.loads, socket.receive().splitlines())}
            except WebSocketClosed:
                break
        assert "publications" not in json.dumps(answers) and answers.get(2, {}).get("error", {}).get("code") in (102, 103), answers
        socket.close()
    # Another account's key reads the log, but none of ours.
    theirs = events(system, key=tenant)
    assert len(theirs) >= 3000 and invoice["payment_hash"] not in json.dumps(theirs)


def test_32_no_secret_of_a_webhook_lies_or_is_told_anywhere(system):
    with Receiver(lambda _: (500, {})) as receiver:
        hook = endpoint(system, receiver.url, ["*"], signatures=["v1", "v1a"])
        path = f"/v1/webhooks/{hook['id']}"
        turned = api(system, "POST", path + "/rotate-secret", {}, headers={"Idempotency-Key": "turn"}).json["secret"]
        make(system, 2)
        until(lambda: deliveries(system, hook), what="an attempt in the log")
        api(system, "POST", path + "/test", {})
        shown = [api(system, "GET", where).body.decode() for where in (path, "/v1/webhooks", path + "/deliveries", "/v1/audit", "/v1/info")]
    dump = subprocess.run([PSQL.replace("psql", "pg_dump"), system.dsn], capture_output=True, text=True, check=True).stdout
    assert hook["id"] in dump
    places = {
        "answers": "".join(shown), "database": dump, "log": system.log.read_text(errors="replace"),
        "metrics": call("GET", system.internal_url + "/metrics").body.decode(), "arguments": open(f"/proc/{system.pid('leyden')}/cmdline").read(),
        "environment": open(f"/proc/{system.pid('leyden')}/environ").read(), "events": json.dumps(events(system)),
    }
    for secret in (hook["secret"], turned):
        bare = secret.removeprefix("whsec_")
        for where, text in places.items():
            assert bare not in text, f"a secret in the {where}"


def test_33_every_way_to_a_webhook_asks_for_its_scope(system, tenant):
    hook = endpoint(system, "https://shop.example/hook")
    revoked, expired = system.key("webhooks:write"), system.key("webhooks:write")
    system.sql(f"UPDATE api_keys SET revoked_at = now() WHERE id = '{revoked['id']}'; UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE id = '{expired['id']}'")
    wrong = system.key("invoices:read", "invoices:write", "invoices:settle", "events:read", "nodes:read")["key"]
    path = f"/v1/webhooks/{hook['id']}"
    routes = [
        ("POST", "/v1/webhooks", {"url": "https://a.example", "events": ["*"]}), ("GET", "/v1/webhooks", None), ("GET", path, None), ("PATCH", path, {"enabled": False}),
        ("DELETE", path, None), ("GET", path + "/deliveries", None), ("POST", path + "/redeliver", {"after": 0, "until": 1}), ("POST", path + "/test", {}),
        ("POST", path + "/rotate-secret", {}),
    ]
    for method, route, body in routes:
        ask = lambda key=None, query="", **fields: call(method, system.base_url + route + query, body, key=key, headers=fields)
        assert ask(wrong).status == 403, (method, route)
        for key in (None, "x", revoked["key"], expired["key"], system.api_key[:-1]):
            assert ask(key).status == 401, (method, route)
        # No second way in: no password, no cookie, nothing in a URL; so a page of somebody else's has no right to lend.
        assert ask(Authorization=f"Basic {system.api_key}").status == 401
        assert ask(Cookie=f"key={system.api_key}; token={system.api_key}", Origin=system.base_url).status == 401
        assert ask(query=f"?token={system.api_key}&access_token={system.api_key}").status == 401
        preflight = call("OPTIONS", system.base_url + route, headers={
            "Origin": "https://evil.example", "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"})
        assert preflight.status >= 400 and preflight.headers.get("Access-Control-Allow-Origin") is None, (method, route)
    assert show(system, hook)["enabled"] and api(system, "GET", path + "/deliveries").json["deliveries"] == []
    assert api(system, "GET", path, key=tenant).status == 404
