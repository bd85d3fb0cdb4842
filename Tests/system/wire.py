"""Readers of the streams: a cable that can be cut, and server-sent events."""

import contextlib
import http.client
import json
import socket
import threading
from urllib.parse import urlsplit


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
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source, sink):
        with contextlib.suppress(OSError):
            while chunk := source.recv(1 << 16):
                sink.sendall(chunk)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


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
