"""What openapi.yaml takes as a request the gateway takes, and what it refuses the gateway refuses."""

import json

import pytest
from client import call
from documents import Rest

SETTINGS = "webhooks: {allow_private: true}\n"


@pytest.fixture(scope="module")
def rest():
    return Rest()


def test_requests_are_what_the_document_says_they_may_be(system, rest):
    """What the schema takes the gateway takes, and what it refuses the gateway refuses."""
    for body in ({}, {"amount_msat": 1}, {"amount_msat": None, "description": None, "metadata": None, "settlement": None},
                 {"amount_msat": 0}, {"amount_msat": -1}, {"amount_msat": 1.5}, {"amount_msat": "1"}, {"description": 1}, {"description_hash": "zz"},
                 {"expiry_seconds": 0}, {"expiry_seconds": 31_536_000}, {"expiry_seconds": 31_536_001}, {"settlement": "later"}, {"metadata": []},
                 {"metadata": {}}, {"stateless": "yes"}, {"stateless": True}, {"burn": True}, {"description_hash": "ab" * 32},
                 {"order_id": "a"}, {"order_id": ""}, {"order_id": "a" * 129}, {"order_id": 1}, {"order_id": None}):
        answer = call("POST", system.base_url + "/v1/invoices", body, key=system.api_key)
        assert (answer.status == 201) == rest.accepts("InvoiceRequest", body), (body, json.loads(answer.body))


def test_requests_for_webhooks_are_what_the_document_says_they_may_be(system, rest):
    url, events = "https://a.example/", ["*"]
    for body in ({"url": url, "events": events}, {"url": url}, {"events": events}, {}, {"url": url, "events": []}, {"url": url, "events": ["invoice.*", "htlc.failed"]},
                 {"url": url, "events": "*"}, {"url": url, "events": events, "signatures": ["v1a"]}, {"url": url, "events": events, "signatures": ["v1", "v1"]},
                 {"url": url, "events": events, "concurrency": 65}, {"url": url, "events": events, "concurrency": 64}, {"url": url, "events": events, "secret": "x"}):
        answer = call("POST", system.base_url + "/v1/webhooks", body, key=system.api_key)
        # The account has as many as it may have.
        assert (answer.status in (201, 409)) == rest.accepts("WebhookRequest", body), (body, json.loads(answer.body))
