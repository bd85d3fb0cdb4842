"""Requests that `http.c` asks over and over."""

import json

from figures import Program, compile_c, cpu, median

MILLISECONDS = 2000
CONNECTIONS = 64


def request(instance, method, path, fields=None):
    body = "" if fields is None else json.dumps(fields)
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {instance.api_key}\r\n"
    if fields is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head + "\r\n" + body


class Requests:
    """One kind of request over HTTP: how many are answered in a second, how late, and what each costs the gateway."""

    def __init__(self, instance, requests, status):
        self._gateway = instance.pid("leyden")
        self._client = Program(1, compile_c("http"), instance.base_url.rsplit(":", 1)[1], CONNECTIONS, status)
        self._text = f"{len(requests[0])} {len(requests)}\n{''.join(requests)}"
        self.costs, self.late = [], []

    def __enter__(self):
        self._client.__enter__()
        self._client.say(self._text)
        # The first time is not counted.
        self()
        self.costs, self.late = [], []
        return self

    def __exit__(self, *error):
        self._client.__exit__(*error)

    def __call__(self):
        before = cpu(self._gateway)
        count, seconds, refused, p99 = map(float, self._client.ask(str(MILLISECONDS)))
        if refused:
            raise SystemExit(f"{refused:.0f} requests were refused")
        self.costs.append((cpu(self._gateway) - before) / count)
        self.late.append(p99)
        return count / seconds

    @property
    def remark(self):
        cost = median(self.costs)
        return f"{cost * 1e6:.0f} us of the gateway's processor time each, so {1 / cost:,.0f}/s of a core alone"
