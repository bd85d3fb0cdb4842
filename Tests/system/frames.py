"""A WebSocket peer that sends exactly the bytes a test wants, and takes the answers apart frame by frame."""

import base64
import contextlib
import hashlib
import json
import os
import socket
import struct
from typing import NamedTuple
from urllib.parse import urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = bytes.fromhex("37fa213d")
OCTETS = 1


class Frame(NamedTuple):
    opcode: int
    payload: bytes
    fin: bool
    rsv: int

    @property
    def code(self):
        """Of a close frame; `None` if it has none."""
        return struct.unpack("!H", self.payload[:2])[0] if len(self.payload) >= 2 else None


def frame(opcode, payload=b"", fin=True, rsv=0):
    """As a client sends it: masked."""
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += struct.pack("!BH", 0x80 | 126, size)
    else:
        head += struct.pack("!BQ", 0x80 | 127, size)
    mask = (MASK * (size // 4 + 1))[:size]
    return head + MASK + (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


def close(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def command(number, size=0):
    """A command that anybody may give and that is answered at once, blown up to a size."""
    return json.dumps({"id": number, "ping": {}}).encode().ljust(size)


def spoken(number, text):
    """A command that carries this text, whatever it is, and is answered with an error."""
    return b'{"id":%d,"rpc":{"method":"%b"}}' % (number, text)


def fragments(payload, *cuts, opcode=TEXT):
    """The frames of one message that is cut at these places."""
    places = [0, *cuts, len(payload)]
    last = len(places) - 2
    return [
        frame(opcode if index == 0 else CONTINUATION, payload[places[index]:places[index + 1]], fin=index == last)
        for index in range(last + 1)]


class Peer:
    """`extra` goes into the handshake; `head` is the answer to it. It is connected unless told otherwise."""

    def __init__(self, system, extra="", is_connected=True):
        parts = urlsplit(system.base_url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /connection/websocket HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n".encode())
        while b"\r\n\r\n" not in self._buffer:
            assert self._fill(), "no answer to the handshake"
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        assert " 101 " in lines[0], lines[0]
        self.head = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        assert self.head["sec-websocket-accept"] == base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        if is_connected:
            self.send(frame(TEXT, b'{"id":1,"connect":{}}'))
            assert "connect" in self.reply(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, *frames, chop=None):
        """Everything in one piece, or `chop` bytes at a time. Who has closed meanwhile takes no more, which is no error."""
        data = b"".join(frames)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for start in range(0, len(data), chop or max(1, len(data))):
                self._socket.sendall(data[start:start + (chop or len(data))])

    def read(self):
        """The next frame; `None` when the connection has ended."""
        while True:
            found = self._parse()
            if found:
                return found
            if not self._fill():
                return None

    def reply(self, number):
        """The answer to a command, past everything else."""
        while True:
            found = self.read()
            assert found is not None, f"the connection ended before command {number} was answered"
            assert found.opcode != CLOSE, f"closed with {found.code} {found.payload[2:]!r} before command {number} was answered"
            if found.opcode == TEXT:
                for line in found.payload.decode().splitlines():
                    if json.loads(line).get("id") == number:
                        return json.loads(line)

    def end(self, is_orderly=True):
        """What came before the server's close frame, and that frame. It is answered, and then the connection has to end.
        Pings that crossed it may still be answered.
        After a frame that could not be read the server may not recognise the answer, and waits for the end of what it reads."""
        before = []
        while True:
            found = self.read()
            assert found is not None, f"the connection ended without a close frame, after {before}"
            if found.opcode == CLOSE:
                break
            before.append(found)
        self.send(close(found.code))
        if not is_orderly:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
        while (after := self.read()) is not None:
            assert after.opcode == PONG, f"{after} came after the close frame"
        return before, found

    def _parse(self):
        data = self._buffer
        if len(data) < 2:
            return None
        assert data[1] < 0x80, "a server masks nothing"
        size, at = data[1], 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10], "big"), 10
        if len(data) < at + size:
            return None
        self._buffer = data[at + size:]
        return Frame(data[0] & 0x0F, data[at:at + size], bool(data[0] & 0x80), data[0] >> 4 & 7)

    def _fill(self):
        try:
            chunk = self._socket.recv(1 << 16)
        except ConnectionResetError:
            return False
        self._buffer += chunk
        return bool(chunk)
