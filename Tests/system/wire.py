"""Ways to the streams: a cable that can be cut, a proxy that keeps back what it does not know, and server-sent events."""

import base64
import contextlib
import hashlib
import http.client
import json
import socket
import threading
from urllib.parse import urlsplit

from websocket import GUID


class Cable:
    """A way to the gateway that a test can cut, as a network does: both ends see their connection reset."""

    def __init__(self, base_url):
        parts = urlsplit(base_url)
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}/connection/websocket"
        self._sockets = []
        self._is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Ends what is connected and lets nobody through until `mend`."""
        self._is_cut = True
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
                each.close()
        self._sockets = []

    def mend(self):
        self._is_cut = False

    def close(self):
        self.cut()
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._is_cut:
                    client.close()
                    continue
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        self._join(client)

    def _join(self, client, first=b""):
        """Carries everything both ways, until one end goes away."""
        with contextlib.suppress(OSError):
            server = socket.create_connection(self._target)
            self._sockets.append(server)
            server.sendall(first)
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()
            self._carry(server, client)

    @staticmethod
    def _carry(source, sink):
        with contextlib.suppress(OSError):
            while chunk := source.recv(1 << 16):
                sink.sendall(chunk)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


class Proxy(Cable):
    """A cable through which pages come, and which can keep silent: to WebSockets after it has let them in, to streams altogether."""

    def __init__(self, base_url):
        super().__init__(base_url)
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.keeps_back = set()
        self.requests = []

    def _serve(self, client):
        head = b""
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in head:
                chunk = client.recv(1 << 16)
                if not chunk:
                    return client.close()
                head += chunk
            line, fields = head.split(b"\r\n", 1)
            self.requests.append(line.decode().removesuffix(" HTTP/1.1"))
            names = dict(field.split(b": ", 1) for field in fields.split(b"\r\n\r\n")[0].split(b"\r\n"))
            names = {name.lower(): value for name, value in names.items()}
            if b"sec-websocket-key" in names:
                if "websocket" not in self.keeps_back:
                    return self._join(client, head)
                accept = base64.b64encode(hashlib.sha1(names[b"sec-websocket-key"] + GUID.encode()).digest())
                client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
                self._swallow(client)
            elif b"text/event-stream" in names.get(b"accept", b"") and "sse" in self.keeps_back:
                self._swallow(client)
            else:
                # One request on each connection, so that each is looked at.
                self._join(client, line + b"\r\nConnection: close\r\n" + b"\r\n".join(
                    each for each in fields.split(b"\r\n") if not each.lower().startswith(b"connection:")))

    @staticmethod
    def _swallow(client):
        while client.recv(1 << 16):
            pass
        client.close()


class EventReader:
    """A stream of server-sent events; `take` waits for so many of them."""

    def __init__(self, system, path, headers=None, timeout=20):
        parts = urlsplit(system.base_url)
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        self._connection.request("GET", path, headers={"Accept": "text/event-stream", **(headers or {})})
        self.answer = self._connection.getresponse()

    def take(self, count):
        """Events as (id, type, object)."""
        found, fields = [], {}
        while len(found) < count:
            line = self.answer.readline()
            assert line, "the stream ended"
            line = line.decode().rstrip("\n")
            if not line:
                if "data" in fields:
                    found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
        return found

    def close(self):
        self._connection.close()
