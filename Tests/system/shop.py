"""A small shop: it makes orders, follows what becomes of them, and keeps books of its own, by events alone.

It follows them on two ways that know nothing of each other, each with books of its own: a stream, for which it remembers the offset of the
last event that it has dealt with, and a webhook, for which it remembers which events it has seen. That is what a shop would have in its
database. An event that comes twice changes nothing."""

import contextlib
import http.client
import threading

from client import api, create, until
from instance import free_ports
from receiver import Receiver
from wire import EventReader


class Books:
    """What events say, whatever way they came on and in whatever order."""

    def __init__(self):
        self._lock = threading.Lock()
        self.seen = set()
        # By payment hash: what was received for it, and what was left to the virtual channels.
        self.received, self.fees = {}, {}
        self.over = {}
        self.refused = {}
        # Sets that are held, by payment hash.
        self.accepted = {}

    def enter(self, event):
        """False for what was entered before."""
        with self._lock:
            if event["id"] in self.seen:
                return False
            self.seen.add(event["id"])
            data = event["data"]
            paid = data.get("payment_hash")
            match event["type"]:
                case "htlc.settled":
                    self.received[paid] = self.received.get(paid, 0) + data["amount_msat"]
                    self.fees[paid] = self.fees.get(paid, 0) + data["fee_msat"]
                case "htlc.failed" if "set_id" not in data:
                    self.refused.setdefault(paid, []).append(data["reason"])
                case "invoice.accepted":
                    self.accepted[paid] = data["set_id"]
                case "invoice.settled" | "invoice.canceled" | "invoice.expired" | "invoice.failed":
                    assert paid not in self.over, "an order ended twice"
                    self.over[paid] = event["type"].removeprefix("invoice.")
            return True

    @property
    def lines(self):
        """As the gateway exports them: type, payment, amount."""
        lines = {("payment", paid, amount) for paid, amount in self.received.items()}
        return lines | {("fee", paid, amount) for paid, amount in self.fees.items() if amount}


class Stream:
    """Events as the gateway streams them; goes on behind the last one that was dealt with."""

    def __init__(self, system, key, happened):
        self._system, self._key, self._happened = system, key, happened
        self._reader = None
        self.books = Books()
        self.offset = 0

    def open(self):
        headers = {"Authorization": f"Bearer {self._key}", "Last-Event-ID": str(self.offset)}
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
                    if self.books.enter(event):
                        self._happened(self.books, event)
                    self.offset = offset


class Hook:
    """Events as the gateway sends them to a server of the shop's, which sometimes forgets to say that it has understood."""

    def __init__(self, system, key, happened, dice):
        self._happened, self._dice = happened, dice
        self._receiver, self._port = None, free_ports(1)[0]
        self.books = Books()
        self.forged, self.forgotten = [], 0
        self._listen()
        made = api(system, "POST", "/v1/webhooks", {"url": self._receiver.url, "events": ["invoice.*", "htlc.*"]}, key=key)
        assert made.status == 201, made.body
        self._secret = made.json["secret"]
        self.close()

    def open(self):
        self._listen()

    def close(self):
        receiver, self._receiver = self._receiver, None
        receiver.__exit__()

    def _listen(self):
        def listens():
            # Somebody's connection may have come from this port meanwhile.
            with contextlib.suppress(OSError):
                self._receiver = Receiver(self._take, port=self._port)
            return self._receiver

        until(listens, what="the shop's port free")

    def _take(self, delivery):
        # A connection of before outlives the listener.
        if self._receiver is None:
            return self._vanish
        try:
            event = delivery.verified(self._secret)
        except Exception as error:  # whatever the library says, this is not the gateway's
            self.forged.append(error)
            return 400, {}
        assert event["id"] == delivery.id
        if self.books.enter(event):
            self._happened(self.books, event)
            if self._dice.randrange(10) == 0:
                self.forgotten += 1
                return 500, {}
        return 204, {}

    @staticmethod
    def _vanish(handler):
        handler.close_connection = True


class Shop:
    def __init__(self, system, key, dice):
        self._system, self.key = system, key
        self.orders = {}
        # What to do with a payment that is held, by order.
        self._decisions = {}
        self.stream = Stream(system, key, self._happened)
        self.hook = Hook(system, key, self._happened, dice)

    def order(self, order_id, amount_msat, decision=None, **fields):
        metadata = {"shop": "corner", "till": len(self.orders) % 3}
        invoice = create(self._system, amount_msat, order_id=order_id, metadata=metadata, key=self.key, **fields)
        self._decisions[invoice["payment_hash"]] = decision
        self.orders[invoice["payment_hash"]] = invoice
        return invoice

    @property
    def ways(self):
        return {"stream": self.stream, "webhook": self.hook}

    def open(self):
        for way in self.ways.values():
            way.open()

    def close(self):
        for way in self.ways.values():
            way.close()

    def _happened(self, books, event):
        """Both ways may decide: to ask twice is safe."""
        if event["type"] != "invoice.accepted":
            return
        paid, chosen = event["data"]["payment_hash"], event["data"]["set_id"]
        if decision := self._decisions.get(paid):
            api(self._system, "POST", f"/v1/invoices/{paid}/{decision}", {"set_id": chosen}, key=self.key)
