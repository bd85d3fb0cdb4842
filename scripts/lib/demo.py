"""What scripts/demo does once everything is installed and built: starts the parts, pays, shows, and cleans up."""

import json
import os
import secrets
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from instance import Instance, Stopped
from websocket import Subscription, WebSocketClosed

ROOT = Path(__file__).resolve().parents[2]


class Failed(Exception):
    """Something that the demo promises did not happen."""


class EventLog(threading.Thread):
    """Prints each event as it arrives on the WebSocket and remembers it."""

    def __init__(self, instance):
        super().__init__(daemon=True)
        self._subscription = Subscription(instance.base_url, instance.api_key, "events", timeout=120)
        self._changed = threading.Condition()
        self._events = []
        self._lost = None

    def run(self):
        try:
            for event in self._subscription:
                self._print(event)
                with self._changed:
                    self._events.append(event)
                    self._changed.notify_all()
        except (WebSocketClosed, OSError, ValueError) as error:
            with self._changed:
                self._lost = error
                self._changed.notify_all()

    def wait(self, payment_hash, type, seconds=30):
        """The events of one payment up to and with the first of this type."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                seen = [event for event in self._events if event["data"].get("payment_hash") == payment_hash]
                for index, event in enumerate(seen):
                    if event["type"] == type:
                        return seen[: index + 1]
                if self._lost is not None:
                    raise Failed(f"the WebSocket was lost: {self._lost}")
                if not self._changed.wait(deadline - time.monotonic()):
                    raise Failed(f"no {type} within {seconds} s; seen: {[event['type'] for event in seen]}")

    @staticmethod
    def _print(event):
        data = event["data"]
        words = [f"{key}={data[key]}" for key in ("node_name", "amount_msat", "received_msat") if data.get(key) is not None]
        payment_hash = data.get("payment_hash", "")[:16]
        print(f"  {event['offset']:>6}  {event['type']:<24} {payment_hash:<16}  {' '.join(words)}", flush=True)


def expect(events, *types):
    """The types in their order; what stands with an HTLC may come as often as there are parts."""
    told = [event["type"] for event in events]
    folded = [type for index, type in enumerate(told) if index == 0 or told[index - 1] != type]
    if folded != list(types):
        raise Failed(f"expected {', '.join(types)}; the gateway told {', '.join(told)}")
    offsets = [event["offset"] for event in events]
    if offsets != sorted(set(offsets)):
        raise Failed(f"offsets are not in order: {offsets}")


LIFE = ("invoice.created", "htlc.accepted", "invoice.accepted", "invoice.settle_requested", "htlc.settled", "invoice.settled")


def pay_in_background(instance, invoice, parts):
    """Starts a payment; the returned function waits until the payer has the preimage."""
    box = {}

    def work():
        try:
            box["answer"] = instance.pay(invoice["payment_request"], parts)
        except Exception as error:  # handed over to the thread that waits
            box["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def result():
        thread.join(60)
        if "error" in box:
            raise Failed(f"the payer reports: {box['error']}")
        if "answer" not in box:
            raise Failed("the payer got no answer within 60 s")
        if box["answer"].get("status") != "succeeded" or not box["answer"].get("preimage"):
            raise Failed(f"the payer got no preimage: {json.dumps(box['answer'])}")

    return result


def hold_invoice(instance, log):
    print("A hold invoice over 21 sat: paid, held until somebody decides, settled.", flush=True)
    invoice = instance.post("/v1/invoices", {"amount_msat": 21_000, "description": "A jar of lightning", "settlement": "hold"})
    paid = pay_in_background(instance, invoice, [{"node": 0, "amount_msat": 21_000}])
    log.wait(invoice["payment_hash"], "invoice.accepted")
    instance.post(f"/v1/invoices/{invoice['payment_hash']}/settle", {})
    expect(log.wait(invoice["payment_hash"], "invoice.settled"), *LIFE)
    paid()
    check_settled(instance, invoice, 21_000)


def two_nodes(instance, log):
    print("An invoice over 100 sat: paid in two parts, one through each node.", flush=True)
    invoice = instance.post("/v1/invoices", {"amount_msat": 100_000, "description": "Two halves of a jar"})
    paid = pay_in_background(instance, invoice, [{"node": 0, "amount_msat": 40_000}, {"node": 1, "amount_msat": 60_000}])
    events = log.wait(invoice["payment_hash"], "invoice.settled")
    expect(events, *LIFE)
    nodes = {event["data"]["node"] for event in events if event["type"] == "htlc.settled"}
    if len(nodes) != 2:
        raise Failed(f"settled through {len(nodes)} node(s) instead of two")
    paid()
    check_settled(instance, invoice, 100_000)


def check_settled(instance, invoice, amount):
    stored = instance.get(f"/v1/invoices/{invoice['payment_hash']}")
    if stored["state"] != "settled" or stored["received_msat"] != amount or not stored.get("preimage"):
        raise Failed(f"the invoice is {stored['state']} with {stored['received_msat']} msat")


def publish(instance, checkout_url):
    """`.leyden/demo.json` names the newest running demo."""
    facts = {
        "base_url": instance.base_url,
        "api_key": instance.api_key,
        "checkout_url": checkout_url,
        "control_url": instance.control_url,
        "database_dsn": instance.dsn,
    }
    target = ROOT / ".leyden" / "demo.json"
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix="demo-json-")
    with os.fdopen(handle, "w") as file:
        json.dump(facts, file, indent=2)
        file.write("\n")
    os.replace(temporary, target)
    return facts


def withdraw(facts):
    """Takes the file back if it is still ours."""
    target = ROOT / ".leyden" / "demo.json"
    try:
        if json.loads(target.read_text()) == facts:
            target.unlink()
    except (OSError, ValueError):
        pass


def stay(instance, checkout_url):
    print(f"""
  dashboard     {instance.base_url}/
  API key       {instance.api_key}
  payment page  {checkout_url}
  pay it with   curl -d '{{"payment_request": "…"}}' {instance.control_url}/pay

  An invoice is paid every few seconds. Ctrl-C ends it all.""", flush=True)
    number = 0
    while True:
        instance.wait(5)
        number += 1
        amount = 1_000 * secrets.choice(range(1, 100))
        invoice = instance.post("/v1/invoices", {"amount_msat": amount, "description": f"Demo payment {number}", "expiry_seconds": 600})
        parts = [{"node": 0, "amount_msat": amount // 2}, {"node": 1, "amount_msat": amount - amount // 2}]
        try:
            pay_in_background(instance, invoice, parts)()
        except Failed as error:
            print(f"  payment {number}: {error}", flush=True)


def main():
    binaries, once = Path(sys.argv[1]), "--once" in sys.argv[2:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    facts = None
    # Whoever tries webhooks out here has the receiver on this machine.
    instance = Instance(ROOT, binaries, settings="webhooks:\n  allow_private: true\n")
    try:
        instance.start()
        log = EventLog(instance)
        log.start()
        hold_invoice(instance, log)
        two_nodes(instance, log)
        open_invoice = instance.post("/v1/invoices", {"amount_msat": 50_000, "description": "Pay me", "expiry_seconds": 86_400})
        facts = publish(instance, open_invoice["checkout_url"])
        if once:
            print("All of it happened.", flush=True)
        else:
            stay(instance, open_invoice["checkout_url"])
    except KeyboardInterrupt:
        return 0 if facts and not once else 130
    except (Failed, Stopped, WebSocketClosed, OSError) as error:
        instance.keep_logs()
        print(f"demo: {error}", file=sys.stderr, flush=True)
        return 1
    finally:
        # A second Ctrl-C must not leave anything running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if facts:
            withdraw(facts)
        instance.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
