"""A wallet logs in at the dashboard (LUD-04): one challenge, one browser, and an empty gateway only with the code."""

import json
import subprocess

import pytest
import wallet
from client import api, call
from coincurve import PrivateKey
from instance import environment
from lnurl import execute_login
from websocket import WebSocket

SEED = "6d" * 32


@pytest.fixture(scope="module")
def code(system):
    made = subprocess.run(
        [str(system.binaries / "leyden"), "login", "code", "--json", "--config", str(system.configuration)], env=environment(), capture_output=True, text=True, check=True)
    return json.loads(made.stdout)["claim_code"]


def offer(system, **fields):
    answer = call("POST", system.base_url + "/v1/login", fields)
    assert answer.status == 201, answer.body
    return answer.json


def sign(offered, key, challenge=None):
    challenge = challenge or offered["url"].split("k1=")[1][:64]
    return wallet.query(sig=key.sign(bytes.fromhex(challenge), hasher=None).hex(), key=key.public_key.format().hex())


def answer(system, offered, key, **options):
    url = offered["url"].split("?")[0]
    return wallet.get(url, sign(offered, key, **options))


def test_a_whole_login(system, code):
    stranger, owner = PrivateKey(b"\x01" * 32), PrivateKey(b"\x02" * 32)
    # Nobody claims an empty gateway without the code.
    assert "may not log in" in answer(system, offer(system), owner)["reason"]
    assert call("POST", system.base_url + "/v1/login", {"claim_code": "x" + code[1:]}).json["code"] == "wrong_claim_code"

    offered = offer(system, claim_code=code.lower())
    assert api(system, "GET", "/v1/info", key=offered["key"]).status == 401, "it is good for nothing yet"
    drawn = call("GET", offered["qr_url"])
    assert drawn.status == 200 and drawn.headers["Content-Type"] == "image/svg+xml"
    browser = WebSocket(system.base_url.replace("http", "ws") + "/connection/websocket")
    browser.send(json.dumps({"id": 1, "connect": {"token": offered["key"]}}))
    # A bad signature uses nothing up.
    assert "signature" in answer(system, offered, owner, challenge="11" * 32)["reason"]
    assert answer(system, offered, owner) == {"status": "OK"}
    assert "connect" in json.loads(browser.receive().split("\n")[0]), "the browser that showed the code hears of it"
    assert api(system, "GET", "/v1/info", key=offered["key"]).status == 200
    assert api(system, "GET", "/v1/audit", key=offered["key"]).status == 200

    logged = api(system, "GET", "/v1/audit?limit=500", key=offered["key"]).json["entries"]
    assert any(each["path"] == "/lnurl/auth" and each["target"] == owner.public_key.format().hex() for each in logged)

    # It is claimed now: the code is of no use to another, and the same challenge none to anybody.
    assert "may not log in" in answer(system, offer(system, claim_code=code), stranger)["reason"]
    for key in (owner, stranger):
        assert answer(system, offered, key)["status"] == "ERROR"
    again = offer(system)
    assert answer(system, again, owner) == {"status": "OK"}
    assert api(system, "GET", "/v1/info", key=again["key"]).status == 200


def test_challenges_are_the_gateways_own_and_for_one_key(system):
    owner = PrivateKey(b"\x02" * 32)
    first, second = offer(system), offer(system)
    token = first["url"].split("/auth/")[1].split("?")[0]
    other = second["url"].split("/auth/")[1].split("?")[0]
    base = first["url"].split(token)[0]
    for wrong in (other[:64] + token[64:], token[:64] + other[64:], token[:-1] + "1", "00" * 32 + token[64:], token[:-1], "x"):
        challenge = wrong[:64] if len(wrong) > 64 else "00" * 32
        assert "unknown or has expired" in wallet.get(base + wrong, sign(first, owner, challenge))["reason"], wrong
    assert "unknown or has expired" in wallet.get(base + token, "k1=" + "00" * 32 + "&" + sign(first, owner))["reason"]
    for query in ("", "sig=00&key=00", "k1=" + token[:64]):
        assert wallet.get(base + token, query)["status"] == "ERROR"


def test_the_client_lnurl_logs_in(system, code):
    subprocess.run(
        [str(system.binaries / "leyden"), "login", "reset", "--config", str(system.configuration)], env=environment(), check=True, capture_output=True)
    offered = offer(system, claim_code=code)
    assert wallet.run(execute_login(wallet.fetch(offered["lnurl"]), seed=SEED)).status == "OK"
    assert api(system, "GET", "/v1/info", key=offered["key"]).status == 200
    listed = api(system, "GET", "/v1/keys?limit=500", key=offered["key"]).json["keys"]
    made = next(each for each in listed if each["id"] == offered["key"][4:20])
    assert made["name"].startswith("login ") and made["expires_at"]
