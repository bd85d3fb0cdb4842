"""A small shop: it makes orders, follows what becomes of them, and keeps books of its own, by events alone.

What it knows is what a shop would have in its database: its orders, and the offset of the last event that it has dealt with. An event
that comes twice changes nothing, so every way on which events come may be used, also several at once."""

import contextlib
import http.client
import threading

from client import api, create
from wire import EventReader


class Shop:
    def __init__(self, system):
        self._system = system
        self._lock = threading.Lock()
        self._seen = set()
        self._reader = None
        self.offset = 0
        self.orders = {}
        # By payment hash: what was received for it, and what was left to the virtual channels.
        self.received, self.fees = {}, {}
        self.over = {}
        self.refused = {}
        # What to do with a payment that is held, by order.
        self.decisions = {}

    def order(self, order_id, amount_msat, decision=None, **fields):
        invoice = create(self._system, amount_msat, order_id=order_id, metadata={"shop": "corner", "till": len(self.orders) % 3}, **fields)
        with self._lock:
            self.orders[invoice["payment_hash"]] = invoice
            self.decisions[invoice["payment_hash"]] = decision
        return invoice

    # Ways on which events come

    def open(self):
        """Goes on behind the last event that was dealt with."""
        headers = {"Authorization": f"Bearer {self._system.api_key}", "Last-Event-ID": str(self.offset)}
        self._reader = EventReader(self._system, "/v1/events", headers, timeout=60)
        threading.Thread(target=self._follow, args=(self._reader,), daemon=True).start()

    def close(self):
        """As if somebody had pulled the plug."""
        reader, self._reader = self._reader, None
        reader.close()

    def _follow(self, reader):
        with contextlib.suppress(OSError, AssertionError, ValueError, AttributeError, http.client.HTTPException):
            while self._reader is reader:
                for offset, _, event in reader.take(1):
                    if self._reader is not reader:
                        return
                    self.happened(event)
                    self.offset = offset

    # What events mean

    def happened(self, event):
        with self._lock:
            if event["id"] in self._seen:
                return
            self._seen.add(event["id"])
            decide = self._book(event)
        if decide:
            decide()

    def _book(self, event):
        data = event["data"]
        paid = data.get("payment_hash")
        match event["type"]:
            case "htlc.settled":
                self.received[paid] = self.received.get(paid, 0) + data["amount_msat"]
                self.fees[paid] = self.fees.get(paid, 0) + data["fee_msat"]
            case "htlc.failed" if "set_id" not in data:
                self.refused.setdefault(paid, []).append(data["reason"])
            case "invoice.accepted" if self.decisions.get(paid):
                path = f"/v1/invoices/{paid}/{self.decisions[paid]}"
                return lambda: api(self._system, "POST", path, {"set_id": data["set_id"]})
            case "invoice.settled" | "invoice.canceled" | "invoice.expired" | "invoice.failed":
                self.over[paid] = event["type"].removeprefix("invoice.")
        return None

    @property
    def books(self):
        """Lines as the gateway exports them: type, payment, amount."""
        lines = {("payment", paid, amount) for paid, amount in self.received.items()}
        return lines | {("fee", paid, amount) for paid, amount in self.fees.items() if amount}
