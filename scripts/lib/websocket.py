"""A WebSocket client (RFC 6455) on the standard library alone, and on it the JSON form of the Centrifuge protocol."""

import base64
import hashlib
import json
import os
import socket
import struct
from urllib.parse import urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocketClosed(Exception):
    """The server has closed the connection; carries its code and reason."""


class WebSocket:
    """One plain `ws://` connection; messages are text."""

    def __init__(self, url, timeout=30):
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port or 80), timeout)
        self._buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        if " 101 " not in lines[0] or headers.get("sec-websocket-accept") != accept:
            raise WebSocketClosed(f"no WebSocket: {lines[0]}")

    def send(self, text):
        self._send_frame(1, text.encode())

    def receive(self):
        """The next whole message. Pings are answered on the way."""
        message = b""
        while True:
            first, second = self._take(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", self._take(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self._take(8))
            payload = self._take(size)
            opcode = first & 0x0F
            if opcode == 8:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise WebSocketClosed(f"closed with {code} {payload[2:].decode(errors='replace')}")
            if opcode == 9:
                self._send_frame(10, payload)
            elif opcode in (0, 1):
                message += payload
                if first & 0x80:
                    return message.decode()

    def detach(self):
        """The connection, for who reads frames by itself, and what was read of it beyond the last message."""
        return self._socket, self._buffer

    def close(self):
        try:
            self._send_frame(8, struct.pack("!H", 1000))
        except OSError:
            pass
        self._socket.close()

    def _send_frame(self, opcode, payload):
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        mask = os.urandom(4)
        self._socket.sendall(head + mask + bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload)))

    def _take(self, count):
        while len(self._buffer) < count:
            self._fill()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _fill(self):
        chunk = self._socket.recv(1 << 16)
        if not chunk:
            raise WebSocketClosed("the connection is gone")
        self._buffer += chunk


class Subscription:
    """The events of one channel, in order, over a connection of its own."""

    def __init__(self, base_url, token, channel, timeout=30):
        url = base_url.replace("http", "ws", 1) + "/connection/websocket"
        self._socket = WebSocket(url, timeout)
        self._waiting = []
        self._command(1, connect={"token": token, "name": "demo"})
        self._command(2, subscribe={"channel": channel})

    def __iter__(self):
        """Event objects, until the server closes the connection."""
        while True:
            while not self._waiting:
                self._read()
            yield self._waiting.pop(0)

    def close(self):
        self._socket.close()

    def _command(self, number, **command):
        self._socket.send(json.dumps({"id": number, **command}))
        while True:
            reply = self._read(number)
            if reply is None:
                continue
            if "error" in reply:
                raise WebSocketClosed(f"refused: {reply['error'].get('code')} {reply['error'].get('message')}")
            return

    def _read(self, number=None):
        """Takes in one frame; the reply to command `number` if it is in there."""
        answer = None
        for line in self._socket.receive().splitlines():
            reply = json.loads(line)
            if reply == {}:
                self._socket.send("{}")
            elif "push" in reply and "pub" in reply["push"]:
                self._waiting.append(reply["push"]["pub"]["data"])
            elif number is not None and reply.get("id") == number:
                answer = reply
        return answer
