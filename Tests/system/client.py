"""What the tests say to the gateway and to the simulated nodes."""

import json
import threading
import time
import urllib.error
import urllib.request

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


def call(method, url, body=None, key=None, headers=None, timeout=60):
    """Any answer, errors too."""
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", **(headers or {})}
    if key:
        fields["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, data, fields, method=method)
    try:
        with DIRECT.open(request, timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def api(system, method, path, body=None, **options):
    return call(method, system.base_url + path, body, key=options.pop("key", system.api_key), **options)


def control(system, path, body=None):
    answer = call("POST", system.control_url + path, body or {})
    assert answer.status < 300, (path, answer.status, answer.body)
    return answer.json


def simulated(system):
    """What the simulated nodes say of themselves."""
    return call("GET", system.control_url + "/state").json["nodes"]


def create(system, amount_msat=100_000, key=None, **fields):
    answer = api(system, "POST", "/v1/invoices", {"amount_msat": amount_msat, "description": "test", **fields}, key=key or system.api_key)
    assert answer.status == 201, answer.body
    return answer.json


def pay(system, invoice, parts=None, **options):
    """Pays and waits for the payer's result."""
    parts = parts or [{"node": 0, "amount_msat": invoice["amount_msat"]}]
    body = {"payment_request": invoice["payment_request"], "parts": parts, **options}
    answer = call("POST", system.control_url + "/pay", body)
    assert answer.status == 200, answer.body
    return answer.json


class Paying(threading.Thread):
    """Pays beside the test; `result` waits for the end."""

    def __init__(self, system, invoice, parts=None, **options):
        super().__init__(daemon=True)
        self._work = lambda: pay(system, invoice, parts, **options)
        self._result = self._error = None
        self.start()

    def run(self):
        try:
            self._result = self._work()
        except BaseException as error:  # handed to the thread that asks
            self._error = error

    def result(self, timeout=60):
        self.join(timeout)
        if self._error:
            raise self._error
        assert self._result is not None, "the payer is still waiting"
        return self._result


def until(condition, seconds=30, what="the condition"):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s"
        time.sleep(0.05)


def state(system, invoice):
    """`None` while the gateway cannot say."""
    return api(system, "GET", f"/v1/invoices/{invoice['payment_hash']}").json.get("state")


def until_state(system, invoice, wanted, seconds=30):
    until(lambda: state(system, invoice) == wanted, seconds, f"state {wanted} of {invoice['payment_hash'][:8]}")


def events(system, payment_hash=None, after=0, key=None):
    """The whole log that the key sees, page by page; of one payment if a hash is given."""
    found = []
    while after is not None:
        page = api(system, "GET", f"/v1/events?after={after}&limit=500", key=key or system.api_key).json
        found += page["events"]
        after = page["next"]
    return [event for event in found if payment_hash in (None, event["data"].get("payment_hash"))]


def types(list_of_events):
    return [event["type"] for event in list_of_events]


def assert_dense(system):
    offsets = [event["offset"] for event in events(system)]
    assert offsets == list(range(1, len(offsets) + 1)), "the log has a gap or a repetition"
    ids = [event["id"] for event in events(system)]
    assert len(ids) == len(set(ids)), "an event was told under two offsets"
