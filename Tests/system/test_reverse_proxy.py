"""The gateway behind nginx and behind Caddy, with the files that are handed out."""

import re
import subprocess

import pytest
from client import api, call, create, pay
from copies import At
from instance import environment
from proxies import Caddy, Nginx, program
from websocket import Subscription
from wire import EventReader

# The proxies of these tests are not at public_url.
SETTINGS = "edge: {allowed_origins: ['*']}\n"


@pytest.fixture(scope="module", params=[Nginx, Caddy])
def proxied(system, request):
    """The gateway's address behind one of them."""
    with request.param(system, system.directory / request.param.source) as proxy:
        yield At(system, (proxy.url, system.internal_url))


def test_requests_and_pages_go_through(system, proxied):
    invoice = create(proxied)
    assert pay(proxied, invoice)["status"] == "succeeded"
    page = call("GET", proxied.base_url + "/checkout/" + invoice["watch_token"])
    assert page.status == 200 and b"checkout.js" in page.body
    assert call("GET", f"{proxied.base_url}/v1/watch/{invoice['watch_token']}/qr.svg").headers["Content-Type"] == "image/svg+xml"
    # Whose refusal comes through is a matter of time: Caddy's own, the gateway's, or Caddy's word for a gateway that hung up on the rest.
    assert api(proxied, "POST", "/v1/invoices", {"description": "x" * 200_000}).status in (413, 502)


def test_the_websocket_goes_through(system, proxied):
    reader = Subscription(proxied.base_url, proxied.api_key, "events")
    invoice = create(proxied)
    told = next(event for event in reader if event["data"].get("payment_hash") == invoice["payment_hash"])
    assert told["type"] == "invoice.created"
    reader.close()


def test_event_streams_leave_as_they_come(system, proxied):
    reader = EventReader(proxied, "/v1/events?type=invoice.created", {"Authorization": f"Bearer {proxied.api_key}"})
    invoice = create(proxied)
    while True:
        (_, kind, event), = reader.take(1)
        if event["data"]["payment_hash"] == invoice["payment_hash"]:
            break
    assert kind == "invoice.created"
    reader.close()


def doctor(system, public_url):
    return system.doctor(LEYDEN_PUBLIC_URL=public_url)[1]["public_url"]


def test_doctor_opens_the_websocket_through_the_proxy(system, proxied):
    for url in (system.base_url, proxied.base_url):
        finding = doctor(system, url)
        assert finding["level"] == "ok" and "WebSocket" in finding["message"], finding


def test_doctor_names_a_proxy_that_keeps_the_upgrade_for_itself(system):
    with Nginx(system, system.directory / "broken", lambda text: re.sub(Nginx.upgrade, "", text)) as proxy:
        finding = doctor(system, proxy.url)
    assert finding["level"] == "warning" and "WebSocket is not opened" in finding["message"] and "Upgrade" in finding["remedy"]


def test_caddy_understands_its_file_as_it_is(system):
    done = subprocess.run(
        [program("caddy"), "validate", "--adapter", "caddyfile", "--config", system.root / "config/Caddyfile"], capture_output=True, text=True, timeout=60,
        env={**environment(), "HOME": str(system.directory)})
    assert done.returncode == 0, done.stderr
