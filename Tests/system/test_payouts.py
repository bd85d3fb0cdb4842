"""Money out: killed at any step, with faults at random, each payment is paid once and stands in the books as it was paid."""

import concurrent.futures
import random
import time

import pytest
from client import api, assert_dense, call, control, events, types, until

SETTINGS = "cluster:\n  lease: 1s\npayouts:\n  lookup_grace: 2s\n"
COUNT = 400


@pytest.fixture(autouse=True)
def whole(system):
    yield
    if not system.is_running():
        system.start_gateway()
    until(lambda: system.ready().status == 200, what="ready again")
    system.until_connected("alice", "bob")


def wallets(system):
    return control(system, "/wallet")


def paid(system):
    return sum(node["paid"] for node in wallets(system)["nodes"])


def spent_by_nodes(system):
    return sum(node["amount_msat"] + node["fees_msat"] for node in wallets(system)["nodes"])


def account(system):
    return api(system, "GET", "/v1/balance").json["account"]


def plan(system, **fields):
    control(system, "/wallet/plan", fields)


def invoice(system, amount_msat=10_000):
    return control(system, "/invoice", {"amount_msat": amount_msat})


def send(system, request, key=None, **fields):
    body = {"payment_request": request["payment_request"], "fee_limit_msat": 1_000, **fields}
    return api(system, "POST", "/v1/payments", body, headers={"Idempotency-Key": key} if key else None)


def payment(system, made):
    return api(system, "GET", f"/v1/payments/{made['id']}").json


def until_over(system, made, seconds=40):
    until(lambda: payment(system, made).get("state") in ("settled", "failed"), seconds, f"the end of {made['id']}")
    return payment(system, made)


def test_a_payment_is_made_shown_and_told(system):
    before = spent_by_nodes(system)
    answer = send(system, invoice(system))
    assert answer.status == 201, answer.body
    made = until_over(system, answer.json)
    assert made["state"] == "settled" and made["fee_msat"] == 10 and len(made["preimage"]) == 64
    told = [event for event in events(system) if event["data"].get("id") == made["id"]]
    assert types(told) == ["payment.created", "payment.sending", "payment.settled"]
    assert all("preimage" not in event["data"] for event in told)
    assert spent_by_nodes(system) - before == 10_010
    assert_dense(system)


STEPS = ["created", "sending", "hanging", "settled"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("outcome", ["succeed", "fail"])
def test_killed_at_any_step_it_is_paid_once_or_not_at_all(system, step, outcome):
    count, before = paid(system), spent_by_nodes(system)
    books = account(system)["spent_msat"]
    request = invoice(system)
    plan(system, outcome=outcome, hangs=step in ("sending", "hanging"), failure=4)
    key = f"{step} {outcome}"
    if step == "created":
        # Held just before the node is named: the row of the payment is locked.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = pool.submit(send, system, request, key)
            time.sleep(0.01)
            system.kill()
            try:
                asked.result()
            except OSError:
                pass
        system.start_gateway()
        system.until_connected("alice", "bob")
        made = until(lambda: (answer := send(system, request, key)).status == 201 and answer, 90, "the same request answered").json
    else:
        made = send(system, request, key).json
        if step in ("sending", "hanging"):
            until(lambda: sum(node["in_flight"] for node in wallets(system)["nodes"]) == 1, what="on its way")
            if step == "sending":
                system.kill()
                control(system, "/wallet/end", {"payment_hash": request["payment_hash"], "outcome": outcome, "failure": 4})
                system.start_gateway()
            else:
                system.kill()
                system.start_gateway()
                until(lambda: payment(system, made)["state"] == "unknown", what="in doubt")
                control(system, "/wallet/end", {"payment_hash": request["payment_hash"], "outcome": outcome, "failure": 4})
        else:
            until_over(system, made)
            system.kill()
            system.start_gateway()
    over = until_over(system, made)
    assert over["state"] == ("settled" if outcome == "succeed" else "failed"), over
    assert paid(system) - count == (1 if outcome == "succeed" else 0)
    assert wallets(system)["paid_twice"] == 0
    assert account(system)["spent_msat"] - books == spent_by_nodes(system) - before
    # What was planned and not used must not go into another test.
    until(lambda: account(system)["reserved_msat"] == 0, what="nothing set aside")
    drain_plans(system)
    assert_dense(system)


def drain_plans(system):
    for node, wallet in enumerate(wallets(system)["nodes"]):
        for _ in range(wallet["plans"]):
            made = send(system, invoice(system, 1_000), node=["alice", "bob"][node]).json
            until(lambda: sum(each["in_flight"] for each in wallets(system)["nodes"]) or payment(system, made)["state"] in ("settled", "failed"), what="used up")
            control(system, "/wallet/end", {"node": node})
            until_over(system, made)


def test_an_answer_after_the_time_out_settles_it(system):
    request = invoice(system)
    plan(system, node=0, hangs=True)
    made = send(system, request, node="alice", timeout_seconds=1).json
    until(lambda: payment(system, made)["state"] == "unknown", what="in doubt")
    control(system, "/wallet/end", {"payment_hash": request["payment_hash"]})
    assert until_over(system, made)["state"] == "settled"


def test_two_tabs_pay_a_purpose_once(system):
    requests = [invoice(system) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda request: send(system, request, purpose="refund:7"), requests))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    assert {answer.json["code"] for answer in answers if answer.status == 409} == {"purpose_taken"}


def test_an_invoice_of_the_gateway_is_refused(system):
    own = api(system, "POST", "/v1/invoices", {"amount_msat": 1_000}).json
    answer = send(system, own)
    assert answer.status == 409 and answer.json["code"] == "own_invoice"


def test_the_books_say_what_the_nodes_have_paid(system):
    """Faults at random, and the gateway killed in between."""
    chance = random.Random(7)
    books, before, count = account(system), spent_by_nodes(system), paid(system)
    requests = [invoice(system, chance.randrange(1_000, 90_000)) for _ in range(COUNT)]
    for _ in range(COUNT):
        for node in (0, 1):
            plan(
                system, node=node, outcome=chance.choice(["succeed", "succeed", "fail"]), fee_msat=chance.randrange(0, 1_200), ms=chance.randrange(0, 60),
                accident=chance.choice(["none"] * 12 + ["break_before", "break_after", "exists", "die_after", "die_before"]), down_ms=30)
    made = []
    for index, request in enumerate(requests):
        if index in (COUNT // 3, 2 * COUNT // 3):
            system.kill()
            system.start_gateway()
        answer = until(lambda: (answer := send(system, request, f"random {index}")).status == 201 and answer, 90, "taken")
        made.append(answer.json)
    for each in made:
        until_over(system, each, 180)
    states = [payment(system, each)["state"] for each in made]
    control(system, "/wallet/end", {})
    assert wallets(system)["paid_twice"] == 0
    assert states.count("settled") == paid(system) - count
    now = account(system)
    assert now["reserved_msat"] == 0
    assert now["spent_msat"] - books["spent_msat"] == spent_by_nodes(system) - before
    assert int(system.sql("SELECT coalesce(-sum(amount_msat), 0) FROM ledger_entries")) == now["spent_msat"]
    assert_dense(system)


def test_channels_peers_invoices_and_decoding(system):
    channels = api(system, "GET", "/v1/channels").json["channels"]
    assert len(channels) == 4 and {channel["node_name"] for channel in channels} == {"alice", "bob"}
    assert all(channel["local_policy"]["fee_ppm"] != channel["remote_policy"]["fee_ppm"] for channel in channels)
    balance = api(system, "GET", "/v1/balance").json
    assert balance["total"]["channel_local_msat"] == sum(node["channel_local_msat"] for node in balance["nodes"])
    made = api(system, "POST", "/v1/node-invoices", {"node": "bob", "amount_msat": 4_000, "memo": "Tea"})
    assert made.status == 201, made.body
    assert [one["memo"] for one in api(system, "GET", "/v1/node-invoices?node=bob").json["node_invoices"]] == ["Tea"]
    read = api(system, "POST", "/v1/decode", {"payment_request": made.json["payment_request"]}).json
    assert read["amount_msat"] == 4_000 and read["description"] == "Tea" and read["destination"] == made.json["node"]
    peer = {"node": "alice", "pubkey": "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "address": "127.0.0.1:9735"}
    assert api(system, "POST", "/v1/peers", peer).status == 201
    assert peer["pubkey"] in [one["pubkey"] for one in api(system, "GET", "/v1/peers").json["peers"]]
