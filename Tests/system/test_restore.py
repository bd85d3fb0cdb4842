"""A database that is set back, restored or renamed: nobody goes on with offsets that mean something else."""

import json
import subprocess

from client import api, create, pay, until
from copies import PSQL
from crowd import Crowd
from instance import environment
from wire import EventReader

DUMP = PSQL.replace("psql", "pg_dump")


def epoch(system):
    return api(system, "GET", "/v1/info").json["epoch"]


def recovery(system, invoice, position):
    """What a browser is told that was away since the position."""
    crowd = Crowd([system.base_url], invoice["watch_token"], [
        {"channel": f"invoice:{invoice['payment_hash']}", "recover": True, "epoch": position[0], "offset": position[1]}])
    crowd.come(20)
    told = json.loads(crowd.replies[0])["subscribe"]
    crowd.leave()
    return told


def position(system):
    info = api(system, "GET", "/v1/info").json
    return info["epoch"], info["head"]


def assert_everybody_is_told(system, invoice, known):
    """Whoever knows the old epoch, on every transport; and the present state is there for them."""
    present = epoch(system)
    assert present != known[0]
    told = recovery(system, invoice, known)
    assert (told["recovered"], told["epoch"], told["publications"], told["data"]["state"]) == (False, present, [], "settled")
    for accept in ("application/json", "text/event-stream"):
        answer = api(system, "GET", f"/v1/events?after=1&epoch={known[0]}", headers={"Accept": accept})
        assert (answer.status, answer.json["code"]) == (410, "epoch_changed")
    reader = EventReader(system, f"/v1/watch/{invoice['watch_token']}?epoch={known[0]}&after={known[1]}")
    assert reader.answer.getheader("Leyden-Epoch") == present
    assert reader.take(1)[0][1] == "invoice.created"
    reader.close()


def settled(system):
    invoice = create(system)
    assert pay(system, invoice)["status"] == "succeeded"
    until(lambda: api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").json["state"] == "settled")
    return invoice


def test_a_restart_is_no_new_epoch(system):
    invoice = settled(system)
    known = position(system)
    system.kill()
    system.start_gateway()
    assert epoch(system) == known[0] and recovery(system, invoice, known)["recovered"]


def test_a_process_whose_log_was_set_back_gives_it_a_new_epoch_and_ends(system):
    invoice = settled(system)
    known = position(system)
    # As after the restoration of a backup on which the server starts again under the process.
    system.sql("UPDATE stream SET head = head - 1; DELETE FROM events WHERE \"offset\" > (SELECT head FROM stream)")
    system.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'leyden %'")
    until(lambda: not system.is_running(), what="the end of the process")
    assert "gone back in time" in system.log.read_text()
    system.start_gateway()
    assert_everybody_is_told(system, invoice, known)


def test_a_process_that_finds_another_epoch_than_it_has_published_ends(system):
    """Another one has noticed it first, and the log has grown again since."""
    invoice = settled(system)
    known = position(system)
    system.sql("UPDATE stream SET epoch = repeat('e', 32)")
    system.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'leyden %'")
    until(lambda: not system.is_running(), what="the end of the process")
    system.start_gateway()
    assert_everybody_is_told(system, invoice, known)


def test_an_epoch_can_be_renewed_by_hand(system):
    invoice = settled(system)
    known = position(system)
    system.end("leyden")
    migrate = [str(system.binaries / "leyden"), "migrate", "--new-epoch", "--config", str(system.configuration)]
    done = subprocess.run(migrate, env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    system.start_gateway()
    assert_everybody_is_told(system, invoice, known)


def test_a_database_from_a_dump_has_another_epoch_and_the_same_money(system):
    invoice = settled(system)
    known = position(system)
    system.end("leyden")
    dump = system.directory / "dump.sql"
    with open(dump, "wb") as file:
        subprocess.run([DUMP, system.dsn], stdout=file, env=environment(), check=True, timeout=60)
    name = system.sql("SELECT current_database()")
    elsewhere = " ".join("dbname=template1" if field.startswith("dbname=") else field for field in system.dsn.split())
    for statement in (f'ALTER DATABASE "{name}" RENAME TO "{name}_old"', f'CREATE DATABASE "{name}"'):
        subprocess.run([PSQL, elsewhere, "-XAtqc", statement], env=environment(), check=True, timeout=60)
    subprocess.run([PSQL, system.dsn, "-Xq", "-v", "ON_ERROR_STOP=1", "-f", str(dump)], env=environment(), check=True, timeout=60, capture_output=True)
    system.start_gateway()
    assert_everybody_is_told(system, invoice, known)
    # It goes on under that one.
    present = position(system)
    system.kill()
    system.start_gateway()
    assert epoch(system) == present[0] and recovery(system, invoice, present)["recovered"]
    assert pay(system, create(system))["status"] == "succeeded"
