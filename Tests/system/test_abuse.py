"""What attackers, broken payers and broken clients send. Each gets its answer, and the gateway goes on."""

import json
import os
import re
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from client import Paying, api, call, control, create, events, pay, simulated, state, types, until, until_state
from websocket import WebSocket, WebSocketClosed

SETTINGS = "hold:\n  mpp_timeout: 2s\n  accept_timeout: 5s\nlog:\n  level: trace\nedge:\n  connection_rate: 5\n  streams_per_key: 20\n"
UNKNOWN = 0x400F


@pytest.fixture(autouse=True)
def alive(system):
    """Whatever was sent, the same process answers and takes a payment."""
    process = system._children["leyden"].pid
    yield
    assert system._children["leyden"].pid == process and system.is_running()
    invoice = create(system)
    assert pay(system, invoice)["status"] == "succeeded"
    until_state(system, invoice, "settled")
    assert all(not node["violations"] for node in simulated(system)), "LND would have ended the stream"


def failure(result):
    assert result["status"] == "failed", result
    failures = [part["failure"] for part in result["parts"]]
    assert all(each["origin"] in ("virtual_node", "node") for each in failures), failures
    return failures[0]


# HTLCs


@pytest.mark.parametrize(
    "fault, code",
    [
        ("wrong_version", 0xC004), ("wrong_hmac", 0xC005), ("wrong_key", 0xC006), ("garbage", 0xC005),
        ("malformed_payload", 0x4016), ("unknown_even_type", 0x4016), ("no_payment_data", 0x4016),
    ],
)
def test_a_bad_onion_gets_its_failure_code(system, fault, code):
    """Bolt 4; a payment without payment data may also read as unknown details."""
    found = failure(pay(system, create(system), onion=fault))["code"]
    assert found == code or fault == "no_payment_data" and found == UNKNOWN, hex(found)


def test_an_onion_that_is_too_short_does_not_end_the_stream(system):
    assert pay(system, create(system), onion="short")["status"] == "failed"


@pytest.mark.parametrize(
    "payload",
    ["0000", "0201", "fdfd", "ff" * 200, "0208ffffffffffffffff", "fe00000000", "ff" + "00" * 8, "020101020102", "0402000004020000",
     "0201640403000000" + "08" + "20" + "00" * 32, "fdffff0100"],
)
def test_any_payload_in_a_good_onion_is_answered(system, payload):
    assert failure(pay(system, create(system), payload=payload))["code"] in (0x4016, UNKNOWN, 0x0013, 0x0012)


def test_3_wrong_secrets_and_altered_amounts_read_as_unknown(system):
    invoice, other = create(system), create(system)
    for lie in (
        {"payment_secret": "00" * 32}, {"payment_secret": os.urandom(32).hex()}, {"payment_hash": other["payment_hash"]},
        {"payment_hash": os.urandom(32).hex()}, {"total_msat": 0}, {"total_msat": 99_999},
    ):
        assert failure(pay(system, invoice, **lie))["code"] == UNKNOWN, lie
    assert state(system, invoice) == "open" and state(system, other) == "open"


def test_3_totals_that_contradict_each_other_fail_the_set(system):
    invoice = create(system)
    parts = [{"node": 0, "amount_msat": 50_000, "total_msat": 100_000}, {"node": 1, "amount_msat": 50_000, "total_msat": 120_000}]
    result = pay(system, invoice, parts)
    assert result["status"] == "failed"
    assert {part["failure"]["code"] for part in result["parts"]} == {UNKNOWN}


def test_3_what_is_forwarded_must_be_what_the_onion_says(system):
    assert failure(pay(system, create(system), outgoing_amount_msat=99_999))["code"] == 0x0013
    height = call("GET", system.control_url + "/state").json["height"]
    assert failure(pay(system, create(system), payload_cltv=height + 500))["code"] == 0x0012


def test_3_too_little_or_absurdly_much_time_is_refused(system):
    height = call("GET", system.control_url + "/state").json["height"]
    early = pay(system, create(system), outgoing_expiry=height + 20, payload_cltv=height + 20)
    assert failure(early)["code"] in (UNKNOWN, 0x1007)
    late = pay(system, create(system), incoming_expiry=height + 20_000, outgoing_expiry=height + 19_000, payload_cltv=height + 19_000)
    assert failure(late)["code"] in (UNKNOWN, 0x1007)


@pytest.mark.parametrize("amount, is_taken", [(99_999, False), (100_000, True), (200_000, True), (200_001, False)])
def test_4_twice_the_amount_is_taken_and_no_more(system, amount, is_taken):
    invoice = create(system)
    result = pay(system, invoice, [{"node": 0, "amount_msat": amount}], total_msat=amount)
    assert (result["status"] == "succeeded") is is_taken
    if is_taken:
        until_state(system, invoice, "settled")
        assert api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").json["received_msat"] == amount
    else:
        assert failure(result)["code"] == UNKNOWN


def test_4_a_part_that_comes_after_the_set_is_failed(system):
    invoice = create(system)
    assert pay(system, invoice)["status"] == "succeeded"
    late = pay(system, invoice, [{"node": 1, "amount_msat": 50_000}], total_msat=100_000)
    assert failure(late)["code"] == UNKNOWN
    until_state(system, invoice, "settled")
    assert api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").json["received_msat"] == 100_000


def test_a_huge_total_overflows_nothing(system):
    for total in (2**63 - 1, 2**63, 2**64 - 1):
        assert failure(pay(system, create(system), total_msat=total))["code"] in (UNKNOWN, 0x4016)
        invoice = create_any(system)
        assert pay(system, invoice, [{"node": 0, "amount_msat": 1000}], amount_msat=1000, total_msat=total)["status"] == "failed"


def create_any(system):
    answer = api(system, "POST", "/v1/invoices", {"description": "any amount"})
    assert answer.status == 201, answer.body
    return answer.json


def test_an_invoice_without_an_amount_takes_any(system):
    invoice = create_any(system)
    assert pay(system, invoice, [{"node": 0, "amount_msat": 12_345}], amount_msat=12_345)["status"] == "succeeded"


def test_5_nothing_is_taken_after_the_expiry(system):
    invoice = create(system, expiry_seconds=1)
    time.sleep(1.3)
    assert failure(pay(system, invoice))["code"] == UNKNOWN
    until_state(system, invoice, "expired", 10)
    # The sweep that tells the expiry and the late part know nothing of each other.
    assert sorted(types(events(system, invoice["payment_hash"]))) == ["htlc.failed", "invoice.created", "invoice.expired"]
    assert api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}/wait").status == 410


def test_5_a_decision_that_races_with_the_time_out_has_one_outcome(system):
    invoice = create(system, settlement="hold")
    paying = Paying(system, invoice)
    until_state(system, invoice, "accepted")
    time.sleep(4.7)
    with ThreadPoolExecutor(8) as pool:
        path = f"/v1/invoices/{invoice['payment_hash']}"
        answers = list(pool.map(lambda number: (time.sleep(number * 0.05), api(system, "POST", path + "/settle", {}).status)[1], range(8)))
    result = paying.result()
    assert (result["status"] == "succeeded") == (200 in answers)
    if 200 in answers:
        until_state(system, invoice, "settled")
    else:
        assert "invoice.released" in types(events(system, invoice["payment_hash"]))


def test_5_settle_and_cancel_at_once_have_one_outcome(system):
    for _ in range(5):
        invoice = create(system, settlement="hold")
        paying = Paying(system, invoice)
        until_state(system, invoice, "accepted")
        path = f"/v1/invoices/{invoice['payment_hash']}"
        with ThreadPoolExecutor(8) as pool:
            wishes = ["settle", "cancel"] * 4
            answers = list(pool.map(lambda wish: api(system, "POST", f"{path}/{wish}", {}).status, wishes))
        outcomes = {wish for wish, status in zip(wishes, answers) if status == 200}
        assert len(outcomes) == 1, answers
        assert (paying.result()["status"] == "succeeded") == (outcomes == {"settle"})


def test_7_a_set_that_stays_incomplete_is_released_with_its_code(system):
    invoice = create(system)
    began = time.monotonic()
    result = pay(system, invoice, [{"node": 0, "amount_msat": 40_000}, {"node": 1, "amount_msat": 40_000}], total_msat=100_000)
    assert failure(result)["code"] == 0x0017 and time.monotonic() - began < 20
    assert state(system, invoice) == "open" and pay(system, invoice)["status"] == "succeeded"


def test_2_a_replay_gets_the_same_answer_for_ever(system):
    """An end is counted a moment after the payer knows it."""
    count = lambda name: simulated(system)[0][name]
    for lie, name in (({}, "settled"), ({"payment_secret": "00" * 32}, "failed")):
        before, invoice = count(name), create(system)
        part = pay(system, invoice, **lie)["parts"][0]
        until(lambda: count(name) == before + 1, what=name)
        for again in (2, 3):
            control(system, "/fault/replay", {"node": 0, "chan_id": part["chan_id"], "htlc_id": part["htlc_id"]})
            until(lambda: count(name) == before + again, what=f"{name} again")
        assert types(events(system, invoice["payment_hash"])).count("invoice.settled") == (name == "settled")


def test_2_a_released_set_is_not_settled_by_a_replay(system):
    invoice = create(system, settlement="hold")
    result = pay(system, invoice)
    assert result["status"] == "failed", "nobody decided in time"
    part = result["parts"][0]
    control(system, "/fault/replay", {"node": 0, "chan_id": part["chan_id"], "htlc_id": part["htlc_id"]})
    until(lambda: simulated(system)[0]["held_count"] == simulated(system)[0]["in_transit_count"] == 0, what="failed again")
    assert state(system, invoice) == "open"


def test_8_many_tiny_parts_are_bounded(system):
    invoice = create(system, 1_000_000)
    result = pay(system, invoice, [{"node": 0, "amount_msat": 1000} for _ in range(400)], total_msat=1_000_000)
    assert result["status"] == "failed"
    assert simulated(system)[0]["held_count"] == 0


def test_9_probing_reads_the_same_whatever_is_wrong(system):
    invoice = create(system)
    answers = []
    for lie in ({"payment_secret": os.urandom(32).hex()}, {"payment_hash": os.urandom(32).hex()}, {"total_msat": 99_999}):
        found = failure(pay(system, invoice, **lie))
        answers.append({name: found[name] for name in found})
    assert answers[0] == answers[1] == answers[2]


def test_foreign_htlcs_pass_untouched(system):
    before = len(events(system))
    for node in (0, 1):
        result = call("POST", system.control_url + "/foreign", {"node": node, "amount_msat": 5000})
        assert result.json["parts"][0]["state"] == "forwarded"
    assert len(events(system)) == before


# REST


@pytest.mark.parametrize(
    "amount",
    ["0", "-1", "1.5", "1e3", '"1000"', "9223372036854775808", "18446744073709551616", "2100000000000000001", "1e400", "[1]", "{}", "true",
     '"１２"', "00100", "0x10", "NaN"],
)
def test_16_amounts_that_are_none_are_refused_by_name(system, amount):
    answer = api(system, "POST", "/v1/invoices", b'{"amount_msat": ' + amount.encode() + b"}")
    assert answer.status in (400, 422), answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status == 400 or answer.json["field"] == "amount_msat", answer.body


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"description": "\xff"}', b'{"description": "\xc0\xaf"}', b'{"description": "\\ud800"}',
        b'{"amount_msat": 1, "amount_msat": 2}', b"[" * 5000, b'{"metadata": ' + b'{"a":' * 60 + b"1" + b"}" * 60 + b"}", b'{"nothing": 1}',
        b'{"amount_msat": 1} trailing', b'{"expiry_seconds": 0}', b'{"expiry_seconds": 1e18}', b'{"settlement": "maybe"}', b'{"stateless": "yes"}',
        b'{"description_hash": "zz"}', b'{"description": "a", "description_hash": "' + b"00" * 32 + b'"}', b'{"metadata": []}', b"\x00", b'{"description": 1}',
    ],
)
def test_bad_bodies_are_problems_and_never_500(system, body):
    answer = api(system, "POST", "/v1/invoices", body)
    # An empty body and an empty object are an invoice for any amount.
    assert answer.status in (400, 422) or body == b"" and answer.status == 201, (body[:40], answer.status, answer.body)


def test_38_descriptions_are_kept_as_they_are_or_refused(system):
    for text in ("a\nb\x1b[31mred", "ünïcode ⚡", "x" * 639, '"quotes" \\ and </script>', "=cmd|' /C calc'!A0"):
        invoice = create(system, description=text)
        assert invoice["description"] == text
    assert api(system, "POST", "/v1/invoices", {"description": "x" * 640}).status == 422
    assert api(system, "POST", "/v1/invoices", {"description": "ü" * 320}).status == 422
    biggest = create(system, description="x" * 639)
    code = call("GET", f"{system.base_url}/v1/watch/{biggest['watch_token']}/qr.svg")
    assert code.status == 200 and code.headers["Content-Type"].startswith("image/svg+xml")


def raw(system, data, wait=3):
    """Bytes as they are; what came back until the end or the silence."""
    parts = urlsplit(system.base_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=wait) as connection:
        got = b""
        try:
            connection.sendall(data)
            while chunk := connection.recv(1 << 16):
                got += chunk
        except (TimeoutError, ConnectionError):
            pass
        return got


def status(answer):
    match = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    return int(match[1]) if match else None


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 100,
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        b"POST /v1/invoices HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"POST /v1/invoices HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 6\r\n\r\n",
        b"POST /v1/invoices HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /v1/invoices HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/invoices HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx", b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", b"POST /v1/invoices HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ],
)
def test_broken_http_is_refused(system, request_bytes):
    found = status(raw(system, request_bytes, wait=1.5))
    assert found is None or 400 <= found < 600 and found != 500, found


def test_huge_bodies_are_refused_before_they_are_read(system):
    authorization = f"Authorization: Bearer {system.api_key}\r\n".encode()
    head = b"POST /v1/invoices HTTP/1.1\r\nHost: x\r\n" + authorization + b"Content-Length: 10000000\r\n\r\n"
    assert status(raw(system, head + b"x" * 100_000)) == 413


def test_a_request_that_never_ends_holds_nobody_up(system):
    parts = urlsplit(system.base_url)
    slow = [socket.create_connection((parts.hostname, parts.port)) for _ in range(50)]
    for each in slow:
        each.sendall(b"POST /v1/invoices HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert create(system)["state"] == "open"
    for each in slow:
        each.close()


@pytest.mark.parametrize(
    "path",
    ["/../config/leyden.yml", "/..%2f..%2fconfig/leyden.yml", "/%2e%2e/%2e%2e/Package.swift", "/....//....//etc/passwd", "/.env", "/tls.key",
     "/admin.macaroon", "/%00", "/index.html%00.js", "//etc/passwd", "/..\\..\\etc\\passwd", "/%c0%ae%c0%ae/etc/passwd", "/checkout/../../README.md",
     "/.git/config", "/leyden.js/", "/%252e%252e/%252e%252e/etc/passwd"],
)
def test_31_nothing_outside_the_pages_is_served(system, path):
    answer = raw(system, b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status(answer) in (400, 404), answer[:200]
    assert b"root:" not in answer and b"identity_key" not in answer


def test_unknown_paths_and_methods_are_problems(system):
    for method, path, wanted in (
        ("GET", "/v1/nothing", 404), ("DELETE", "/v1/invoices", 405), ("GET", "/v1/invoices/xyz", 404), ("GET", "/v1/invoices/" + "00" * 32, 404),
        ("POST", "/v1/invoices/" + "00" * 32 + "/settle", 404), ("POST", "/v1/invoices/" + "00" * 32 + "/cancel", 404), ("PUT", "/v1/events", 405),
        ("POST", "/v1/nodes/" + "02" + "00" * 32 + "/drain", 404), ("GET", "/v1/watch/nothing", 404), ("GET", "/v1/watch/" + "A" * 4000, 404),
    ):
        answer = api(system, method, path, {} if method == "POST" else None)
        assert answer.status == wanted, (method, path, answer.status)
        assert answer.headers["Content-Type"] == "application/problem+json"


# Who may what


def test_33_every_route_asks_for_its_scope(system):
    invoice = create(system)
    path = f"/v1/invoices/{invoice['payment_hash']}"
    routes = [
        ("POST", "/v1/invoices", "invoices:write"), ("GET", "/v1/invoices", "invoices:read"), ("GET", path, "invoices:read"),
        ("GET", path + "/wait?timeout=0", "invoices:read"), ("POST", path + "/settle", "invoices:settle"), ("POST", path + "/cancel", "invoices:settle"),
        ("GET", "/v1/events", "events:read"), ("GET", "/v1/nodes", "nodes:read"),
        # Any valid key may ask who it talks to.
        ("GET", "/v1/info", None),
        ("POST", f"/v1/nodes/{'02' + '00' * 32}/drain", "nodes:write"),
    ]
    webhooks = system.key("webhooks:write")["key"]
    for method, route, scope in routes:
        body = {} if method == "POST" else None
        for nobody in (None, "", "x", "ley_" + "0" * 40, invoice["watch_token"] + "x"):
            assert call(method, system.base_url + route, body, key=nobody).status == 401, (method, route, nobody)
        assert call(method, system.base_url + route, body, key=invoice["watch_token"]).status in (401, 403)
        assert call(method, system.base_url + route, body, key=webhooks).status == (403 if scope else 200), (method, route)
        for basic in ("Basic " + webhooks, "bearer", "Bearer", "Bearer  "):
            assert call(method, system.base_url + route, body, headers={"Authorization": basic}).status == 401
        assert call(method, f"{system.base_url}{route}{'&' if '?' in route else '?'}token={system.api_key}", body).status == 401, "no token in a URL"
        assert call(method, system.base_url + route, body, headers={"Cookie": f"key={system.api_key}"}).status == 401


def test_33_a_revoked_key_ends(system):
    made = system.key("invoices:read")
    get = lambda: call("GET", system.base_url + "/v1/invoices", key=made["key"]).status
    assert get() == 200
    system.sql(f"UPDATE api_keys SET revoked_at = now() WHERE id = '{made['id']}'")
    until(lambda: get() == 401, what="the end of a revoked key")


def test_30_another_account_sees_and_touches_nothing(system):
    made = system.key("invoices:read", "invoices:write", "invoices:settle", "events:read")
    system.give_to_another_account(made)
    mine = create(system, settlement="hold")
    path = f"/v1/invoices/{mine['payment_hash']}"
    other = lambda method, where, body=None: call(method, system.base_url + where, body, key=made["key"])
    for method, where in (("GET", path), ("GET", path + "/wait?timeout=0"), ("POST", path + "/settle"), ("POST", path + "/cancel")):
        assert other(method, where, {} if method == "POST" else None).status == 404
    assert other("GET", "/v1/invoices").json["invoices"] == [] and other("GET", "/v1/events").json["events"] == []
    theirs = other("POST", "/v1/invoices", {"amount_msat": 1000})
    assert theirs.status == 201
    assert [each["data"]["payment_hash"] for each in other("GET", "/v1/events").json["events"]] == [theirs.json["payment_hash"]]
    assert api(system, "GET", f"/v1/invoices/{theirs.json['payment_hash']}").status == 404
    assert theirs.json["payment_hash"] not in [each["data"].get("payment_hash") for each in events(system)]
    assert pay(system, theirs.json)["status"] == "succeeded"
    kinds = {each["data"]["payment_hash"] for each in other("GET", "/v1/events").json["events"]}
    assert kinds == {theirs.json["payment_hash"]}, "what follows from their invoice is theirs"
    socket_ = WebSocket(system.base_url.replace("http", "ws", 1) + "/connection/websocket")
    socket_.send(json.dumps({"id": 1, "connect": {"token": made["key"]}}))
    socket_.receive()
    socket_.send(json.dumps({"id": 2, "subscribe": {"channel": f"invoice:{mine['payment_hash']}", "recover": True, "offset": 0, "epoch": ""}}))
    reply = json.loads(socket_.receive().splitlines()[0])
    assert "error" in reply or not reply["subscribe"].get("publications") and "data" not in reply["subscribe"], reply
    socket_.send(json.dumps({"id": 3, "rpc": {"method": "invoice.get", "data": {"payment_hash": mine["payment_hash"]}}}))
    assert "error" in json.loads(socket_.receive().splitlines()[0])
    socket_.close()


# WebSocket


def websocket_url(system):
    return system.base_url.replace("http", "ws", 1) + "/connection/websocket"


def upgrade(system, origin=None, extra=b""):
    lines = b"GET /connection/websocket HTTP/1.1\r\nHost: " + urlsplit(system.base_url).netloc.encode() + b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    lines += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + extra
    if origin is not None:
        lines += b"Origin: " + origin.encode() + b"\r\n"
    return status(raw(system, lines + b"\r\n", wait=0.7))


def test_22_foreign_origins_are_refused(system):
    assert upgrade(system) == 101, "no browser sends no Origin"
    assert upgrade(system, system.base_url) == 101
    host = urlsplit(system.base_url).netloc
    for origin in ("http://evil.example", "null", "", f"http://{host}.evil.example", f"https://evil.example#{host}", f"http://evil.example/{host}", "file://"):
        assert upgrade(system, origin) in (400, 403), origin


def frame(opcode, payload, first=0x80, masked=True, length=None):
    size = len(payload) if length is None else length
    head = bytes([first | opcode])
    bit = 0x80 if masked else 0
    head += bytes([bit | size]) if size < 126 else bytes([bit | 126]) + struct.pack("!H", size) if size < 65536 else bytes([bit | 127]) + struct.pack("!Q", size)
    return head + (b"\0\0\0\0" if masked else b"") + payload


def closing(system, data, wait=4):
    """The close code that the bytes after the upgrade lead to, `None` for an end without one."""
    parts = urlsplit(system.base_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=wait) as connection:
        connection.sendall(
            b"GET /connection/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        got = b""
        while b"\r\n\r\n" not in got:
            got += connection.recv(4096)
        got = got.split(b"\r\n\r\n", 1)[1]
        try:
            connection.sendall(data)
            while chunk := connection.recv(65536):
                got += chunk
                # A close frame is short; nothing comes after it.
                if re.search(rb"\x88[\x00-\x7d]", got):
                    break
        except ConnectionError:
            pass
        except TimeoutError:
            return "open"
        found = re.search(rb"\x88[\x02-\x7d](..)", got, re.DOTALL)
        return struct.unpack("!H", found[1])[0] if found else None


@pytest.mark.parametrize(
    "name, data",
    [
        ("invalid UTF-8", frame(1, b"\xff\xfe\xfd")), ("not JSON", frame(1, b"hello")), ("binary", frame(2, b"\x00\x01")),
        ("too long", frame(1, b" " * 70_000)), ("unmasked", frame(1, b'{"id":0}', masked=False)),
        ("reserved opcode", frame(3, b"")), ("reserved bits", frame(1, b"{}", first=0xF0)), ("fragmented control", frame(9, b"", first=0)),
        ("long control", frame(9, b"x" * 126)), ("continuation of nothing", frame(0, b"{}")), ("no connect", frame(1, b'{"id":1,"subscribe":{"channel":"events"}}')),
        ("a push from the client", frame(1, b'{"push":{"channel":"events","pub":{"data":{}}}}')), ("deep", frame(1, b"[" * 60_000)),
        ("an id that is none", frame(1, b'{"id":-1,"connect":{}}')), ("two connects", frame(1, b'{"id":1,"connect":{}}\n{"id":2,"connect":{}}')),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_24_frames_that_are_wrong_end_their_connection_only(system, name, data):
    found = closing(system, data)
    assert found == 1002 or name != "unmasked", found
    assert found != "open" and (found is None or 1002 <= found <= 1011 or 3000 <= found <= 3999), (name, found)


def test_24_who_never_connects_is_closed(system):
    """Nothing at all, and a frame that promises 2^62 bytes."""
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda data: closing(system, data, wait=25), [b"", frame(1, b"", length=2**62)]))
    assert "open" not in found, found


def test_24_one_byte_at_a_time_is_read(system):
    parts = urlsplit(system.base_url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    message = b"GET /connection/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    for byte in message:
        connection.send(bytes([byte]))
    assert connection.recv(4096).startswith(b"HTTP/1.1 101")
    for byte in frame(1, b'{"id":1,"connect":{}}'):
        connection.send(bytes([byte]))
    assert b'"connect"' in connection.recv(4096)
    connection.close()


def test_24_a_storm_of_subscriptions_is_bounded(system):
    socket_ = WebSocket(websocket_url(system))
    socket_.send(json.dumps({"id": 1, "connect": {"token": system.api_key}}))
    socket_.receive()
    refused = 0
    try:
        for number in range(200):
            socket_.send(json.dumps({"id": number + 2, "subscribe": {"channel": "invoice:" + f"{number:064x}"}}))
            for line in socket_.receive().splitlines():
                refused += json.loads(line).get("error", {}).get("code") == 106
        assert refused >= 200 - 128
    except WebSocketClosed:
        pass
    socket_.close()


def test_24_a_flood_of_commands_is_answered_and_then_closed(system):
    """First it is refused command by command, then the connection ends."""
    socket_ = WebSocket(websocket_url(system))
    socket_.send(json.dumps({"id": 1, "connect": {"token": system.api_key}}))
    socket_.receive()
    codes = []
    flood = "\n".join(
        json.dumps({"id": number + 2, **({"unsubscribe": {"channel": "events"}} if number % 2 else {"subscribe": {"channel": "nowhere"}})})
        for number in range(100))
    with pytest.raises((WebSocketClosed, OSError)) as ended:
        for _ in range(100):
            socket_.send(flood)
            for _ in range(100):
                codes += [json.loads(line).get("error", {}).get("code") for line in socket_.receive().splitlines()]
    assert 111 in codes and "3013" in str(ended.value), (len(codes), ended.value)


def test_24_a_flood_of_connections_from_one_address_is_refused(system):
    parts = urlsplit(system.base_url)
    answered, began = 0, time.monotonic()
    for _ in range(150):
        # Not this machine's own address, from which its proxies come.
        with socket.socket() as connection:
            connection.settimeout(30)
            connection.bind(("127.0.0.2", 0))
            try:
                connection.connect((parts.hostname, parts.port))
                connection.sendall(b"GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n")
                answered += connection.recv(100).startswith(b"HTTP/1.1 404")
            except ConnectionError:
                pass
    # Fifty at once, and five more in each second.
    assert 50 <= answered <= min(149, 51 + 5 * (time.monotonic() - began)), answered
    assert api(system, "GET", "/v1/info").status == 200


def test_24_waiting_requests_are_bounded_and_their_places_freed(system):
    parts = urlsplit(system.base_url)
    request = f"GET /v1/events?after={api(system, 'GET', '/v1/info').json['head']}&wait=60 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {system.api_key}\r\n\r\n"
    waiting = [socket.create_connection((parts.hostname, parts.port)) for _ in range(20)]
    for each in waiting:
        each.sendall(request.encode())
    poll = lambda: api(system, "GET", f"/v1/events?after={api(system, 'GET', '/v1/info').json['head']}&wait=1").status
    until(lambda: poll() == 429, what="the limit")
    for each in waiting[:5]:
        each.close()
    until(lambda: poll() == 200, 20, "a freed place")
    for each in waiting:
        each.close()


def test_24_connections_that_come_and_go_leave_nothing(system):
    before = len(os.listdir(f"/proc/{system._children['leyden'].pid}/fd"))
    for _ in range(200):
        socket_ = WebSocket(websocket_url(system))
        socket_.send('{"id":1,"connect":{}}')
        socket_._socket.close()
    until(lambda: len(os.listdir(f"/proc/{system._children['leyden'].pid}/fd")) < before + 20, 15, "closed descriptors")


# Secrets


def test_10_and_32_no_secret_in_logs_metrics_or_arguments(system):
    """After everything above, at log level trace."""
    invoice = create(system, settlement="hold", description="line one\nERROR forged\x1b[2Jline")
    paying = Paying(system, invoice)
    until_state(system, invoice, "accepted")
    accepted = api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").json
    assert "preimage" not in accepted, "before it is settled nobody gets it"
    assert "preimage" not in invoice
    api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {})
    preimage = paying.result()["preimage"]
    until_state(system, invoice, "settled")
    assert "preimage" not in call("GET", f"{system.base_url}/v1/watch/{invoice['watch_token']}").json
    log = system.log.read_text(errors="replace")
    metrics = call("GET", system.internal_url + "/metrics").body.decode()
    arguments = open(f"/proc/{system._children['leyden'].pid}/cmdline").read()
    ready = call("GET", system.internal_url + "/ready").body.decode()
    stored = system.sql("SELECT encode(preimage, 'hex') FROM invoices WHERE preimage IS NOT NULL").split()
    assert preimage in stored
    secrets = {
        "identity key": (system.directory / "identity.key").read_text().strip(), "API key": system.api_key, "its secret": system.api_key.split("_")[-1],
        "watch token": invoice["watch_token"],
        **{f"macaroon {node}": (system.directory / "lnsim" / str(node) / "gateway.macaroon").read_bytes().hex() for node in (0, 1)},
        **{f"preimage {index}": text for index, text in enumerate(stored)},
    }
    assert log.count("\n") > 5
    for where, text in (("log", log), ("metrics", metrics), ("arguments", arguments), ("readiness", ready)):
        for name, secret in secrets.items():
            assert secret.lower() not in text.lower(), f"{name} in the {where}"
    assert "ERROR forged" not in [line.strip() for line in log.splitlines()] and "\x1b" not in log
    told = json.dumps(events(system))
    assert not any(text in told for text in stored), "a preimage in an event"


def test_the_log_is_whole_after_all_this(system):
    offsets = [int(each) for each in system.sql('SELECT "offset" FROM events ORDER BY 1').split()]
    assert offsets == list(range(1, len(offsets) + 1))
