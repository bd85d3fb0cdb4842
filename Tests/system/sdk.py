"""What the tests with the unmodified client centrifuge-python share."""

import asyncio

from centrifuge import SubscriptionEventHandler


class Heard(SubscriptionEventHandler):
    """Everything that one subscription was told."""

    def __init__(self):
        self.publications, self.subscribed, self.ends, self.errors = [], [], [], []

    async def on_publication(self, context):
        self.publications.append(context.pub)

    async def on_subscribed(self, context):
        self.subscribed.append(context)

    async def on_unsubscribed(self, context):
        self.ends.append(context)

    async def on_error(self, context):
        self.errors.append(context)

    @property
    def objects(self):
        return [each.data for each in self.publications]

    def of(self, invoice):
        return [each["type"] for each in self.objects if each["data"].get("payment_hash") == invoice["payment_hash"]]


async def follow(client, channel, **options):
    heard = Heard()
    subscription = client.new_subscription(channel, heard, **options)
    await subscription.subscribe()
    await subscription.ready()
    return subscription, heard


def websocket_url(system):
    return system.base_url.replace("http", "ws", 1) + "/connection/websocket"


async def soon(condition, seconds=20):
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not come"
        await asyncio.sleep(0.02)


off_loop = asyncio.to_thread
