"""What /metrics tells, read by Prometheus' own parser."""

import math
import re

from client import Paying, api, call, control, create, pay, until, until_state
from prometheus_client.parser import text_string_to_metric_families
from websocket import Subscription


def families(system):
    answer = call("GET", system.internal_url + "/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    assert text.endswith("\n")
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.name not in found, f"{family.name} is declared twice"
        assert family.name.startswith("leyden_") and family.type in ("counter", "gauge", "histogram"), family
        assert family.documentation and family.samples, family.name
        keys = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
        assert len(keys) == len(set(keys)), family.name
        found[family.name] = family
    # The parser adds `_total` and takes a sample without a type as it is, so the lines themselves are looked at too.
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line)[0]
        base = name if name in types else re.sub(r"_(bucket|sum|count)$", "", name)
        assert base in types, line
        assert (types[base] == "counter") == base.endswith("_total"), line
    return found


def value(found, name, **labels):
    for family in found.values():
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return 0


def test_a_payment_moves_what_it_concerns(system):
    before = families(system)
    reader = Subscription(system.base_url, system.api_key, "events")
    invoice = create(system, settlement="hold")
    paying = Paying(system, invoice)
    until_state(system, invoice, "accepted")
    api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {})
    assert paying.result()["status"] == "succeeded"
    until_state(system, invoice, "settled")
    assert pay(system, create(system), payment_secret="00" * 32)["status"] == "failed"
    after = families(system)
    moved = lambda name, **labels: value(after, name, **labels) - value(before, name, **labels)
    assert moved("leyden_htlcs_total", outcome="held") == moved("leyden_htlcs_total", outcome="settled") == 1
    assert moved("leyden_htlcs_total", outcome="failed") == 1
    assert moved("leyden_decision_seconds_count") == 2 and moved("leyden_settle_seconds_count") == 1
    assert moved("leyden_settle_seconds_sum") > moved("leyden_decision_seconds_sum")
    assert moved("leyden_commit_seconds_count") >= moved("leyden_commit_batch_seconds_count") > 0
    assert moved("leyden_commit_batch_changes_sum") == moved("leyden_commit_seconds_count")
    assert moved("leyden_event_lag_seconds_count") == moved("leyden_events_total") >= 7
    assert moved("leyden_connections", transport="websocket") == moved("leyden_subscriptions", channel="events") == 1
    assert value(after, "leyden_leader") == 1 and value(after, "leyden_term") > 0
    assert value(after, "leyden_node_connected", node="alice") == value(after, "leyden_node_connected", node="bob") == 1
    reader.close()


def test_histograms_are_cumulative_and_in_seconds(system):
    for family in families(system).values():
        if family.type != "histogram":
            continue
        assert family.name.endswith(("_seconds", "_changes"))
        buckets = [(float(sample.labels["le"]), sample.value) for sample in family.samples if sample.name.endswith("_bucket")]
        assert buckets == sorted(buckets) and [count for _, count in buckets] == sorted(count for _, count in buckets)
        assert buckets[-1][0] == math.inf and buckets[-1][1] == value({family.name: family}, family.name + "_count")


def test_a_node_that_is_lost_is_seen(system):
    control(system, "/fault/stop_node", {"node": 1})
    try:
        until(lambda: value(families(system), "leyden_node_connected", node="bob") == 0, what="the loss")
    finally:
        control(system, "/fault/start_node", {"node": 1})
        system.until_connected("bob")
