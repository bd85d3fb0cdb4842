"""A node behind a SOCKS5 proxy, under a name that only the proxy knows."""

import json
import socket
import struct
import threading

import pytest


class Proxy:
    """RFC 1928 with a name and a password (RFC 1929); `names` says where names lead."""

    def __init__(self, names):
        self._names = names
        self.asked = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            take = client.makefile("rb").read
            version, count = take(2)
            assert version == 5 and 2 in take(count)
            client.sendall(b"\x05\x02")
            _, length = take(2)
            name = take(length)
            password = take(take(1)[0])
            if (name, password) != (b"leyden", b"tor/1"):
                return client.sendall(b"\x01\x01")
            client.sendall(b"\x01\x00")
            _, command, _, kind, length = take(5)
            assert (command, kind) == (1, 3)
            host, (port,) = take(length).decode(), struct.unpack("!H", take(2))
            self.asked.append(host)
            if host not in self._names:
                return client.sendall(b"\x05\x04\x00\x01" + bytes(6))
            with socket.create_connection((self._names[host], port)) as target:
                client.sendall(b"\x05\x00\x00\x01" + bytes(6))
                back = threading.Thread(target=pump, args=(target, client), daemon=True)
                back.start()
                pump(client, target)
                back.join(5)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture(scope="module")
def proxy():
    proxy = Proxy({"alicelnd.onion": "127.0.0.1"})
    yield proxy
    proxy.close()


def doctor(system, proxy, host, user="leyden:tor%2F1"):
    address = next(line.split()[1] for line in system.configuration.read_text().splitlines() if line.strip().startswith("address:"))
    _, findings = system.doctor(
        LEYDEN_NODES_0_ADDRESS=f"{host}:{address.rsplit(':')[-1]}", LEYDEN_NODES_0_PROXY=f"socks5h://{user}@127.0.0.1:{proxy.port}")
    return findings["node alice"]


def test_a_node_is_reached_under_a_name_that_is_never_looked_up_here(system, proxy):
    finding = doctor(system, proxy, "alicelnd.onion")
    assert finding["level"] == "ok" or "credentials" in finding["message"], finding
    assert proxy.asked and set(proxy.asked) == {"alicelnd.onion"}


def test_the_proxy_s_refusals_are_named(system, proxy):
    for host, user, words in (("nobody.onion", "leyden:tor%2F1", "cannot reach the host"), ("alicelnd.onion", "leyden:wrong", "does not take the name")):
        done = doctor(system, proxy, host, user)
        assert done["level"] == "error" and words in done["message"], done
        assert "wrong" not in json.dumps(done)
