"""Many readers of the whole log on different transports, which come back after every loss and write down what they saw."""

import asyncio
import random
import re
import threading
from urllib.parse import urlsplit

from crowd import frame

# An event begins like this on every transport.
EVENT = re.compile(rb'\{"offset":(\d+),"id":"(evt_[0-9a-f]+)"')
PING, PONG = b"\x81\x02{}", frame("{}")
TRANSPORTS = ("websocket", "sse", "pages", "changing")


class Reader:
    def __init__(self, transport, readers):
        self.transport, self._readers = transport, readers
        self.seen = []
        self.losses = 0
        self.refusals = []

    @property
    def last(self):
        return self.seen[-1][0] if self.seen else 0

    async def run(self):
        while not self._readers.is_over:
            transport = random.choice(TRANSPORTS[:3]) if self.transport == "changing" else self.transport
            try:
                await self._read(transport)
            except (OSError, asyncio.IncompleteReadError):
                pass
            self.losses += 1
            await asyncio.sleep(random.uniform(0.1, 0.5))

    async def _read(self, transport):
        host, port = random.choice(self._readers.targets)
        source, sink = await asyncio.wait_for(asyncio.open_connection(host, port), 5)
        try:
            if transport == "websocket":
                await self._follow_websocket(source, sink)
            else:
                accept = "text/event-stream" if transport == "sse" else "application/json"
                sink.write(
                    f"GET /v1/events?after={self.last}&limit=1000 HTTP/1.1\r\nHost: readers\r\nAccept: {accept}\r\n"
                    f"Authorization: Bearer {self._readers.key}\r\nConnection: close\r\n\r\n".encode())
                await self._take(source, sink)
        finally:
            sink.close()

    async def _follow_websocket(self, source, sink):
        sink.write(
            b"GET /connection/websocket HTTP/1.1\r\nHost: readers\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            + frame('{"id":1,"connect":{"token":"%s"}}' % self._readers.key))
        await asyncio.wait_for(source.readuntil(b'"connect":{'), 10)
        sink.write(frame(
            '{"id":2,"subscribe":{"channel":"events","recover":true,"epoch":"%s","offset":%d}}' % (self._readers.epoch, self.last)))
        await self._take(source, sink)

    async def _take(self, source, sink):
        rest = b""
        while not self._readers.is_over:
            try:
                chunk = await asyncio.wait_for(source.read(1 << 16), 1)
            except asyncio.TimeoutError:
                continue
            if not chunk:
                return
            rest += chunk
            if PING in chunk:
                sink.write(PONG)
            if b'"recovered":false' in rest or b'"code":' in rest:
                # An edge whose database is away may say so; it must not say that something is lost.
                if b'"recovered":false' in rest or b"offset_gone" in rest:
                    self.refusals.append(rest[:300])
                return
            end = 0
            for match in EVENT.finditer(rest):
                self.seen.append((int(match[1]), match[2].decode()))
                end = match.end()
            rest = rest[max(end, len(rest) - 1000):]


class Readers(threading.Thread):
    """They run beside the test until `finish`."""

    def __init__(self, base_urls, key, epoch, count):
        super().__init__(daemon=True)
        self.targets = [(parts.hostname, parts.port) for parts in map(urlsplit, base_urls)]
        self.key, self.epoch, self.is_over = key, epoch, False
        self.all = [Reader(TRANSPORTS[number % len(TRANSPORTS)], self) for number in range(count)]
        self.start()

    def run(self):
        async def together():
            await asyncio.gather(*(reader.run() for reader in self.all))
        asyncio.run(together())

    def behind(self, head):
        return [reader for reader in self.all if reader.last < head]

    def finish(self):
        self.is_over = True
        self.join(30)
