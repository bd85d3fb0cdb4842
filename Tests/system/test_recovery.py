"""Very many clients come back at once: they miss nothing, and the database hardly notices."""

import json
import re

import pytest
from client import call, create, until
from crowd import Crowd

CLIENTS = 2_000
# More than a process has at hand.
OTHERS = 6_000


def queries(system):
    text = call("GET", system.internal_url + "/metrics").body.decode()
    return int(re.search(r"(?m)^leyden_history_queries_total (\d+)", text).group(1))


@pytest.fixture(scope="module")
def log(system):
    """Offsets of the key's own events among very many of another account, and the epoch."""
    system.sql(f"""
        WITH taken AS (UPDATE stream SET head = head + {OTHERS} RETURNING head - {OTHERS} AS before)
        INSERT INTO events ("offset", part, account, time, id, type, payment_hash, data)
        SELECT before + n, 0, CASE WHEN n % 100 = 0 THEN 1 ELSE 2 END, now(), 'evt_' || n, 'node.connected', NULL, '{{"n": ' || n || '}}'
        FROM taken, generate_series(1, {OTHERS}) n""")
    system.sql("SELECT pg_notify('leyden_events', head::text) FROM stream")
    wanted = int(system.sql("SELECT head FROM stream"))
    until(lambda: published(system) == wanted, what="the log published")
    mine = [int(line) for line in system.sql('SELECT "offset" FROM events WHERE account = 1 ORDER BY "offset"').split()]
    return mine, system.sql("SELECT epoch FROM stream")


def published(system):
    text = call("GET", system.internal_url + "/metrics").body.decode()
    return int(re.search(r"(?m)^leyden_stream_head (\d+)", text).group(1))


def assert_recovered(replies, offsets, known):
    for reply, after in zip(replies, offsets):
        told = json.loads(reply)["subscribe"]
        assert told["recovered"], (after, reply[:300])
        assert [each["offset"] for each in told["publications"]] == [offset for offset in known if offset > after]


# Two stretches of old offsets, each kept for five seconds: on a busy machine they are read more than once.
@pytest.mark.parametrize("distance, allowed", [(5_500, 8), (3_000, 0)])
def test_clients_that_were_away_share_what_is_read_for_them(system, log, distance, allowed):
    mine, epoch = log
    newest = published(system)
    offsets = [newest - distance + number % 400 for number in range(CLIENTS)]
    crowd = Crowd([system.base_url], system.api_key, [
        {"channel": "events", "recover": True, "epoch": epoch, "offset": offset} for offset in offsets])
    before = queries(system)
    seconds = crowd.come(60)
    assert_recovered(crowd.replies, offsets, mine)
    assert queries(system) - before <= allowed, f"{queries(system) - before} questions in {seconds:.1f} s"
    crowd.leave()


def test_each_with_an_invoice_of_its_own_they_are_asked_for_together(system, log):
    invoices = [create(system) for _ in range(40)]
    mine, epoch = log
    watching = [invoices[number % len(invoices)] for number in range(CLIENTS)]
    created = dict(line.split("|") for line in system.sql(
        "SELECT encode(payment_hash, 'hex'), \"offset\" FROM events WHERE type = 'invoice.created'").split())
    # Half of them were away for longer than is at hand.
    offsets = [1 if number % 2 else published(system) - 100 for number in range(CLIENTS)]
    before = queries(system)
    crowd = Crowd([system.base_url], system.api_key, [
        {"channel": f"invoice:{invoice['payment_hash']}", "recover": True, "epoch": epoch, "offset": offset}
        for invoice, offset in zip(watching, offsets)])
    crowd.come(60)
    for invoice, offset, reply in zip(watching, offsets, crowd.replies):
        told = json.loads(reply)["subscribe"]
        offset_of_creation = int(created[invoice["payment_hash"]])
        assert told["recovered"]
        assert [each["offset"] for each in told["publications"]] == ([offset_of_creation] if offset_of_creation > offset else [])
    # Half of them need one. A question gathers those who came while the one before was under way: the fewer come at once,
    # because the machine is busy, the more questions there are.
    assert queries(system) - before <= CLIENTS / 4
    crowd.leave()


def test_after_a_restart_what_is_recent_is_at_hand(system, log):
    mine, epoch = log
    newest = published(system)
    system.kill()
    system.start_gateway()
    known = [int(line) for line in system.sql('SELECT "offset" FROM events WHERE account = 1 ORDER BY "offset"').split()]
    before = queries(system)
    crowd = Crowd([system.base_url], system.api_key, [
        {"channel": "events", "recover": True, "epoch": epoch, "offset": newest - 3_000}] * CLIENTS)
    crowd.come(60)
    assert_recovered(crowd.replies, [newest - 3_000] * CLIENTS, known)
    assert queries(system) == before
    crowd.leave()


def test_another_epoch_is_answered_with_the_present(system, log):
    invoice = create(system)
    crowd = Crowd([system.base_url], invoice["watch_token"], [
        {"channel": f"invoice:{invoice['payment_hash']}", "recover": True, "epoch": "another", "offset": 1}])
    crowd.come(10)
    told = json.loads(crowd.replies[0])["subscribe"]
    assert (told["recovered"], told["publications"], told["data"]["state"]) == (False, [], "open")
    crowd.leave()
