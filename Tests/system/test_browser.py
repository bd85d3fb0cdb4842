"""The pages in a real browser: they follow what happens by themselves and break none of their own rules."""

import json

import pytest
from browser import Browser
from client import Paying, api, call, create, pay, until_state


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


def state_is(wanted):
    return f'document.querySelector("main")?.dataset.state === "{wanted}"'


def test_the_checkout_page_turns_to_paid_by_itself(system, browser):
    invoice = create(system, 250_000)
    browser.open(invoice["checkout_url"])
    browser.until(state_is("open"))
    browser.until('document.getElementById("connection")?.dataset.status === "connected"')
    assert browser.evaluate('document.getElementById("amount").textContent').strip() == "250"
    assert browser.until('document.querySelector("#qr img").naturalWidth > 0')
    link = browser.evaluate('document.getElementById("wallet").getAttribute("href")')
    assert link.lower() == "lightning:" + invoice["payment_request"]
    assert pay(system, invoice)["status"] == "succeeded"
    browser.until(state_is("settled"), seconds=5)
    assert browser.complaints == []


def test_the_checkout_page_shows_a_held_payment_and_its_end(system, browser):
    invoice = create(system, settlement="hold")
    browser.open(invoice["checkout_url"])
    browser.until(state_is("open"))
    paying = Paying(system, invoice)
    browser.until(state_is("accepted"))
    assert api(system, "POST", f"/v1/invoices/{invoice['payment_hash']}/cancel", {}).status == 200
    browser.until(state_is("canceled"))
    assert paying.result()["status"] == "failed"
    assert browser.complaints == []


def test_the_checkout_page_finds_out_what_happened_while_it_was_cut_off(system, browser):
    invoice = create(system)
    browser.open(invoice["checkout_url"])
    browser.until('document.getElementById("connection")?.dataset.status === "connected"')
    system.kill()
    system.start_gateway()
    assert pay(system, invoice)["status"] == "succeeded"
    browser.until(state_is("settled"), seconds=30)


def test_the_checkout_page_of_no_invoice_says_so(system, browser):
    browser.open(system.base_url + "/checkout/bm90aGluZw")
    browser.until(state_is("unknown"))


def test_markup_in_a_description_stays_text(system, browser):
    description = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    invoice = create(system, description=description)
    browser.open(invoice["checkout_url"])
    browser.until(state_is("open"))
    assert browser.evaluate('document.getElementById("description").textContent') == description
    assert browser.evaluate('document.querySelectorAll("#description *").length') == 0
    assert browser.evaluate("document.title") != "owned"
    assert browser.complaints == []


def test_the_dashboard_shows_nodes_invoices_and_live_events(system, browser):
    browser.open(system.base_url + "/")
    browser.until('document.readyState === "complete" && document.getElementById("door") !== null')
    sign_in = f"""
        document.getElementById("key").value = {json.dumps(system.api_key)};
        document.querySelector("#door button").click();
    """
    browser.evaluate(sign_in)
    browser.until('!document.getElementById("board").hidden')
    browser.until('document.getElementById("connection")?.dataset.status === "connected"')
    browser.until('document.getElementById("nodes").textContent.includes("alice")')
    invoice = create(system, description="seen on the dashboard")
    assert pay(system, invoice)["status"] == "succeeded"
    until_state(system, invoice, "settled")
    browser.until('document.getElementById("events").textContent.includes("invoice.settled")')
    browser.until('document.getElementById("invoices").textContent.includes("seen on the dashboard")')
    assert browser.complaints == []


def test_the_dashboard_refuses_a_key_that_is_none(system, browser):
    browser.open(system.base_url + "/")
    browser.until('document.readyState === "complete" && document.getElementById("door") !== null')
    browser.evaluate('document.getElementById("key").value = "ley_no_key"; document.querySelector("#door button").click()')
    browser.until('!document.getElementById("refusal").hidden')
    assert browser.evaluate('document.getElementById("board").hidden')


def test_every_page_has_a_strict_policy(system):
    for path in ("/", "/docs", "/checkout/anything"):
        answer = call("GET", system.base_url + path)
        assert answer.status == 200, path
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src" in policy and "unsafe-inline" not in policy and "unsafe-eval" not in policy, policy
        assert "frame-ancestors 'none'" in policy, policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
