"""Deliveries of webhooks per second to one fast endpoint while others hang; a part of the benchmark `api`."""

import time

from figures import Program, compile_c, cpu, median, pairs, ratio

COUNT = 10_000
DEAD = 50
CONCURRENCY = 32
CONNECTIONS = 32
MILLISECONDS = 1000
SETTINGS = "webhooks:\n  allow_private: true\n"


def tell(instance, sql, count):
    """As many events of account 1 at once, as a leader would commit them."""
    sql(f"""
        WITH s AS (UPDATE stream SET head = head + {count} RETURNING head - {count} AS base, part)
        INSERT INTO events ("offset", part, account, time, id, type, data)
        SELECT base + n, part, 1, now(), 'evt_' || md5(base::text || '/' || n), 'node.connected', '{{"node":"' || repeat('02', 33) || '","node_name":"alice"}}'
        FROM s, generate_series(1, {count}) n;
        SELECT pg_notify('leyden_events', head::text) FROM stream""")


def measure(report, instance, sql, rounds):
    """`instance` runs with SETTINGS, `sql` sends statements to its database, and its key has webhooks:write."""
    with (
        Program(1, compile_c("receiver")) as fast, Program(1, compile_c("receiver"), "hang") as dead,
        Program(1, compile_c("http"), port := fast.line()[0], CONNECTIONS) as bare,
    ):
        hang = dead.line()[0]
        for _ in range(DEAD):
            instance.post("/v1/webhooks", {"url": f"http://127.0.0.1:{hang}/", "events": ["*"]})
        instance.post("/v1/webhooks", {"url": f"http://127.0.0.1:{port}/", "events": ["*"], "concurrency": CONCURRENCY})
        body = '{"a":"' + "x" * 220 + '"}'
        text = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        bare.say(f"{len(text)} 1\n{text}")
        gateway = instance.pid("leyden")
        costs = []

        def deliveries():
            before, start, used = int(fast.ask("")[0]), time.monotonic(), cpu(gateway)
            tell(instance, sql, COUNT)
            while True:
                count, last = fast.ask("")
                if int(count) - before >= COUNT:
                    costs.append((cpu(gateway) - used) / COUNT)
                    return COUNT / (float(last) - start)
                if time.monotonic() - start > 60:
                    raise SystemExit(f"{int(count) - before} of {COUNT} deliveries within a minute")
                time.sleep(0.02)

        def posts():
            count, seconds, refused, _ = map(float, bare.ask(str(MILLISECONDS)))
            return count / seconds

        deliveries()
        costs.clear()
        found, ceiling = pairs(deliveries, posts, rounds)
        report.figure(
            "webhook", median(found), "/s", median(ceiling), ratio(found, ceiling), goal=">= 2,000/s",
            remark=f"{DEAD} endpoints hang; {median(costs) * 1e6:.0f} us of the gateway's processor time each; reference: a bare client's requests")
