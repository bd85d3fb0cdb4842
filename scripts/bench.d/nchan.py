"""nginx with Nchan as Debian has it, as a process of its own with a configuration of its own in a temporary directory.

The packages are unpacked, not installed: installing them would start a web server on this machine."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from figures import ROOT, pinned
from instance import free_ports

PACKAGES = ("nginx", "libnginx-mod-nchan")
CONFIGURATION = """
load_module {module};
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 200000;
pid {directory}/pid;
error_log {directory}/error.log warn;
events {{ worker_connections 100000; use epoll; multi_accept on; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_body_buffer_size 128k;
    keepalive_requests 1000000000;
    nchan_shared_memory_size 256m;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /connection/websocket {{ nchan_subscriber websocket; nchan_channel_id all; nchan_websocket_ping_interval 0; }}
        location = /publish {{ nchan_publisher; nchan_channel_id all; nchan_message_buffer_length 16; }}
    }}
}}
"""


def unpacked():
    """Where the packages are; `None` if they cannot be had."""
    directory = ROOT / ".build" / "bench" / "nchan"
    if not (directory / "usr/sbin/nginx").exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        for package in PACKAGES:
            if subprocess.run(["apt-get", "download", "-q", package], cwd=directory, capture_output=True, check=False).returncode != 0:
                return None
        for file in directory.glob("*.deb"):
            subprocess.run(["dpkg", "-x", file, directory], check=True)
    return directory


class Nchan:
    """Running on one core while it is entered."""

    def __init__(self, core, place):
        self._core, self._place = core, place
        (self.port,) = free_ports(1)

    def __enter__(self):
        self._directory = Path(tempfile.mkdtemp(prefix="leyden-nchan-"))
        configuration = self._directory / "nginx.conf"
        module = self._place / "usr/lib/nginx/modules/ngx_nchan_module.so"
        configuration.write_text(CONFIGURATION.format(module=module, directory=self._directory, port=self.port))
        self._process = subprocess.Popen(
            [self._place / "usr/sbin/nginx", "-c", configuration, "-p", self._directory, "-e", self._directory / "error.log"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pinned(self._core))
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = self._directory / "error.log"
                    raise SystemExit(f"nginx does not answer: {log.read_text() if log.exists() else 'no log'}") from None
                time.sleep(0.05)

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def pid(self):
        return self._process.pid
