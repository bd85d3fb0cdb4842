"""One payment, end to end."""

from client import Paying, api, assert_dense, create, events, pay, state, types, until_state

LIFE = ["htlc.accepted", "invoice.accepted", "invoice.settle_requested", "htlc.settled", "invoice.settled"]


def test_an_invoice_is_paid_through_one_node(system):
    invoice = create(system)
    result = pay(system, invoice)
    assert result["status"] == "succeeded", result
    until_state(system, invoice, "settled")
    assert types(events(system, invoice["payment_hash"])) == ["invoice.created", *LIFE]
    paid = api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").json
    assert paid["received_msat"] == 100_000 and paid["preimage"] == result["preimage"]


def test_parts_over_two_nodes_settle_together(system):
    invoice = create(system)
    result = pay(system, invoice, [{"node": 0, "amount_msat": 40_000}, {"node": 1, "amount_msat": 60_000}])
    assert result["status"] == "succeeded", result
    until_state(system, invoice, "settled")
    told = events(system, invoice["payment_hash"])
    assert types(told).count("htlc.accepted") == 2 and types(told).count("htlc.settled") == 2
    assert {event["data"]["node_name"] for event in told if event["type"] == "htlc.settled"} == {"alice", "bob"}


def test_a_stateless_invoice_leaves_nothing_until_it_is_paid(system):
    invoice = create(system, stateless=True)
    assert api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").status == 404
    assert pay(system, invoice)["status"] == "succeeded"
    until_state(system, invoice, "settled")
    assert types(events(system, invoice["payment_hash"])) == LIFE


def test_a_hold_invoice_waits_for_the_decision(system):
    invoice = create(system, settlement="hold")
    paying = Paying(system, invoice)
    until_state(system, invoice, "accepted")
    seen = [event for event in events(system, invoice["payment_hash"]) if event["type"] == "invoice.accepted"]
    other = "00" * 32
    assert api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {"set_id": other}).status == 409
    settled = api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {"set_id": seen[0]["data"]["set_id"]})
    assert settled.status == 200, settled.body
    assert paying.result()["status"] == "succeeded"
    until_state(system, invoice, "settled")
    assert api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {}).status == 200, "settling is idempotent"
    assert api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/cancel", {}).status == 409


def test_a_canceled_hold_invoice_is_failed_back_and_final(system):
    invoice = create(system, settlement="hold")
    paying = Paying(system, invoice)
    until_state(system, invoice, "accepted")
    assert api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/cancel", {}).status == 200
    result = paying.result()
    assert result["status"] == "failed"
    assert result["parts"][0]["failure"]["code"] == 0x400F
    assert state(system, invoice) == "canceled"
    assert pay(system, invoice)["status"] == "failed"


def test_of_two_payments_of_one_invoice_exactly_one_succeeds(system):
    invoice = create(system)
    first, second = Paying(system, invoice, [{"node": 0, "amount_msat": 100_000}]), Paying(system, invoice, [{"node": 1, "amount_msat": 100_000}])
    assert sorted([first.result()["status"], second.result()["status"]]) == ["failed", "succeeded"]


def test_waiting_answers_when_the_money_is_there(system):
    invoice = create(system)
    short = api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}/wait?timeout=1")
    assert short.status == 402 and short.json["payment_hash"] == invoice["payment_hash"]
    paying = Paying(system, invoice)
    waited = api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}/wait?timeout=30")
    assert waited.status == 200 and waited.json["state"] == "settled"
    paying.result()


def test_the_log_has_no_gap_and_no_repetition(system):
    assert_dense(system)
