"""Requests that a machine makes up from public/openapi.yaml, good ones and bad ones: none is answered with 500, and no answer is
outside the document. Each operation is carried out at least once."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from client import Paying, api, control, create, pay, until_state
from documents import load

SEED = 20261121
SECONDS = 75
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
SETTINGS = "edge: {streams_per_key: 1000}\nwebhooks: {allow_private: true}\n"


def program():
    beside = Path(sys.executable).with_name("schemathesis")
    return str(beside) if beside.exists() else shutil.which("schemathesis") or pytest.fail("schemathesis is missing: scripts/test installs it")


TERMS = {"description": "Tea", "min_msat": 1000, "max_msat": 5000}


def bodies(system):
    """What cannot be made up: invoices that can be paid, and a node."""
    outside = control(system, "/invoice", {"amount_msat": 9_000})["payment_request"]
    return {
        "createPayment": {"payment_request": outside, "fee_limit_msat": 100}, "decodeInvoice": {"payment_request": outside},
        "connectPeer": {"pubkey": "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "address": "127.0.0.1:9735"},
        "createPayLink": TERMS, "createAddress": {**TERMS, "name": "tea"}, "createAddressRequest": {"description": "Refund"}, "offerLogin": {},
        "redeliver": {"after": 0, "until": 1},
    }


def made(system):
    """What the operations with a name in their path need to be carried out: values of its parameters for each."""
    link = lambda: api(system, "POST", "/v1/lnurl/pay-links", TERMS).json["id"]  # noqa: E731
    addresses = iter(range(1000))
    address = lambda: api(system, "POST", "/v1/lnurl/addresses", {**TERMS, "name": f"shop{next(addresses)}"}).json["name"]  # noqa: E731
    question = api(system, "POST", "/v1/lnurl/address-requests", {"description": "Refund"}).json["id"]
    outside = control(system, "/invoice", {"amount_msat": 9_000})["payment_request"]
    payment = api(system, "POST", "/v1/payments", {"payment_request": outside, "fee_limit_msat": 100}).json["id"]
    hook = lambda: api(system, "POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/", "events": ["invoice.failed"]}).json["id"]  # noqa: E731
    held, other = create(system, settlement="hold"), create(system, settlement="hold")
    payers = [Paying(system, each) for each in (held, other)]
    for each in (held, other):
        until_state(system, each, "accepted")
    paid = create(system)
    assert pay(system, paid)["status"] == "succeeded"
    until_state(system, paid, "settled")
    node = api(system, "GET", "/v1/nodes").json["nodes"][0]["pubkey"]
    general = {"payment_hash": paid["payment_hash"], "watch_token": paid["watch_token"], "pubkey": node}
    special = {"settleInvoice": held["payment_hash"], "cancelInvoice": other["payment_hash"]}
    names = {
        "webhook_id": lambda _: hook(), "pay_link_id": lambda _: link(), "name": lambda _: address(), "payment_id": lambda _: payment,
        "id": lambda operation: question if "Address" in operation else system.key("nodes:read")["id"], "token": lambda _: "0" * 64,
        "payment_hash": lambda operation: special.get(operation, general["payment_hash"])}
    return payers, lambda operation, name: names[name](operation) if name in names else general[name]


def with_examples(document, value, bodies):
    """The document, with something in each path that there is. Each operation has its own, which it may delete."""
    def resolved(parameter):
        return document["components"]["parameters"][parameter["$ref"].rsplit("/", 1)[1]] if "$ref" in parameter else parameter

    for path in document["paths"].values():
        shared = [resolved(each) for each in path.pop("parameters", [])]
        for operation in path.values():
            own = [{**each, "example": value(operation["operationId"], each["name"])} for each in shared]
            of_path = [resolved(each) for each in operation.get("parameters", [])]
            operation["parameters"] = own + [
                {**each, "example": value(operation["operationId"], each["name"])} if each["in"] == "path" else each for each in of_path]
            if operation["operationId"] in bodies:
                operation["requestBody"]["content"]["application/json"]["example"] = bodies[operation["operationId"]]
    return document


def test_no_made_up_request_gets_an_answer_outside_the_document_and_every_operation_is_carried_out(system, tmp_path):
    payers, value = made(system)
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(with_examples(load("openapi.yaml"), value, bodies(system))))
    key = system.key("admin")["key"]
    report = tmp_path / "report.json"
    command = [
        program(), "run", str(document), "--url", system.base_url, "-H", f"Authorization: Bearer {key}", "-c", CHECKS,
        "--phases", "examples,coverage,fuzzing", "--max-time", str(SECONDS), "-n", "100", "-w", "2", "--seed", str(SEED), "--request-timeout", "70",
        "--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure", "--no-color",
        "--report-json-path", str(report)]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 120, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    rates = json.loads(report.read_text())["valid_rates"]
    accepted = {name for name, phases in rates.items() if any(phase["accepted"] for phase in phases.values())}
    wanted = {f"{method.upper()} {template}" for template, path in load("openapi.yaml")["paths"].items() for method in path if method != "parameters"}
    assert accepted >= wanted, f"never carried out: {sorted(wanted - accepted)}"
    assert system.is_running() and system.ready().status == 200
    for payer in payers:
        payer.join(60)
