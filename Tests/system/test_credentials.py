"""One door: what each way in answers to each kind of credentials, and that what is open ends with the key that opened it."""

import contextlib
import subprocess
import threading

import grpc
import pytest
from client import Paying, api, call, create, until, until_state
from lnmux import Lnmux, messages
from session import Socket
from websocket import WebSocketClosed
from wire import EventReader

SETTINGS = "settlement: hold\ngrpc: {require_api_key: true}\n"
SCOPES = ("invoices:read", "invoices:write", "invoices:settle", "events:read")


class Credentials:
    """A token of every kind, and an invoice of each of two accounts: the first one's is settled and stands first in the log."""

    def __init__(self, system):
        self.system = system
        self.invoice = create(system, settlement="hold")
        paying = Paying(system, self.invoice)
        until_state(system, self.invoice, "accepted")
        assert api(system, "POST", f"/v1/invoices/{self.invoice['payment_hash']}/settle", {}).status == 200
        assert paying.result()["status"] == "succeeded"
        until_state(system, self.invoice, "settled")
        self.hash = self.invoice["payment_hash"]
        made = {name: system.key(*SCOPES) for name in ("good", "revoked", "expired", "replaced", "replaced twice", "foreign")}
        tokens = {name: each["key"] for name, each in made.items()}
        tokens["wrong scope"] = system.key("nodes:read", "webhooks:write")["key"]
        tokens["unknown"] = "ley_" + "0" * 16 + "_" + "0" * 64
        tokens["malformed"] = "nonsense"
        tokens["watch token"] = create(system)["watch_token"]
        self.tokens = tokens
        # As the command line and other processes do it: this one has to find out.
        system.sql(f"UPDATE api_keys SET revoked_at = now() WHERE id = '{made['revoked']['id']}'")
        system.sql(f"UPDATE api_keys SET expires_at = now() WHERE id = '{made['expired']['id']}'")
        for name, times in (("replaced", 1), ("replaced twice", 2)):
            for _ in range(times):
                command = [str(system.binaries / "leyden"), "keys", "rotate", made[name]["id"], "--config", str(system.configuration)]
                subprocess.run(command, check=True, capture_output=True)
        system.give_to_another_account(made["foreign"])
        theirs = call("POST", system.base_url + "/v1/invoices", {"amount_msat": 1000}, key=tokens["foreign"])
        assert theirs.status == 201
        self.of = {self.hash: "own", theirs.json["payment_hash"]: "foreign"}

    def whose(self, events):
        """Whose invoice the first of these events is of that is of one."""
        return next(self.of[event["data"]["payment_hash"]] for event in events if "payment_hash" in event["data"])


@pytest.fixture(scope="module")
def credentials(system):
    return Credentials(system)


# Each asks for something of the first account's invoice, or for the first event, and says in a word what came of it.


def rest(answer, found=lambda answer: "found"):
    return found(answer) if answer.status == 200 else answer.json["code"]


def rest_show(world, token):
    return rest(call("GET", f"{world.system.base_url}/v1/invoices/{world.hash}", key=token))


def rest_settle(world, token):
    return rest(call("POST", f"{world.system.base_url}/v1/invoices/{world.hash}/settle", {}, key=token))


def rest_wait(world, token):
    return rest(call("GET", f"{world.system.base_url}/v1/invoices/{world.hash}/wait?timeout=5", key=token))


def rest_page(world, token):
    return rest(call("GET", world.system.base_url + "/v1/events?type=invoice.*&limit=1", key=token), lambda answer: world.whose(answer.json["events"]))


def long_poll(world, token):
    return rest(call("GET", world.system.base_url + "/v1/events?type=invoice.*&wait=5", key=token), lambda answer: world.whose(answer.json["events"]))


def event_stream(world, token):
    answer = call("GET", world.system.base_url + "/v1/events?limit=x", key=token, headers={"Accept": "text/event-stream"})
    if answer.json["code"] != "invalid_parameter":
        return answer.json["code"]
    reader = EventReader(world.system, "/v1/events?type=invoice.*", {"Authorization": f"Bearer {token}"})
    [(_, _, event)] = reader.take(1)
    reader.close()
    return world.whose([event])


def said(reply):
    return str(reply["error"]["code"]) if "error" in reply else None


def subscribed(world, socket, **more):
    reply = socket.ask(subscribe={"channel": "events", "recover": True, "offset": 0, "epoch": world.system.sql("SELECT epoch FROM stream"), **more})
    return said(reply) or world.whose(each["data"] for each in reply["subscribe"]["publications"])


def closing(ask):
    """What it says, or the code with which the connection was closed."""
    def asking(world, token):
        with contextlib.ExitStack() as stack:
            try:
                return ask(world, token, stack)
            except WebSocketClosed as closed:
                return "closed " + str(closed).split()[2]

    asking.__name__ = ask.__name__
    return asking


def connected(world, token, stack):
    socket = Socket(world.system, token)
    stack.callback(socket.close)
    return socket


@closing
def websocket_connect(world, token, stack):
    socket = connected(world, token, stack)
    return said(socket.connected) or subscribed(world, socket)


@closing
def websocket_subscribe(world, token, stack):
    return subscribed(world, connected(world, None, stack), token=token)


@closing
def websocket_refresh(world, token, stack):
    socket = connected(world, world.tokens["good"], stack)
    assert subscribed(world, socket) == "own"
    return said(socket.ask(refresh={"token": token})) or "found"


@closing
def websocket_rpc(world, token, stack):
    socket = connected(world, token, stack)
    return said(socket.connected) or said(socket.ask(rpc={"method": "invoice.get", "data": {"payment_hash": world.hash}})) or "found"


@closing
def websocket_settle(world, token, stack):
    socket = connected(world, token, stack)
    return said(socket.connected) or said(socket.ask(rpc={"method": "invoice.settle", "data": {"payment_hash": world.hash}})) or "found"


def trailer(error, name):
    return dict(error.trailing_metadata() or ()).get(name)


def grpc_unary(world, token):
    with Lnmux(world.system, token) as client:
        try:
            client.call("WaitForInvoiceFinalStatus", hash=bytes.fromhex(world.hash))
            return "found"
        except grpc.RpcError as error:
            return trailer(error, "problem-code") or error.code().name


def grpc_stream(world, token):
    with Lnmux(world.system, token) as client:
        try:
            told = next(client.call("SubscribeSingleInvoice", timeout=4, hash=bytes.fromhex(world.hash)))
            return "found" if told.state == messages.SubscribeSingleInvoiceResponse.STATE_SETTLED else told.state
        except grpc.RpcError as error:
            return trailer(error, "problem-code") or error.code().name


def grpc_list(world, token):
    with Lnmux(world.system, token) as client:
        try:
            found = client.call("ListInvoices", max_invoices_count=5).invoice
            return "nothing" if not found else "own" if found[0].hash.hex() == world.hash else "other"
        except grpc.RpcError as error:
            return trailer(error, "problem-code") or error.code().name


KINDS = ("good", "revoked", "expired", "replaced", "replaced twice", "unknown", "malformed", "wrong scope", "watch token", "foreign")
HTTP = ("unauthorized", "key_expired", "key_expired", "unauthorized", "unauthorized", "unauthorized", "forbidden", "forbidden")
SOCKET = ("closed 3500", "109", "109", "closed 3500", "closed 3500", "closed 3500", "103", "103")
# What is said to each of KINDS.
TABLE = {
    rest_show: ("found", *HTTP, "unknown_invoice"),
    rest_settle: ("found", *HTTP, "unknown_invoice"),
    rest_wait: ("found", *HTTP, "unknown_invoice"),
    rest_page: ("own", *HTTP, "foreign"),
    long_poll: ("own", *HTTP, "foreign"),
    event_stream: ("own", *HTTP, "foreign"),
    websocket_connect: ("own", *SOCKET, "foreign"),
    websocket_subscribe: ("own", *SOCKET, "foreign"),
    websocket_refresh: ("found", *SOCKET, "103"),
    websocket_rpc: ("found", *SOCKET, "404"),
    websocket_settle: ("found", *SOCKET, "404"),
    grpc_unary: ("found", *HTTP, "NOT_FOUND"),
    # Whoever asks for an invoice that is not his hears nothing, as of one that there is not yet.
    grpc_stream: ("found", *HTTP, "DEADLINE_EXCEEDED"),
    grpc_list: ("own", *HTTP, "nothing"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", TABLE, ids=lambda way: way.__name__)
def test_33_every_way_in_says_the_same_to_the_same_credentials(credentials, way, kind):
    assert way(credentials, credentials.tokens[kind]) == dict(zip(KINDS, TABLE[way]))[kind]


@pytest.mark.parametrize("way", [way for way in TABLE if not way.__name__.startswith("websocket")], ids=lambda way: way.__name__)
def test_33_without_credentials_nothing_is_said(credentials, way):
    assert way(credentials, None if way not in (event_stream,) else "") == "unauthorized"


# What is open


class Opened(threading.Thread):
    """Something that goes on until the server ends it; `ending` is what it said then."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self._work, self.ending, self.error = work, None, None
        self.start()

    def run(self):
        try:
            self.ending = self._work()
        except BaseException as error:  # shown by the test that asks
            self.error = error

    def ended(self):
        assert self.error is None, self.error
        return self.ending


def open_everything(system, key, invoice):
    """By name, what stands open by this key's right."""
    path = f"/v1/invoices/{invoice['payment_hash']}"

    def polled(where):
        answer = call("GET", system.base_url + where, key=key, timeout=200)
        return answer.status, answer.json.get("code")

    socket = Socket(system, key)
    assert "subscribe" in socket.ask(subscribe={"channel": "events"})
    bystander = Socket(system)
    assert "subscribe" in bystander.ask(subscribe={"channel": "events", "token": key})
    stream = EventReader(system, "/v1/events?after=1", {"Authorization": f"Bearer {key}"}, timeout=200)
    calls = Lnmux(system, key)

    def called(method, **fields):
        answer = calls.call(method, timeout=200, **fields)
        answer.initial_metadata()

        def follow():
            try:
                for _ in answer:
                    pass
                return "OK", None
            except grpc.RpcError as error:
                return error.code().name, trailer(error, "problem-code")

        return Opened(follow)

    def read():
        while stream.answer.readline():
            pass
        return "ended"

    after = system.sql("SELECT head FROM stream")
    return {
        "WebSocket": Opened(lambda: socket.until_closed(200)), "subscription": Opened(lambda: bystander.until_closed(200)),
        "event stream": Opened(read), "wait": Opened(lambda: polled(path + "/wait?timeout=120")),
        "long poll": Opened(lambda: polled(f"/v1/events?after={after}&wait=60")),
        "SubscribeInvoiceAccepted": called("SubscribeInvoiceAccepted"),
        "SubscribeSingleInvoice": called("SubscribeSingleInvoice", hash=bytes.fromhex(invoice["payment_hash"])),
    }


@pytest.mark.parametrize("ending", ["revoked", "expired", "replaced"])
def test_33_what_is_open_ends_with_its_key_on_every_way_in(system, ending):
    made = system.key(*SCOPES)
    invoice = create(system)
    opened = open_everything(system, made["key"], invoice)
    until(lambda: int(system.sql("SELECT count(*) FROM api_keys WHERE last_used_at IS NOT NULL AND id = '%s'" % made["id"])) == 1, what="its use")
    assert not [name for name, each in opened.items() if each.ended() is not None], "all of it is open"
    change = {"revoked": "revoked_at = now()", "expired": "expires_at = now()", "replaced": "previous_hash = hash, hash = sha256('new'), generation = generation + 1"}
    system.sql(f"UPDATE api_keys SET {change[ending]} WHERE id = '{made['id']}'")
    # Clients of the WebSocket are looked at every five seconds, streams and calls every two, keys every two.
    until(lambda: all(each.ended() is not None for each in opened.values()), 60, "the end of everything that was open")
    code = "unauthorized" if ending == "revoked" else "key_expired"
    closed = 3500 if ending == "revoked" else 3005
    assert {name: each.ending for name, each in opened.items()} == {
        "WebSocket": closed, "subscription": closed, "event stream": "ended", "wait": (401, code), "long poll": (401, code),
        "SubscribeInvoiceAccepted": ("UNAUTHENTICATED", code), "SubscribeSingleInvoice": ("UNAUTHENTICATED", code),
    }


# Limits and the log


def test_a_limit_is_told_over_grpc_and_the_websocket_as_over_rest(system):
    made = system.key(*SCOPES)
    system.sql(f"UPDATE api_keys SET rate = 3 WHERE id = '{made['id']}'")
    with Lnmux(system, made["key"]) as client:
        request = messages.ListInvoicesRequest(max_invoices_count=1)
        _, first = client.stub.ListInvoices.with_call(request, metadata=client.metadata, timeout=30)
        fields = dict(first.initial_metadata())
        assert fields["ratelimit-limit"] == "3" and fields["ratelimit-remaining"] == "2" and fields["ratelimit-reset"] == "1"
        with pytest.raises(grpc.RpcError) as refused:
            for _ in range(200):
                client.stub.ListInvoices(request, metadata=client.metadata, timeout=30)
        error = refused.value
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        told = dict([*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())])
        assert (told["problem-code"], told["problem-limit"], told["retry-after"], told["ratelimit-remaining"]) == ("rate_limited", "requests_per_second", "1", "0")
    socket = Socket(system, made["key"])
    invoice = create(system)
    replies = [socket.ask(rpc={"method": "invoice.get", "data": {"payment_hash": invoice["payment_hash"]}}) for _ in range(20)]
    socket.close()
    limited = [reply["error"] for reply in replies if "error" in reply]
    assert limited and limited[0] == {"code": 111, "message": "too many requests: limit requests_per_second, retry after 1 s", "temporary": True}


def test_what_was_refused_for_its_scope_is_in_the_log_whatever_the_way_in(system):
    made = system.key("events:read")
    invoice = create(system)
    hash_ = invoice["payment_hash"]
    assert call("POST", f"{system.base_url}/v1/invoices/{hash_}/cancel", {}, key=made["key"]).status == 403
    socket = Socket(system, made["key"])
    for method in ("invoice.cancel", "invoice.get"):
        assert socket.ask(rpc={"method": method, "data": {"payment_hash": hash_}})["error"]["code"] == 103
    socket.close()
    with Lnmux(system, made["key"]) as client:
        for method, fields in (("CancelInvoice", {"hash": bytes.fromhex(hash_), "set_id": bytes(32)}), ("AddInvoice", {}), ("ListInvoices", {})):
            assert client.refusal(method, **fields) == grpc.StatusCode.PERMISSION_DENIED
    entries = lambda: [each for each in api(system, "GET", "/v1/audit?limit=500").json["entries"] if each["key_id"] == made["id"]]
    until(lambda: len(entries()) >= 4, what="all that was tried in the log")
    assert [(each["transport"], each["path"], each["status"]) for each in reversed(entries())] == [
        ("http", f"/v1/invoices/{hash_}/cancel", 403), ("websocket", "invoice.cancel", 403), ("grpc", "CancelInvoice", 403), ("grpc", "AddInvoice", 403),
    ]


def test_a_flood_of_wrong_keys_keeps_nobody_out(system):
    good = system.key("invoices:read")["key"]
    ask = lambda key: call("GET", system.base_url + "/v1/invoices?limit=1", key=key)
    assert ask(good).status == 200
    codes = set()

    def flood(part):
        for number in range(300):
            codes.add(ask(f"ley_{part:04x}{number:012x}_" + "1" * 64).json["code"])

    threads = [threading.Thread(target=flood, args=(part,)) for part in range(4)]
    for each in threads:
        each.start()
    while any(each.is_alive() for each in threads):
        assert ask(good).status == 200
    assert codes <= {"unauthorized", "too_many_unknown_keys"}
