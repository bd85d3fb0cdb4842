"""Whole copies of the system for the tests: Postgres, simulated nodes and the gateway, as scripts/demo starts them."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from copies import Copy  # noqa: E402


def binaries():
    given = os.environ.get("TEST_BINARIES")
    if given:
        return Path(given)
    for build in ("release", "debug"):
        path = ROOT / ".build" / build
        if (path / "leyden").exists() and (path / "lnsim").exists():
            return path
    pytest.exit("build leyden and lnsim first (scripts/test does)", returncode=1)


@pytest.fixture(scope="module")
def system(request):
    """One copy for all tests of a file, which therefore use invoices of their own. A file's SETTINGS go into its configuration,
    and ROLE is what the gateway runs as."""
    copy = Copy(ROOT, binaries(), nodes=2, settings=getattr(request.module, "SETTINGS", ""), role=getattr(request.module, "ROLE", "all"))
    failed = request.session.testsfailed
    try:
        copy.start()
        yield copy
    finally:
        if request.session.testsfailed > failed:
            copy.keep_logs()
        copy.stop()
