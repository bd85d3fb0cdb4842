"""With grpc.require_subscriber nothing is held that nobody would hear of, as with lnmux."""

import pytest
from client import Paying, api, create, pay, until, until_state
from copies import At
from instance import free_ports
from lnmux import Lnmux

SETTINGS = "settlement: hold\ngrpc: {require_subscriber: true}\n"


def add(client):
    answer = client.call("AddInvoice", amt_msat=20_000, expiry_secs=600)
    return {"payment_request": answer.payment_request, "payment_hash": answer.hash.hex(), "amount_msat": 20_000}


def settles(system, client, invoice):
    """Whether the payment is held; then it is settled."""
    paying = Paying(system, invoice)
    until(lambda: api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").json.get("state") == "accepted" or not paying.is_alive(), what="a decision")
    if not paying.is_alive():
        return paying.result()["status"] == "succeeded"
    assert api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {}).status == 200
    return paying.result()["status"] == "succeeded"


def forget(system):
    """As if half a minute had passed since anybody listened, and read by the leader."""
    system.sql("UPDATE attended_accounts SET seen_at = seen_at - interval '31 s'")


@pytest.fixture(scope="module")
def client(system):
    with Lnmux(system) as client:
        yield client


def test_payments_are_turned_away_unless_somebody_listens_or_has_just_gone(system, client):
    invoice = add(client)
    assert pay(system, invoice)["status"] == "failed"
    stream = client.call("SubscribeInvoiceAccepted", timeout=60)
    stream.initial_metadata()
    # The same invoice: it was not used up.
    assert settles(system, client, invoice)
    stream.cancel()
    until(lambda: "leyden_invoice_accepted_subscribers 0" in metrics(system), what="a stream that is seen to be gone")
    assert settles(system, client, add(client))
    forget(system)
    # Read within a second.
    until(lambda: not settles(system, client, add(client)), what="nobody listens")
    # Invoices that are stored may be decided about by whoever hears of them otherwise.
    stored = create(system, 20_000)
    paying = Paying(system, stored)
    until_state(system, stored, "accepted")
    assert api(system, "POST", f"/v1/invoices/{stored['payment_hash']}/settle", {}).status == 200
    assert paying.result()["status"] == "succeeded"


def metrics(system):
    return api(At(system, (system.internal_url, None)), "GET", "/metrics").body.decode()


def test_who_listens_at_another_process_is_known_to_the_leader(system, client):
    (grpc,) = free_ports(1)
    other = system.directory / "edge.yml"
    other.write_text(system.configuration.read_text().replace(f"grpc_listen: {system.grpc_address}", f"grpc_listen: 127.0.0.1:{grpc}"))
    system.start_edge("edge", configuration=other)
    forget(system)
    with Lnmux(system, address=f"127.0.0.1:{grpc}") as away:
        stream = away.call("SubscribeInvoiceAccepted", timeout=60)
        stream.initial_metadata()
        until(lambda: system.sql("SELECT count(*) FROM attended_accounts WHERE seen_at > now() - interval '5 s'") == "1", what="word of it")
        # Read within a second.
        until(lambda: settles(system, client, add(client)), what="a payment that is held")
        stream.cancel()
    system.end("edge")
