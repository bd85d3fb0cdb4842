"""A client of lnmux.Service, with a stub that protoc makes of proto/lnmux.proto."""

import importlib
import sys
import tempfile
from pathlib import Path

import grpc
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]


def load_stub():
    directory = tempfile.mkdtemp(prefix="lnmux-stub-")
    done = protoc.main(["protoc", f"--proto_path={ROOT / 'proto'}", f"--python_out={directory}", f"--grpc_python_out={directory}", "lnmux.proto"])
    assert done == 0
    sys.path.insert(0, directory)
    try:
        return importlib.import_module("lnmux_pb2"), importlib.import_module("lnmux_pb2_grpc")
    finally:
        sys.path.remove(directory)


messages, stubs = load_stub()


class Lnmux:
    """Calls with an API key, or without one."""

    def __init__(self, system, key=None, address=None, options=(), credentials=None):
        address = address or system.grpc_address
        self.channel = grpc.secure_channel(address, credentials, options) if credentials else grpc.insecure_channel(address, options)
        self.stub = stubs.ServiceStub(self.channel)
        self.metadata = [("authorization", f"Bearer {key}")] if key else []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def call(self, method, timeout=30, **fields):
        request = getattr(messages, method + "Request")(**fields)
        return getattr(self.stub, method)(request, timeout=timeout, metadata=self.metadata)

    def start(self, method, **fields):
        """Does not wait for the answer; for a stream the call itself is iterated."""
        request = getattr(messages, method + "Request")(**fields)
        return getattr(self.stub, method).future(request, timeout=60, metadata=self.metadata)

    def refusal(self, method, **fields):
        """The status of a call that must not succeed."""
        try:
            answer = self.call(method, **fields)
            if method.startswith("Subscribe"):
                answer = next(answer)
        except grpc.RpcError as error:
            return error.code()
        raise AssertionError(f"{method} was answered: {answer}")
