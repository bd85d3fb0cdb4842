"""lnmux.Service as its clients use it: invoices, decisions and streams by grpcio, payments by the simulated nodes."""

import hashlib
import time

import grpc
import pytest
from client import Paying, api, call, control, create, pay, until, until_state
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from lnmux import Lnmux, messages

SETTINGS = "settlement: hold\n"
Code = grpc.StatusCode


@pytest.fixture(scope="module")
def client(system):
    with Lnmux(system) as client:
        yield client


def add(client, amount_msat=20_000, **fields):
    """An invoice as the paying functions take it."""
    answer = client.call("AddInvoice", amt_msat=amount_msat, expiry_secs=600, **fields)
    return {"payment_request": answer.payment_request, "payment_hash": answer.hash.hex(), "amount_msat": amount_msat}


def hash_of(invoice):
    return bytes.fromhex(invoice["payment_hash"])


def accepted(client, system, stream, **fields):
    """Pays and waits for its acceptance on the stream: the payer, the invoice and the set."""
    invoice = add(client, **fields)
    paying = Paying(system, invoice)
    for told in stream:
        if told.hash == hash_of(invoice):
            return paying, invoice, told.set_id


def test_the_way_of_a_payment_from_the_invoice_to_its_final_status(system, client):
    stream = client.call("SubscribeInvoiceAccepted", timeout=60)
    paying, invoice, set_id = accepted(client, system, stream)
    single = client.call("SubscribeSingleInvoice", hash=hash_of(invoice))
    assert next(single).state == messages.SubscribeSingleInvoiceResponse.STATE_ACCEPTED
    assert client.refusal("WaitForInvoiceFinalStatus", hash=hash_of(invoice)) == Code.NOT_FOUND
    client.call("SettleInvoice", hash=hash_of(invoice), set_id=set_id)
    client.call("SettleInvoice", hash=hash_of(invoice), set_id=set_id)
    assert client.call("WaitForInvoiceFinalStatus", hash=hash_of(invoice)).invoice_status == messages.SETTLED
    assert paying.result()["status"] == "succeeded"
    rest = [told.state for told in single]
    assert rest == [messages.SubscribeSingleInvoiceResponse.STATE_SETTLE_REQUESTED, messages.SubscribeSingleInvoiceResponse.STATE_SETTLED]
    assert client.refusal("CancelInvoice", hash=hash_of(invoice), set_id=set_id) == Code.FAILED_PRECONDITION
    client.call("SettleInvoice", hash=hash_of(invoice), set_id=set_id)
    stream.cancel()


def test_info_names_the_virtual_node_and_its_nodes(system, client):
    info = client.call("GetInfo")
    rest = api(system, "GET", "/v1/info").json
    assert (info.pub_key.hex(), info.network, info.auto_settle) == (rest["pubkey"], "regtest", False)
    assert [node.pub_key.hex() for node in info.nodes] == [node["pubkey"] for node in rest["nodes"]]


def test_an_invoice_is_stateless_and_keeps_its_preimage(system, client):
    before = system.sql("SELECT count(*) FROM invoices"), system.sql("SELECT head FROM stream")
    answer = client.call("AddInvoice", amt_msat=1000, expiry_secs=60, description="tea")
    assert answer.preimage == b"" and len(answer.hash) == 32 and answer.payment_request.startswith("lnbcrt10n")
    described = client.call("AddInvoice", amt_msat=1000, expiry_secs=60, description_hash=bytes(32))
    assert described.hash != answer.hash
    assert (system.sql("SELECT count(*) FROM invoices"), system.sql("SELECT head FROM stream")) == before


@pytest.mark.parametrize("fields", [
    {"amt_msat": 0, "expiry_secs": 60}, {"amt_msat": -1, "expiry_secs": 60}, {"amt_msat": 2**63 - 1, "expiry_secs": 60},
    {"amt_msat": 1, "expiry_secs": 0}, {"amt_msat": 1, "expiry_secs": -5}, {"amt_msat": 1, "expiry_secs": 2**62}, {},
    {"amt_msat": 1, "expiry_secs": 60, "description": "x" * 640}, {"amt_msat": 1, "expiry_secs": 60, "description": "a\0b"},
    {"amt_msat": 1, "expiry_secs": 60, "description_hash": b"short"},
    {"amt_msat": 1, "expiry_secs": 60, "description": "a", "description_hash": bytes(32)},
])
def test_an_invoice_that_cannot_be_is_an_invalid_argument(client, fields):
    assert client.refusal("AddInvoice", **fields) == Code.INVALID_ARGUMENT


@pytest.mark.parametrize("method", ["SettleInvoice", "CancelInvoice"])
def test_a_decision_about_what_was_not_accepted_is_not_found(system, client, method):
    assert client.refusal(method, hash=bytes(32), set_id=bytes(32)) == Code.NOT_FOUND
    assert client.refusal(method, hash=hash_of(add(client)), set_id=bytes(32)) == Code.NOT_FOUND
    stored = create(system)
    assert client.refusal(method, hash=hash_of(stored), set_id=bytes(32)) == Code.NOT_FOUND
    assert client.refusal(method, hash=b"1", set_id=bytes(32)) == Code.INVALID_ARGUMENT
    assert client.refusal(method, hash=bytes(32), set_id=b"") == Code.INVALID_ARGUMENT


def test_another_set_is_not_found_and_the_accepted_one_can_be_canceled(system, client):
    stream = client.call("SubscribeInvoiceAccepted", timeout=60)
    paying, invoice, set_id = accepted(client, system, stream)
    for method in ("SettleInvoice", "CancelInvoice"):
        assert client.refusal(method, hash=hash_of(invoice), set_id=bytes(32)) == Code.NOT_FOUND
    single = client.call("SubscribeSingleInvoice", hash=hash_of(invoice))
    assert next(single).state == messages.SubscribeSingleInvoiceResponse.STATE_ACCEPTED
    client.call("CancelInvoice", hash=hash_of(invoice), set_id=set_id)
    assert paying.result()["status"] == "failed"
    with pytest.raises(grpc.RpcError) as ended:
        next(single)
    assert ended.value.code() == Code.ABORTED
    assert client.refusal("SettleInvoice", hash=hash_of(invoice), set_id=set_id) == Code.NOT_FOUND
    assert client.refusal("WaitForInvoiceFinalStatus", hash=hash_of(invoice)) == Code.NOT_FOUND
    stream.cancel()


def test_an_invoice_that_settles_by_itself_is_not_settled_by_hand(system, client):
    invoice = create(system, settlement="auto")
    assert client.refusal("SettleInvoice", hash=hash_of(invoice), set_id=bytes(32)) == Code.UNAVAILABLE


def test_who_subscribes_late_is_told_first_what_is_accepted(system, client):
    stream = client.call("SubscribeInvoiceAccepted", timeout=60)
    held = [accepted(client, system, stream) for _ in range(3)]
    stream.cancel()
    late = client.call("SubscribeInvoiceAccepted", timeout=60)
    told = {next(late).set_id for _ in held}
    assert told == {set_id for _, _, set_id in held}
    paying, invoice, set_id = accepted(client, system, late)
    for waiting, invoice, set_id in [*held, (paying, invoice, set_id)]:
        client.call("SettleInvoice", hash=hash_of(invoice), set_id=set_id)
        assert waiting.result()["status"] == "succeeded"
    late.cancel()


def test_a_burst_is_told_once_each_to_streams_that_begin_in_its_midst(system, client):
    streams, payers = [client.call("SubscribeInvoiceAccepted", timeout=60)], []
    invoices = [add(client) for _ in range(12)]
    for invoice in invoices:
        payers.append(Paying(system, invoice))
        streams.append(client.call("SubscribeInvoiceAccepted", timeout=60))
    wanted = {hash_of(invoice) for invoice in invoices}
    sets = {}
    for stream in streams:
        told = []
        while not wanted <= set(told):
            one = next(stream)
            told.append(one.hash)
            sets[one.hash] = one.set_id
        assert len(told) == len(set(told))
        stream.cancel()
    for invoice, paying in zip(invoices, payers):
        client.call("SettleInvoice", hash=hash_of(invoice), set_id=sets[hash_of(invoice)])
        assert paying.result()["status"] == "succeeded"


def test_the_list_has_hash_and_preimage_the_right_way_round_and_goes_on_by_number(system, client):
    assert client.refusal("ListInvoices") == Code.INVALID_ARGUMENT
    stream = client.call("SubscribeInvoiceAccepted", timeout=60)
    began = int(time.time())
    for amount in (31_000, 32_000):
        paying, invoice, set_id = accepted(client, system, stream, amount_msat=amount)
        client.call("SettleInvoice", hash=hash_of(invoice), set_id=set_id)
        assert client.call("WaitForInvoiceFinalStatus", hash=hash_of(invoice)).invoice_status == messages.SETTLED
        paying.result()
    stream.cancel()
    whole = client.call("ListInvoices", max_invoices_count=2**64 - 1)
    numbers = [invoice.sequence_number for invoice in whole.invoice]
    assert numbers == list(range(1, len(numbers) + 1))
    assert (whole.first_sequence_number, whole.last_sequence_number) == (1, numbers[-1])
    last = whole.invoice[-1]
    assert hashlib.sha256(last.preimage).digest() == last.hash == hash_of(invoice)
    assert (last.amount_msat, last.status) == (32_000, messages.SETTLED)
    assert began <= last.settle_requested_at <= last.finalized_at <= time.time() + 1
    part = client.call("ListInvoices", max_invoices_count=1, sequence_start=numbers[-2])
    assert [invoice.amount_msat for invoice in part.invoice] == [31_000]
    beyond = client.call("ListInvoices", max_invoices_count=5, sequence_start=numbers[-1] + 1)
    assert (len(beyond.invoice), beyond.first_sequence_number, beyond.last_sequence_number) == (0, 0, 0)


def bare(file):
    """Without the names that JSON has for the fields, which not every protoc writes down."""
    for message in file.message_type:
        for field in message.field:
            field.ClearField("json_name")
    return file


def test_reflection_tells_the_service_and_its_description(system, client):
    database = ProtoReflectionDescriptorDatabase(client.channel)
    assert list(database.get_services()) == ["lnmux.Service"]
    pool = DescriptorPool(database)
    methods = pool.FindServiceByName("lnmux.Service").methods_by_name
    assert set(methods) == set(messages.DESCRIPTOR.services_by_name["Service"].methods_by_name)
    told, ours = FileDescriptorProto(), FileDescriptorProto()
    pool.FindFileContainingSymbol("lnmux.AddInvoiceRequest").CopyToProto(told)
    messages.DESCRIPTOR.CopyToProto(ours)
    assert bare(told) == bare(ours)
    with pytest.raises(KeyError):
        pool.FindMessageTypeByName("lnmux.Nothing")
    # The newer name of the same.
    ask = client.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
    assert b"lnmux.Service" in next(ask(iter([b"\x3a\x00"]), timeout=10))
