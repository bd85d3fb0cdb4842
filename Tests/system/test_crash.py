"""Killed between any two steps and started again, the gateway completes each payment once."""

import time

import pytest
from client import Paying, api, assert_dense, control, create, events, simulated, state, types, until, until_state
from copies import StreamLock

SETTINGS = "cluster:\n  lease: 1s\nhold:\n  mpp_timeout: 3s\n"
STEPS = ["invoice.created", "htlc.accepted", "invoice.accepted", "invoice.settle_requested", "htlc.settled", "invoice.settled"]


def folded(told):
    return [kind for index, kind in enumerate(told) if index == 0 or told[index - 1] != kind]


def two_parts(amount_msat):
    return [{"node": 0, "amount_msat": amount_msat // 2}, {"node": 1, "amount_msat": amount_msat - amount_msat // 2}]


def restart(system):
    system.kill()
    system.start_gateway()


def settle(system, invoice):
    until(lambda: api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {}).status == 200, what="settling")


def assert_paid_once(system, invoice, payment, before=()):
    """The payer has the preimage, each step was told once, and what had been told stands as it was."""
    result = payment.result()
    assert result["status"] == "succeeded", result
    until_state(system, invoice, "settled")
    told = events(system, invoice["payment_hash"])
    assert folded(types(told)) == STEPS
    parts = len(result["parts"])
    assert types(told).count("htlc.accepted") == parts and types(told).count("htlc.settled") == parts
    assert api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").json["received_msat"] == invoice["amount_msat"]
    now = {event["offset"]: event for event in events(system)}
    assert all(now[event["offset"]] == event for event in before)
    assert_dense(system)


def test_killed_between_the_parts(system):
    invoice = create(system)
    first = Paying(system, invoice, [{"node": 0, "amount_msat": 40_000}], total_msat=100_000)
    until(lambda: simulated(system)[0]["held_count"] == 1, what="the first part held")
    restart(system)
    second = Paying(system, invoice, [{"node": 1, "amount_msat": 60_000}], total_msat=100_000)
    assert first.result()["status"] == second.result()["status"] == "succeeded"
    until_state(system, invoice, "settled")
    assert folded(types(events(system, invoice["payment_hash"]))) == STEPS
    assert_dense(system)


@pytest.mark.parametrize("settlement", ["auto", "hold"])
@pytest.mark.parametrize("is_applied", [True, False])
def test_killed_while_the_accepted_set_is_on_its_way_to_the_store(system, settlement, is_applied):
    """The commit may still be applied after the process is gone, or never: both end in one payment."""
    invoice = create(system, settlement=settlement)
    with StreamLock(system) as lock:
        paying = Paying(system, invoice, two_parts(100_000))
        lock.until_waiting()
        system.kill()
        if not is_applied:
            lock.abort_commits()
    if is_applied:
        wanted = "settle_requested" if settlement == "auto" else "accepted"
        stored = f"SELECT state FROM invoices WHERE payment_hash = '\\x{invoice['payment_hash']}'"
        until(lambda: system.sql(stored) == wanted, what="the commit of a process that is gone")
    system.start_gateway()
    if settlement == "hold":
        until_state(system, invoice, "accepted")
        settle(system, invoice)
    assert_paid_once(system, invoice, paying)


def test_killed_while_an_accepted_set_waits(system):
    invoice = create(system, settlement="hold")
    paying = Paying(system, invoice, two_parts(100_000))
    until_state(system, invoice, "accepted")
    before = events(system)
    restart(system)
    settle(system, invoice)
    assert_paid_once(system, invoice, paying, before)


@pytest.mark.parametrize("is_applied", [True, False])
def test_killed_while_the_decision_is_on_its_way_to_the_store(system, is_applied):
    invoice = create(system, settlement="hold")
    paying = Paying(system, invoice, two_parts(100_000))
    until_state(system, invoice, "accepted")
    before = events(system)
    with StreamLock(system) as lock:
        with pytest.raises(OSError):
            # Nobody answers: the process is killed before it may.
            api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {}, timeout=0.7)
        lock.until_waiting()
        system.kill()
        if not is_applied:
            lock.abort_commits()
    system.start_gateway()
    settle(system, invoice)
    assert_paid_once(system, invoice, paying, before)


def test_killed_after_the_commit_and_before_the_answer(system):
    """Node 1 is away when the decision becomes durable, so that its part cannot have been answered."""
    invoice = create(system)
    with StreamLock(system) as lock:
        paying = Paying(system, invoice, two_parts(100_000))
        lock.until_waiting()
        control(system, "/fault/stop_node", {"node": 1})
        lock.release()
        until_state(system, invoice, "settle_requested")
    before = events(system, invoice["payment_hash"])
    system.kill()
    control(system, "/fault/start_node", {"node": 1})
    system.start_gateway()
    assert_paid_once(system, invoice, paying, before)


def test_killed_after_the_answer_and_before_it_is_final(system):
    control(system, "/delay", {"final_ms": 2500})
    try:
        invoice = create(system)
        paying = Paying(system, invoice, two_parts(100_000))
        until_state(system, invoice, "settle_requested")
        until(lambda: all(node["held_count"] == 0 for node in simulated(system)), what="both answers given")
        before = events(system, invoice["payment_hash"])
        assert state(system, invoice) == "settle_requested"
        restart(system)
        assert_paid_once(system, invoice, paying, before)
    finally:
        control(system, "/delay", {"final_ms": 0})


def test_killed_while_a_resolution_is_on_its_way_to_the_store(system):
    control(system, "/delay", {"final_ms": 1000})
    try:
        invoice = create(system)
        paying = Paying(system, invoice, two_parts(100_000))
        until_state(system, invoice, "settle_requested")
        with StreamLock(system) as lock:
            lock.until_waiting()
            system.kill()
            lock.abort_commits()
        system.start_gateway()
        assert_paid_once(system, invoice, paying)
    finally:
        control(system, "/delay", {"final_ms": 0})


@pytest.mark.parametrize("is_applied", [True, False])
def test_killed_while_a_cancellation_is_on_its_way_to_the_store(system, is_applied):
    """Canceled or not, the parts end together and nothing is settled that was canceled."""
    invoice = create(system, settlement="hold")
    paying = Paying(system, invoice, two_parts(100_000))
    until_state(system, invoice, "accepted")
    with StreamLock(system) as lock:
        with pytest.raises(OSError):
            api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/cancel", {}, timeout=0.7)
        lock.until_waiting()
        system.kill()
        if not is_applied:
            lock.abort_commits()
    system.start_gateway()
    if is_applied:
        assert state(system, invoice) == "canceled"
    until(lambda: api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/cancel", {}).status == 200, what="canceling")
    result = paying.result()
    assert result["status"] == "failed" and all(part["failure"]["code"] == 0x400F for part in result["parts"])
    told = types(events(system, invoice["payment_hash"]))
    assert told.count("invoice.canceled") == 1 and "htlc.settled" not in told
    assert_dense(system)


@pytest.mark.parametrize("milliseconds", [0, 3, 10, 30, 60])
def test_killed_at_any_moment_of_many_payments(system, milliseconds):
    """The kill falls before, between and after the steps of these payments: offered, committed, answered, resolved."""
    invoices = [create(system, 10_000 + number) for number in range(12)]
    paying = [Paying(system, invoice, two_parts(invoice["amount_msat"])) for invoice in invoices]
    time.sleep(milliseconds / 1000)
    restart(system)
    for invoice, payment in zip(invoices, paying):
        # New HTLCs that came while nobody intercepted are failed by the node, and the parts that are left alone time out.
        result = payment.result()
        told = types(events(system, invoice["payment_hash"]))
        if result["status"] == "succeeded":
            until_state(system, invoice, "settled")
            assert folded(types(events(system, invoice["payment_hash"]))) == STEPS
        else:
            assert result["status"] == "failed", result
            assert "invoice.settle_requested" not in told and "htlc.settled" not in told
    assert_dense(system)


def test_a_lost_answer_is_given_again_on_replay(system):
    """The stream is gone after the decision and before the node took the answer: the same question gets the same answer."""
    invoice = create(system, settlement="hold")
    paying = Paying(system, invoice)
    until_state(system, invoice, "accepted")
    control(system, "/fault/drop_stream", {"node": 0})
    settle(system, invoice)
    assert_paid_once(system, invoice, paying)

