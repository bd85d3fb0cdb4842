"""What operators are given: board, alerts, unit, proxies and logs, each held against a running gateway."""

import json
import os
import re
import signal
import shutil
import socket
import subprocess

import pytest
import yaml
from client import api, call, create, pay, until
from copies import At
from instance import environment, free_ports
from lnmux import Lnmux
from websocket import Subscription
from wire import EventReader

# The proxies of these tests are not at public_url.
SETTINGS = "log:\n  format: json\nedge:\n  allowed_origins: ['*']\n"
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
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


def test_the_service_manager_is_told_of_start_end_and_life(system):
    path = system.directory / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(30)
        web, internal, grpc = free_ports(3)
        process = subprocess.Popen(
            [system.binaries / "leyden", "run", "--config", system.configuration, "--listen", f"127.0.0.1:{web}",
             "--internal-listen", f"127.0.0.1:{internal}", "--grpc-listen", f"127.0.0.1:{grpc}", "--role", "edge"],
            env={**environment(), "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000", "LEYDEN_EDGE_SHARDS": "2"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert manager.recv(100) == b"READY=1"
            # It listens by then.
            assert call("GET", f"http://127.0.0.1:{internal}/health").status == 200
            assert [manager.recv(100) for _ in range(4)] == [b"WATCHDOG=1"] * 4
            process.send_signal(signal.SIGTERM)
            while (told := manager.recv(100)) == b"WATCHDOG=1":
                pass
            assert told == b"STOPPING=1"
            assert process.wait(40) == 0
        finally:
            process.kill()
            process.wait()


def test_a_hanging_process_does_not_beat(system):
    path = system.directory / "notify-hanging"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(30)
        web, internal, grpc = free_ports(3)
        process = subprocess.Popen(
            [system.binaries / "leyden", "run", "--config", system.configuration, "--listen", f"127.0.0.1:{web}",
             "--internal-listen", f"127.0.0.1:{internal}", "--grpc-listen", f"127.0.0.1:{grpc}", "--role", "edge"],
            env={**environment(), "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert manager.recv(100) == b"READY=1"
            manager.recv(100)
            process.send_signal(signal.SIGSTOP)
            manager.settimeout(1)
            with pytest.raises(TimeoutError):
                while True:
                    manager.recv(100)
        finally:
            process.kill()
            process.wait()


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


# Proxies


@pytest.fixture(scope="module")
def proxied(system):
    """The gateway's address behind nginx, with the configuration that is handed out."""
    if not NGINX:
        pytest.skip("nginx is not installed")
    directory = system.directory / "nginx"
    directory.mkdir()
    (port,) = free_ports(1)
    site = (system.root / "config/nginx.conf").read_text()
    site = site.replace("server 127.0.0.1:9780;", f"server {system.base_url.removeprefix('http://')};")
    site = re.sub(r"listen 443 ssl http2;", f"listen 127.0.0.1:{port};", site)
    site = re.sub(r"\n *(listen \[::\]|ssl_certificate)[^\n]*", "", site)
    (directory / "nginx.conf").write_text(f"""
daemon off;
error_log {directory}/error.log;
pid {directory}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {site}
}}
""")
    process = subprocess.Popen(
        [NGINX, "-c", directory / "nginx.conf", "-e", directory / "error.log"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers():
        assert process.poll() is None, (directory / "error.log").read_text()
        try:
            return call("GET", f"http://127.0.0.1:{port}/", timeout=5).status == 200
        except OSError:
            return False

    try:
        until(answers, what="nginx")
        yield At(system, (f"http://127.0.0.1:{port}", system.internal_url))
    finally:
        process.terminate()
        process.wait(10)


def test_requests_and_pages_go_through_the_proxy(system, proxied):
    invoice = create(proxied)
    assert pay(proxied, invoice)["status"] == "succeeded"
    page = call("GET", proxied.base_url + "/checkout/" + invoice["watch_token"])
    assert page.status == 200 and b"checkout.js" in page.body
    assert call("GET", f"{proxied.base_url}/v1/watch/{invoice['watch_token']}/qr.svg").headers["Content-Type"] == "image/svg+xml"
    assert api(proxied, "POST", "/v1/invoices", {"description": "x" * 200_000}).status == 413


def test_the_websocket_goes_through_the_proxy(system, proxied):
    reader = Subscription(proxied.base_url, proxied.api_key, "events")
    invoice = create(proxied)
    told = next(event for event in reader if event["data"].get("payment_hash") == invoice["payment_hash"])
    assert told["type"] == "invoice.created"
    reader.close()


def test_event_streams_leave_the_proxy_as_they_come(system, proxied):
    reader = EventReader(proxied, "/v1/events?type=invoice.created", {"Authorization": f"Bearer {proxied.api_key}"})
    invoice = create(proxied)
    while True:
        (_, kind, event), = reader.take(1)
        if event["data"]["payment_hash"] == invoice["payment_hash"]:
            break
    assert kind == "invoice.created"
    reader.close()


def doctor(system, public_url):
    done = subprocess.run(
        [system.binaries / "leyden", "doctor", "--json", "--config", system.configuration], capture_output=True, text=True, timeout=60,
        env={**environment(), "LEYDEN_PUBLIC_URL": public_url})
    return {finding["subject"]: finding for finding in json.loads(done.stdout)["findings"]}["public_url"]


def test_doctor_opens_the_websocket_through_the_proxy(system, proxied):
    for url in (system.base_url, proxied.base_url):
        finding = doctor(system, url)
        assert finding["level"] == "ok" and "WebSocket" in finding["message"], finding


def test_doctor_names_a_proxy_that_keeps_the_upgrade_for_itself(system, proxied):
    conf = system.directory / "nginx" / "nginx.conf"
    (port,) = free_ports(1)
    broken = system.directory / "nginx" / "broken.conf"
    text = re.sub(r"\n *proxy_set_header (Upgrade|Connection)[^\n]*", "", conf.read_text())
    text = re.sub(r"listen 127.0.0.1:\d+;", f"listen 127.0.0.1:{port};", text).replace("/pid;", "/broken.pid;")
    broken.write_text(text)
    process = subprocess.Popen([NGINX, "-c", broken, "-e", system.directory / "nginx" / "error.log"], stderr=subprocess.DEVNULL)
    try:
        def answers():
            try:
                return call("GET", f"http://127.0.0.1:{port}/", timeout=5).status == 200
            except OSError:
                return False
        until(answers, what="nginx")
        finding = doctor(system, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)
    assert finding["level"] == "warning" and "WebSocket is not opened" in finding["message"] and "Upgrade" in finding["remedy"]


@pytest.mark.skipif(not shutil.which("caddy"), reason="Caddy is not installed")
def test_caddy_understands_its_file(system):
    done = subprocess.run(["caddy", "validate", "--adapter", "caddyfile", "--config", system.root / "config/Caddyfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
