"""Behind a pooler nothing is heard of commits: what is told comes later then, and at once with a way of its own to listen."""

import statistics
import time

import pytest
from client import Paying, api, call, create, until
from copies import At
from muffler import Muffler
from wire import EventReader

ROLE = "mux"


@pytest.fixture(scope="module")
def muffler(system):
    # The path of a socket must not be long.
    muffler = Muffler(system.dsn, str(system.directory / "p"))
    yield muffler
    muffler.close()


def start(system, name, **database):
    """An edge whose configuration says this of the database."""
    text = system.configuration.read_text().replace(
        "  dsn_file: dsn\n", "".join(f"  {key}: {value}\n" for key, value in database.items()))
    assert "dsn_file" not in text
    path = system.directory / f"{name}.yml"
    path.write_text(text)
    return At(system, system.start_edge(name, configuration=path))


@pytest.fixture(scope="module")
def muffled(system, muffler):
    return start(system, "muffled", dsn=muffler.dsn)


@pytest.fixture(scope="module")
def listening(system, muffler):
    return start(system, "listening", dsn=muffler.dsn, listen_dsn=system.dsn)


def delays(reading, writing, count=7):
    """Seconds from the answer to a commit at one edge until its event at another."""
    reader = EventReader(reading, f"/v1/events?after={api(writing, 'GET', '/v1/info').json['head']}", {"Authorization": f"Bearer {reading.api_key}"})
    found = []
    for _ in range(count):
        made = create(writing)
        began = time.monotonic()
        assert reader.take(1)[0][2]["data"]["payment_hash"] == made["payment_hash"]
        found.append(time.monotonic() - began)
    reader.close()
    return found


def test_an_edge_that_hears_nothing_asks(system, muffler, muffled, listening):
    assert max(delays(muffled, listening, 3)) < 10
    assert muffler.swallowed > 0, "there was nothing to hear"


def test_with_a_way_of_its_own_it_hears_at_once(muffled, listening):
    # Whoever asks does so every second, and has just done so when the next one is made.
    assert statistics.median(delays(listening, muffled)) < statistics.median(delays(muffled, listening)) / 2


def test_a_decision_finds_the_leader_all_the_same(system, muffled):
    invoice = create(muffled, settlement="hold")
    paying = Paying(muffled, invoice)
    path = f"/v1/invoices/{invoice['payment_hash']}"
    until(lambda: api(muffled, "GET", path).json["state"] == "accepted", what="the payment held")
    assert api(muffled, "POST", path + "/settle", {}).status == 200
    assert paying.result()["status"] == "succeeded"


def test_a_pooler_that_goes_away_takes_nothing_with_it(system, muffler, muffled):
    """Its connections end, the database's are cut; nothing is missing afterwards."""
    before = create(muffled)
    system.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'leyden %'")
    until(lambda: call("GET", muffled.internal_url + "/ready", timeout=5).status == 200, what="an edge that has found its database")
    after = create(muffled)
    hashes = [each["data"].get("payment_hash") for each in api(muffled, "GET", "/v1/events?limit=1000&type=invoice.created").json["events"]]
    assert hashes[-2:] == [before["payment_hash"], after["payment_hash"]]
