"""Who may call lnmux.Service where a key is asked for, over TLS: the same keys and scopes as everywhere else."""

import hashlib
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import grpc
import pytest
from client import Paying, api, create, until_state
from lnmux import Lnmux, messages

FILES = Path(tempfile.mkdtemp(prefix="lnmux-tls-"))
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
     "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", FILES / "key.pem", "-out", FILES / "cert.pem"],
    check=True, capture_output=True)
SETTINGS = f"""settlement: hold
grpc:
  require_api_key: true
  return_preimage: true
  tls_cert: {FILES / 'cert.pem'}
  tls_key: {FILES / 'key.pem'}
"""
Code = grpc.StatusCode
# What each method needs, a call of it, and how the call ends for who may.
METHODS = {
    "GetInfo": (None, {}, None),
    "AddInvoice": ("invoices:write", {}, Code.INVALID_ARGUMENT),
    "SettleInvoice": ("invoices:settle", {"hash": bytes(32), "set_id": bytes(32)}, Code.NOT_FOUND),
    "CancelInvoice": ("invoices:settle", {"hash": bytes(32), "set_id": bytes(32)}, Code.NOT_FOUND),
    "WaitForInvoiceFinalStatus": ("invoices:read", {"hash": bytes(32)}, Code.NOT_FOUND),
    "ListInvoices": ("invoices:read", {}, Code.INVALID_ARGUMENT),
    "SubscribeSingleInvoice": ("events:read", {"hash": b"?"}, Code.INVALID_ARGUMENT),
    "SubscribeInvoiceAccepted": ("events:read", {}, None),
}
SCOPES = ("invoices:read", "invoices:write", "invoices:settle", "events:read", "nodes:read", "nodes:write", "payments:write", "webhooks:write")


def connect(system, key=None):
    return Lnmux(system, key, credentials=grpc.ssl_channel_credentials((FILES / "cert.pem").read_bytes()))


def outcome(client, method):
    _, fields, _ = METHODS[method]
    try:
        answer = client.call(method, **fields)
        if method == "SubscribeInvoiceAccepted":
            # It would wait for a payment: headers mean that it was let in.
            answer.initial_metadata()
            answer.cancel()
        elif method == "SubscribeSingleInvoice":
            next(answer)
        return None
    except grpc.RpcError as error:
        return error.code()


@pytest.mark.parametrize("method", METHODS)
def test_nobody_is_let_in_without_a_valid_key(system, method):
    revoked = system.key("admin")
    system.sql(f"UPDATE api_keys SET revoked_at = now() WHERE id = '{revoked['id']}'")
    for key in (None, "nonsense", "ley_" + "0" * 16 + "_" + "0" * 64, revoked["key"]):
        with connect(system, key) as client:
            assert client.refusal(method, **METHODS[method][1]) == Code.UNAUTHENTICATED, key


@pytest.mark.parametrize("method", METHODS)
def test_a_key_needs_the_method_s_scope_and_no_other(system, method):
    scope, _, ending = METHODS[method]
    with connect(system, system.key(scope or "nodes:read")["key"]) as client:
        assert outcome(client, method) == ending
    if scope:
        with connect(system, system.key(*[other for other in SCOPES if other != scope])["key"]) as client:
            assert client.refusal(method, **METHODS[method][1]) == Code.PERMISSION_DENIED


def test_a_watch_token_and_two_keys_at_once_are_no_key(system):
    invoice = create(system)
    with connect(system, invoice["watch_token"]) as client:
        assert client.refusal("WaitForInvoiceFinalStatus", hash=bytes.fromhex(invoice["payment_hash"])) == Code.PERMISSION_DENIED
    with connect(system, system.api_key) as client:
        client.metadata = client.metadata * 2
        assert client.refusal("GetInfo") == Code.UNAUTHENTICATED


def test_another_account_sees_and_decides_nothing(system):
    key = system.key("admin")
    system.give_to_another_account(key)
    with connect(system, system.api_key) as mine, connect(system, key["key"]) as other:
        overheard = other.call("SubscribeInvoiceAccepted", timeout=60)
        overheard.initial_metadata()
        stream = mine.call("SubscribeInvoiceAccepted", timeout=60)
        answer = mine.call("AddInvoice", amt_msat=5000, expiry_secs=600)
        paying = Paying(system, {"payment_request": answer.payment_request, "amount_msat": 5000})
        told = next(stream)
        single = other.call("SubscribeSingleInvoice", timeout=60, hash=told.hash)
        single.initial_metadata()
        late = other.call("SubscribeInvoiceAccepted", timeout=60)
        late.initial_metadata()
        for method in ("SettleInvoice", "CancelInvoice"):
            assert other.refusal(method, hash=told.hash, set_id=told.set_id) == Code.NOT_FOUND
        mine.call("SettleInvoice", hash=told.hash, set_id=told.set_id)
        assert mine.call("WaitForInvoiceFinalStatus", hash=told.hash).invoice_status == messages.SETTLED
        assert other.refusal("WaitForInvoiceFinalStatus", hash=told.hash) == Code.NOT_FOUND
        assert [invoice.hash for invoice in mine.call("ListInvoices", max_invoices_count=10).invoice] == [told.hash]
        assert len(other.call("ListInvoices", max_invoices_count=10).invoice) == 0
        paying.result()
        # What is the other account's own comes after whatever it had overheard.
        answer = other.call("AddInvoice", amt_msat=5000, expiry_secs=600)
        paying = Paying(system, {"payment_request": answer.payment_request, "amount_msat": 5000})
        first = next(overheard)
        assert first.hash == next(late).hash == answer.hash
        other.call("SettleInvoice", hash=first.hash, set_id=first.set_id)
        assert paying.result()["status"] == "succeeded"
        assert is_silent(single)


def is_silent(stream):
    """Neither a message nor an end comes for a while."""
    with ThreadPoolExecutor(1) as pool:
        come = pool.submit(next, stream)
        done, _ = wait([come], 3)
        stream.cancel()
    return not done


def test_the_preimage_is_told_where_the_operator_wants_it(system):
    with connect(system, system.api_key) as client:
        answer = client.call("AddInvoice", amt_msat=5000, expiry_secs=600)
    assert hashlib.sha256(answer.preimage).digest() == answer.hash


def test_reflection_needs_a_key_too(system):
    with connect(system) as client:
        ask = client.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        with pytest.raises(grpc.RpcError) as refused:
            next(ask(iter([b"\x3a\x00"]), timeout=10))
        assert refused.value.code() == Code.UNAUTHENTICATED
        metadata = [("authorization", f"Bearer {system.key('nodes:read')['key']}")]
        assert b"lnmux.Service" in next(ask(iter([b"\x3a\x00"]), timeout=10, metadata=metadata))


def test_what_is_served_over_tls_is_not_served_in_the_clear(system):
    with Lnmux(system, system.api_key) as client:
        assert client.refusal("GetInfo") == Code.UNAVAILABLE
