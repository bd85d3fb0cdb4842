"""Edge, interceptor and database are killed in turn under load, and every reader ends up with exactly the log."""

import os
import signal
import threading
import time

from client import api, assert_dense, create, events, pay, until
from copies import At
from readers import Readers

SETTINGS = "cluster:\n  lease: 1s\nedge:\n  streams_per_key: 1000\n"
ROLE = "mux"
COUNT = int(os.environ.get("TEST_READERS", "1000"))


class Load(threading.Thread):
    """Invoices made at any edge and paid, as long as it lasts; what fails meanwhile is tried no further."""

    def __init__(self, edges):
        super().__init__(daemon=True)
        self._edges, self._is_over, self.paid = edges, False, 0
        self.start()

    def run(self):
        number = 0
        while not self._is_over:
            number += 1
            try:
                edge = self._edges[number % len(self._edges)]
                parts = [{"node": node, "amount_msat": 50_000} for node in (0, 1)] if number % 2 else None
                self.paid += pay(edge, create(edge), parts)["status"] == "succeeded"
            except (OSError, AssertionError):
                time.sleep(0.1)
            time.sleep(0.05)

    def finish(self):
        self._is_over = True
        self.join(60)


def test_every_reader_ends_up_with_exactly_the_log(system):
    names = ("west", "east")
    urls = {name: system.start_edge(name) for name in names}
    edges = [At(system, urls[name]) for name in names]
    readers = Readers([edge.base_url for edge in edges], system.api_key, system.sql("SELECT epoch FROM stream"), COUNT)
    load = Load(edges)
    until(lambda: load.paid >= 3, what="the first payments")

    def kill_edge(name):
        system.end(name, signal.SIGKILL)
        time.sleep(0.5)
        base_url, internal_url = urls[name]
        system.spawn_edge(name, base_url, internal_url.rsplit(":", 1)[1])

    def kill_interceptor():
        system.kill()
        time.sleep(0.5)
        system.spawn_gateway()

    def kill_database():
        system.stop_database()
        time.sleep(1)
        system.start_database()

    for blow in (lambda: kill_edge("west"), kill_interceptor, kill_database, lambda: kill_edge("east"), kill_database, kill_interceptor):
        paid = load.paid
        blow()
        until(lambda: load.paid >= paid + 3, 60, "payments after the blow")
    load.finish()

    until(lambda: api(edges[0], "GET", "/v1/info").status == 200, what="the end")
    log = [(event["offset"], event["id"]) for event in events(edges[0])]
    until(lambda: not readers.behind(log[-1][0]), 60, "all readers current")
    readers.finish()
    log = [(event["offset"], event["id"]) for event in events(edges[1])]
    for reader in readers.all:
        assert not reader.refusals, reader.refusals[:3]
        assert reader.seen == log[: len(reader.seen)], difference(reader.seen, log)
    assert_dense(edges[0])
    assert all(reader.losses for reader in readers.all if reader.transport == "websocket"), "nobody lost a connection"


def difference(seen, log):
    place = next(place for place, pair in enumerate(seen) if place >= len(log) or pair != log[place])
    return f"after {seen[max(0, place - 2):place]} came {seen[place:place + 3]} instead of {log[place:place + 2]}"
