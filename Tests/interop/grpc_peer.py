"""The other side of the gRPC interop tests: grpcio with plain bytes as messages.

    grpc_peer.py server [CERTIFICATE KEY]        prints the port, serves until its input ends
    grpc_peer.py client PORT [CERTIFICATE]       calls a server with the same methods, prints "ok" or what differs
"""

import sys
import threading
from concurrent import futures

import grpc

WORDS = "weg: ü 100 % ⚡\nende"
SERVICE = "test.Echo"


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        methods = {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Repeat": grpc.unary_stream_rpc_method_handler(self.repeat),
            "Count": grpc.stream_unary_rpc_method_handler(self.count),
            "Bidi": grpc.stream_stream_rpc_method_handler(self.bidi),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "FailLate": grpc.unary_stream_rpc_method_handler(self.fail_late),
            "Never": grpc.unary_unary_rpc_method_handler(self.never),
        }
        prefix = f"/{SERVICE}/"
        return methods.get(details.method[len(prefix):]) if details.method.startswith(prefix) else None

    def unary(self, request, context):
        asked = dict(context.invocation_metadata()).get("x-ask", "")
        context.set_trailing_metadata((("x-answer", asked),))
        return request

    def repeat(self, request, context):
        count, size = map(int, request.decode().split(":"))
        for _ in range(count):
            yield b"r" * size

    def count(self, requests, context):
        count = size = 0
        for request in requests:
            count += 1
            size += len(request)
        return f"{count}:{size}".encode()

    def bidi(self, requests, context):
        yield from requests

    def fail(self, request, context):
        context.abort(grpc.StatusCode.NOT_FOUND, WORDS)

    def fail_late(self, request, context):
        yield request
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, WORDS)

    def never(self, request, context):
        ended = threading.Event()
        context.add_callback(ended.set)
        ended.wait(30)
        return b""


def serve(certificate=None, key=None):
    server = grpc.server(
        futures.ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", 1 << 26), ("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Echo(),))
    if certificate:
        pair = (open(key, "rb").read(), open(certificate, "rb").read())
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0)


class Checker:
    def __init__(self):
        self.differences = []

    def equal(self, name, got, wanted):
        if got != wanted:
            self.differences.append(f"{name}: {str(got)[:200]} instead of {str(wanted)[:200]}")


def call(port, certificate=None):
    options = [("grpc.max_receive_message_length", 1 << 26), ("grpc.enable_http_proxy", 0)]
    if certificate:
        credentials = grpc.ssl_channel_credentials(open(certificate, "rb").read())
        channel = grpc.secure_channel(f"localhost:{port}", credentials, options)
    else:
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)
    check = Checker()
    path = f"/{SERVICE}/"

    response, done = channel.unary_unary(path + "Unary").with_call(b"hello", metadata=(("x-ask", "what"),), timeout=10)
    check.equal("unary", response, b"hello")
    check.equal("trailers", dict(done.trailing_metadata()).get("x-answer"), "what")
    check.equal("empty message", channel.unary_unary(path + "Unary")(b"", timeout=10), b"")
    large = bytes(range(256)) * 20_000
    check.equal("large message", channel.unary_unary(path + "Unary")(large, timeout=20) == large, True)

    repeated = list(channel.unary_stream(path + "Repeat")(b"2000:40", timeout=20))
    check.equal("server stream", (len(repeated), set(repeated)), (2000, {b"r" * 40}))
    counted = channel.stream_unary(path + "Count")((b"c" * 10 for _ in range(2000)), timeout=20)
    check.equal("client stream", counted, b"2000:20000")
    words = [str(number).encode() for number in range(500)]
    check.equal("both ways", list(channel.stream_stream(path + "Bidi")(iter(words), timeout=20)), words)

    for method, code in (("Fail", grpc.StatusCode.NOT_FOUND), ("FailLate", grpc.StatusCode.FAILED_PRECONDITION)):
        try:
            list(channel.unary_stream(path + method)(b"x", timeout=10))
            check.equal(method, "ok", code)
        except grpc.RpcError as error:
            check.equal(method, (error.code(), error.details()), (code, WORDS))
    try:
        channel.unary_unary(path + "Missing")(b"", timeout=10)
        check.equal("unknown method", "ok", "unimplemented")
    except grpc.RpcError as error:
        check.equal("unknown method", error.code(), grpc.StatusCode.UNIMPLEMENTED)
    try:
        channel.unary_unary(path + "Never")(b"", timeout=0.2)
        check.equal("deadline", "ok", "deadline exceeded")
    except grpc.RpcError as error:
        check.equal("deadline", error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    waiting = channel.unary_unary(path + "Never").future(b"")
    waiting.cancel()
    check.equal("cancelled", waiting.cancelled(), True)
    check.equal("after all that", channel.unary_unary(path + "Unary")(b"still", timeout=10), b"still")
    channel.close()
    print("\n".join(check.differences) or "ok", flush=True)


if __name__ == "__main__":
    {"server": serve, "client": call}[sys.argv[1]](*sys.argv[2:])
