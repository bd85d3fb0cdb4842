"""The same log on every transport, read by clients that were not written for it."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from centrifuge import Client, ClientEventHandler, ClientState
from centrifuge.exceptions import ReplyError
from client import api, call, create, events, pay, until
from sdk import follow, Heard, off_loop, soon, websocket_url
from websocket import WebSocket
from wire import EventReader

LIFE = ["invoice.created", "htlc.accepted", "invoice.accepted", "invoice.settle_requested", "htlc.settled", "invoice.settled"]


class Ended(ClientEventHandler):
    def __init__(self):
        self.disconnects = []

    async def on_disconnected(self, context):
        self.disconnects.append(context)


def client(url, token="", handler=None):
    return Client(url, token=token, events=handler, min_reconnect_delay=0.05, max_reconnect_delay=0.3)


def test_an_unmodified_client_hears_the_life_of_a_payment(system):
    async def scenario():
        reader = client(websocket_url(system), system.api_key)
        await reader.connect()
        _, heard = await follow(reader, "events")
        invoice = await off_loop(create, system)
        assert (await off_loop(pay, system, invoice))["status"] == "succeeded"
        await soon(lambda: heard.of(invoice) == LIFE)
        logged = await off_loop(events, system, invoice["payment_hash"])
        told = [each.data for each in heard.publications if each.data["data"].get("payment_hash") == invoice["payment_hash"]]
        assert told == logged, "the same objects on both transports"
        assert all(each.offset == each.data["offset"] for each in heard.publications)
        await reader.disconnect()

    asyncio.run(scenario())


def test_a_gateway_that_was_killed_goes_on_with_the_same_stream(system):
    async def scenario():
        reader = client(websocket_url(system), system.api_key)
        await reader.connect()
        _, heard = await follow(reader, "events")
        first = await off_loop(create, system)
        await soon(lambda: heard.of(first) == LIFE[:1])
        # Not on another thread: the gateway ends with the thread that started it.
        system.kill()
        system.start_gateway()
        invoice = await off_loop(create, system)
        assert (await off_loop(pay, system, invoice))["status"] == "succeeded"
        await soon(lambda: heard.of(invoice) == LIFE, 30)
        offsets = [each.offset for each in heard.publications]
        assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))
        assert heard.subscribed[-1].recovered
        await reader.disconnect()

    asyncio.run(scenario())


def test_a_browser_without_a_key_watches_its_own_invoice_only(system):
    async def scenario():
        mine, other = [await off_loop(create, system) for _ in range(2)]
        reader = client(websocket_url(system))
        await reader.connect()
        await reader.ready()
        _, heard = await follow(reader, f"invoice:{mine['payment_hash']}", token=mine["watch_token"])
        refused = {}
        for channel, token in (
            (f"invoice:{other['payment_hash']}", mine["watch_token"]), ("events", mine["watch_token"]),
            ("htlcs", mine["watch_token"]), ("nodes", mine["watch_token"]),
        ):
            refused[channel] = Heard()
            await reader.new_subscription(channel, refused[channel], token=token).subscribe()
        await soon(lambda: all(each.ends for each in refused.values()))
        assert {each.ends[0].code for each in refused.values()} == {103}
        with pytest.raises(ReplyError):
            await reader.rpc("invoice.cancel", {"payment_hash": mine["payment_hash"]})
        await off_loop(pay, system, other)
        assert (await off_loop(pay, system, mine))["status"] == "succeeded"
        await soon(lambda: heard.of(mine) == LIFE[1:])
        assert all(each.data["data"]["payment_hash"] == mine["payment_hash"] for each in heard.publications)
        assert "preimage" not in str([each.data for each in heard.publications])
        await reader.disconnect()

    asyncio.run(scenario())


def test_a_watch_token_also_connects(system):
    async def scenario():
        invoice = await off_loop(create, system)
        reader = client(websocket_url(system), invoice["watch_token"])
        await reader.connect()
        _, heard = await follow(reader, f"invoice:{invoice['payment_hash']}")
        assert (await off_loop(pay, system, invoice))["status"] == "succeeded"
        await soon(lambda: heard.of(invoice) == LIFE[1:])
        await reader.disconnect()

    asyncio.run(scenario())


@pytest.mark.parametrize("token", ["ley_nobody_" + "0" * 32, "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "x" * 5000])
def test_a_bad_token_closes_for_good(system, token):
    async def scenario():
        ended = Ended()
        reader = client(websocket_url(system), token, ended)
        await reader.connect()
        await soon(lambda: ended.disconnects)
        assert ended.disconnects[0].code == 3500 and reader.state == ClientState.DISCONNECTED

    asyncio.run(scenario())


def test_unknown_channels_and_publishing_are_refused_with_the_protocols_codes(system):
    async def scenario():
        reader = client(websocket_url(system), system.api_key)
        await reader.connect()
        await reader.ready()
        heard = Heard()
        await reader.new_subscription("somewhere", heard).subscribe()
        await soon(lambda: heard.ends)
        assert heard.ends[0].code == 102
        for attempt in (reader.publish("events", {"type": "invoice.settled"}), reader.presence("events")):
            with pytest.raises(ReplyError) as refused:
                await attempt
            assert refused.value.code == 108
        await reader.disconnect()

    asyncio.run(scenario())


def test_server_sent_events_resume_behind_the_last_id(system):
    authorization = {"Authorization": f"Bearer {system.api_key}"}
    invoices = [create(system) for _ in range(3)]
    logged = events(system)
    reader = EventReader(system, f"/v1/events?after={logged[-4]['offset']}", authorization)
    assert reader.answer.getheader("Content-Type").startswith("text/event-stream")
    assert [each[2] for each in reader.take(3)] == logged[-3:]
    later = create(system)
    (last, kind, event) = reader.take(1)[0]
    assert kind == "invoice.created" and event["data"]["payment_hash"] == later["payment_hash"] and last == event["offset"]
    reader.close()
    missed = [create(system) for _ in range(3)]
    # The header beats the query, as a browser that comes back sends both.
    again = EventReader(system, "/v1/events?after=0", {**authorization, "Last-Event-ID": str(last)})
    found = again.take(3)
    assert [each[2]["data"]["payment_hash"] for each in found] == [each["payment_hash"] for each in missed]
    assert [each[0] for each in found] == [last + 1, last + 2, last + 3]
    again.close()
    assert len(invoices) == 3


def test_a_watch_token_streams_its_invoice_without_a_key(system):
    invoice, other = create(system), create(system)
    reader = EventReader(system, f"/v1/watch/{invoice['watch_token']}")
    pay(system, other)
    assert pay(system, invoice)["status"] == "succeeded"
    found = reader.take(len(LIFE))
    assert [each[1] for each in found] == LIFE
    assert {each[2]["data"]["payment_hash"] for each in found} == {invoice["payment_hash"]}
    reader.close()


def test_pages_follow_their_cursor(system):
    for _ in range(5):
        create(system)
    whole = api(system, "GET", "/v1/events?limit=1000").json["events"]
    after, found = 0, []
    while after is not None:
        page = api(system, "GET", f"/v1/events?after={after}&limit=3").json
        assert len(page["events"]) <= 3
        found += page["events"]
        after = page["next"]
    assert found[: len(whole)] == whole
    kinds = {each["type"] for each in api(system, "GET", "/v1/events?type=invoice.created&limit=1000").json["events"]}
    assert kinds == {"invoice.created"}


def test_pages_of_invoices_show_each_once(system):
    made = {create(system)["payment_hash"] for _ in range(7)}
    path, found = "/v1/invoices?limit=3", []
    while path:
        page = api(system, "GET", path).json
        found += [each["payment_hash"] for each in page["invoices"]]
        path = f"/v1/invoices?limit=3&after={page['next']}" if page["next"] is not None else None
    assert len(found) == len(set(found)) and made <= set(found)


def test_a_reader_that_changes_the_transport_misses_and_repeats_nothing(system):
    """Page, server-sent events, long poll, WebSocket with recovery, page: under load, twice around."""

    async def scenario():
        start = (await off_loop(events, system))[-1]["offset"]
        seen, ids, producing = [], [], True

        def take(found):
            seen.extend(each["offset"] for each in found)
            ids.extend(each["id"] for each in found)

        async def produce():
            while producing:
                await off_loop(create, system)

        async def page(**query):
            words = "&".join(f"{name}={value}" for name, value in query.items())
            return (await off_loop(api, system, "GET", f"/v1/events?after={seen[-1] if seen else start}&{words}")).json

        load = [asyncio.create_task(produce()) for _ in range(3)]
        for _ in range(2):
            while not (found := await page(limit=5))["events"]:
                await asyncio.sleep(0.01)
            take(found["events"])

            reader = EventReader(system, f"/v1/events?after={seen[-1]}", {"Authorization": f"Bearer {system.api_key}"})
            take([each[2] for each in await off_loop(reader.take, 15)])
            reader.close()

            for _ in range(15):
                found = await page(wait=20, limit=3)
                take(found["events"])
                assert found["next"] == seen[-1], "the cursor of a poll is always there"

            info = (await off_loop(api, system, "GET", "/v1/info")).json
            socket = WebSocket(websocket_url(system))
            socket.send('{"id":1,"connect":{"token":"%s"}}' % system.api_key)
            await off_loop(socket.receive)
            socket.send('{"id":2,"subscribe":{"channel":"events","recover":true,"offset":%d,"epoch":"%s"}}' % (seen[-1], info["epoch"]))
            goal = len(seen) + 15
            while len(seen) < goal:
                for line in (await off_loop(socket.receive)).splitlines():
                    message = json.loads(line)
                    take([each["data"] for each in message.get("subscribe", {}).get("publications", [])])
                    if "pub" in message.get("push", {}):
                        take([message["push"]["pub"]["data"]])
            socket.close()
        producing = False
        await asyncio.gather(*load)
        take((await page(limit=1000))["events"])
        assert seen == list(range(start + 1, start + 1 + len(seen))) and len(ids) == len(set(ids))
        assert seen[-1] == (await off_loop(api, system, "GET", "/v1/info")).json["head"]

    asyncio.run(scenario())


def test_a_long_poll_is_answered_by_what_happens_and_in_vain_goes_on_from_where_it_was(system):
    head = api(system, "GET", "/v1/info").json["head"]
    began = time.monotonic()
    empty = api(system, "GET", f"/v1/events?after={head}&wait=1").json
    assert empty == {"events": [], "next": head} and 0.9 < time.monotonic() - began < 10
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api, system, "GET", f"/v1/events?after={head}&wait=60")
        time.sleep(0.2)
        assert not waiting.done()
        invoice = create(system)
        answer = waiting.result(20).json
    assert [each["data"]["payment_hash"] for each in answer["events"]] == [invoice["payment_hash"]] and answer["next"] == head + 1


def test_a_position_of_another_stream_is_never_waited_for_in_silence(system):
    """As after a database was restored from a backup: what the reader has seen last does not exist."""
    invoice = create(system)
    beyond = api(system, "GET", "/v1/info").json["head"] + 1000
    for path, headers, field in (
        (f"/v1/events?after={beyond}", {}, "after"), (f"/v1/events?after={beyond}&wait=60", {}, "after"),
        (f"/v1/events?after={beyond}", {"Accept": "text/event-stream"}, "after"),
        ("/v1/events", {"Accept": "text/event-stream", "Last-Event-ID": str(beyond)}, "Last-Event-ID"),
    ):
        answer = api(system, "GET", path, headers=headers)
        assert (answer.status, answer.json["code"], answer.json["field"]) == (400, "beyond_head", field)
    # A browser can do nothing about it, so the invoice is told from its beginning.
    reader = EventReader(system, f"/v1/watch/{invoice['watch_token']}", {"Last-Event-ID": str(beyond)})
    assert reader.take(1)[0][1] == "invoice.created"
    reader.close()


def test_a_position_that_cannot_be_is_not_recovered(system):
    info = api(system, "GET", "/v1/info").json
    for offset, epoch in ((info["head"] + 1000, info["epoch"]), (1, "another"), (2**53, "another")):
        socket = WebSocket(websocket_url(system))
        socket.send('{"id":1,"connect":{"token":"%s"}}' % system.api_key)
        socket.receive()
        socket.send(json.dumps({"id": 2, "subscribe": {"channel": "events", "recover": True, "offset": offset, "epoch": epoch}}))
        reply = json.loads(socket.receive().splitlines()[0])
        assert not reply["subscribe"].get("recovered") and reply["subscribe"]["epoch"] == info["epoch"]
        socket.close()


def test_commands_may_stand_behind_connect_in_one_frame(system):
    """The key was never seen, so it is looked up first; what comes behind it waits, and is answered in its order."""
    key = system.key("events:read")["key"]
    socket = WebSocket(websocket_url(system))
    commands = [{"connect": {"token": key}}, {"subscribe": {"channel": "events"}}, {"subscribe": {"channel": "nodes"}}, {"ping": {}}]
    socket.send("\n".join(json.dumps({"id": number, **command}) for number, command in enumerate(commands, 1)))
    told = {}
    while len(told) < 4:
        told.update((each["id"], each) for each in map(json.loads, socket.receive().splitlines()) if "id" in each)
    socket.close()
    assert list(told)[0] == 1 and "subscribe" in told[2] and "ping" in told[4]
    assert told[3]["error"]["code"] == 103, "the rights are the key's"


def test_the_event_stream_refuses_bad_positions(system):
    for query in ("after=-1", "after=x", "after=99999999999999999999", "limit=0", "limit=1001", "type=invoice.nothing", "type=,",
                  "after=+1", "after=1.0", "after=1e3", "wait=-1"):
        answer = api(system, "GET", f"/v1/events?{query}")
        assert answer.status in (400, 422) and answer.headers["Content-Type"] == "application/problem+json", query
    assert call("GET", system.base_url + "/v1/events", headers={"Accept": "text/event-stream"}).status == 401


def test_while_the_database_is_away_open_streams_stay_and_new_ones_are_told_to_come_back(system):
    watched = create(system)
    head = api(system, "GET", "/v1/info").json["head"]
    reader = EventReader(system, f"/v1/events?after={head}", {"Authorization": f"Bearer {system.api_key}"}, timeout=60)
    socket = WebSocket(websocket_url(system))
    socket.send(json.dumps({"id": 1, "connect": {"token": system.api_key}}) + "\n" + json.dumps({"id": 2, "subscribe": {"channel": "events"}}))
    told = []

    def hear(wanted):
        while not any(wanted(each) for each in told):
            told.extend(map(json.loads, socket.receive().splitlines()))
        return next(each for each in told if wanted(each))

    assert "subscribe" in hear(lambda each: each.get("id") == 2)
    system.stop_database()
    try:
        for path in ("/v1/events?limit=1000", f"/v1/events?after={head}&wait=5", f"/v1/events?after={head + 5}",
                     f"/v1/watch/{watched['watch_token']}", f"/v1/watch/{watched['watch_token']}?wait=5"):
            answer = api(system, "GET", path)
            assert answer.status == 503 and answer.headers["Retry-After"], path
        socket.send(json.dumps({"id": 3, "subscribe": {"channel": f"invoice:{watched['payment_hash']}"}}))
        assert hear(lambda each: each.get("id") == 3)["error"] == {"code": 100, "message": "internal server error", "temporary": True}
    finally:
        system.start_database()
    # Not before the gateway has found it again.
    until(lambda: api(system, "GET", "/v1/info").status == 200, what="a gateway that has found its database")
    made = create(system)
    (offset, _, event), = reader.take(1)
    assert offset == head + 1 and event["data"]["payment_hash"] == made["payment_hash"]
    assert hear(lambda each: "pub" in each.get("push", {}))["push"]["pub"]["data"] == event
    reader.close()
    socket.close()
