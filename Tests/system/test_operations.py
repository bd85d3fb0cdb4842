"""What operators are given: board, alerts, unit and logs, each held against a running gateway."""

import contextlib
import json
import re
import signal
import shutil
import socket
import subprocess

import pytest
import yaml
from client import call, until
from instance import environment, free_ports
from lnmux import Lnmux
from websocket import Subscription

SETTINGS = "log:\n  format: json\n"
METRIC = re.compile(r"\bleyden_[a-z0-9_]+")
HIDES = ("time", "level", "label", "room", "message")


def exposed(system):
    """Every name that a query can ask for, whatever has happened so far."""
    text = call("GET", system.internal_url + "/metrics").body.decode()
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
        names |= {name + suffix for suffix in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return names, text


def board(system):
    return json.loads((system.root / "config/grafana/leyden.json").read_text())


def alerts(system):
    return yaml.safe_load((system.root / "config/prometheus/alerts.yml").read_text())["groups"][0]["rules"]


def test_the_board_and_the_alerts_ask_for_what_there_is(system):
    names, _ = exposed(system)
    queries = [target["expr"] for panel in board(system)["panels"] for target in panel.get("targets", [])]
    queries += [rule["expr"] for rule in alerts(system)]
    asked = {name for query in queries for name in METRIC.findall(query)}
    assert asked and asked <= names, asked - names
    assert all(METRIC.search(query) or 'up{job="leyden"}' in query for query in queries)


def test_the_board_shows_every_family(system):
    asked = {name for panel in board(system)["panels"] for target in panel.get("targets", []) for name in METRIC.findall(target["expr"])}
    _, text = exposed(system)
    for name in re.findall(r"^# TYPE (\S+) \S+$", text, re.M):
        assert {name, name + "_bucket", name + "_sum"} & asked, f"{name} is on no panel"


def test_labels_that_are_asked_for_have_the_values_that_are_asked_for(system):
    with Lnmux(system) as client:
        client.call("GetInfo")
    reader = Subscription(system.base_url, system.api_key, "events")
    _, text = exposed(system)
    reader.close()
    for query in [target["expr"] for panel in board(system)["panels"] for target in panel.get("targets", [])] + [rule["expr"] for rule in alerts(system)]:
        for name, label, value in re.findall(r'(leyden_[a-z_]+)\{(\w+)="([^"]*)"\}', query):
            # A close code is listed once it has occurred.
            assert label == "code" or f'{name}{{{label}="{value}"}}' in text, (name, label, value)
        for labels, name in re.findall(r"by \(([a-z, ]+)\) \((?:rate\()?(leyden_[a-z_]+)", query):
            for label in labels.replace(" ", "").split(","):
                if label not in ("le", "instance", "code", "limit"):
                    assert re.search(rf'^{name}\{{[^}}]*\b{label}="', text, re.M), (name, label)


def test_every_alert_says_how_bad_it_is_and_what_it_means(system):
    for rule in alerts(system):
        assert re.fullmatch(r"Leyden[A-Za-z]+", rule["alert"])
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert {"summary", "description"} <= set(rule["annotations"])


# Logs


def lines(system):
    return [json.loads(line) for line in system.log.read_text().splitlines()]


def test_each_line_of_the_log_is_an_object_with_the_same_fields(system):
    told = lines(system)
    assert len(told) > 3
    for line in told:
        assert set(HIDES) <= set(line), line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", line["time"])
        assert line["level"] in ("trace", "debug", "info", "notice", "warning", "error", "critical")
    connected = [line for line in told if line["message"] == "connected"]
    assert {line["node"] for line in connected} == {"alice", "bob"} and {line["room"] for line in connected} == {"LND"}


# The service manager


@contextlib.contextmanager
def managed(system, **variables):
    """A gateway under a service manager: what the manager hears, the process and its internal address."""
    path = system.directory / "notify"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(30)
        web, internal, grpc = free_ports(3)
        process = subprocess.Popen(
            [system.binaries / "leyden", "run", "--config", system.configuration, "--listen", f"127.0.0.1:{web}",
             "--internal-listen", f"127.0.0.1:{internal}", "--grpc-listen", f"127.0.0.1:{grpc}", "--role", "edge"],
            env={**environment(), "NOTIFY_SOCKET": str(path), **variables},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert manager.recv(100) == b"READY=1"
            yield manager, process, f"http://127.0.0.1:{internal}"
        finally:
            process.kill()
            process.wait()


def test_the_service_manager_is_told_of_start_end_and_life(system):
    with managed(system, WATCHDOG_USEC="400000", LEYDEN_EDGE_SHARDS="2") as (manager, process, internal_url):
        # It listens by then.
        assert call("GET", internal_url + "/health").status == 200
        assert [manager.recv(100) for _ in range(4)] == [b"WATCHDOG=1"] * 4
        process.send_signal(signal.SIGTERM)
        while (told := manager.recv(100)) == b"WATCHDOG=1":
            pass
        assert told == b"STOPPING=1"
        assert process.wait(40) == 0


def test_a_hanging_process_does_not_beat(system):
    with managed(system, WATCHDOG_USEC="200000") as (manager, process, _):
        manager.recv(100)
        process.send_signal(signal.SIGSTOP)
        manager.settimeout(1)
        with pytest.raises(TimeoutError):
            while True:
                manager.recv(100)


def test_the_unit_waits_for_the_news_and_lets_go_after_the_gateway_does(system):
    unit = (system.root / "config/leyden.service").read_text()
    assert re.search(r"^Type=notify$", unit, re.M) and re.search(r"^WatchdogSec=\d+s$", unit, re.M)
    drain = re.search(r"^drain_timeout: (\d+)s$", (system.root / "config/leyden.yml").read_text(), re.M)
    assert int(re.search(r"^TimeoutStopSec=(\d+)s$", unit, re.M)[1]) > int(drain[1])
    if shutil.which("systemd-analyze"):
        # It cannot look at more than the words where no systemd runs.
        copy = system.directory / "leyden.service"
        copy.write_text(unit.replace("/usr/bin/leyden", str(system.binaries / "leyden")).replace("User=leyden\nGroup=leyden\n", ""))
        done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
        assert "Unknown" not in done.stderr and "Failed to parse" not in done.stderr, done.stderr


# Readiness


def test_readiness_tells_how_far_it_is_behind(system):
    answer = system.ready()
    assert answer.status == 200 and answer.json["lag"] == 0
    # A log that goes on without this process, as it would look to one that reads too slowly.
    system.sql("BEGIN; UPDATE stream SET head = head + 6000; COMMIT")
    try:
        answer = system.ready()
        assert (answer.status, answer.json["status"], answer.json["lag"]) == (503, "not_ready", 6000)
    finally:
        system.sql("UPDATE stream SET head = head - 6000")
    until(lambda: system.ready().status == 200, what="ready again")
