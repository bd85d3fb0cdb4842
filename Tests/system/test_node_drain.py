"""A node that was drained stays so, whoever leads and however often it starts, until it is taken in again."""

import signal

from client import api, create, until
from copies import At


def state_of(at, name="alice"):
    return next(node for node in api(at, "GET", "/v1/nodes").json["nodes"] if node["name"] == name)["state"]


def until_drained(at):
    """By whoever leads now: both nodes are connected, and one of them is not for new invoices."""
    until(lambda: at.ready_as_leader() and (state_of(at), state_of(at, "bob")) == ("draining", "connected"), what="alice draining")


class Process(At):
    def __init__(self, system, urls):
        super().__init__(system, urls)
        self._system = system

    def ready_as_leader(self):
        answer = self._system.ready(self.internal_url)
        return answer is not None and answer.status == 200 and answer.json["leader"] == "this"


def test_a_drain_outlives_leaders_and_restarts(system):
    first = Process(system, (system.base_url, system.internal_url))
    alice = next(node for node in api(first, "GET", "/v1/nodes").json["nodes"] if node["name"] == "alice")["pubkey"]
    assert api(first, "POST", f"/v1/nodes/{alice}/drain", {}).json["state"] == "draining"
    second = Process(system, system.start_second())
    until(lambda: (answer := system.ready(second.internal_url)) and answer.status == 200, what="the second process")
    system.kill()
    until_drained(second)
    assert create(second)["payment_request"]
    system.spawn_gateway()
    until(lambda: (answer := system.ready(first.internal_url)) and answer.status == 200, what="the first process")
    until(lambda: state_of(first) == "draining", what="word of the leader")
    system.end("second", signal.SIGTERM)
    until_drained(first)
    # Asked for and ended under one leader, it is over under the next.
    assert api(first, "POST", f"/v1/nodes/{alice}/resume", {}).json["state"] == "connected"
    system.end("leyden", signal.SIGTERM)
    system.start_gateway()
    assert (state_of(first), state_of(first, "bob")) == ("connected", "connected")


def test_a_drain_that_cannot_be_stored_is_not_made(system):
    bob = next(node for node in api(system, "GET", "/v1/nodes").json["nodes"] if node["name"] == "bob")["pubkey"]
    # The key has been seen, so that only the drain needs the database.
    system.sql("ALTER TABLE drained_nodes RENAME TO away")
    try:
        assert api(system, "POST", f"/v1/nodes/{bob}/drain", {}).status == 503
        assert state_of(system, "bob") == "connected"
    finally:
        system.sql("ALTER TABLE away RENAME TO drained_nodes")
