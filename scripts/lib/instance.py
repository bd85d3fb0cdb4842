"""One running copy of everything: a private Postgres, simulated nodes and the gateway, on ports and in a directory of its own."""

import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

SCOPES = ("invoices:read", "invoices:write", "invoices:settle", "events:read", "nodes:read", "nodes:write", "webhooks:write", "admin")
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


class Stopped(Exception):
    """A part did not start or has ended; the message holds the last lines of its log."""


class RequestRefused(Stopped):
    """An answer other than success."""


def free_ports(count):
    """Ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Instance:
    """`settings` are lines of YAML that are added to the configuration."""

    def __init__(self, root, binaries, nodes=2, settings=""):
        self._settings = settings
        self.root, self.binaries, self.nodes = Path(root), Path(binaries), nodes
        home = self.root / ".leyden"
        home.mkdir(exist_ok=True)
        sweep(self.root)
        self.directory = Path(tempfile.mkdtemp(dir=home, prefix="run-"))
        (self.directory / "pid").write_text(str(os.getpid()))
        self.dsn = self.api_key = None
        self._children = {}
        self._keeps_logs = False
        web, internal, grpc = free_ports(3)
        self.base_url = f"http://127.0.0.1:{web}"
        self.internal_url = f"http://127.0.0.1:{internal}"
        self.control_url = None
        self.grpc_address = f"127.0.0.1:{grpc}"

    # Life

    def start(self):
        self.dsn = start_postgres(self.root, self.directory / "postgres")
        simulator = self.directory / "lnsim"
        self.spawn("lnsim", "run", "--nodes", str(self.nodes), "--dir", str(simulator), "--control", "127.0.0.1:0")
        # It writes this file last.
        self._until("lnsim", (simulator / "control").exists)
        self.control_url = f"http://{(simulator / 'control').read_text().strip()}"
        self._configure([simulator / str(index) for index in range(self.nodes)])
        self.start_gateway()
        command = [str(self.binaries / "leyden"), "keys", "create", "--json", "--name", "demo", "--config", str(self.configuration)]
        for scope in SCOPES:
            command += ["--scope", scope]
        made = subprocess.run(command, env=environment(), capture_output=True, text=True)
        if made.returncode != 0:
            raise Stopped(f"keys create: {made.stderr.strip()}")
        self.api_key = json.loads(made.stdout)["key"]

    def start_gateway(self):
        self.spawn("leyden", "run", "--config", str(self.configuration))
        self._until("leyden", lambda: is_ready(self.internal_url))

    def stop(self):
        """Ends everything that was started, the gateway first. Safe to call at any time."""
        for name in reversed(list(self._children)):
            self.end(name)
        postgres = self.directory / "postgres"
        if postgres.exists():
            stop_postgres(self.root, postgres)
        if self._keeps_logs:
            print(f"The logs are in {self.directory}", file=sys.stderr)
            (self.directory / "pid").unlink(missing_ok=True)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def keep_logs(self):
        self._keeps_logs = True

    def spawn(self, name, *arguments):
        with open(self.directory / f"{name}.log", "ab") as log:
            self._children[name] = subprocess.Popen(
                [str(self.binaries / name), *arguments], env=environment(), cwd=self.root, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=die_with_parent)

    def pid(self, name):
        return self._children[name].pid

    def end(self, name, how=signal.SIGTERM):
        child = self._children.pop(name, None)
        if child is None or child.poll() is not None:
            return
        child.send_signal(how)
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def wait(self, seconds):
        """Sleeps, and notices if something ends meanwhile."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._check()
            time.sleep(0.2)

    def _check(self):
        for name, child in self._children.items():
            if child.poll() is not None:
                lines = (self.directory / f"{name}.log").read_text(errors="replace").splitlines()[-15:]
                raise Stopped("\n".join([f"{name} ended with {child.returncode}; its last words:", *lines]))

    def _until(self, name, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            self._check()
            if time.monotonic() > deadline:
                lines = (self.directory / f"{name}.log").read_text(errors="replace").splitlines()[-15:]
                raise Stopped("\n".join([f"{name} was not ready within {seconds} s; its last words:", *lines]))
            time.sleep(0.05)

    # Configuration

    @property
    def configuration(self):
        return self.directory / "leyden.yml"

    def _configure(self, nodes):
        self._write_secret("identity.key", secrets.token_hex(32))
        self._write_secret("dsn", self.dsn)
        lines = [
            "network: regtest",
            "identity_key_file: identity.key",
            f"public_url: {self.base_url}",
            f"listen: {self.base_url.removeprefix('http://')}",
            f"internal_listen: {self.internal_url.removeprefix('http://')}",
            f"grpc_listen: {self.grpc_address}",
            f"public_dir: {json.dumps(str(self.root / 'public'))}",
            "database:",
            "  dsn_file: dsn",
            "nodes:",
        ]
        for index, node in enumerate(nodes):
            lines += [
                f"  - name: {('alice', 'bob', 'carol', 'dave')[index] if index < 4 else f'node{index}'}",
                f"    address: {(node / 'address').read_text().strip()}",
                f"    pubkey: '{(node / 'pubkey').read_text().strip()}'",
                f"    tls_cert: {json.dumps(str(node / 'tls.cert'))}",
                f"    macaroon_file: {json.dumps(str(node / 'gateway.macaroon'))}",
            ]
        self.configuration.write_text("\n".join(lines) + "\n" + self._settings)

    def _write_secret(self, name, text):
        with os.fdopen(os.open(self.directory / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text + "\n")

    # Requests

    def get(self, path):
        return self.request("GET", self.base_url + path, headers=self._authorization())

    def post(self, path, body):
        return self.request("POST", self.base_url + path, body, self._authorization())

    def pay(self, payment_request, parts):
        return self.request("POST", self.control_url + "/pay", {"payment_request": payment_request, "parts": parts}, timeout=60)

    def _authorization(self):
        return {"Authorization": f"Bearer {self.api_key}"}

    @staticmethod
    def request(method, url, body=None, headers=None, timeout=30):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
        try:
            with DIRECT.open(request, timeout=timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise RequestRefused(f"{method} {url}: {error.code} {error.read(2000).decode(errors='replace')}") from None
        except urllib.error.URLError as error:
            raise RequestRefused(f"{method} {url}: {error.reason}") from None


# Everything is on this machine; a proxy of the environment is not for it.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_ready(internal_url, leader="this"):
    """Whether the gateway is ready, the leader where it should be, and every node connected, so that payments in parts find
    all of them."""
    try:
        with DIRECT.open(internal_url + "/ready", timeout=2) as response:
            body = json.load(response)
            return body.get("leader") == leader and all(node.get("state") == "connected" for node in body.get("nodes", []))
    except (OSError, ValueError):
        return False


def environment():
    """The caller's, without settings of another gateway."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LEYDEN_")}


def die_with_parent():
    """Children end with this process, even if it is killed."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


def start_postgres(root, directory):
    """The DSN of a private server."""
    started = subprocess.run([root / "scripts" / "postgres", "start", directory], env=environment(), capture_output=True, text=True)
    if started.returncode != 0:
        raise Stopped(f"Postgres: {started.stderr.strip()}")
    dsn = started.stdout.strip()
    (directory / "dsn").write_text(dsn)
    return dsn


def stop_postgres(root, directory):
    """Stops it and removes its socket's directory, which is not below `directory`."""
    subprocess.run([root / "scripts" / "postgres", "stop", directory], env=environment(), capture_output=True)
    try:
        words = dict(word.split("=", 1) for word in (directory / "dsn").read_text().split())
    except (OSError, ValueError):
        return
    sockets = Path(words.get("host", ""))
    if sockets.name.startswith("leyden-pg-"):
        shutil.rmtree(sockets, ignore_errors=True)


def sweep(root):
    """Removes what copies have left behind that were killed."""
    for pid_file in (root / ".leyden").glob("run-*/pid"):
        try:
            pid = int(pid_file.read_text())
            os.kill(pid, 0)
        except ProcessLookupError:
            directory = pid_file.parent
            stop_postgres(root, directory / "postgres")
            shutil.rmtree(directory, ignore_errors=True)
        except (OSError, ValueError):
            pass
