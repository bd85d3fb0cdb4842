"""The unmodified client centrifuge-python through everything that it can do here: recovery under load on every channel, history,
rpc, refresh, unsubscribing, limits and refusals."""

import asyncio

import pytest
from centrifuge import Client, ClientEventHandler, ClientState, StreamPosition, SubscriptionState
from centrifuge.exceptions import ReplyError
from client import Paying, api, create, events, pay, state, until_state
from sdk import follow, Heard, off_loop, soon, websocket_url
from wire import Cable

HELD = ["invoice.created", "htlc.accepted", "invoice.accepted"]
LIFE = [*HELD, "invoice.settle_requested", "htlc.settled", "invoice.settled"]


class Noted(ClientEventHandler):
    def __init__(self):
        self.errors, self.ends = [], []

    async def on_error(self, context):
        self.errors.append(context)

    async def on_disconnected(self, context):
        self.ends.append(context)


def reader(url, token="", **options):
    return Client(url, token=token, min_reconnect_delay=0.02, max_reconnect_delay=0.2, proxy=None, **options)


def with_client(scenario, system, token=None, **options):
    """Runs the scenario with a connected client."""
    async def run():
        client = reader(websocket_url(system), system.api_key if token is None else token, **options)
        await client.connect()
        await client.ready()
        await scenario(client)
        await client.disconnect()

    asyncio.run(run())


async def refusal(attempt):
    with pytest.raises(ReplyError) as refused:
        await attempt
    return refused.value.code


def test_every_channel_recovers_without_loss_however_often_the_cable_is_cut(system):
    async def scenario():
        cable = Cable(system.base_url)
        client = reader(cable.url, system.api_key)
        await client.connect()
        watched = await off_loop(create, system, settlement="hold")
        channels = {"events": lambda each: True, "htlcs": lambda each: each["type"].startswith("htlc."),
                    f"invoice:{watched['payment_hash']}": lambda each: each["data"].get("payment_hash") == watched["payment_hash"]}
        heard = {channel: (await follow(client, channel))[1] for channel in channels}
        start = (await off_loop(events, system))[-1]["offset"]
        paying = None
        for cuts in range(1, 7):
            cable.cut()
            invoice = await off_loop(create, system)
            assert (await off_loop(pay, system, invoice))["status"] == "succeeded"
            if cuts == 2:
                paying = Paying(system, watched)
                await off_loop(until_state, system, watched, "accepted")
            if cuts == 4:
                await off_loop(api, system, "POST", f"/v1/invoices/{watched['payment_hash']}/settle", {})
            cable.mend()
            # More happens while it recovers.
            for _ in range(5):
                await off_loop(create, system)
            await soon(lambda: all(len(each.subscribed) > cuts for each in heard.values()))
        await off_loop(until_state, system, watched, "settled")
        assert (await off_loop(paying.result))["status"] == "succeeded"
        logged = [each for each in await off_loop(events, system) if each["offset"] > start]
        for channel, carries in channels.items():
            wanted = [each for each in logged if carries(each)]
            await soon(lambda: len(heard[channel].objects) >= len(wanted))
            assert heard[channel].objects == wanted, channel
            assert all(each.recovered for each in heard[channel].subscribed[1:])
        await client.disconnect()
        cable.close()

    asyncio.run(scenario())


def test_history_is_read_from_any_position(system):
    invoice = create(system)
    pay(system, invoice)
    until_state(system, invoice, "settled")

    async def scenario(client):
        subscription, _ = await follow(client, f"invoice:{invoice['payment_hash']}")
        now = await subscription.history()
        assert now.publications == [] and now.offset >= len(LIFE) and now.epoch
        found, position = [], StreamPosition(offset=0, epoch=now.epoch)
        while page := (await subscription.history(limit=2, since=position)).publications:
            assert len(page) <= 2
            found += page
            position = StreamPosition(offset=page[-1].offset, epoch=now.epoch)
        assert [each.data["type"] for each in found] == LIFE
        assert [each.data for each in found] == await off_loop(events, system, invoice["payment_hash"])
        assert [each.data["type"] for each in (await subscription.history(limit=-1)).publications] == LIFE
        assert (await subscription.history(limit=5, since=StreamPosition(offset=now.offset, epoch=now.epoch))).publications == []
        assert await refusal(subscription.history(limit=5, since=StreamPosition(offset=0, epoch="another"))) == 112
        assert await refusal(subscription.history(limit=5, reverse=True)) == 108
        assert await refusal(client.history("somewhere", limit=5)) == 102

    with_client(scenario, system)


def test_rpc_decides_once_and_says_why_it_will_not(system):
    settled, canceled = [create(system, settlement="hold") for _ in range(2)]
    paying = [Paying(system, each) for each in (settled, canceled)]
    for each in (settled, canceled):
        until_state(system, each, "accepted")

    async def scenario(client):
        async def rpc(method, **data):
            return (await client.rpc(method, data)).data

        hash_, other = settled["payment_hash"], canceled["payment_hash"]
        set_id = (await rpc("invoice.get", payment_hash=hash_))["set_id"]
        assert await refusal(rpc("invoice.settle", payment_hash=hash_, set_id="00" * 32)) == 409
        for _ in range(2):
            assert (await rpc("invoice.settle", payment_hash=hash_, set_id=set_id))["state"] in ("settle_requested", "settled")
        assert await refusal(rpc("invoice.cancel", payment_hash=hash_)) == 409
        for _ in range(2):
            assert (await rpc("invoice.cancel", payment_hash=other))["state"] == "canceled"
        assert await refusal(rpc("invoice.settle", payment_hash=other)) == 409
        assert [(await off_loop(each.result))["status"] for each in paying] == ["succeeded", "failed"]
        await off_loop(until_state, system, settled, "settled")
        assert await rpc("invoice.get", payment_hash=hash_) == (await off_loop(api, system, "GET", f"/v1/invoices/{hash_}")).json
        assert await refusal(rpc("invoice.get", payment_hash="00" * 32)) == 404
        for nonsense in ({}, {"payment_hash": "00"}, {"payment_hash": hash_, "set_id": "00"}, {"payment_hash": 7}):
            assert await refusal(client.rpc("invoice.get", nonsense)) == 107
        assert await refusal(client.rpc("invoice.burn", {"payment_hash": hash_})) == 104

    with_client(scenario, system)


def test_rpc_asks_for_the_scope(system):
    invoice = create(system, settlement="hold")
    reads, watches = system.key("invoices:read")["key"], invoice["watch_token"]
    strange = create(system)["watch_token"]
    data = {"payment_hash": invoice["payment_hash"]}
    # None of them may decide; the watch token may look at its own invoice.
    for token, may_look in ((reads, True), (watches, True), (strange, False), ("", False)):
        async def scenario(client):
            if may_look:
                assert "preimage" not in (await client.rpc("invoice.get", data)).data
            else:
                assert await refusal(client.rpc("invoice.get", data)) == 103
            for method in ("invoice.settle", "invoice.cancel"):
                assert await refusal(client.rpc(method, data)) == 103

        with_client(scenario, system, token)
    assert state(system, invoice) == "open"


def test_a_token_is_exchanged_for_another_of_the_same_account_only(system):
    """The server's tokens do not expire by the clock, so the client is told to refresh instead of waiting for it."""
    same, foreign = system.key("events:read")["key"], system.key("events:read")
    system.give_to_another_account(foreign)
    tokens = {"next": system.api_key}

    async def get_token():
        return tokens["next"]

    for token, code in ((same, None), (foreign["key"], 103), ("ley_" + "0" * 16 + "_" + "0" * 64, 3500)):
        async def scenario(client):
            _, heard = await follow(client, "events")
            tokens["next"] = token
            await client._refresh()
            if code is None:
                assert client.state == ClientState.CONNECTED and not noted.errors
                invoice = await off_loop(create, system)
                await soon(lambda: heard.objects and heard.objects[-1]["data"]["payment_hash"] == invoice["payment_hash"])
            else:
                await soon(lambda: noted.ends)
                assert noted.ends[0].code == code and client.state == ClientState.DISCONNECTED
            tokens["next"] = system.api_key

        noted = Noted()
        with_client(scenario, system, get_token=get_token, events=noted)


def test_a_key_that_was_revoked_does_not_come_back(system):
    made = system.key("events:read")

    async def scenario():
        cable = Cable(system.base_url)
        noted = Noted()
        client = reader(cable.url, made["key"], events=noted)
        await client.connect()
        await client.ready()
        await off_loop(system.sql, f"UPDATE api_keys SET revoked_at = now() WHERE id = '{made['id']}'")
        deadline = asyncio.get_running_loop().time() + 40
        while not noted.ends and asyncio.get_running_loop().time() < deadline:
            cable.cut()
            cable.mend()
            await asyncio.sleep(0.5)
        assert noted.ends and noted.ends[0].code == 3500
        cable.close()

    asyncio.run(scenario())


def test_who_has_unsubscribed_hears_nothing_until_it_subscribes_again(system):
    async def scenario(client):
        subscription, heard = await follow(client, "events")
        other, still = await follow(client, "htlcs")
        first = await off_loop(create, system)
        await soon(lambda: heard.objects)
        await subscription.unsubscribe()
        assert subscription.state == SubscriptionState.UNSUBSCRIBED
        paid = await off_loop(create, system)
        assert (await off_loop(pay, system, paid))["status"] == "succeeded"
        await soon(lambda: [each["type"] for each in still.objects] == ["htlc.accepted", "htlc.settled"])
        assert {each["data"]["payment_hash"] for each in heard.objects} == {first["payment_hash"]}
        await subscription.subscribe()
        await subscription.ready()
        later = await off_loop(create, system)
        await soon(lambda: heard.objects[-1]["data"]["payment_hash"] == later["payment_hash"])
        offsets = [each.offset for each in heard.publications]
        assert offsets == sorted(set(offsets))

    with_client(scenario, system)


def test_subscriptions_are_bounded_by_who_asks(system):
    invoice = create(system)
    for token, limit in ((system.api_key, 128), (invoice["watch_token"], 4)):
        async def scenario(client):
            heard = []
            for number in range(limit + 1):
                handler = Heard()
                heard.append(handler)
                options = {"token": invoices[number]["watch_token"]} if limit == 4 else {}
                channel = invoices[number]["payment_hash"] if limit == 4 else f"{number:064x}"
                await client.new_subscription(f"invoice:{channel}", handler, **options).subscribe()
            await soon(lambda: all(each.subscribed or each.ends for each in heard))
            assert [each.ends[0].code for each in heard if each.ends] == [106] and heard[-1].ends

        invoices = [create(system) for _ in range(5)]
        with_client(scenario, system, token)


def test_a_channel_is_refused_to_who_lacks_its_scope(system):
    nodes, reads = system.key("nodes:read")["key"], system.key("events:read")["key"]
    for token, refused in ((nodes, {"events", "htlcs"}), (reads, {"nodes"}), ("", {"events", "htlcs", "nodes"})):
        async def scenario(client):
            heard = {channel: Heard() for channel in ("events", "htlcs", "nodes")}
            for channel, handler in heard.items():
                await client.new_subscription(channel, handler).subscribe()
            await soon(lambda: all(each.subscribed or each.ends for each in heard.values()))
            assert {channel: each.ends[0].code for channel, each in heard.items() if each.ends} == dict.fromkeys(refused, 103)

        with_client(scenario, system, token)


def test_a_database_that_is_away_ends_no_subscription(system):
    """The refusal is called temporary, and the client asks again until it is served."""
    key = system.key("events:read")["key"]

    async def scenario(client):
        await off_loop(system.stop_database)
        heard = Heard()
        # A key that was never seen can only be looked up.
        subscription = client.new_subscription("events", heard, token=key, min_resubscribe_delay=0.1, max_resubscribe_delay=0.3)
        await subscription.subscribe()
        await asyncio.sleep(1)
        assert subscription.state == SubscriptionState.SUBSCRIBING and not heard.ends
        await off_loop(system.start_database)
        await soon(lambda: heard.subscribed, 30)
        assert not heard.ends

    with_client(scenario, system)
