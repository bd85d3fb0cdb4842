"""nginx and Caddy with the files of config/ in front of a gateway: on loopback, unprivileged, all they write in a directory of theirs."""

import os
import re
import shutil
import subprocess

from client import call, until
from instance import environment, free_ports


def program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin") or f"{name} is missing: scripts/test installs it"


class ReverseProxy:
    """Hands on to `system`; `change` may break what it was given to do."""

    def __init__(self, system, directory, change=lambda text: text):
        self.directory = directory
        directory.mkdir()
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        text = (system.root / "config" / self.source).read_text()
        (directory / "configuration").write_text(self.configuration(change(text), port, system.base_url.removeprefix("http://")))
        with open(directory / "log", "wb") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env={**environment(), **{name: str(directory) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}})

    def __enter__(self):
        try:
            until(self._answers, what=self.source)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)

    def _answers(self):
        assert self._process.poll() is None, (self.directory / "log").read_text()
        try:
            return call("GET", self.url + "/", timeout=5).status == 200
        except OSError:
            return False


class Nginx(ReverseProxy):
    source = "nginx.conf"
    # Without them there is no upgrade.
    upgrade = r"\n *proxy_set_header (Upgrade|Connection)[^\n]*"

    def command(self):
        return [program("nginx"), "-c", self.directory / "configuration", "-e", "stderr"]

    def configuration(self, site, port, gateway):
        site = site.replace("server 127.0.0.1:9780;", f"server {gateway};")
        site = re.sub(r"listen 443 ssl http2;", f"listen 127.0.0.1:{port};", site)
        site = re.sub(r"\n *(listen \[::\]|ssl_certificate)[^\n]*", "", site)
        places = "".join(f"    {name}_temp_path {self.directory}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"daemon off;\npid {self.directory}/pid;\nevents {{}}\nhttp {{\n    access_log off;\n{places}{site}}}\n"


class Caddy(ReverseProxy):
    source = "Caddyfile"

    def command(self):
        return [program("caddy"), "run", "--adapter", "caddyfile", "--config", self.directory / "configuration"]

    def configuration(self, site, port, gateway):
        site = site.replace("reverse_proxy 127.0.0.1:9780", f"reverse_proxy {gateway}")
        site = site.replace("pay.example {", f"http://127.0.0.1:{port} {{")
        return "{\n\tadmin off\n\tauto_https off\n\tgrace_period 1s\n\tdefault_bind 127.0.0.1\n}\n" + site
