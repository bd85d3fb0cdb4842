"""What goes over the streams of a running gateway is what public/asyncapi.yaml says, and all that it says goes over them."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from centrifuge import Client
from client import Paying, api, create, pay, state, until_state
from documents import Rest, Streams
from frames import TEXT, Peer, frame
from wire import EventReader

SETTINGS = "hold:\n  accept_timeout: 3s\n  mpp_timeout: 3s\n"
NEVER = "0" * 64


class Session(Peer):
    """A WebSocket whose messages are looked up in the document, both ways."""

    def __init__(self, system, streams, token=""):
        super().__init__(system, is_connected=False)
        self._socket.settimeout(40)
        self._streams = streams
        self._number = 0
        self.pushed = []
        self.ask(connect={"token": token, "name": "test"} if token else {})

    def ask(self, **command):
        self._number += 1
        return self.say({"id": self._number, **command})

    def say(self, command):
        """The answer; what is pushed before it is remembered."""
        self._streams.check("receiveCommands", command)
        self.send(frame(TEXT, json.dumps(command).encode()))
        if not command:
            return None
        while True:
            for message in self.messages():
                if message.get("id") == command["id"]:
                    return message

    def messages(self):
        found = self.read()
        assert found is not None and found.opcode == TEXT, found
        messages = [json.loads(line) for line in found.payload.decode().splitlines()]
        for message in messages:
            self._streams.check("sendReplies", message)
            if "push" in message:
                self.pushed.append(message["push"]["pub"]["data"])
        return messages

    def until_pushed(self, *types):
        while not {each["type"] for each in self.pushed} >= set(types):
            self.messages()

    def until_ping(self, seconds):
        self._socket.settimeout(seconds)
        while {} not in self.messages():
            pass
        self.say({})


def blocks(system, path, count, headers=None, seconds=20):
    """So many blocks of a stream of server-sent events, each as an object of its fields."""
    reader = EventReader(system, path, headers, timeout=seconds)
    assert reader.answer.getheader("Content-Type").startswith("text/event-stream")
    found, fields = [], {}
    while len(found) < count:
        line = reader.answer.readline().decode().rstrip("\n")
        if not line:
            if fields:
                found.append(fields)
            fields = {}
        elif line.startswith(":"):
            fields["comment"] = line[1:].strip()
        else:
            name, _, value = line.partition(":")
            fields[name] = json.loads(value) if name == "data" else value.removeprefix(" ")
    reader.close()
    return found


@pytest.fixture(scope="module")
def streams():
    return Streams()


def test_the_document_names_every_message_once(streams):
    for channel in streams.document["channels"].values():
        for name, reference in channel["messages"].items():
            assert reference["$ref"] == f"#/components/messages/{name}" and name in streams.document["components"]["messages"]
    used = {name for channel in streams.document["channels"].values() for name in channel["messages"]}
    assert used == set(streams.document["components"]["messages"])
    sent = {name for operation in streams.document["operations"] for name in streams.names(operation)}
    assert sent == used


def test_a_schema_that_is_not_met_is_noticed(streams):
    """The check itself can fail."""
    with pytest.raises(AssertionError):
        streams.check("sendReplies", {"id": 1, "subscribe": {"epoch": "e"}})
    with pytest.raises(AssertionError):
        streams.check("sendReplies", {"push": {"channel": "events", "pub": {"offset": 1, "data": {"type": "invoice.burnt"}}}})
    with pytest.raises(AssertionError):
        streams.check("receiveCommands", {"id": 1, "connect": {}, "ping": {}})
    assert not Rest().accepts("Invoice", {})


def test_what_goes_over_a_websocket(system, streams):
    held = create(system, settlement="hold")
    info = api(system, "GET", "/v1/info").json
    # Who is quiet is pinged, and has to answer in time.
    with ThreadPoolExecutor() as pool, Session(system, streams) as quiet, Session(system, streams, system.api_key) as session:
        pinged = pool.submit(quiet.until_ping, 60)
        for channel in ("events", "htlcs", "nodes", f"invoice:{held['payment_hash']}"):
            assert "subscribe" in session.ask(subscribe={"channel": channel})
        session.ask(subscribe={"channel": "somewhere"})
        session.ask(subscribe={"channel": "events"})
        paying = Paying(system, held)
        until_state(system, held, "accepted")
        session.ask(rpc={"method": "invoice.get", "data": {"payment_hash": held["payment_hash"]}})
        session.ask(rpc={"method": "invoice.settle", "data": {"payment_hash": held["payment_hash"], "set_id": NEVER}})
        session.ask(rpc={"method": "invoice.settle", "data": {"payment_hash": held["payment_hash"]}})
        session.ask(rpc={"method": "invoice.burn"})
        assert paying.result()["status"] == "succeeded"
        canceled, expired, released = create(system), create(system, expiry_seconds=1), create(system, settlement="hold")
        session.ask(rpc={"method": "invoice.cancel", "data": {"payment_hash": canceled["payment_hash"]}})
        assert pay(system, released)["status"] == "failed"
        until_state(system, expired, "expired")
        system.end("lnsim")
        simulator = system.directory / "lnsim"
        session.until_pushed("node.disconnected")
        session.until_pushed(
            "invoice.created", "invoice.accepted", "invoice.settle_requested", "invoice.settled", "invoice.canceled", "invoice.expired",
            "invoice.released", "htlc.accepted", "htlc.settled", "htlc.failed")
        system.spawn("lnsim", "run", "--nodes", "2", "--dir", str(simulator), "--control", system.control_url.removeprefix("http://"))
        session.until_pushed("node.connected")
        session.ask(history={"channel": "events", "limit": 500, "since": {"offset": 0, "epoch": info["epoch"]}})
        session.ask(history={"channel": "events", "limit": 1, "since": {"offset": 0, "epoch": "another"}})
        session.ask(ping={})
        session.ask(refresh={"token": system.api_key})
        session.ask(publish={"channel": "events", "data": {}})
        session.ask(presence={"channel": "events"})
        session.ask(unsubscribe={"channel": "events"})
        back = session.ask(subscribe={"channel": "events", "recover": True, "offset": 1, "epoch": info["epoch"]})
        assert back["subscribe"]["recovered"] and back["subscribe"]["publications"]
        session.ask(unsubscribe={"channel": "events"})
        lost = session.ask(subscribe={"channel": "events", "recover": True, "offset": 1, "epoch": "another"})
        assert lost["subscribe"]["recovered"] is False
        with Session(system, streams) as stranger:
            stranger.ask(subscribe={"channel": f"invoice:{held['payment_hash']}", "token": held["watch_token"]})
            stranger.ask(subscribe={"channel": "events"})
        pinged.result()
    assert state(system, held) == "settled"


def test_what_an_sdk_says(system, streams):
    """The commands of centrifuge-python, as it sends them."""
    async def scenario():
        client = Client(system.base_url.replace("http", "ws", 1) + "/connection/websocket", token=system.api_key, proxy=None)
        send = client._send_commands

        async def recorded(commands):
            for command in commands:
                # Only the answer to a ping has no id.
                streams.check("receiveCommands", {name: value for name, value in command.items() if value is not None})
            return await send(commands)

        client._send_commands = recorded
        subscription = client.new_subscription("events")
        await client.connect()
        await client.ready()
        await subscription.subscribe()
        await subscription.ready()
        await subscription.history(limit=3)
        invoice = await asyncio.to_thread(create, system)
        await client.rpc("invoice.get", {"payment_hash": invoice["payment_hash"]})
        await subscription.unsubscribe()
        await client.disconnect()

    asyncio.run(scenario())


def test_what_goes_over_server_sent_events(system, streams):
    authorization = {"Authorization": f"Bearer {system.api_key}"}
    head = api(system, "GET", "/v1/info").json["head"]
    for block in blocks(system, "/v1/events", 1 + head, authorization):
        streams.check("sendEvents", block)
    invoice = create(system)
    # The comment comes when nothing has happened for a while.
    with ThreadPoolExecutor() as pool:
        ours = pool.submit(blocks, system, f"/v1/events?after={head + 1}", 2, authorization)
        theirs = pool.submit(blocks, system, f"/v1/watch/{invoice['watch_token']}", 3)
    for operation, found in (("sendEvents", ours), ("sendInvoiceEvents", theirs)):
        for block in found.result():
            streams.check(operation, block)


def test_all_that_the_document_promises_was_seen(streams):
    assert streams.seen == streams.promised
