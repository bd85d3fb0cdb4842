"""A merchant's server that receives webhooks, and misbehaves as the tests want."""

import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from client import until
from standardwebhooks import Webhook


class Delivery:
    def __init__(self, headers, body, path):
        self.headers, self.body, self.path, self.time = headers, body, path, time.monotonic()
        self.id = headers["webhook-id"]

    def verified(self, secret):
        """The event; raises if the signature is none of this secret's."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """`behave` gets a delivery and answers with a status and fields, with a function that gets the handler, or with nothing: 200."""

    def __init__(self, behave=lambda delivery: None, tls=None, port=0):
        self.deliveries, self.behave = [], behave
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                delivery = Delivery({name.lower(): value for name, value in self.headers.items()}, body, self.path)
                receiver.deliveries.append(delivery)
                answer = receiver.behave(delivery)
                if callable(answer):
                    return answer(self)
                status, fields = answer or (200, {})
                self.send_response(status)
                for name, value in {"Content-Length": "0", **fields}.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                pass  # connections that the gateway has given up

        self.server = Server(("127.0.0.1", port), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def until(self, count, seconds=40):
        until(lambda: len(self.deliveries) >= count, seconds, f"{count} deliveries")
        return self.deliveries

    def until_ids(self, ids, seconds=40):
        """Waits until each of these events has come at least once."""
        until(lambda: set(ids) <= {each.id for each in self.deliveries}, seconds, "every event delivered")


def hang(handler):
    """Until the other side goes."""
    try:
        handler.connection.settimeout(60)
        handler.connection.recv(1)
    except OSError:
        pass
    handler.close_connection = True


def flood(handler):
    """Ten megabytes of answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10 << 20))
    handler.end_headers()
    try:
        for _ in range(160):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        handler.close_connection = True


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
