"""A shop's books are the gateway's, to the millisatoshi, whatever its customers do and however long it was away."""

import csv
import io
import json
import random
import subprocess
import time
import urllib.parse

from client import Paying, api, events, pay, until
from instance import environment
from shop import Shop

SEED = 20261121
ROUNDS = 5


def lines_of(system, query=""):
    found, totals, after = [], {"payments": 0, "payments_msat": 0, "fees_msat": 0, "payouts_msat": 0}, ""
    while after is not None:
        page = api(system, "GET", f"/v1/export?limit=3{query}{after}").json
        found += page["lines"]
        totals = {name: totals[name] + page["totals"][name] for name in totals}
        after = page["next"] and f"&after={page['next']}"
    return found, totals


class Customers:
    """What they do with the orders of one round, and how each of them should end."""

    def __init__(self, system, shop, dice, number):
        self._system, self._shop, self._dice = system, shop, dice
        self._prefix = f"order {number} "
        self.expected = {}
        self.paying = []

    def _order(self, name, ends, decision=None, amount="any", **fields):
        amount = self._dice.randrange(1_000, 5_000_000) if amount == "any" else amount
        invoice = self._shop.order(self._prefix + name, amount, decision, **fields)
        self.expected[invoice["payment_hash"]] = ends
        return invoice

    def _pay(self, invoice, *amounts, fee=0, **options):
        total = sum(amounts)
        parts = [{"node": index % 2, "amount_msat": amount, "incoming_amount_msat": amount + fee} for index, amount in enumerate(amounts)]
        if invoice["amount_msat"] is None:
            options["amount_msat"] = total
        return Paying(self._system, invoice, parts, total_msat=total, **options)

    def come(self):
        dice = self._dice
        plain = self._order("plain", "settled")
        self.paying.append((self._pay(plain, plain["amount_msat"], fee=dice.randrange(0, 999)), "succeeded"))
        split = self._order("in parts", "settled")
        cut = dice.randrange(1, split["amount_msat"])
        self.paying.append((self._pay(split, cut, split["amount_msat"] - cut, fee=dice.randrange(0, 99)), "succeeded"))
        generous = self._order("too much", "settled")
        self.paying.append((self._pay(generous, generous["amount_msat"] + dice.randrange(1, generous["amount_msat"])), "succeeded"))
        gift = self._order("a gift", "settled", amount=None)
        self.paying.append((self._pay(gift, dice.randrange(1, 1_000_000)), "succeeded"))
        kept = self._order("held and kept", "settled", "settle", settlement="hold")
        self.paying.append((self._pay(kept, kept["amount_msat"], fee=7), "succeeded"))
        returned = self._order("held and returned", "canceled", "cancel", settlement="hold")
        self.paying.append((self._pay(returned, returned["amount_msat"]), "failed"))
        poor = self._order("too little first", "settled")
        assert self._pay(poor, poor["amount_msat"] - 1).result()["status"] == "failed"
        self.paying.append((self._pay(poor, poor["amount_msat"]), "succeeded"))
        dropped = self._order("dropped", "canceled")
        assert api(self._system, "POST", f"/v1/invoices/{dropped['payment_hash']}/cancel", {}).status == 200
        forgotten = self._order("forgotten", "expired", expiry_seconds=1)
        time.sleep(2.1)
        assert pay(self._system, forgotten)["status"] == "failed"
        return poor, forgotten, generous


def test_the_books_of_a_shop_are_those_of_the_gateway(system):
    dice = random.Random(SEED)
    shop = Shop(system)
    shop.open()
    expected = {}
    for number in range(ROUNDS):
        customers = Customers(system, shop, dice, number)
        is_away = number % 2 == 1
        if is_away:
            shop.close()
        poor, forgotten, generous = customers.come()
        if is_away:
            shop.open()
        for paying, status in customers.paying:
            assert paying.result()["status"] == status
        expected |= customers.expected
        until(lambda: len(shop.over) == len(expected), 30, "the end of every order")
        until(lambda: {poor["payment_hash"], forgotten["payment_hash"]} <= shop.refused.keys(), 30, "what was paid in vain")
        assert shop.refused[poor["payment_hash"]] == ["underpaid"] and shop.refused[forgotten["payment_hash"]] == ["late"]
        shown = api(system, "GET", f"/v1/invoices/{generous['payment_hash']}").json
        assert shown["overpaid_msat"] == shown["received_msat"] - shown["amount_msat"] > 0
    shop.close()
    assert shop.over == expected

    lines, totals = lines_of(system)
    assert {(line["type"], line["payment_hash"], line["amount_msat"]) for line in lines} == shop.books
    assert totals["payments"] == len(shop.received) == sum(ends == "settled" for ends in expected.values())
    assert totals["payments_msat"] == sum(shop.received.values()) and totals["fees_msat"] == sum(shop.fees.values()) > 0
    assert all(line["order_id"] == shop.orders[line["payment_hash"]]["order_id"] for line in lines)

    # The whole log says the same, without the shop.
    settled = [event["data"] for event in events(system) if event["type"] == "htlc.settled"]
    assert totals["payments_msat"] == sum(data["amount_msat"] for data in settled)
    assert totals["fees_msat"] == sum(data["fee_msat"] for data in settled)

    # Times divide the books without losing or doubling a line.
    middle = urllib.parse.quote(sorted(line["time"] for line in lines)[len(lines) // 2])
    halves = lines_of(system, f"&until={middle}")[0] + lines_of(system, f"&from={middle}")[0]
    assert halves == lines


def test_the_command_line_writes_the_same_books(system):
    command = [str(system.binaries / "leyden"), "invoice", "export", "--url", system.base_url]
    environ = {**environment(), "LEYDEN_API_KEY": system.api_key}
    lines, totals = lines_of(system)
    table = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    rows = list(csv.DictReader(io.StringIO(table.stdout, newline="")))
    assert [(row["type"], row["payment_hash"], int(row["amount_msat"])) for row in rows] == [
        (line["type"], line["payment_hash"], line["amount_msat"]) for line in lines]
    assert f"{totals['payments_msat']} msat" in table.stderr
    printed = subprocess.run([*command, "--json"], env=environ, capture_output=True, text=True, check=True).stdout
    assert [json.loads(line) for line in printed.splitlines()] == lines


def test_orders_are_found_by_what_the_shop_calls_them(system):
    found = api(system, "GET", "/v1/invoices?order_id=order%201%20a%20gift").json["invoices"]
    assert [invoice["order_id"] for invoice in found] == ["order 1 a gift"]
    tills = [api(system, "GET", f"/v1/invoices?metadata.shop=corner&metadata.till={till}&state=settled&limit=500").json for till in range(3)]
    assert all(page["next"] is None for page in tills)
    everything = api(system, "GET", "/v1/invoices?state=settled&limit=500").json["invoices"]
    assert sorted(invoice["payment_hash"] for page in tills for invoice in page["invoices"]) == sorted(
        invoice["payment_hash"] for invoice in everything)
