"""`leyden doctor` asks the database and the nodes itself, names reason and remedy, and takes nothing from the gateway."""

import json
import os
import subprocess

from client import control, create, pay


def doctor(system, environment=None):
    command = [str(system.binaries / "leyden"), "doctor", "--json", "--config", str(system.configuration)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **(environment or {})})
    return done.returncode, {finding["subject"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_a_healthy_house_and_its_interceptors_are_left_alone(system):
    status, findings = doctor(system)
    assert status == 0, findings
    assert {findings[name]["level"] for name in ("database", "node alice", "node bob", "gateway", "public_url")} == {"ok"}
    assert pay(system, create(system))["status"] == "succeeded"


def test_a_public_url_that_leads_elsewhere_is_named(system):
    status, findings = doctor(system, {"LEYDEN_PUBLIC_URL": system.control_url})
    assert status == 0
    assert findings["public_url"]["level"] == "warning" and "something else" in findings["public_url"]["message"]


def test_a_node_that_would_give_up_held_htlcs_is_named_with_its_remedy(system):
    control(system, "/node", {"node": 0, "require_htlc_interceptor": False})
    try:
        status, findings = doctor(system)
    finally:
        control(system, "/node", {"node": 0, "require_htlc_interceptor": True})
    assert status == 1
    assert "requireinterceptor=true" in findings["node alice"]["remedy"]
    assert findings["node bob"]["level"] == "ok"


def test_a_database_that_is_away_is_named(system):
    system.stop_database()
    try:
        status, findings = doctor(system)
    finally:
        system.start_database()
    assert status == 1 and findings["database"]["level"] == "error"
