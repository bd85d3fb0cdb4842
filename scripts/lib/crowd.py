"""Thousands of clients of the Centrifuge protocol that come back at the same moment."""

import base64
import errno
import json
import select
import socket
import struct
import time
from urllib.parse import urlsplit


def frame(text):
    """A masked text frame; a mask of zeros is one too."""
    payload = text.encode()
    size = len(payload)
    head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0x80 | 126, size)
    return head + b"\0\0\0\0" + payload


class Crowd:
    """`subscriptions` are the protocol's objects, one for each client."""

    def __init__(self, base_urls, token, subscriptions):
        self._targets = [(parts.hostname, parts.port) for parts in map(urlsplit, base_urls)]
        key = base64.b64encode(b"0123456789abcdef").decode()
        upgrade = (
            "GET /connection/websocket HTTP/1.1\r\nHost: crowd\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode()
        self._greeting = upgrade + frame(json.dumps({"id": 1, "connect": {"token": token}}))
        self._subscriptions = [frame(json.dumps({"id": 2, "subscribe": each})) for each in subscriptions]
        self.replies = [None] * len(subscriptions)
        self._sockets = {}
        self._received = {}

    def come(self, seconds, opening=200):
        """Returns after how many seconds all had the reply to their subscription."""
        poll, start, next_client, waiting = select.epoll(), time.monotonic(), 0, {}
        missing = len(self._subscriptions)
        while missing:
            assert time.monotonic() - start < seconds, f"{missing} clients are without an answer"
            while next_client < len(self._subscriptions) and len(waiting) < opening:
                self._open(next_client, poll, waiting)
                next_client += 1
            for descriptor, events in poll.poll(1):
                if descriptor in waiting and events & select.EPOLLOUT:
                    self._sockets[descriptor][0].send(self._greeting)
                    poll.modify(descriptor, select.EPOLLIN)
                if events & ~select.EPOLLOUT and self._read(descriptor):
                    waiting.pop(descriptor, None)
                    poll.unregister(descriptor)
                    missing -= 1
        poll.close()
        return time.monotonic() - start

    def leave(self):
        for each, _ in self._sockets.values():
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.close()
        self._sockets = {}

    def _open(self, number, poll, waiting):
        each = socket.socket()
        each.setblocking(False)
        failed = each.connect_ex(self._targets[number % len(self._targets)])
        assert failed in (0, errno.EINPROGRESS), errno.errorcode.get(failed)
        self._sockets[each.fileno()] = (each, number)
        self._received[each.fileno()] = bytearray()
        waiting[each.fileno()] = number
        poll.register(each, select.EPOLLIN | select.EPOLLOUT)

    def _read(self, descriptor):
        """Whether the reply to the subscription is whole."""
        each, number = self._sockets[descriptor]
        chunk = each.recv(1 << 18)
        assert chunk, f"client {number} was closed: {bytes(self._received[descriptor][-200:])}"
        received = self._received[descriptor]
        received += chunk
        position = received.find(b"\r\n\r\n") + 4
        if position < 4:
            return False
        while len(received) >= position + 2:
            size, head = received[position + 1] & 0x7F, 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size, head = int.from_bytes(received[position + 2 : position + 2 + width], "big"), 2 + width
            if len(received) < position + head + size:
                return False
            for line in bytes(received[position + head : position + head + size]).splitlines():
                if line.startswith(b'{"id":1,'):
                    each.send(self._subscriptions[number])
                elif line.startswith(b'{"id":2,'):
                    self.replies[number] = line
                    self._received[descriptor] = bytearray()
                    return True
            position += head + size
            del received[4:position]
            received[:4] = b"\r\n\r\n"
            position = 4
        return False
