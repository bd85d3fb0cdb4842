"""Requests that a machine makes up from public/openapi.yaml, good ones and bad ones: none is answered with 500, and no answer is
outside the document."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from client import create, pay
from documents import PUBLIC

SEED = 20261121
SECONDS = 75
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
SETTINGS = "edge: {streams_per_key: 1000}\n"


def program():
    beside = Path(sys.executable).with_name("schemathesis")
    return str(beside) if beside.exists() else shutil.which("schemathesis") or pytest.fail("schemathesis is missing: scripts/test installs it")


def test_no_made_up_request_gets_an_answer_outside_the_document(system, tmp_path):
    # With something in the log nobody waits for it.
    assert pay(system, create(system))["status"] == "succeeded"
    key = system.key("admin")["key"]
    report = tmp_path / "report.json"
    command = [
        program(), "run", str(PUBLIC / "openapi.yaml"), "--url", system.base_url, "-H", f"Authorization: Bearer {key}", "-c", CHECKS,
        "--phases", "examples,coverage,fuzzing", "--max-time", str(SECONDS), "-n", "100", "-w", "2", "--seed", str(SEED), "--request-timeout", "70",
        "--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure", "--no-color",
        "--report-json-path", str(report)]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 120, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert report.exists() and json.loads(report.read_text())
    assert system.is_running() and system.ready().status == 200
