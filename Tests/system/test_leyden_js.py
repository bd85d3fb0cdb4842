"""public/leyden.js in a real browser: it gets through whatever stands between, misses nothing and says nothing untrue."""

import gzip
import json
import time
from pathlib import Path

import pytest
from browser import Browser
from client import Paying, api, create, events, pay, until, until_state
from wire import Proxy

CONNECTED = 'document.getElementById("connection")?.dataset.status === "connected"'

# The pages come through a proxy, at a port that nobody knows beforehand.
SETTINGS = "edge:\n  allowed_origins: ['*']\n"


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def proxy(system):
    proxy = Proxy(system.base_url)
    yield proxy
    proxy.close()


def state_is(wanted):
    return f'document.querySelector("main")?.dataset.state === "{wanted}"'


def connected_by(transport):
    return f'{CONNECTED} && document.getElementById("connection").dataset.transport === "{transport}"'


class Follower:
    """A stream in a page of its own, which remembers everything that it is told."""

    def __init__(self, browser, proxy, channel, key):
        self._browser = browser
        browser.open(proxy.base_url + "/docs")
        browser.until('document.readyState === "complete"')
        browser.evaluate(f"""import("/leyden.js").then(({{ Stream }}) => {{
            window.offsets = []; window.states = []; window.missed = 0;
            window.stream = new Stream({json.dumps(channel)}, {{ token: {json.dumps(key)} }});
            stream.addEventListener("event", ({{ detail }}) => offsets.push(detail.offset));
            stream.addEventListener("state", ({{ detail }}) => states.push(detail));
            stream.addEventListener("missed", () => missed++);
            stream.open();
        }})""")

    def until_connected(self, transport, seconds=30):
        self._browser.until(f'states.at(-1)?.state === "connected" && states.at(-1).transport === "{transport}"', seconds)

    def until_lost(self):
        self._browser.until('states.at(-1)?.state !== "connected"')

    def until_offset(self, offset):
        self._browser.until(f"offsets.at(-1) >= {offset}")

    @property
    def offsets(self):
        return self._browser.evaluate("offsets")

    @property
    def states(self):
        return self._browser.evaluate("states")

    def assert_whole(self, system, first, types=""):
        """Each of the log's events behind `first`, once, in order."""
        logged = [each["offset"] for each in events(system) if each["offset"] >= first and each["type"].startswith(types)]
        until(lambda: len(self.offsets) >= len(logged), what="all events")
        assert self.offsets == logged
        assert self._browser.evaluate("missed") == 0


def head(system):
    return api(system, "GET", "/v1/info").json["head"]


def test_it_is_small_and_needs_nothing_else():
    source = Path(__file__).parents[2].joinpath("public", "leyden.js").read_bytes()
    assert len(gzip.compress(source, 9)) <= 6 * 1024
    assert b"\nimport " not in source and b"import(" not in source and b"http:" not in source and b"https:" not in source


def test_a_connection_that_is_cut_goes_on_where_it_was(system, browser, proxy):
    follower = Follower(browser, proxy, "events", system.api_key)
    follower.until_connected("websocket")
    start = head(system)
    for _ in range(3):
        create(system)
        proxy.cut()
        follower.until_lost()
        invoice = create(system)
        assert pay(system, invoice)["status"] == "succeeded"
        proxy.mend()
        follower.until_connected("websocket")
    follower.assert_whole(system, start + 1)


def test_events_go_on_over_every_transport(system, browser, proxy):
    follower = Follower(browser, proxy, "events", system.api_key)
    follower.until_connected("websocket")
    start = head(system)
    for keeps_back, transport in (({"websocket"}, "sse"), ({"websocket", "sse"}, "poll")):
        create(system)
        proxy.keeps_back = keeps_back
        proxy.cut()
        create(system)
        proxy.mend()
        follower.until_connected(transport)
        create(system)
        follower.until_offset(head(system))
    proxy.keeps_back = set()
    proxy.cut()
    create(system)
    proxy.mend()
    # Another network begins with the best way again.
    browser.evaluate('dispatchEvent(new Event("online"))')
    follower.until_connected("websocket")
    create(system)
    follower.assert_whole(system, start + 1)


def test_a_stream_that_never_had_a_websocket_takes_it_when_it_can(system, browser, proxy):
    """The other transports tell the epoch too, so it does not begin anew."""
    proxy.keeps_back = {"websocket"}
    follower = Follower(browser, proxy, "htlcs", system.api_key)
    follower.until_connected("sse")
    start = head(system)
    assert pay(system, create(system))["status"] == "succeeded"
    follower.until_offset(start + 1)
    proxy.keeps_back = set()
    proxy.cut()
    second = create(system)
    assert pay(system, second)["status"] == "succeeded"
    until_state(system, second, "settled")
    browser.evaluate('dispatchEvent(new Event("online"))')
    proxy.mend()
    follower.until_connected("websocket")
    follower.assert_whole(system, start + 1, "htlc.")


def test_a_gateway_that_starts_again_is_found_again(system, browser, proxy):
    follower = Follower(browser, proxy, "events", system.api_key)
    follower.until_connected("websocket")
    start = head(system)
    create(system)
    system.kill()
    follower.until_lost()
    system.start_gateway()
    invoice = create(system)
    assert pay(system, invoice)["status"] == "succeeded"
    until_state(system, invoice, "settled")
    follower.assert_whole(system, start + 1)


@pytest.mark.parametrize("keeps_back, transport", [((), "websocket"), (("websocket",), "sse"), (("websocket", "sse"), "poll")])
def test_over_every_transport_a_restored_log_is_said_to_be_another_one(system, browser, proxy, keeps_back, transport):
    proxy.keeps_back = set(keeps_back)
    follower = Follower(browser, proxy, "events", system.api_key)
    follower.until_connected(transport)
    create(system)
    browser.until("offsets.length === 1")
    system.kill()
    system.sql("UPDATE stream SET epoch = replace(gen_random_uuid()::text, '-', '')")
    system.start_gateway()
    browser.until("missed === 1", seconds=60)
    # Over whichever: a server that takes long to start is taken for one that lets no WebSocket through.
    browser.until('states.at(-1)?.state === "connected"', seconds=60)
    create(system)
    browser.until("offsets.length > 1")
    assert browser.evaluate("missed") == 1


@pytest.mark.parametrize("wake", ["visible", "online"])
def test_it_comes_back_at_once_when_somebody_looks_or_the_network_is_there(system, browser, proxy, wake):
    follower = Follower(browser, proxy, "events", system.api_key)
    follower.until_connected("websocket")
    # Without this it would come back much later, or by chance just now.
    browser.evaluate("Math.random = () => 1000")
    if wake == "visible":
        browser.hide()
        browser.until("document.hidden")
    proxy.cut()
    browser.until('states.at(-1).state === "lost"')
    proxy.mend()
    if wake == "visible":
        browser.show()
    else:
        browser.evaluate('dispatchEvent(new Event("online"))')
    follower.until_connected("websocket", seconds=20)


def test_a_key_that_is_none_is_refused_for_good(system, browser, proxy):
    for keeps_back, code in ((set(), 3500), ({"websocket"}, 401)):
        proxy.keeps_back = keeps_back
        follower = Follower(browser, proxy, "events", "ley_" + "0" * 16 + "_" + "0" * 64)
        browser.until('states.at(-1)?.state === "refused"')
        assert follower.states[-1]["code"] == code
        count = len(proxy.requests)
        browser.evaluate('dispatchEvent(new Event("online"))')
        assert len(proxy.requests) == count


# The payment page, which is made of it


@pytest.mark.parametrize("keeps_back, transport", [((), "websocket"), (("websocket",), "sse"), (("websocket", "sse"), "poll")])
def test_the_payment_page_gets_through(system, browser, proxy, keeps_back, transport):
    proxy.keeps_back = set(keeps_back)
    invoice = create(system, settlement="hold")
    browser.open(f"{proxy.base_url}/checkout/{invoice['watch_token']}")
    browser.until(state_is("open"))
    browser.until(connected_by(transport))
    paying = Paying(system, invoice)
    browser.until(state_is("accepted"))
    assert api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/settle", {}).status == 200
    browser.until(state_is("settled"))
    assert paying.result()["status"] == "succeeded"
    assert browser.complaints == []


def test_a_page_that_can_only_poll_lets_the_server_wait(system, browser, proxy):
    proxy.keeps_back = {"websocket", "sse"}
    invoice = create(system, settlement="hold")
    browser.open(f"{proxy.base_url}/checkout/{invoice['watch_token']}")
    waits = f"GET /v1/watch/{invoice['watch_token']}?wait=25&state="
    until(lambda: waits + "open" in proxy.requests, what="a poll that waits")
    count = len(proxy.requests)
    time.sleep(5)
    assert len(proxy.requests) == count, "nothing has happened, and nobody has asked"
    paying = Paying(system, invoice)
    browser.until(state_is("accepted"))
    until(lambda: waits + "accepted" in proxy.requests, what="a poll that knows the new state")
    assert api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/cancel", {}).status == 200
    browser.until(state_is("canceled"))
    assert paying.result()["status"] == "failed"


def test_a_page_that_was_frozen_while_it_was_paid_knows_it_when_it_wakes(system, browser, proxy):
    invoice = create(system)
    browser.open(f"{proxy.base_url}/checkout/{invoice['watch_token']}")
    browser.until(connected_by("websocket"))
    browser.freeze()
    proxy.cut()
    assert pay(system, invoice)["status"] == "succeeded"
    until_state(system, invoice, "settled")
    proxy.mend()
    browser.thaw()
    browser.until(state_is("settled"))


def test_a_page_in_the_background_hears_of_the_payment(system, browser, proxy):
    invoice = create(system)
    browser.open(f"{proxy.base_url}/checkout/{invoice['watch_token']}")
    browser.until(connected_by("websocket"))
    browser.hide()
    browser.until("document.hidden")
    assert pay(system, invoice)["status"] == "succeeded"
    browser.until(state_is("settled"))


def test_nothing_has_expired_before_the_server_says_so(system, browser, proxy):
    invoice = create(system)
    browser.open(proxy.base_url + "/docs")
    browser.until('document.readyState === "complete"')
    asked = f"GET /v1/watch/{invoice['watch_token']}"
    browser.evaluate(f"""import("/leyden.js").then(({{ Watch }}) => {{
        // A clock that is two hours fast.
        const now = Date.now; Date.now = () => now() + 7200000;
        window.told = [];
        window.watch = new Watch({json.dumps(invoice["watch_token"])});
        watch.addEventListener("invoice", ({{ detail }}) => told.push(detail.state));
        watch.open();
    }})""")
    until(lambda: proxy.requests.count(asked) >= 2, what="a question to the server")
    assert browser.evaluate("told") == ["open"]
    assert pay(system, invoice)["status"] == "succeeded"
    browser.until('told.at(-1) === "settled"')
    assert "expired" not in browser.evaluate("told")


def test_an_invoice_that_expires_is_said_to_be_expired(system, browser, proxy):
    invoice = create(system, expiry_seconds=2)
    browser.open(f"{proxy.base_url}/checkout/{invoice['watch_token']}")
    browser.until(state_is("expired"), seconds=20)
    assert api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").json["state"] == "expired"
