"""Commands against a gateway that is none of ours, or a proxy in front of one: nothing leaks, nothing crashes, nothing gives up too early."""

import http.server
import json
import socket
import subprocess
import threading

import pytest
from conftest import binaries
from instance import environment

KEY = "ley_" + "1" * 16 + "_" + "2" * 64
SECRET = "whsec_" + "A" * 43 + "="
INFO = {"head": 7, "epoch": "first"}


class Stranger(http.server.ThreadingHTTPServer):
    """Answers by path: a function of the number of the request there gives status, fields and body."""

    daemon_threads = True

    def __init__(self, answers):
        self.answers, self.asked = answers, []
        super().__init__(("127.0.0.1", 0), Visit)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Visit(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.server.asked.append((path, query, self.headers))
        count = sum(1 for each in self.server.asked if each[0] == path)
        status, fields, body = self.server.answers[path](count)
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def stranger():
    made = []

    def make(**answers):
        made.append(Stranger({"/" + path.replace("_", "/"): answer for path, answer in answers.items()}))
        return made[-1]

    yield make
    for each in made:
        each.shutdown()
        each.server_close()


def leyden(*arguments, **variables):
    return subprocess.run(
        [binaries() / "leyden", *arguments], capture_output=True, text=True, timeout=30, env={**environment(), "LEYDEN_API_KEY": KEY, **variables})


def document(value):
    return lambda _: (200, {"Content-Type": "application/json"}, json.dumps(value).encode())


def event(offset):
    return f'id: {offset}\ndata: {{"offset": {offset}, "id": "evt_{offset}", "type": "invoice.created", "time": "t", "data": {{}}}}\n\n'.encode()


def problem(status, code):
    return status, {"Content-Type": "application/problem+json"}, json.dumps({"status": status, "code": code, "title": code}).encode()


def test_the_key_does_not_follow_a_redirect(stranger):
    thief = stranger(v1_info=document(INFO), v1_nodes=document({"nodes": []}), v1_events=document({}))
    away = {path: lambda _, path=path: (307, {"Location": thief.url + "/" + path.replace("_", "/")}, b"") for path in ("v1_info", "v1_nodes")}
    assert leyden("node", "list", "--url", stranger(**away).url).returncode == 1
    half = stranger(v1_info=document(INFO), v1_events=lambda _: (307, {"Location": thief.url + "/v1/events"}, b""))
    done = leyden("events", "tail", "--url", half.url)
    assert done.returncode == 1 and "307" in done.stderr
    assert thief.asked == []


def test_a_tail_outlives_a_gateway_that_is_away_and_ends_with_another_log(stranger):
    def events(count):
        if count in (1, 3):
            return problem(503, "stopping") if count == 1 else (502, {}, b"<html>")
        if count in (2, 4):
            return 200, {"Content-Type": "text/event-stream"}, event(6 + count)
        return problem(410, "epoch_changed")

    server = stranger(v1_info=document(INFO), v1_events=events)
    done = leyden("events", "tail", "--json", "--url", server.url)
    assert done.returncode == 1 and "epoch_changed" in done.stderr and done.stderr.count("trying again") == 2
    assert [json.loads(line)["offset"] for line in done.stdout.splitlines()] == [8, 10]
    asked = [(query, fields["Last-Event-ID"]) for path, query, fields in server.asked if path == "/v1/events"]
    assert asked == [("epoch=first", each) for each in ("7", "7", "8", "8", "10")]


def test_what_a_gateway_says_cannot_move_the_cursor(stranger):
    def events(count):
        line = {"offset": 8, "id": "e", "type": "invoice.\x1b[2Jx", "time": "\x1b]0;t\x07", "data": {}}
        return (200, {"Content-Type": "text/event-stream"}, f"id: 8\ndata: {json.dumps(line)}\n\n".encode()) if count == 1 else problem(410, "offset_gone")

    done = leyden("events", "tail", "--url", stranger(v1_info=document(INFO), v1_events=events).url)
    assert "invoice." in done.stdout and "\x1b" not in done.stdout and "\x07" not in done.stdout


def test_an_endless_line_is_no_event(stranger):
    def events(count):
        junk = b"data: " + b"x" * 3_000_000 + b"\n\n" + b"data: a\n" * 600_000 + b"\n" + (b": still here\n\n" + b": here\n") * 100_000
        return (200, {"Content-Type": "text/event-stream"}, junk + event(9)) if count == 1 else problem(410, "offset_gone")

    done = leyden("events", "tail", "--json", "--url", stranger(v1_info=document(INFO), v1_events=events).url)
    assert [json.loads(line)["offset"] for line in done.stdout.splitlines()] == [9]


def test_a_secret_that_was_given_is_not_printed(stranger):
    taking = stranger(hook=lambda _: (200, {}, b""), v1_info=document(INFO), v1_events=lambda _: problem(410, "offset_gone"))
    hook = taking.url + "/hook"
    for json_ in ([], ["--json"]):
        for arguments in (["trigger", "invoice.settled", "--forward-to", hook], ["listen", "--forward-to", hook, "--url", taking.url]):
            done = leyden(*arguments, *json_, LEYDEN_WEBHOOK_SECRET=SECRET)
            assert hook in done.stdout and "whsec_" not in done.stdout + done.stderr
            assert "whsec_" in leyden(*arguments, *json_).stdout


def test_sums_that_cannot_be_are_refused(stranger):
    def page(count):
        return 200, {}, json.dumps({"lines": [], "totals": {"payments_msat": 2**64 - 1}, "next": "1.1" if count < 3 else None}).encode()

    done = leyden("invoice", "export", "--json", "--url", stranger(v1_export=page).url)
    assert done.returncode == 1 and "payments_msat" in done.stderr


def test_the_doctor_is_not_hurt_by_what_answers_for_the_gateway(stranger, tmp_path):
    """An upgrade whose head is no UTF-8, and then silence."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                asked = client.recv(4096)
                if asked.startswith(b"GET /v1/info"):
                    client.sendall(b'HTTP/1.1 401 x\r\nContent-Length: 23\r\nConnection: close\r\n\r\n{"code":"unauthorized"}')
                else:
                    client.sendall(b"HTTP/1.1 101 x\r\nX: " + b"\xff" * 4000 + b"\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    configuration = tmp_path / "leyden.yml"
    configuration.write_text(f"public_url: http://127.0.0.1:{listener.getsockname()[1]}\ninternal_listen: 127.0.0.1:1\n")
    try:
        done = leyden("doctor", "--json", "--config", str(configuration))
        assert done.returncode == 1, done.stderr
        findings = {each["subject"]: each for each in json.loads(done.stdout)["findings"] if each["level"] != "ok"}
        assert "no gateway answers there" in findings["public_url"]["message"], findings
    finally:
        listener.close()
