"""Headless Chromium over the DevTools protocol: opens pages, evaluates expressions, and remembers what the browser complained of."""

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from websockets.sync.client import connect


class Browser:
    def __init__(self):
        executable = shutil.which("chromium")
        assert executable, "the Debian package chromium is not installed"
        self._profile = tempfile.mkdtemp(prefix="leyden-chromium-")
        self._process = subprocess.Popen(
            [executable, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server",
             "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0", f"--user-data-dir={self._profile}",
             "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": self._profile, "TMPDIR": self._profile})
        # The browser writes this file when it listens: the port and the path of its own endpoint.
        lines = self._wait(lambda: self._lines(Path(self._profile, "DevToolsActivePort")), "Chromium listening")
        self._connection = connect(f"ws://127.0.0.1:{lines[0]}{lines[1]}", max_size=None, proxy=None)
        self._socket = self._connection.__enter__()
        self._numbers = itertools.count(1)
        self._context = None
        self.complaints = []

    @staticmethod
    def _lines(path):
        lines = path.read_text().split() if path.exists() else []
        return lines if len(lines) == 2 else None

    def close(self):
        self._connection.__exit__(None, None, None)
        self._process.terminate()
        self._process.wait(15)
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, url):
        """A new tab without memory of earlier ones; what it complains of is collected from its first moment."""
        if self._context:
            self._call("Target.disposeBrowserContext", browserContextId=self._context)
        self.complaints = []
        self._context = context = self._call("Target.createBrowserContext")["browserContextId"]
        self._target = target = self._call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self._call(f"{domain}.enable")
        answer = self._call("Page.navigate", url=url)
        assert "errorText" not in answer, answer

    def freeze(self):
        """As the browser does with a tab that has been in the background for a while: nothing runs any more."""
        self._call("Page.setWebLifecycleState", state="frozen")

    def thaw(self):
        self._call("Page.setWebLifecycleState", state="active")

    def hide(self):
        """Another tab comes to the front."""
        self._call("Target.createTarget", url="about:blank", browserContextId=self._context)

    def show(self):
        self._call("Target.activateTarget", targetId=self._target)

    def look(self, width, height, scheme):
        """A screen of this size, `light` or `dark`."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True)
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def evaluate(self, expression):
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression, seconds=20):
        return self._wait(lambda: self.evaluate(expression), expression, seconds)

    def _wait(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, f"{what}: not within {seconds} s; complaints: {getattr(self, 'complaints', [])}"
            time.sleep(0.1)
        return value

    def _call(self, method, **parameters):
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        if not method.startswith("Target."):
            command["sessionId"] = self._session
        self._socket.send(json.dumps(command))
        while True:
            message = json.loads(self._socket.recv(timeout=30))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._listen(message)

    def _listen(self, message):
        details = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(details["exceptionDetails"])
            case "Runtime.consoleAPICalled" if details["type"] in ("error", "warning", "assert"):
                self.complaints.append([argument.get("value") for argument in details["args"]])
            # Violations of the Content-Security-Policy come here, and files that are missing.
            case "Log.entryAdded" if details["entry"]["level"] in ("error", "warning"):
                self.complaints.append({name: details["entry"].get(name) for name in ("source", "text", "url")})
            case "Network.requestWillBeSent":
                url = details["request"]["url"]
                if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "about:")):
                    self.complaints.append(f"asks another host: {url}")
