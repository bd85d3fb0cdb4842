"""A client of the WebSocket that asks one thing after the other."""

import json
import time

from websocket import WebSocket, WebSocketClosed


class Socket:
    """A WebSocket that has connected with a token, or without one."""

    def __init__(self, system, token=None):
        self._socket = WebSocket(system.base_url.replace("http", "ws", 1) + "/connection/websocket")
        self._number = 0
        self.connected = self.ask(connect={"token": token} if token else {})

    def ask(self, **command):
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, **command}))
        while True:
            for line in self._socket.receive().splitlines():
                message = json.loads(line)
                if message.get("id") == self._number:
                    return message

    def until_closed(self, seconds):
        """The code of the close."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self._socket.receive()
            except WebSocketClosed as closed:
                return int(str(closed).split()[2])
        raise AssertionError("it is still open")

    def close(self):
        self._socket.close()
