"""One log served by many processes: an interceptor that serves nobody, and edges that never intercept."""

import os
import re
import signal
import socket

import pytest
import lnmux
from client import Paying, api, call, control, create, events, pay, types, until
from wire import EventReader

SETTINGS = "cluster:\n  lease: 1s\n"
ROLE = "mux"


class At:
    """An edge as the client functions see a copy."""

    def __init__(self, system, urls):
        self.base_url, self.internal_url = urls
        self.api_key = system.api_key
        self.control_url = system.control_url


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
    until_told(edges[0], {"alice": "connected", "bob": "connected"})
    assert pay(edges[0], create(edges[0], stateless=True), [{"node": 1, "amount_msat": 100_000}])["status"] == "succeeded"


def test_only_the_leader_decides_and_an_edge_says_so(system, edges):
    west = edges[0]
    invoice = create(west, settlement="hold")
    Paying(west, invoice)
    until(lambda: api(west, "GET", f"/v1/invoices/{invoice['payment_hash']}").json["state"] == "accepted")
    refused = api(west, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {})
    assert (refused.status, refused.json["code"]) == (503, "no_leader_here")
    assert refused.headers["Retry-After"]
    drained = api(west, "POST", f"/v1/nodes/{call('GET', west.internal_url + '/ready').json['nodes'][0]['pubkey']}/drain")
    assert (drained.status, drained.json["code"]) == (503, "no_leader_here")


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
