"""One log served by many processes: an interceptor that serves nobody, and edges that never intercept."""

import json
import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import lnmux
from client import Paying, api, call, control, create, events, pay, types, until
from copies import At
from websocket import WebSocket
from wire import EventReader

SETTINGS = "cluster:\n  lease: 1s\n"
ROLE = "mux"


@pytest.fixture(scope="module")
def edges(system):
    return [At(system, system.start_edge(name)) for name in ("west", "east")]


def metric(internal_url, name):
    text = call("GET", internal_url + "/metrics").body.decode()
    return float(re.search(rf"(?m)^{name}(?:{{[^}}]*}})? (\S+)$", text).group(1))


def until_told(edge, states):
    def told():
        answer = call("GET", edge.internal_url + "/ready", timeout=5)
        return {node["name"]: node["state"] for node in answer.json["nodes"]} == states
    until(told, what=f"{states} told")


def test_what_is_paid_at_the_interceptor_is_told_at_every_edge(system, edges):
    west, east = edges
    invoice = create(west)
    reader = EventReader(east, "/v1/events", {"Authorization": f"Bearer {east.api_key}"})
    assert pay(west, invoice)["status"] == "succeeded"
    life = ["invoice.created", "htlc.accepted", "invoice.accepted", "invoice.settle_requested", "htlc.settled", "invoice.settled"]
    told = []
    while told[-1:] != ["invoice.settled"]:
        told += [kind for _, kind, event in reader.take(1) if event["data"].get("payment_hash") == invoice["payment_hash"]]
    reader.close()
    assert told == life
    assert types(events(west, invoice["payment_hash"])) == life
    assert events(west) == events(east)


def test_an_interceptor_has_no_public_listener_and_an_edge_is_ready_like_a_standby(system, edges):
    host, port = system.base_url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), 2)
    answer = call("GET", edges[0].internal_url + "/ready")
    assert answer.status == 200 and answer.json["leader"] == "other"
    assert {node["name"]: node["state"] for node in answer.json["nodes"]} == {"alice": "connected", "bob": "connected"}
    assert metric(edges[0].internal_url, "leyden_leader") == 0
    assert metric(system.internal_url, "leyden_leader") == 1


def test_clients_of_lnmux_are_served_by_edges_which_share_the_address(system, edges):
    with lnmux.Lnmux(system) as client:
        accepted = client.call("SubscribeInvoiceAccepted", timeout=60)
        accepted.initial_metadata()
        answer = client.call("AddInvoice", amt_msat=7000, expiry_secs=600)
        paid = pay(edges[0], {"payment_request": answer.payment_request, "amount_msat": 7000})
        assert paid["status"] == "succeeded"
        assert next(told for told in accepted if told.hash == answer.hash).set_id
        assert client.call("WaitForInvoiceFinalStatus", hash=answer.hash).invoice_status == lnmux.messages.SETTLED
        accepted.cancel()


def test_an_edge_names_the_nodes_that_the_leader_has_and_refuses_invoices_when_there_are_none(system, edges):
    for node in (0, 1):
        control(system, "/fault/stop_node", {"node": node})
    until(lambda: api(edges[0], "POST", "/v1/invoices", {"amount_msat": 1000}).status == 503, what="the refusal")
    assert api(edges[0], "POST", "/v1/invoices", {"amount_msat": 1000}).json["code"] == "no_receiving_node"
    for node in (0, 1):
        control(system, "/fault/start_node", {"node": node})
    system.until_connected("alice", "bob")
    for edge in edges:
        until_told(edge, {"alice": "connected", "bob": "connected"})
    assert pay(edges[0], create(edges[0], stateless=True), [{"node": 1, "amount_msat": 100_000}])["status"] == "succeeded"


def held(edge):
    """A hold invoice whose payment waits for a decision, and its path."""
    invoice = create(edge, settlement="hold")
    paying = Paying(edge, invoice)
    path = f"/v1/invoices/{invoice['payment_hash']}"
    until(lambda: api(edge, "GET", path).json["state"] == "accepted", what="the payment held")
    return invoice, path, paying


def test_a_decision_finds_the_leader_wherever_it_is_asked_for(system, edges):
    west, east = edges
    invoice, path, paying = held(west)
    assert api(west, "POST", path + "/settle", {"set_id": "0" * 64}).json["code"] == "other_set"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: api(edges[number % 2], "POST", path + "/settle", {}), range(8)))
    assert {answer.status for answer in answers} == {200}
    assert paying.result()["status"] == "succeeded"
    until(lambda: types(events(east, invoice["payment_hash"]))[-1:] == ["invoice.settled"])
    assert types(events(east, invoice["payment_hash"])).count("invoice.settle_requested") == 1
    assert api(east, "POST", path + "/cancel", {}).status == 409

    invoice, path, paying = held(east)
    assert api(west, "POST", path + "/cancel", {}).json["state"] == "canceled"
    assert paying.result()["status"] == "failed"


def test_a_decision_over_the_websocket_finds_it_too(system, edges):
    west = edges[0]
    invoice, _, paying = held(west)
    socket = WebSocket(west.base_url.replace("http", "ws", 1) + "/connection/websocket")
    # Nothing has to wait for the answer to the first one.
    socket.send("\n".join(json.dumps(each) for each in (
        {"id": 1, "connect": {"token": west.api_key}},
        {"id": 2, "rpc": {"method": "invoice.settle", "data": {"payment_hash": invoice["payment_hash"]}}})))
    told = []
    while not any(each.get("id") == 2 for each in told):
        told += [json.loads(line) for line in socket.receive().splitlines()]
    socket.close()
    assert [each["id"] for each in told] == [1, 2] and told[1]["rpc"]["data"]["state"] in ("settle_requested", "settled")
    assert paying.result()["status"] == "succeeded"


def test_a_node_is_drained_and_taken_in_again_by_way_of_an_edge(system, edges):
    west, east = edges
    node = next(each for each in call("GET", west.internal_url + "/ready").json["nodes"] if each["name"] == "alice")
    assert api(west, "POST", f"/v1/nodes/{node['pubkey']}/drain").json["state"] == "draining"
    until_told(east, {"alice": "draining", "bob": "connected"})
    assert api(east, "POST", f"/v1/nodes/{node['pubkey']}/resume").json["state"] == "connected"
    until_told(east, {"alice": "connected", "bob": "connected"})


def test_a_decision_while_the_leader_is_away_is_made_by_the_next_or_refused_in_time(system, edges):
    west = edges[0]
    invoice, path, paying = held(west)
    system.kill()
    until(lambda: call("GET", west.internal_url + "/ready").status == 503, what="no leader known")
    began = time.monotonic()
    refused = api(west, "POST", path + "/settle", {})
    assert (refused.status, refused.json["code"]) == (503, "no_leader") and refused.headers["Retry-After"]
    assert time.monotonic() - began < 25
    assert system.sql("SELECT count(*) FROM leader_requests WHERE answer IS NULL") == "0"

    def ask():
        # A leader that has begun and has not its nodes yet says so; whoever asks again is asking for the same.
        while (answer := api(west, "POST", path + "/settle", {})).status == 503:
            assert answer.json["code"] in ("no_leader", "node_away", "not_answered"), answer.body
        return answer

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask)
        system.start_gateway()
        assert waiting.result(60).status == 200
    assert paying.result()["status"] == "succeeded"
    until(lambda: types(events(west, invoice["payment_hash"]))[-1:] == ["invoice.settled"])
    assert types(events(west, invoice["payment_hash"])).count("invoice.settle_requested") == 1


def test_while_nobody_leads_an_edge_goes_on_and_its_invoices_can_be_paid_afterwards(system, edges):
    west = edges[0]
    reader = EventReader(west, "/v1/events?type=invoice.*", {"Authorization": f"Bearer {west.api_key}"})
    system.kill()
    until(lambda: call("GET", west.internal_url + "/ready").status == 503, what="no leader known")
    invoice = create(west)
    told = []
    while invoice["payment_hash"] not in told:
        told += [event["data"]["payment_hash"] for _, _, event in reader.take(1)]
    system.start_gateway()
    system.until_connected("alice", "bob")
    assert pay(west, invoice)["status"] == "succeeded"
    until(lambda: types(events(edges[1], invoice["payment_hash"]))[-1:] == ["invoice.settled"])
    reader.close()


def test_edges_share_a_port(system, edges):
    shared, north = system.start_edge("north")
    _, south = system.start_edge("south", shared)
    before = [metric(url, "leyden_http_requests_total") for url in (north, south)]
    for _ in range(40):
        assert call("GET", shared + "/v1/info", key=system.api_key).status == 200
    after = [metric(url, "leyden_http_requests_total") for url in (north, south)]
    assert all(now > then for now, then in zip(after, before)), (before, after)
    for name in ("north", "south"):
        system.end(name)


def test_shards_are_processes_of_their_own_that_are_started_again_and_end_with_the_first(system):
    shards = system.directory / "shards.yml"
    shards.write_text(system.configuration.read_text() + "edge:\n  shards: 3\n")
    port = next(port for port in range(21000, 60000, 7) if all(is_free(port + step) for step in range(4)))
    system.spawn_as(
        "shards", "leyden", "run", "--config", str(shards), "--role", "edge", "--listen", f"127.0.0.1:{port}",
        "--internal-listen", f"127.0.0.1:{port + 1}")
    internal = [f"http://127.0.0.1:{port + step}" for step in (1, 2, 3)]
    until(lambda: all(status(url) == 200 for url in internal), what="all shards ready")
    log = system.directory / "shards.log"
    first = int(re.findall(r"shard started.*|.*pid=(\d+).*shard=2.*shard started", log.read_text())[0])
    os.kill(first, signal.SIGKILL)
    until(lambda: "starting it again" in log.read_text(), what="the end noticed")
    until(lambda: status(internal[1]) == 200, what="the shard back")
    system.send("shards", signal.SIGTERM)
    until(lambda: not system.is_running("shards"), what="the end of the first")
    assert [status(url) for url in internal] == [None, None, None]


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def status(internal_url):
    try:
        return call("GET", internal_url + "/ready", timeout=2).status
    except OSError:
        return None
