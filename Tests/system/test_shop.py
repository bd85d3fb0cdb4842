"""A shop's books are the gateway's, to the millisatoshi, whatever its customers do and however long it was away."""

import concurrent.futures
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

SETTINGS = "hold:\n  mpp_timeout: 3s\nwebhooks:\n  allow_networks: [127.0.0.1]\n"
SEED = 20261121
SHOPS = 3
ROUNDS = 4


def lines_of(system, query="", key=None):
    found, totals, after = [], {"payments": 0, "payments_msat": 0, "fees_msat": 0, "payouts": 0, "payouts_msat": 0, "payout_fees_msat": 0}, ""
    while after is not None:
        page = api(system, "GET", f"/v1/export?limit=3{query}{after}", key=key or system.api_key).json
        found += page["lines"]
        totals = {name: totals[name] + page["totals"][name] for name in totals}
        after = page["next"] and f"&after={page['next']}"
    return found, totals


class Customers:
    """What they do with the orders of one round, and how each of them should end."""

    def __init__(self, system, shop, seed, number):
        self._system, self._shop, self._dice = system, shop, random.Random(seed)
        self._prefix = f"order {number} "
        self.expected = {}
        # What was tried in vain for an order.
        self.refused = {}
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
        return Paying(self._system, invoice, parts, **{"total_msat": total, **options})

    def _fails(self, reason, invoice, *amounts, **options):
        assert self._pay(invoice, *amounts, **options).result()["status"] == "failed"
        self.refused.setdefault(invoice["payment_hash"], []).extend([reason] * len(amounts))

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
        cut = dice.randrange(1, kept["amount_msat"])
        self.paying.append((self._pay(kept, cut, kept["amount_msat"] - cut, fee=7), "succeeded"))
        returned = self._order("held and returned", "canceled", "cancel", settlement="hold")
        self.paying.append((self._pay(returned, returned["amount_msat"]), "failed"))
        poor = self._order("too little first", "settled")
        self._fails("underpaid", poor, poor["amount_msat"] - 1)
        self.paying.append((self._pay(poor, poor["amount_msat"]), "succeeded"))
        mad = self._order("absurdly much first", "settled")
        self._fails("overpaid", mad, 2 * mad["amount_msat"] + 1)
        self.paying.append((self._pay(mad, 2 * mad["amount_msat"]), "succeeded"))
        partial = self._order("one part first", "settled")
        some = dice.randrange(1, partial["amount_msat"])
        self._fails("incomplete", partial, some, total_msat=partial["amount_msat"])
        self.paying.append((self._pay(partial, some, partial["amount_msat"] - some), "succeeded"))
        half = self._order("one part and no more", "expired", expiry_seconds=10)
        self._fails("incomplete", half, half["amount_msat"] // 2, total_msat=half["amount_msat"])
        dropped = self._order("dropped", "canceled")
        assert api(self._system, "POST", f"/v1/invoices/{dropped['payment_hash']}/cancel", {}, key=self._shop.key).status == 200
        forgotten = self._order("forgotten", "expired", expiry_seconds=1)
        time.sleep(2.1)
        self._fails("late", forgotten, forgotten["amount_msat"])
        return generous


def a_key(system, number):
    """The first shop is the first account's, each other has an account of its own."""
    if number == 0:
        return system.api_key
    account = api(system, "POST", "/v1/accounts", {"name": f"shop {number}"}).json["id"]
    scopes = ["invoices:read", "invoices:write", "invoices:settle", "events:read", "webhooks:write"]
    command = [str(system.binaries / "leyden"), "keys", "create", "--account", str(account), *(f"--scope={scope}" for scope in scopes)]
    done = subprocess.run([*command, "--json", "--config", str(system.configuration)], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["key"]


def trade(system, shop, seed):
    """Some rounds, every other of which the shop is away while they begin; how each order should end, and what was tried in vain."""
    expected, refused = {}, {}
    shop.open()
    for number in range(ROUNDS):
        customers = Customers(system, shop, seed + number, number)
        is_away = number % 2 == 1
        if is_away:
            shop.close()
        generous = customers.come()
        if is_away:
            shop.open()
        for paying, status in customers.paying:
            assert paying.result(90)["status"] == status
        expected |= customers.expected
        refused |= customers.refused
        for name, way in shop.ways.items():
            until(lambda books=way.books: len(books.over) == len(expected), 90, f"the end of every order by {name}")
        shown = api(system, "GET", f"/v1/invoices/{generous['payment_hash']}", key=shop.key).json
        assert shown["overpaid_msat"] == shown["received_msat"] - shown["amount_msat"] > 0
    return expected, refused


def told(system, shop):
    """All that the log tells a shop, by id."""
    found = [event for event in events(system, key=shop.key) if event["type"].startswith(("invoice.", "htlc."))]
    return [event for event in found if event["data"]["payment_hash"] in shop.orders]


def test_the_books_of_every_shop_are_those_of_the_gateway_by_webhook_alone_and_by_stream_alone(system):
    shops = [Shop(system, a_key(system, number), random.Random(SEED + number)) for number in range(SHOPS)]
    with concurrent.futures.ThreadPoolExecutor(SHOPS) as pool:
        outcomes = list(pool.map(lambda numbered: trade(system, numbered[1], SEED + 100 * numbered[0]), enumerate(shops)))
    for shop, (expected, refused) in zip(shops, outcomes):
        wanted = {event["id"] for event in told(system, shop)}
        for name, way in shop.ways.items():
            until(lambda books=way.books: wanted <= books.seen, 90, f"every event by {name}")
        shop.close()
        lines, totals = lines_of(system, key=shop.key)
        assert shop.hook.forgotten > 0 and not shop.hook.forged
        assert shop.hook.books.seen == wanted, "the webhook told what the log does not"
        for name, books in ((name, way.books) for name, way in shop.ways.items()):
            assert books.over == expected, name
            assert {paid: sorted(reasons) for paid, reasons in books.refused.items()} == {paid: sorted(reasons) for paid, reasons in refused.items()}, name
            assert {(line["type"], line["payment_hash"], line["amount_msat"]) for line in lines} == books.lines, name
            assert len(lines) == len(books.lines), name
            assert totals["payments"] == len(books.received) == sum(ends == "settled" for ends in expected.values()), name
            assert totals["payments_msat"] == sum(books.received.values()) and totals["fees_msat"] == sum(books.fees.values()) > 0, name
        assert all(line["order_id"] == shop.orders[line["payment_hash"]]["order_id"] for line in lines)

        # The whole log says the same, without the shop.
        settled = [event["data"] for event in events(system, key=shop.key) if event["type"] == "htlc.settled"]
        assert totals["payments_msat"] == sum(data["amount_msat"] for data in settled)
        assert totals["fees_msat"] == sum(data["fee_msat"] for data in settled)

        # Times divide the books without losing or doubling a line.
        middle = urllib.parse.quote(sorted(line["time"] for line in lines)[len(lines) // 2])
        halves = lines_of(system, f"&until={middle}", shop.key)[0] + lines_of(system, f"&from={middle}", shop.key)[0]
        assert halves == lines
    # No account's books have a line of another's.
    hashes = [paid for shop in shops for paid in shop.orders]
    assert len(hashes) == len(set(hashes)) == SHOPS * ROUNDS * 12


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
