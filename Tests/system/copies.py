"""A copy of the system with what only the tests do to it: stop its database, lock its tables, run a second gateway."""

import json
import re
import signal
import subprocess

from client import call, until
from instance import Instance, die_with_parent, environment, free_ports, is_ready

PSQL = "/usr/lib/postgresql/15/bin/psql"


class Copy(Instance):
    """`settings` are lines of YAML that are added to the configuration; `role` is the gateway's."""

    def __init__(self, root, binaries, nodes=2, settings="", role="all"):
        super().__init__(root, binaries, nodes, settings)
        self.role = role

    def start_gateway(self):
        self.spawn_gateway()
        self._until("leyden", lambda: is_ready(self.internal_url))

    @property
    def log(self):
        return self.directory / "leyden.log"

    def is_running(self, name="leyden"):
        child = self._children.get(name)
        return child is not None and child.poll() is None

    def send(self, name, number):
        self._children[name].send_signal(number)

    def kill(self):
        """As the kernel or a power cut does it."""
        self.end("leyden", signal.SIGKILL)

    def spawn_gateway(self):
        """Without waiting until it is ready."""
        self.spawn("leyden", "run", "--config", str(self.configuration), "--role", self.role)

    def ready(self, internal_url=None):
        """What /ready answers, `None` while nobody listens."""
        try:
            return call("GET", (internal_url or self.internal_url) + "/ready", timeout=5)
        except OSError:
            return None

    def node_states(self):
        """As the leader sees them; a process that does not lead yet knows only what was told before."""
        answer = self.ready()
        return {node["name"]: node for node in answer.json["nodes"]} if answer and answer.json["leader"] == "this" else {}

    def until_connected(self, *names, seconds=40):
        until(lambda: all(self.node_states().get(name, {}).get("state") == "connected" for name in names), seconds, f"{names} connected")

    # The database

    def stop_database(self):
        self._postgres("stop")

    def start_database(self):
        self._postgres("start")

    def _postgres(self, what):
        done = subprocess.run(
            [self.root / "scripts" / "postgres", what, self.directory / "postgres"], env=environment(), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def sql(self, text):
        done = subprocess.run([PSQL, self.dsn, "-XAtqc", text], env=environment(), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commits_waiting(self):
        """How many of the gateway's commits wait for a lock."""
        return int(self.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%leyden_commit%'"))

    # Commands of the operator

    def command(self, *arguments, **variables):
        """`leyden …` with this copy's configuration."""
        return subprocess.run(
            [self.binaries / "leyden", *arguments, "--config", self.configuration], env={**environment(), **variables}, capture_output=True, text=True, timeout=60)

    def command_json(self, *arguments):
        """What it prints with `--json`."""
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def key(self, *scopes):
        """A new API key: `{id, name, key, scopes}`."""
        return self.command_json("keys", "create", "--name", "test", *(word for scope in scopes for word in ("--scope", scope)))

    def doctor(self, **variables):
        """Whether all is well, and what was found by its subject."""
        done = self.command("doctor", "--json", **variables)
        return done.returncode == 0, {finding["subject"]: finding for finding in json.loads(done.stdout)["findings"]}

    def give_to_another_account(self, key):
        self.sql(f"INSERT INTO accounts (id, name) VALUES (77, 'other') ON CONFLICT DO NOTHING; UPDATE api_keys SET account = 77 WHERE id = '{key['id']}'")

    # A second gateway on the same database and nodes

    def start_second(self):
        web, internal, grpc = free_ports(3)
        text = self.configuration.read_text()
        for name, value in (("listen", web), ("internal_listen", internal), ("grpc_listen", grpc)):
            text = re.sub(rf"(?m)^{name}: .*$", f"{name}: 127.0.0.1:{value}", text)
        path = self.directory / "second.yml"
        path.write_text(text)
        self.spawn_as("second", "leyden", "run", "--config", str(path))
        return f"http://127.0.0.1:{web}", f"http://127.0.0.1:{internal}"

    # Processes that serve clients

    def start_edge(self, name, base_url=None, configuration=None):
        """Its public and its internal address; the first may be shared."""
        web, internal = free_ports(2)
        base_url = base_url or f"http://127.0.0.1:{web}"
        self.spawn_edge(name, base_url, internal, configuration)
        internal_url = f"http://127.0.0.1:{internal}"
        self._until(name, lambda: is_ready(internal_url, leader="other"))
        return base_url, internal_url

    def spawn_edge(self, name, base_url, internal, configuration=None):
        self.spawn_as(
            name, "leyden", "run", "--config", str(configuration or self.configuration), "--role", "edge",
            "--listen", base_url.removeprefix("http://"), "--internal-listen", f"127.0.0.1:{internal}")

    def spawn_as(self, name, binary, *arguments):
        with open(self.directory / f"{name}.log", "ab") as log:
            self._children[name] = subprocess.Popen(
                [str(self.binaries / binary), *arguments], env=environment(), cwd=self.root, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=die_with_parent)


class At:
    """The gateway at other addresses, as the client functions see a copy."""

    def __init__(self, system, urls):
        self.base_url, self.internal_url = urls
        self.api_key = system.api_key
        self.control_url = system.control_url


class StreamLock:
    """Holds the row that every commit needs, so that commits are under way for as long as a test likes."""

    def __init__(self, copy):
        self._copy = copy

    def __enter__(self):
        self._psql = subprocess.Popen(
            [PSQL, self._copy.dsn, "-XAtq"], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._psql.stdin.write("BEGIN; SELECT 'locked' FROM stream FOR UPDATE;\n")
        self._psql.stdin.flush()
        assert self._psql.stdout.readline().strip() == "locked"
        return self

    def release(self):
        if self._psql.poll() is None:
            self._psql.communicate("ROLLBACK;\n\\q\n", timeout=30)

    def __exit__(self, *_):
        self.release()

    def until_waiting(self):
        until(self._copy.commits_waiting, what="a commit under way")

    def abort_commits(self):
        """The commits that wait end without effect."""
        self._copy.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%leyden_commit%'")
