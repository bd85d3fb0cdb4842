"""Old days of the log go, and every reader who was there learns of it."""

import json

from client import api, assert_dense, create, pay, until
from crowd import Crowd
from websocket import WebSocket
from wire import EventReader

# Kept in steps of a seventh, looked after every two seconds.
SETTINGS = "events:\n  retention: 60s\n"


def first(system):
    return int(system.sql("SELECT first FROM stream"))


def history(system, since):
    """The first offset of a page of the past, or the code of the refusal."""
    socket = WebSocket(system.base_url.replace("http", "ws", 1) + "/connection/websocket")
    socket.send(json.dumps({"id": 1, "connect": {"token": system.api_key}}) + "\n"
                + json.dumps({"id": 2, "history": {"channel": "events", "limit": 3, "since": since}}))
    told = []
    while len(told) < 2:
        told += [json.loads(line) for line in socket.receive().splitlines()]
    socket.close()
    return told[1]["error"]["code"] if "error" in told[1] else told[1]["history"]["publications"][0]["data"]["offset"]


def pass_time(system, seconds):
    system.sql(f"UPDATE event_partitions SET begun_at = begun_at - interval '{seconds} seconds'")


def test_what_is_too_old_goes_and_readers_from_before_are_told_so(system):
    old = create(system)
    assert pay(system, old)["status"] == "succeeded"
    assert_dense(system)
    epoch, head = system.sql("SELECT epoch || ' ' || head FROM stream").split()
    reader = EventReader(system, f"/v1/events?after={head}", {"Authorization": f"Bearer {system.api_key}"})
    pass_time(system, 30)
    until(lambda: int(system.sql("SELECT count(*) FROM event_partitions")) > 1, what="a new partition")
    new = create(system)
    pass_time(system, 90)
    until(lambda: first(system) > 1, what="the old partition dropped")
    # A reader of today notices nothing.
    assert reader.take(1)[0][2]["data"]["payment_hash"] == new["payment_hash"]
    reader.close()

    # What it has at hand it still serves; another process has nothing of it.
    system.kill()
    system.start_gateway()
    kept = api(system, "GET", "/v1/events").json["events"]
    assert kept[0]["offset"] == first(system) <= int(head) + 1
    assert api(system, "GET", f"/v1/events?after={first(system) - 1}").json["events"] == kept
    for accept in ("application/json", "text/event-stream"):
        gone = api(system, "GET", "/v1/events?after=1", headers={"Accept": accept})
        assert (gone.status, gone.json["code"]) == (410, "offset_gone")
    assert [history(system, since) for since in ({"offset": 1, "epoch": epoch}, {"offset": first(system) - 1, "epoch": epoch}, {"offset": 0})] == [
        112, kept[0]["offset"], kept[0]["offset"]]
    # The money's own records are not the log.
    assert api(system, "GET", f"/v1/invoices/{old['payment_hash']}").json["state"] == "settled"

    crowd = Crowd([system.base_url], old["watch_token"], [
        {"channel": f"invoice:{old['payment_hash']}", "recover": True, "epoch": epoch, "offset": 1}])
    crowd.come(10)
    told = json.loads(crowd.replies[0])["subscribe"]
    assert (told["recovered"], told["epoch"], told["data"]["state"]) == (False, epoch, "settled")
    crowd.leave()


def test_a_process_that_starts_afterwards_goes_on_with_the_same_offsets(system):
    before = first(system), system.sql("SELECT epoch FROM stream")
    system.kill()
    system.start_gateway()
    invoice = create(system)
    assert pay(system, invoice)["status"] == "succeeded"
    offsets = [event["offset"] for event in api(system, "GET", "/v1/events?limit=1000").json["events"]]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets))) and offsets[0] == first(system)
    assert (first(system) >= before[0], system.sql("SELECT epoch FROM stream")) == (True, before[1])
