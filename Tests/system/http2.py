"""A client of HTTP/2 that asks and does not read: its window is zero, so only headers come."""

import socket
import struct

HEADERS, RESET, SETTINGS, PING = 1, 3, 4, 6
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def frame(kind, flags, stream, payload):
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def literal(name, value):
    """A header field that goes into no table (RFC 7541, 6.2.2)."""
    return b"\0" + b"".join(bytes([len(each)]) + each.encode() for each in (name, value))


class Miser:
    def __init__(self, address, key=None):
        host, port = address.split(":")
        self._socket = socket.create_connection((host, int(port)), 30)
        self._fields = [(":method", "POST"), (":scheme", "http"), (":authority", address), ("te", "trailers"), ("content-type", "application/grpc")]
        if key:
            self._fields.append(("authorization", f"Bearer {key}"))
        # SETTINGS_INITIAL_WINDOW_SIZE
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, struct.pack("!HI", 4, 0)))
        self._next = 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def ask(self, path, message):
        """The stream's number."""
        stream, self._next = self._next, self._next + 2
        block = b"".join(literal(*field) for field in [*self._fields, (":path", path)] if field[0].startswith(":"))
        block += b"".join(literal(*field) for field in self._fields if not field[0].startswith(":"))
        body = b"\0" + struct.pack("!I", len(message)) + message
        self._socket.sendall(frame(HEADERS, END_HEADERS, stream, block) + frame(0, END_STREAM, stream, body))
        return stream

    def answered(self, streams):
        """Of these streams those that were begun and those that were refused, once all are one or the other."""
        begun, refused = set(), set()
        while begun | refused < set(streams):
            high, low, kind, flags, stream = struct.unpack("!BHBBI", self._take(9))
            payload = self._take(high << 16 | low)
            if kind == HEADERS:
                (refused if flags & END_STREAM else begun).add(stream)
            elif kind == RESET:
                refused.add(stream)
            elif kind in (SETTINGS, PING) and not flags & ACK:
                self._socket.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
        return begun, refused

    def _take(self, count):
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            assert part, "the server has hung up"
            data += part
        return data
