"""Webhooks, seen by merchants' servers: signed as the independent library `standardwebhooks` wants it, complete, in order, and
undisturbed by servers that misbehave. Numbers are those of the abuse cases."""

import base64
import json
import os
import signal
import subprocess
import time

import pytest
from client import api, call, create, events, pay, until
from receiver import Receiver, flood, hang, unused_port
from standardwebhooks import Webhook, WebhookVerificationError

SETTINGS = "webhooks:\n  allow_networks: [127.0.0.1]\n  timeout: 10s\n"


def endpoint(system, url, types=("invoice.created",), **fields):
    answer = api(system, "POST", "/v1/webhooks", {"url": url, "events": list(types), **fields})
    assert answer.status == 201, answer.body
    return answer.json


def show(system, hook):
    return api(system, "GET", f"/v1/webhooks/{hook['id']}").json


def deliveries(system, hook):
    return api(system, "GET", f"/v1/webhooks/{hook['id']}/deliveries?limit=500").json["deliveries"]


def make(system, count):
    """As many invoices, and the ids of the events that tell of them."""
    hashes = {create(system)["payment_hash"] for _ in range(count)}
    return [each["id"] for each in events(system) if each["type"] == "invoice.created" and each["data"]["payment_hash"] in hashes]


@pytest.fixture(autouse=True)
def forget_endpoints(system):
    yield
    for hook in api(system, "GET", "/v1/webhooks?limit=500").json["webhooks"]:
        api(system, "DELETE", f"/v1/webhooks/{hook['id']}")


def test_a_payment_is_told_completely_signed_and_in_order(system):
    with Receiver() as receiver:
        hook = endpoint(system, receiver.url, ["invoice.*", "htlc.settled"], description="The shop")
        assert hook["secret"].startswith("whsec_") and "secret" not in show(system, hook)
        invoices = [create(system) for _ in range(3)]
        for invoice in invoices:
            half = invoice["amount_msat"] // 2
            assert pay(system, invoice, [{"node": 0, "amount_msat": half}, {"node": 1, "amount_msat": half}])["status"] == "succeeded"
        hashes = {invoice["payment_hash"] for invoice in invoices}
        def told():
            return [each for each in events(system) if each["data"].get("payment_hash") in hashes and each["type"] not in ("htlc.accepted", "htlc.failed")]
        until(lambda: [each["type"] for each in told()].count("invoice.settled") == 3, what="three settled invoices")
        wanted = told()
        receiver.until(len(wanted))
        assert [each.verified(hook["secret"]) for each in receiver.deliveries] == wanted
        assert [each.id for each in receiver.deliveries] == [each["id"] for each in wanted]
        assert receiver.deliveries[0].headers["user-agent"].startswith("Leyden/")
        until(lambda: len(deliveries(system, hook)) == len(wanted), what="the log of deliveries")
        first = deliveries(system, hook)[-1]
        assert (first["state"], first["status"], first["attempts"], first["next_attempt_at"]) == ("delivered", 200, 1, None)
        metrics = call("GET", system.internal_url + "/metrics").body.decode()
        assert 'leyden_webhook_deliveries_total{outcome="delivered"}' in metrics


def test_28_forged_old_and_swapped_messages_are_told_by_their_signature(system):
    with Receiver() as receiver:
        hook = endpoint(system, receiver.url)
        make(system, 2)
        one, two = receiver.until(2)
        assert one.verified(hook["secret"])
        for wrong in ({**one.headers, "webhook-id": two.id}, {**one.headers, "webhook-timestamp": str(int(one.headers["webhook-timestamp"]) - 1)},
                      {**one.headers, "webhook-signature": two.headers["webhook-signature"]}):
            with pytest.raises(WebhookVerificationError):
                Webhook(hook["secret"]).verify(one.body, wrong)
        with pytest.raises(WebhookVerificationError):
            Webhook(hook["secret"]).verify(two.body, one.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook("whsec_" + base64.b64encode(bytes(32)).decode()).verify(one.body, one.headers)


def test_28_both_secrets_sign_during_a_rotation(system):
    with Receiver() as receiver:
        hook = endpoint(system, receiver.url)
        path = f"/v1/webhooks/{hook['id']}/rotate-secret"
        turned = api(system, "POST", path, {"overlap_seconds": 600}).json
        assert turned["secret"] != hook["secret"] and turned["previous_secret_until"]
        make(system, 1)
        one = receiver.until(1)[0]
        assert one.verified(hook["secret"]) == one.verified(turned["secret"])
        assert len(one.headers["webhook-signature"].split()) == 2
        last = api(system, "POST", path, {"overlap_seconds": 0}).json
        make(system, 1)
        two = receiver.until(2)[1]
        assert two.verified(last["secret"])
        for old in (hook, turned):
            with pytest.raises(WebhookVerificationError):
                two.verified(old["secret"])


def test_signatures_can_be_checked_by_everybody(system, tmp_path):
    with Receiver() as receiver:
        hook = endpoint(system, receiver.url, signatures=["v1", "v1a"])
        make(system, 1)
        one = receiver.until(1)[0]
        assert one.verified(hook["secret"])
        signature = next(each for each in one.headers["webhook-signature"].split() if each.startswith("v1a,"))
        # SubjectPublicKeyInfo of ed25519 (RFC 8410).
        der = bytes.fromhex("302a300506032b6570032100") + base64.b64decode(hook["public_key"].removeprefix("whpk_"))
        (tmp_path / "key").write_bytes(der)
        (tmp_path / "signature").write_bytes(base64.b64decode(signature.removeprefix("v1a,")))
        (tmp_path / "message").write_bytes(f"{one.id}.{one.headers['webhook-timestamp']}.".encode() + one.body)
        command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", "key", "-sigfile", "signature", "-in", "message"]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0


def test_28_what_was_not_taken_comes_again_under_the_same_id(system):
    answers = iter([(500, {})])
    with Receiver(lambda _: next(answers, None)) as receiver:
        hook = endpoint(system, receiver.url)
        ids = make(system, 2)
        one, two, again = receiver.until(3)
        assert [one.id, two.id, again.id] == [ids[0], ids[1], ids[0]]
        assert again.time - one.time > 4 and again.verified(hook["secret"]) == one.verified(hook["secret"])
        until(lambda: deliveries(system, hook)[-1]["attempts"] == 2, what="the second attempt in the log")


def test_28_retry_after_is_obeyed_by_all_that_goes_there(system):
    answers = iter([(429, {"Retry-After": "7"})])
    with Receiver(lambda _: next(answers, None)) as receiver:
        hook = endpoint(system, receiver.url)
        make(system, 3)
        until(lambda: deliveries(system, hook), what="the first attempt in the log")
        assert deliveries(system, hook)[0]["status"] == 429 and show(system, hook)["paused_until"]
        receiver.until(4)
        assert receiver.deliveries[1].time - receiver.deliveries[0].time > 6.5


def test_28_410_disables_and_nothing_is_lost_when_it_is_enabled(system):
    answers = iter([(410, {})])
    with Receiver(lambda _: next(answers, None)) as receiver:
        hook = endpoint(system, receiver.url)
        ids = make(system, 3)
        until(lambda: show(system, hook)["status"] == "disabled", what="the endpoint disabled")
        assert show(system, hook)["disabled_reason"] == "gone"
        assert api(system, "POST", f"/v1/webhooks/{hook['id']}/redeliver", {"after": 0, "until": 9}).json["code"] == "webhook_disabled"
        time.sleep(1.5)
        assert len(receiver.deliveries) == 1
        assert api(system, "PATCH", f"/v1/webhooks/{hook['id']}", {"enabled": True}).json["status"] == "enabled"
        receiver.until_ids(ids)


@pytest.mark.parametrize("name", ["redirect", "TLS", "closed port", "hang", "slow"])
def test_28_one_that_misbehaves_is_told_why(system, name, tmp_path):
    target = Receiver()
    behave = {"redirect": lambda _: (302, {"Location": target.url}), "hang": lambda _: hang, "slow": lambda _: slowly}.get(name, lambda _: None)
    with target, Receiver(behave) as receiver:
        url = {"TLS": receiver.url.replace("http", "https", 1), "closed port": f"http://127.0.0.1:{unused_port()}/"}.get(name, receiver.url)
        hook = endpoint(system, url)
        make(system, 1)
        until(lambda: deliveries(system, hook), what="the attempt in the log")
        row = deliveries(system, hook)[0]
        reasons = {"redirect": "redirects are not followed", "TLS": "TLS", "closed port": "no connection", "hang": "no answer in time", "slow": "no answer in time"}
        assert row["state"] == "waiting" and row["next_attempt_at"] and reasons[name] in row["reason"], row
        assert show(system, hook)["status"] == "failing"
        assert not target.deliveries


def slowly(handler):
    """A byte at a time, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    try:
        for _ in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.2)
    except OSError:
        handler.close_connection = True


def test_28_a_certificate_of_nobody_is_refused(system, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "cert", "-days", "1", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1"], cwd=tmp_path, check=True, capture_output=True)
    with Receiver(tls=(tmp_path / "cert", tmp_path / "key")) as receiver:
        hook = endpoint(system, receiver.url)
        make(system, 1)
        until(lambda: deliveries(system, hook), what="the attempt in the log")
        assert deliveries(system, hook)[0]["reason"].startswith("TLS")
        assert not receiver.deliveries


def test_28_ten_megabytes_of_answer_are_not_read(system):
    with Receiver(lambda _: flood) as receiver:
        hook = endpoint(system, receiver.url)
        ids = make(system, 3)
        receiver.until_ids(ids, 20)
        until(lambda: [each["state"] for each in deliveries(system, hook)] == ["delivered"] * 3, what="three deliveries in the log")


def test_28_one_hanging_endpoint_does_not_delay_another(system):
    with Receiver(lambda _: hang) as bad, Receiver() as good:
        for _ in range(20):
            endpoint(system, bad.url)
        endpoint(system, good.url)
        for _ in range(5):
            start = time.monotonic()
            ids = make(system, 1)
            good.until_ids(ids)
            assert time.monotonic() - start < 5, "the hanging ones have a time-out of ten seconds"


def test_26_killed_in_the_middle_every_event_comes_and_in_order(system):
    slow = {"seconds": 0.2}

    def behave(_):
        time.sleep(slow["seconds"])

    with Receiver(behave) as receiver:
        hook = endpoint(system, receiver.url)
        ids = make(system, 60)
        receiver.until(10)
        system.kill()
        assert len(receiver.deliveries) < len(ids), "not in the middle"
        system.start_gateway()
        slow["seconds"] = 0
        receiver.until_ids(ids)
        seen = list(dict.fromkeys(each.id for each in receiver.deliveries))
        assert seen == ids, "in the order of the log"
        assert len(receiver.deliveries) < 2 * len(ids), "not all over again"
        for each in receiver.deliveries:
            assert each.verified(hook["secret"])


def test_26_what_waits_for_another_attempt_survives_a_kill(system):
    answers = iter([(500, {})])
    with Receiver(lambda _: next(answers, None)) as receiver:
        hook = endpoint(system, receiver.url)
        ids = make(system, 1)
        until(lambda: deliveries(system, hook), what="the attempt in the log")
        system.kill()
        system.start_gateway()
        receiver.until(2)
        assert [each.id for each in receiver.deliveries] == ids * 2


def test_redelivery_of_one_and_of_a_range(system):
    with Receiver() as receiver:
        hook = endpoint(system, receiver.url)
        ids = make(system, 3)
        receiver.until(3)
        until(lambda: len(deliveries(system, hook)) == 3, what="the log of deliveries")
        rows = deliveries(system, hook)
        path = f"/v1/webhooks/{hook['id']}/redeliver"
        answer = api(system, "POST", path, {"delivery_id": rows[1]["id"]})
        assert (answer.status, answer.json) == (202, {"queued": 1, "next": None})
        assert receiver.until(4)[3].id == ids[1]
        answer = api(system, "POST", path, {"after": rows[2]["offset"] - 1, "until": rows[0]["offset"]})
        assert answer.json["queued"] == 3
        receiver.until(7)
        assert {each.id for each in receiver.deliveries[4:]} == set(ids)
        assert api(system, "POST", path, {"delivery_id": rows[1]["id"] + "0"}).json["code"] == "unknown_delivery"
        assert api(system, "POST", path, {"delivery_id": "dlv_x"}).json["code"] == "unknown_delivery"


def test_the_test_button_says_what_came_of_it(system):
    answers = iter([None, (503, {})])
    with Receiver(lambda _: next(answers, None)) as receiver:
        hook = endpoint(system, receiver.url)
        path = f"/v1/webhooks/{hook['id']}/test"
        good = api(system, "POST", path, {"type": "htlc.settled"}).json
        assert good["delivered"] and good["status"] == 200
        assert receiver.deliveries[0].verified(hook["secret"]) == good["event"] and good["event"]["data"]["test"]
        bad = api(system, "POST", path).json
        assert (bad["delivered"], bad["status"], bad["reason"], bad["event"]["type"]) == (False, 503, "answered 503", "invoice.settled")
        assert deliveries(system, hook) == []


@pytest.mark.parametrize("url", [
    "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://[fd00:ec2::254]/",
    "http://127.0.0.2/", "http://127.1/", "http://2130706433/", "http://0x7f.1/", "http://user:pass@127.0.0.1/", "http://127.0.0.1\\@example.com/",
    "http://127.0.0.1/#x", "ftp://127.0.0.1/", "file:///etc/passwd", "http://abc.onion/", "http://", "", "http://0.0.0.0/", "http://127.0.0.1:99999/",
])
def test_18_urls_that_lead_where_nobody_may_go_are_refused(system, url):
    answer = api(system, "POST", "/v1/webhooks", {"url": url, "events": ["*"]})
    assert (answer.status, answer.json.get("field")) == (422, "url"), answer.body


def test_18_a_name_is_judged_by_what_it_resolves_to(system):
    """It may answer otherwise when it is called, so it is judged then."""
    with Receiver() as receiver:
        hook = endpoint(system, receiver.url.replace("127.0.0.1", socket_name()))
        result = api(system, "POST", f"/v1/webhooks/{hook['id']}/test").json
        assert not result["delivered"] and ("not public" in result["reason"] or "resolve" in result["reason"]), result
        assert not receiver.deliveries


def socket_name():
    """A name of this machine that leads to another address than 127.0.0.1."""
    return "ip6-localhost"


@pytest.mark.parametrize("body, field", [
    ({"events": ["*"]}, "url"), ({"url": "https://a.example"}, "events"), ({"url": "https://a.example", "events": []}, "events"),
    ({"url": "https://a.example", "events": ["invoice.paid"]}, "events"), ({"url": "https://a.example", "events": "*"}, "events"),
    ({"url": "https://a.example", "events": [1]}, "events"), ({"url": 1, "events": ["*"]}, "url"),
    ({"url": "https://a.example", "events": ["*"], "concurrency": 0}, "concurrency"), ({"url": "https://a.example", "events": ["*"], "concurrency": 65}, "concurrency"),
    ({"url": "https://a.example", "events": ["*"], "signatures": ["v2"]}, "signatures"), ({"url": "https://a.example", "events": ["*"], "signatures": []}, "signatures"),
    ({"url": "https://a.example", "events": ["*"], "description": "x" * 501}, "description"), ({"url": "https://a.example", "events": ["*"], "secret": "x"}, "secret"),
    ({"url": "https://a.example", "events": ["*"], "enabled": True}, "enabled"), ({"url": "https://a.example", "events": ["*"], "description": "\0"}, "description"),
])
def test_bad_input_names_its_field(system, body, field):
    answer = api(system, "POST", "/v1/webhooks", body)
    assert (answer.status, answer.json["field"]) == (422, field)


def test_30_another_account_sees_and_changes_nothing(system):
    with Receiver() as receiver:
        hook = endpoint(system, receiver.url)
        make(system, 1)
        until(lambda: deliveries(system, hook), what="the delivery in the log")
        row = deliveries(system, hook)[0]
        other = system.key("webhooks:write")
        system.give_to_another_account(other)
        path = f"/v1/webhooks/{hook['id']}"
        asked = [("GET", "", None), ("PATCH", "", {"enabled": False}), ("DELETE", "", None), ("GET", "/deliveries", None), ("POST", "/test", {}),
                 ("POST", "/redeliver", {"delivery_id": row["id"]}), ("POST", "/rotate-secret", {})]
        for method, rest, body in asked:
            assert api(system, method, path + rest, body, key=other["key"]).json["code"] == "unknown_webhook", (method, rest)
        assert api(system, "GET", "/v1/webhooks", key=other["key"]).json == {"webhooks": [], "next": None}
        assert {**show(system, hook), "cursor": 0} == {**{name: value for name, value in hook.items() if name != "secret"}, "cursor": 0}
        mine = api(system, "POST", "/v1/webhooks", {"url": receiver.url, "events": ["*"]}, key=other["key"]).json
        own = f"/v1/webhooks/{mine['id']}/redeliver"
        assert api(system, "POST", own, {"after": 0, "until": row["offset"]}, key=other["key"]).json["queued"] == 0
        assert api(system, "DELETE", f"/v1/webhooks/{mine['id']}", key=other["key"]).status == 200


def test_several_at_once_keep_the_order_of_each_invoice(system):
    with Receiver(lambda _: time.sleep(0.02)) as receiver:
        endpoint(system, receiver.url, ["invoice.*"], concurrency=8)
        invoices = [create(system) for _ in range(10)]
        for invoice in invoices:
            assert pay(system, invoice)["status"] == "succeeded"
        for invoice in invoices:
            until(lambda: len(told(receiver, invoice)) == 4, what="four events of an invoice")
            assert told(receiver, invoice) == ["invoice.created", "invoice.accepted", "invoice.settle_requested", "invoice.settled"]


def told(receiver, invoice):
    bodies = [json.loads(each.body) for each in list(receiver.deliveries)]
    return [body["type"] for body in bodies if body["data"].get("payment_hash") == invoice["payment_hash"]]


# The command line for developers


def leyden(system, *arguments, **options):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEYDEN_")}
    environment |= {"LEYDEN_URL": system.base_url, "LEYDEN_API_KEY": system.api_key}
    return subprocess.Popen([str(system.binaries / "leyden"), *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_listen_forwards_with_valid_signatures(system):
    with Receiver() as receiver:
        before = create(system)["payment_hash"]
        process = leyden(system, "listen", "--forward-to", receiver.url, "--type", "invoice.*", "--json")
        try:
            first = json.loads(process.stdout.readline())
            assert first["forward_to"] == receiver.url
            ids = make(system, 3)
            receiver.until_ids(ids)
            lines = [json.loads(process.stdout.readline()) for _ in range(3)]
            assert [line["id"] for line in lines] == ids and all(line["delivered"] and line["status"] == 200 for line in lines)
            for each in receiver.deliveries:
                assert each.verified(first["secret"])["data"]["payment_hash"] != before
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def test_trigger_sends_a_sample_of_every_type(system):
    with Receiver() as receiver:
        secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        for kind in ("invoice.settled", "invoice.created", "htlc.failed", "node.disconnected"):
            done = leyden(system, "trigger", kind, "--forward-to", receiver.url, "--secret", secret, "--json")
            output, errors = done.communicate(timeout=30)
            assert done.returncode == 0, errors
            event = receiver.deliveries[-1].verified(secret)
            assert event["type"] == kind and event["data"]["test"] and json.loads(output)["id"] == event["id"]
        hook = endpoint(system, receiver.url)
        done = leyden(system, "trigger", "invoice.settled", "--json")
        output, errors = done.communicate(timeout=30)
        assert done.returncode == 0, errors
        assert receiver.deliveries[-1].verified(hook["secret"])["type"] == "invoice.settled"
        assert json.loads(output)["delivered"] is True
        nobody = endpoint(system, f"http://127.0.0.1:{unused_port()}/")
    done = leyden(system, "trigger", "invoice.settled", "--endpoint", nobody["id"])
    output, _ = done.communicate(timeout=30)
    assert done.returncode == 1 and "no connection" in output
    done = leyden(system, "trigger", "invoice.paid")
    assert "no type of event" in done.communicate(timeout=30)[1] and done.returncode == 64
