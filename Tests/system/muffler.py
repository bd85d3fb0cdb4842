"""A way to the database on which nothing is heard of notifications, as behind a pooler."""

import contextlib
import os
import socket
import struct
import threading
from pathlib import Path

NOTIFICATION = b"A"


class Muffler:
    """Listens in `directory` under the server's own socket's name and carries everything but notifications."""

    def __init__(self, dsn, directory):
        fields = dict(field.split("=", 1) for field in dsn.split())
        name = f".s.PGSQL.{fields.get('port', '5432')}"
        self._target = os.path.join(fields["host"], name)
        self.dsn = " ".join(f"{key}={value}" for key, value in {**fields, "host": directory}.items())
        Path(directory).mkdir()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(os.path.join(directory, name))
        self._listener.listen(32)
        self.swallowed = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                for work, source, sink in ((self._carry, client, server), (self._filter, server, client)):
                    threading.Thread(target=work, args=(source, sink), daemon=True).start()

    @staticmethod
    def _carry(source, sink):
        with contextlib.suppress(OSError):
            while chunk := source.recv(1 << 16):
                sink.sendall(chunk)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def _filter(self, source, sink):
        """Message by message: a byte that says what it is, and its length."""
        rest = b""
        with contextlib.suppress(OSError):
            while chunk := source.recv(1 << 16):
                rest += chunk
                kept = b""
                while len(rest) >= 5 and len(rest) >= (end := 1 + struct.unpack_from("!I", rest, 1)[0]):
                    if rest[:1] == NOTIFICATION:
                        self.swallowed += 1
                    else:
                        kept += rest[:end]
                    rest = rest[end:]
                sink.sendall(kept)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
