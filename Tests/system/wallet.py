"""A customer's wallet, made of clients that are not ours: `lnurl` asks, `bolt11` and `pyln` read invoices, `zxing` reads codes."""

import asyncio
import hashlib
import io
import urllib.parse

import bolt11
import lnurl
import zxingcpp
from client import call
from lnurl.models import LnurlPayVerifyResponse
from PIL import Image
from pyln.proto.invoice import Invoice


def run(coroutine):
    return asyncio.run(coroutine)


def scan(png):
    """The text of a QR code's picture, read back."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))
    assert len(found) == 1
    return found[0].text


def fetch(text):
    """The first answer behind what was scanned or typed, as the client takes it: it refuses keys that it does not know."""
    return run(lnurl.handle(text.removeprefix("LIGHTNING:")))


def ask_invoice(offer, msat, comment=None):
    return run(lnurl.execute_pay_request(offer, msat, comment=comment))


def verify(url):
    return run(lnurl.get(url, response_class=LnurlPayVerifyResponse))


def get(url, query=None, **options):
    """What stands in the answer, without any client's help. Every answer has status 200 and may be read by every page."""
    answer = call("GET", url + ("?" + query if query is not None else ""), **options)
    assert answer.status == 200 and answer.headers["Access-Control-Allow-Origin"] == "*", (url, answer.status, answer.body)
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json


def refused(url, query=None):
    """The reason of an error, which has no other keys."""
    answer = get(url, query)
    assert set(answer) == {"status", "reason"} and answer["status"] == "ERROR" and answer["reason"], answer
    return answer["reason"]


def query(**parameters):
    return urllib.parse.urlencode(parameters)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def assert_decoders_agree(text, msat, description_hash):
    """Two decoders that are not ours read the same from an invoice, and what it has to say."""
    first, second = bolt11.decode(text), Invoice.decode(text)
    assert first.amount_msat == msat and int(second.amount * 10**11) == msat
    fields = dict(second.tags)
    assert first.description_hash == description_hash == fields["h"].hex()
    assert first.expiry == fields["x"] and first.min_final_cltv_expiry == second.min_final_cltv_expiry
    assert first.payment_hash == second.paymenthash.hex()
    assert first.payee == second.pubkey.format().hex()
    assert first.date == second.date and first.currency == second.currency == "bcrt"
    # `pyln` keeps the last way alone.
    (there,), (hop,) = first.route_hints[-1].routes, second.route_hints.route_hints
    assert (there.public_key, there.base_fee, there.ppm_fee, there.cltv_expiry_delta) == (
        hop.pubkey.hex(), hop.fee_base_msat, hop.fee_proportional_millionths, hop.cltv_expiry_delta)
    return first
