"""`leyden doctor` asks the database and the nodes itself, names reason and remedy, and takes nothing from the gateway."""

from client import control, create, pay

def test_a_healthy_house_and_its_interceptors_are_left_alone(system):
    is_well, findings = system.doctor()
    assert is_well, findings
    assert {findings[name]["level"] for name in ("database", "node alice", "node bob", "gateway", "public_url")} == {"ok"}
    assert pay(system, create(system))["status"] == "succeeded"


def test_a_public_url_that_leads_elsewhere_is_named(system):
    is_well, findings = system.doctor(LEYDEN_PUBLIC_URL=system.control_url)
    assert is_well
    assert findings["public_url"]["level"] == "warning" and "something else" in findings["public_url"]["message"]


def test_a_node_that_would_give_up_held_htlcs_is_named_with_its_remedy(system):
    control(system, "/node", {"node": 0, "require_htlc_interceptor": False})
    try:
        is_well, findings = system.doctor()
    finally:
        control(system, "/node", {"node": 0, "require_htlc_interceptor": True})
    assert not is_well
    assert "requireinterceptor=true" in findings["node alice"]["remedy"]
    assert findings["node bob"]["level"] == "ok"


def test_a_database_that_is_away_is_named(system):
    system.stop_database()
    try:
        is_well, findings = system.doctor()
    finally:
        system.start_database()
    assert not is_well and findings["database"]["level"] == "error"
    # What the gateway itself says of it.
    assert "database away" in findings["gateway"]["message"]
