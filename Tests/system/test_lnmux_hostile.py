"""Strangers at the address of lnmux.Service: each is answered or sent away, and the others are served all the time."""

import os
import socket

import grpc
import pytest
from client import create, pay, until
from http2 import Miser
from lnmux import Lnmux, messages

Code = grpc.StatusCode
METHODS = [method.name for method in messages.DESCRIPTOR.services_by_name["Service"].methods]
BROKEN = [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x08" + b"\xff" * 11, b"\x0a\x02\xff", b"\x0b" * 200, b"\x12\x01\xff"]


@pytest.fixture
def client(system):
    with Lnmux(system) as client:
        yield client
    with Lnmux(system) as client:
        assert len(client.call("GetInfo").pub_key) == 33
    assert pay(system, create(system))["status"] == "succeeded"


def raw(client, method, request, path="/lnmux.Service/"):
    call = client.channel.unary_stream(path + method)(request, timeout=20)
    try:
        return next(call)
    except StopIteration:
        return None
    except grpc.RpcError as error:
        return error.code()


@pytest.mark.parametrize("method", METHODS)
def test_a_message_that_cannot_be_read_is_an_invalid_argument(client, method):
    for request in BROKEN[:5] if method != "AddInvoice" else BROKEN:
        assert raw(client, method, request) == Code.INVALID_ARGUMENT, request


def test_a_message_that_is_too_long_is_not_taken(client):
    for size in (20_000, 10_000_000):
        assert raw(client, "AddInvoice", os.urandom(size)) == Code.RESOURCE_EXHAUSTED


def test_what_is_not_served_is_unimplemented(client):
    assert raw(client, "Nothing", b"") == Code.UNIMPLEMENTED
    assert raw(client, "GetInfo", b"", "/lnmux.Other/") == Code.UNIMPLEMENTED


def test_a_flood_of_streams_ends_at_the_limit(system, client):
    # The limit is a key's, and this one has no other streams.
    key = system.key("events:read")["key"]
    connections = [Lnmux(system, key, options=[("grpc.use_local_subchannel_pool", 1), ("number", each)]) for each in range(3)]
    streams = [one.call("SubscribeSingleInvoice", timeout=600, hash=os.urandom(32)) for one in connections for _ in range(900)]
    for stream in streams:
        stream.initial_metadata()
    # A refusal's status may come after its metadata.
    until(lambda: sum(not stream.is_active() for stream in streams) >= 700, 60, "700 refusals")
    assert [stream.code() for stream in streams if not stream.is_active()] == [Code.RESOURCE_EXHAUSTED] * 700
    for one in connections:
        one.channel.close()


def test_who_asks_and_does_not_read_loses_his_stream(client):
    ask = client.channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    call = ask(iter([b"\x1a\x0blnmux.proto"] * 5000), timeout=30)
    until(lambda: not call.is_active(), what="the end of the stream")
    assert call.code() == Code.RESOURCE_EXHAUSTED


def test_lists_that_nobody_reads_are_few(system, client):
    def lists(miser, count):
        request = messages.ListInvoicesRequest(max_invoices_count=10).SerializeToString()
        return miser.answered([miser.ask("/lnmux.Service/ListInvoices", request) for _ in range(count)])

    mine, others = system.key("invoices:read")["key"], Lnmux(system, system.key("invoices:read")["key"])
    with Miser(system.grpc_address, mine) as miser:
        begun, refused = lists(miser, 20)
        assert (len(begun), len(refused)) == (16, 4)
        others.call("ListInvoices", max_invoices_count=1)
        assert Lnmux(system, mine).refusal("ListInvoices", max_invoices_count=1) == Code.RESOURCE_EXHAUSTED
    # Who has gone has left his places.
    until(lambda: answers(Lnmux(system, mine)), what="a place for a list")
    others.channel.close()


def answers(client):
    with client:
        try:
            return client.call("ListInvoices", max_invoices_count=1) is not None
        except grpc.RpcError as error:
            assert error.code() == Code.RESOURCE_EXHAUSTED
            return False


def test_connections_beyond_the_limit_are_closed_at_once(system, client):
    client.call("GetInfo")
    host, port = system.grpc_address.split(":")
    sockets = [socket.create_connection((host, int(port)), 30) for _ in range(600)]
    closed = 0
    for each in sockets:
        try:
            closed += each.recv(1) == b""
        except ConnectionResetError:
            closed += 1
    assert closed >= 600 - 512
    # Who was there before is served.
    client.call("GetInfo")
    for each in sockets:
        each.close()


@pytest.mark.parametrize("noise", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00", bytes(9), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9) + b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" * 1000,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) * 5000,
])
def test_noise_is_hung_up_on(system, client, noise):
    host, port = system.grpc_address.split(":")
    with socket.create_connection((host, int(port)), 15) as connection:
        try:
            connection.sendall(noise)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except (ConnectionResetError, BrokenPipeError, OSError) as error:
            assert not isinstance(error, TimeoutError)
