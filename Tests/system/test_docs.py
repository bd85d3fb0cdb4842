"""The page /docs writes both documents out, read by itself and without anything from elsewhere."""

import json
import subprocess

import pytest
from browser import Browser
from documents import PUBLIC, load

NODE = 'import { readYAML } from "./yaml.js"; import { readFileSync } from "node:fs"; console.log(JSON.stringify(readYAML(readFileSync(0, "utf8"))));'


def read_by_page(text):
    done = subprocess.run(["node", "--input-type=module", "-e", NODE], input=text, capture_output=True, text=True, cwd=PUBLIC, timeout=30)
    return json.loads(done.stdout) if done.returncode == 0 else None


@pytest.mark.parametrize("name", ["openapi.yaml", "asyncapi.yaml"])
def test_the_page_reads_the_documents_as_everybody_does(name):
    assert read_by_page((PUBLIC / name).read_text()) == json.loads(json.dumps(load(name)))


@pytest.mark.parametrize("text", ["a: {b", "a:\n    b: 1\n  c: 2\n", "a: *nothing", "just a text\nand another", 'a: "open'])
def test_what_the_page_cannot_read_it_refuses(text):
    assert read_by_page(text) is None


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


def test_every_operation_and_object_is_shown(system, browser):
    browser.open(system.base_url + "/docs#getInvoice")
    browser.until('document.documentElement?.dataset.reference === "ready"')
    shown = set(browser.evaluate('[...document.querySelectorAll("details[id]")].map((each) => each.id)'))
    document = load("openapi.yaml")
    operations = {operation["operationId"] for path in document["paths"].values() for name, operation in path.items() if name != "parameters"}
    assert operations <= shown and {f"openapi-{name}" for name in document["components"]["schemas"]} <= shown
    assert {f"asyncapi-{name}" for name in load("asyncapi.yaml")["components"]["schemas"]} <= shown
    assert browser.evaluate('document.getElementById("getInvoice").open')
    assert all(name in browser.evaluate('document.getElementById("createInvoice").textContent') for name in ("Idempotency-Key (header)", "RateLimit-Remaining"))
    broken = browser.evaluate("""[...document.querySelectorAll('a[href^="#"]')].map((each) => each.getAttribute("href").slice(1))
        .filter((id) => document.getElementById(id) === null)""")
    assert broken == [] and browser.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_screen_by_day_and_by_night(system, browser, scheme):
    browser.open(system.base_url + "/docs")
    browser.look(320, 640, scheme)
    browser.until('document.documentElement?.dataset.reference === "ready"')
    browser.evaluate('for (const each of document.querySelectorAll("details")) each.open = true')
    assert browser.evaluate("document.documentElement.scrollWidth") <= 320 and browser.complaints == []
    paper, ink = browser.evaluate('[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]')
    bright = [sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(","))) for color in (paper, ink)]
    assert (bright[0] > bright[1]) == (scheme == "light")
