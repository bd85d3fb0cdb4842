"""SIGTERM: the lease goes at once, clients go one after the other, requests are answered, and the process ends in time."""

import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import api, call, create, events, until
from websocket import WebSocket, WebSocketClosed
from wire import EventReader

SETTINGS = "drain_timeout: 12s\n"


@pytest.fixture(autouse=True)
def running(system):
    """Each test ends the gateway."""
    if not system.is_running():
        system.start_gateway()
    yield


def websocket(system):
    socket = WebSocket(system.base_url.replace("http", "ws", 1) + "/connection/websocket")
    socket.send(json.dumps({"id": 1, "connect": {"token": system.api_key}}))
    socket.receive()
    return socket


def until_closed(socket):
    """When and with what it was closed; answers as a client does."""
    try:
        while True:
            socket.receive()
    except WebSocketClosed as closed:
        ended = time.monotonic(), str(closed)
    socket.close()
    return ended


def until_ended(system, seconds):
    child = system._children["leyden"]
    return child.wait(seconds)


def test_everybody_is_told_and_nothing_under_way_is_lost(system):
    create(system)
    head = api(system, "GET", "/v1/info").json["head"]
    invoice = create(system)
    sockets = [websocket(system) for _ in range(8)]
    stream = EventReader(system, "/v1/events?after=0", {"Authorization": f"Bearer {system.api_key}"})
    stream.take(1)
    with ThreadPoolExecutor(12) as pool:
        poll = pool.submit(api, system, "GET", f"/v1/events?after={head + 1}&wait=60")
        wait = pool.submit(api, system, "GET", f"/v1/invoices/{invoice['payment_hash']}/wait?timeout=60")
        time.sleep(0.5)
        began = time.monotonic()
        system.send("leyden", signal.SIGTERM)
        ends = list(pool.map(until_closed, sockets))
        assert poll.result(10).json == {"events": [], "next": head + 1}
        assert wait.result(10).status == 402
        rest = stream.answer.read().decode()
    assert rest.rstrip().splitlines()[-1].startswith("retry: "), rest
    assert all("3001" in reason for _, reason in ends), ends
    assert until_ended(system, 12) == 0 and time.monotonic() - began < 10
    system.start_gateway()
    # Another process, or the same again, leads at once: the lease was given back.
    assert api(system, "GET", "/v1/info").json["leader"]


def test_many_do_not_go_at_the_same_moment(system):
    sockets = [websocket(system) for _ in range(240)]
    ends = []
    threads = [threading.Thread(target=lambda each=each: ends.append(until_closed(each)), daemon=True) for each in sockets]
    for thread in threads:
        thread.start()
    system.send("leyden", signal.SIGTERM)
    for thread in threads:
        thread.join(15)
    assert len(ends) == 240 and all("3001" in reason for _, reason in ends)
    times = sorted(when for when, _ in ends)
    assert times[-1] - times[0] > 0.7, "all at once"
    assert until_ended(system, 12) == 0


def test_while_it_ends_it_is_not_ready_and_another_has_the_lease(system):
    base_url, internal_url = system.start_second()
    try:
        until(lambda: (answer := system.ready(internal_url)) and answer.status == 200, what="the standby ready")
        sockets = [websocket(system) for _ in range(200)]
        began = time.monotonic()
        system.send("leyden", signal.SIGTERM)
        # Nobody reads here, so that the end takes its time.
        until(lambda: (answer := system.ready()) is None or answer.status == 503, 5, "not ready")
        until(lambda: system.ready(internal_url).json["leader"] == "this", 5, "the take-over")
        assert time.monotonic() - began < 5 and system.is_running(), "the lease is given back at once"
        assert call("GET", base_url + "/v1/events?limit=1", key=system.api_key).status == 200
        assert until_ended(system, 13) == 0
        for each in sockets:
            each.close()
    finally:
        system.end("second")


def test_a_second_signal_ends_it_at_once(system):
    sockets = [websocket(system) for _ in range(100)]
    system.send("leyden", signal.SIGTERM)
    time.sleep(0.5)
    assert system.is_running()
    system.send("leyden", signal.SIGTERM)
    assert until_ended(system, 2) == 0
    for each in sockets:
        each.close()


def test_clients_that_do_not_answer_do_not_keep_it(system):
    sockets = [websocket(system) for _ in range(5)]
    began = time.monotonic()
    system.send("leyden", signal.SIGTERM)
    assert until_ended(system, 13) == 0 and time.monotonic() - began < 12.5
    for each in sockets:
        each.close()
    system.start_gateway()
    assert events(system)
