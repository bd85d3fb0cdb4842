"""Wallets that are not ours ask, pay and verify; and what must not work with pay links."""

import hashlib
import json
import urllib.parse

import bolt11
import pytest
import wallet
from client import api, call, control, events, pay, until, until_state
from lnurl import aes_decrypt, execute_address_request
from wallet import refused

SETTINGS = "lnurl: {requests_per_link: 0, requests_per_address: 0}\n"
TEA = {"description": "A pot of tea ☕", "min_msat": 1000, "max_msat": 100_000_000}


def link(system, status=201, path="pay-links", **fields):
    answer = api(system, "POST", f"/v1/lnurl/{path}", {**TEA, **fields})
    assert answer.status == status, answer.body
    return answer.json


def paid(system, text, parts):
    return pay(system, {"payment_request": text}, parts)


def decoded_hash(text):
    return bolt11.decode(text).payment_hash


def test_a_customers_whole_way(system):
    """Scan, fetch, comment, invoice, payment over two nodes, verify with preimage, success action, and the comment on the merchant's stream."""
    secret = "Zugang: 1234 ☕"
    made = link(system, comment_allowed=100, success_action={"tag": "aes", "description": "Your code", "text": secret})
    drawing = call("GET", made["qr_url"])
    assert drawing.status == 200 and drawing.headers["Content-Type"] == "image/svg+xml"
    scanned = wallet.scan(call("GET", made["qr_url"].replace("qr.svg", "qr.png")).body)
    assert scanned == "LIGHTNING:" + made["lnurl"].upper()

    offer = wallet.fetch(scanned)
    assert offer.minSendable == 1000 and offer.commentAllowed == 100 and offer.metadata.text == TEA["description"]
    comment = "Zwei Kännchen + Milch & Zucker?"
    answer = wallet.ask_invoice(offer, 21_000, comment)
    assert answer.disposable is False and answer.routes == []
    metadata = wallet.get(made["url"])["metadata"]
    invoice = wallet.assert_decoders_agree(answer.pr, 21_000, wallet.sha256(metadata))
    assert invoice.expiry == 3600

    before = wallet.get(str(answer.verify))
    assert before == {"status": "OK", "settled": False, "preimage": None, "pr": answer.pr}
    result = paid(system, answer.pr, [{"node": 0, "amount_msat": 9000}, {"node": 1, "amount_msat": 12_000}])
    assert result["status"] == "succeeded"
    after = until(lambda: (found := wallet.verify(str(answer.verify))).settled and found)
    assert hashlib.sha256(bytes.fromhex(after.preimage)).hexdigest() == invoice.payment_hash
    action = answer.successAction
    assert action.description == "Your code"
    assert aes_decrypt(bytes.fromhex(after.preimage), action.ciphertext, action.iv) == secret

    told = events(system, invoice.payment_hash)
    for kind in ("invoice.accepted", "invoice.settle_requested", "invoice.settled"):
        event = next(each for each in told if each["type"] == kind)
        assert event["data"]["lnurl"] == {"pay_link": made["id"], "comment": comment}
    shown = api(system, "GET", f"/v1/invoices/{invoice.payment_hash}").json
    assert shown["lnurl"]["comment"] == comment and shown["metadata"] == {} and shown["state"] == "settled"


def test_the_comment_survives_a_restart_between_payment_and_settlement(system):
    made = link(system, comment_allowed=50)
    text = wallet.ask_invoice(wallet.fetch(made["lnurl"]), 5000, "after the night").pr
    system.end("leyden")
    system.start_gateway()
    assert paid(system, text, [{"node": 0, "amount_msat": 5000}])["status"] == "succeeded"
    hash_ = decoded_hash(text)
    until(lambda: [each for each in events(system, hash_) if each["type"] == "invoice.settled"])
    settled = next(each for each in events(system, hash_) if each["type"] == "invoice.settled")
    assert settled["data"]["lnurl"]["comment"] == "after the night"


def test_nothing_is_stored_until_somebody_pays(system):
    made = link(system)
    before = len(api(system, "GET", "/v1/invoices?limit=500").json["invoices"]), len(events(system))
    for _ in range(20):
        wallet.get(made["url"] + "/callback", "amount=1000")
    assert (len(api(system, "GET", "/v1/invoices?limit=500").json["invoices"]), len(events(system))) == before


def test_lightning_addresses(system):
    host = urllib.parse.urlsplit(system.base_url).netloc
    made = link(system, path="addresses", name="till")
    assert made["address"] == f"till@{host}" and made["url"] == f"{system.base_url}/.well-known/lnurlp/till"
    offer = wallet.get(made["url"])
    assert ["text/identifier", f"till@{host}"] in json.loads(offer["metadata"])
    # Phones capitalise.
    assert wallet.get(f"{system.base_url}/.well-known/lnurlp/TILL") == offer
    tagged = wallet.get(f"{system.base_url}/.well-known/lnurlp/till+Table%2B9")
    assert ["text/tag", "table+9"] in json.loads(tagged["metadata"]) and ["text/identifier", f"till@{host}"] in json.loads(tagged["metadata"])
    answer = wallet.get(tagged["callback"], "amount=3000")
    wallet.assert_decoders_agree(answer["pr"], 3000, wallet.sha256(tagged["metadata"]))
    assert paid(system, answer["pr"], [{"node": 1, "amount_msat": 3000}])["status"] == "succeeded"
    hash_ = decoded_hash(answer["pr"])
    accepted = until(lambda: next((each for each in events(system, hash_) if each["type"] == "invoice.accepted"), None))
    assert accepted["data"]["lnurl"] == {"pay_link": made["id"], "address": f"till@{host}", "tag": "table+9"}
    assert link(system, status=409, path="addresses", name="till")["code"] == "pay_link_refused"
    default = link(system, path="addresses", name="_")
    assert wallet.get(f"{system.base_url}/.well-known/lnurlp/_")["callback"].endswith(default["id"] + "/callback")


@pytest.mark.parametrize("name", ["nobody", "a%20b", "%D0%B0lice", "x" * 65, "$till", "+tag", "a..b"])
def test_unknown_reserved_and_look_alike_names_are_refused_alike(system, name):
    assert refused(f"{system.base_url}/.well-known/lnurlp/{name}") == "Not found"


def test_another_host_has_no_addresses(system):
    link(system, path="addresses", name="hosted")
    assert wallet.get(f"{system.base_url}/.well-known/lnurlp/hosted")["tag"] == "payRequest"
    answer = wallet.get(f"{system.base_url}/.well-known/lnurlp/hosted", headers={"Host": "evil.example"})
    assert answer["status"] == "ERROR"


def test_no_url_follows_the_host_header(system):
    made = link(system)
    answer = wallet.get(made["url"], headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert answer["callback"].startswith(system.base_url) and "evil" not in json.dumps(answer)
    answer = wallet.get(made["url"] + "/callback", "amount=1000", headers={"Host": "evil.example"})
    assert answer["verify"].startswith(system.base_url)


@pytest.mark.parametrize("amount", [
    "0", "999", "100000001", "-1000", "+1000", "1000.0", "1e3", "NaN", "", "9223372036854775808", "18446744073709551616", "9" * 400, "%D9%A1%D9%A0%D9%A0%D9%A0",
])
def test_amounts_that_are_none_or_outside_are_refused(system, amount):
    callback = link(system)["url"] + "/callback"
    assert "millisatoshis" in refused(callback, f"amount={amount}")
    assert "millisatoshis" in refused(callback)


def test_the_limits_themselves_are_taken_to_the_millisatoshi(system):
    callback = link(system)["url"] + "/callback"
    for amount in (1000, 1001, 100_000_000):
        answer = wallet.get(callback, f"amount={amount}")
        assert set(answer) == {"pr", "routes", "disposable", "verify"}
        wallet.assert_decoders_agree(answer["pr"], amount, wallet.sha256(wallet.get(callback.removesuffix("/callback"))["metadata"]))


def test_queries_are_read_as_forms(system):
    callback = link(system, comment_allowed=30)["url"] + "/callback"
    for text, comment in (("comment=a+b%2Bc", "a b+c"), ("comment=a%20b", "a b"), ("comment=&nonce=1&lnurl=x", None), ("comment=first&comment=second", "first")):
        pr = wallet.get(callback, f"amount=1000&{text}")["pr"]
        assert paid(system, pr, [{"node": 0, "amount_msat": 1000}])["status"] == "succeeded"
        event = until(lambda: next((each for each in events(system, decoded_hash(pr)) if each["type"] == "invoice.accepted"), None))
        assert event["data"]["lnurl"].get("comment") == comment
    for broken in ("amount=1000&comment=%zz", "amount=1000&comment=%ff", "amount=%", "&".join(f"a{n}=1" for n in range(80))):
        assert refused(callback, broken) == "The query cannot be read"


def test_comments_have_a_limit_and_markup_stays_text(system):
    callback = link(system, comment_allowed=40)["url"] + "/callback"
    assert "40 characters" in refused(callback, wallet.query(amount=1000, comment="x" * 41))
    assert "No comment" in refused(link(system)["url"] + "/callback", wallet.query(amount=1000, comment="x"))
    hostile = "=cmd()<img src=x onerror=a>\"'\u202e\u0007"
    pr = wallet.get(callback, wallet.query(amount=1000, comment=hostile))["pr"]
    assert paid(system, pr, [{"node": 0, "amount_msat": 1000}])["status"] == "succeeded"
    event = until(lambda: next((each for each in events(system, decoded_hash(pr)) if each["type"] == "invoice.accepted"), None))
    assert event["data"]["lnurl"]["comment"] == "=cmd()<img src=x onerror=a>\"'"


def test_metadata_with_quotes_stay_one_text(system):
    name = 'x"],["image/png;base64","AAAA'
    offer = wallet.get(link(system, description=name)["url"])
    assert json.loads(offer["metadata"]) == [["text/plain", name]]
    assert wallet.fetch(link(system, description=name)["lnurl"]).metadata.text == name


def test_payer_data_are_hashed_and_told(system):
    wanted = {"name": {"mandatory": True}, "email": {"mandatory": False}, "pubkey": {"mandatory": False}}
    made = link(system, payer_data=wanted)
    offer = wallet.get(made["url"])
    assert offer["payerData"] == wanted and wallet.fetch(made["lnurl"]).payerData.name.mandatory
    data = '{"name":"Ann + Bob","email":"ann@a.example","more":1}'
    answer = wallet.get(offer["callback"], wallet.query(amount=2000, payerdata=data))
    wallet.assert_decoders_agree(answer["pr"], 2000, wallet.sha256(offer["metadata"] + data))
    assert paid(system, answer["pr"], [{"node": 0, "amount_msat": 2000}])["status"] == "succeeded"
    event = until(lambda: next((each for each in events(system, decoded_hash(answer["pr"])) if each["type"] == "invoice.accepted"), None))
    assert event["data"]["lnurl"]["payer_data"] == {"name": "Ann + Bob", "email": "ann@a.example"}
    for broken in ("{}", "[]", "{", '{"name":7}', json.dumps({"name": "x" * 3000})):
        assert "payerdata" in refused(offer["callback"], wallet.query(amount=2000, payerdata=broken))
    assert "payerdata" in refused(offer["callback"], "amount=2000")


def test_a_payers_key_is_proved_once_and_for_this_link(system):
    from coincurve import PrivateKey
    made, other = (link(system, payer_data={"auth": {"mandatory": True}}) for _ in range(2))

    def proof(challenge, key):
        signature = key.sign(bytes.fromhex(challenge), hasher=None)
        return json.dumps({"auth": {"key": key.public_key.format().hex(), "k1": challenge, "sig": signature.hex()}})

    key = PrivateKey(b"\x07" * 32)
    offer = wallet.get(made["url"])
    challenge = offer["payerData"]["auth"]["k1"]
    assert challenge != wallet.get(made["url"])["payerData"]["auth"]["k1"]
    answer = wallet.get(offer["callback"], wallet.query(amount=2000, payerdata=proof(challenge, key)))
    assert paid(system, answer["pr"], [{"node": 0, "amount_msat": 2000}])["status"] == "succeeded"
    event = until(lambda: next((each for each in events(system, decoded_hash(answer["pr"])) if each["type"] == "invoice.accepted"), None))
    assert event["data"]["lnurl"]["payer_data"] == {"auth_key": key.public_key.format().hex()}
    fresh = wallet.get(made["url"])["payerData"]["auth"]["k1"]
    wrong = json.loads(proof(fresh, key))
    wrong["auth"]["key"] = PrivateKey(b"\x08" * 32).public_key.format().hex()
    for callback, data in (
        (offer["callback"], proof(challenge, key)), (offer["callback"], proof("11" * 32, key)), (offer["callback"], json.dumps(wrong)),
        (other["url"] + "/callback", proof(fresh, key)),
    ):
        assert "signature" in refused(callback, wallet.query(amount=2000, payerdata=data))
    assert wallet.get(offer["callback"], wallet.query(amount=2000, payerdata=proof(fresh, key)))["pr"]


def test_an_order_is_paid_once(system):
    fields = {"min_msat": 7000, "max_msat": 7000, "order_id": "A 7"}
    made = link(system, **fields)
    assert made["paid"] is False and made["disposable"] is True
    assert link(system, status=422, order_id="x")["field"] == "max_msat"
    first, second = (wallet.get(made["url"] + "/callback", "amount=7000") for _ in range(2))
    assert decoded_hash(first["pr"]) == decoded_hash(second["pr"]) == made["payment_hash"]
    assert paid(system, first["pr"], [{"node": 0, "amount_msat": 7000}])["status"] == "succeeded"
    assert paid(system, second["pr"], [{"node": 1, "amount_msat": 7000}])["status"] == "failed"
    for url in (made["url"], made["url"] + "/callback"):
        assert until(lambda: wallet.get(url, "amount=7000").get("reason")) == "This has been paid already"
    until(lambda: api(system, "GET", f"/v1/lnurl/pay-links/{made['id']}").json["paid"])
    found = api(system, "GET", "/v1/invoices?order_id=A%207").json["invoices"]
    assert [each["payment_hash"] for each in found] == [made["payment_hash"]] and found[0]["lnurl"]["order_id"] == "A 7"


def test_links_that_are_off_gone_or_over_give_nothing(system):
    made = link(system)
    one = f"/v1/lnurl/pay-links/{made['id']}"
    assert api(system, "PATCH", one, {"enabled": False, "description": "Closed"}).json["enabled"] is False
    assert "switched off" in refused(made["url"]) and "switched off" in refused(made["url"] + "/callback", "amount=1000")
    assert api(system, "PATCH", one, {"enabled": True}).status == 200
    assert json.loads(wallet.get(made["url"])["metadata"]) == [["text/plain", "Closed"]]
    assert api(system, "DELETE", one).json["deleted"] is True
    assert refused(made["url"]) == "Not found" and api(system, "GET", one).status == 404
    ending = link(system, expires_in_seconds=600)
    assert 590 <= bolt11.decode(wallet.get(ending["url"] + "/callback", "amount=1000")["pr"]).expiry <= 600, "no invoice outlives its link"
    short = link(system, expires_in_seconds=1)
    assert until(lambda: wallet.get(short["url"]).get("reason")) == "This link has expired"
    assert "expired" in refused(short["url"] + "/callback", "amount=1000")


def test_verify_is_for_those_who_were_given_the_address(system):
    answer = wallet.get(link(system)["url"] + "/callback", "amount=1000")
    token = answer["verify"].rsplit("/", 1)[1]
    base = answer["verify"].removesuffix(token)
    for wrong in (decoded_hash(answer["pr"]), answer["pr"], "A" + token[1:], token[:-1], token + "q", "x", "A" * 1500):
        assert refused(base + wrong) == "Not found", wrong
    assert len(answer["verify"]) < 2000


def test_everything_may_be_read_by_every_page(system):
    made = link(system)
    for url in (made["url"], made["url"] + "/callback", f"{system.base_url}/.well-known/lnurlp/x", f"{system.base_url}/lnurl/verify/x"):
        answer = call("OPTIONS", url, headers={"Origin": "https://wallet.example", "Access-Control-Request-Method": "GET"})
        assert answer.status == 204 and answer.headers["Access-Control-Allow-Origin"] == "*" and "GET" in answer.headers["Access-Control-Allow-Methods"]
        assert "ERROR" in call("POST", url, {}).body.decode() and call("HEAD", url).status == 200
    refused(f"{system.base_url}/lnurl/nothing/at/all")


def test_messages_and_urls_are_shown_after_payment(system):
    message = wallet.ask_invoice(wallet.fetch(link(system, success_action={"tag": "message", "message": "Danke ☕"})["lnurl"]), 1000)
    assert message.successAction.message == "Danke ☕"
    action = {"tag": "url", "description": "Tickets", "url": f"{system.base_url}/tickets"}
    assert str(wallet.ask_invoice(wallet.fetch(link(system, success_action=action)["lnurl"]), 1000).successAction.url) == action["url"]
    assert link(system, status=422, success_action={**action, "url": "https://evil.example/"})["field"] == "success_action.url"


def test_a_payment_without_the_note_is_a_payment(system):
    """A payer that does not know payment metadata pays, and the merchant is told the rest."""
    pr = wallet.get(link(system, comment_allowed=9)["url"] + "/callback", "amount=1000&comment=lost")["pr"]
    assert paid(system, pr, [{"node": 0, "amount_msat": 1000, "onion": "no_metadata"}])["status"] == "succeeded"
    event = until(lambda: next((each for each in events(system, decoded_hash(pr)) if each["type"] == "invoice.accepted"), None))
    assert "lnurl" not in event["data"] and event["data"]["received_msat"] == 1000


def test_a_wallet_tells_its_address_for_a_refund(system):
    made = api(system, "POST", "/v1/lnurl/address-requests", {"description": "Where shall the change go?", "order_id": "A7"}).json
    assert made["address"] is None
    offer = wallet.fetch(made["lnurl"])
    assert offer.description == "Where shall the change go?"
    one = f"/v1/lnurl/address-requests/{made['id']}"
    for query in ("", f"k1={offer.k1}", f"k1={offer.k1}&address=nobody", f"k1={offer.k1}&address=a@b", f"k1={offer.k1}&address=a@b.example/x", f"k1={'00' * 32}&address=a@b.example"):
        refused(made["url"] + "/callback", query)
    assert api(system, "GET", one).json["address"] is None
    for _ in range(2):
        assert wallet.run(execute_address_request(offer, "ann@wallet.example")).status == "OK"
    shown = api(system, "GET", one).json
    assert shown["address"] == "ann@wallet.example" and shown["order_id"] == "A7"
    assert "used already" in refused(made["url"]) and "used already" in refused(made["url"] + "/callback", f"k1={offer.k1}&address=eve@evil.example")
    account = api(system, "POST", "/v1/accounts", {"name": "third"}).json["id"]
    key = api(system, "POST", "/v1/keys", {"scopes": ["invoices:read"], "account": account}).json["key"]
    assert api(system, "GET", one, key=key).status == 404


def test_a_tenants_links_are_its_own(system):
    account = api(system, "POST", "/v1/accounts", {"name": "other"}).json["id"]
    key = api(system, "POST", "/v1/keys", {"scopes": ["invoices:read", "invoices:write"], "account": account}).json["key"]
    mine = link(system)
    one = f"/v1/lnurl/pay-links/{mine['id']}"
    for method, body in (("GET", None), ("PATCH", {"description": "x"}), ("DELETE", None)):
        assert api(system, method, one, body, key=key).status == 404
    assert api(system, "GET", "/v1/lnurl/pay-links", key=key).json["pay_links"] == []
    assert api(system, "POST", "/v1/lnurl/addresses", {**TEA, "name": "other"}, key=key).json["code"] == "no_domain"
    theirs = api(system, "POST", "/v1/lnurl/pay-links", TEA, key=key).json
    pr = wallet.get(theirs["url"] + "/callback", "amount=1000")["pr"]
    assert paid(system, pr, [{"node": 0, "amount_msat": 1000}])["status"] == "succeeded"
    until(lambda: api(system, "GET", f"/v1/invoices/{decoded_hash(pr)}", key=key).status == 200)
    assert api(system, "GET", f"/v1/invoices/{decoded_hash(pr)}").status == 404
