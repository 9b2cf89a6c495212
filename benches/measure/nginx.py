"""An nginx that answers every request with two bytes, on a core of its own."""

import re
import shutil
import socket
import tempfile
import time
import urllib.request
from pathlib import Path

from . import machine
from .child import Child, Failed
from .packages import find

CONFIG = """
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{
    worker_connections {connections};
}}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    default_type text/plain;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=65535;
        location / {{
            return 200 "ok";
        }}
        location = /status {{
            stub_status;
        }}
    }}
}}
"""


class Nginx:
    """One worker on a core, for as long as the `with` lasts."""

    def __init__(self, core):
        self.core = core
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mite-bench-"))
        descriptors = min(machine.descriptors(), 100_000)
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.folder, port=self.port,
                                        descriptors=descriptors, connections=descriptors - 50))
        command = [find("nginx"), "-p", self.folder, "-c", config, "-e", self.folder / "error.log"]
        self.child = Child(command, {self.core})
        until = time.monotonic() + 10
        while True:
            try:
                self.requests()
                return self
            except OSError as error:
                if self.child.poll() is not None or time.monotonic() > until:
                    said = self.child.said()
                    self.__exit__()
                    raise Failed(f"nginx does not answer: {error}\n{said}") from error
                time.sleep(0.02)

    def __exit__(self, *_):
        self.child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def requests(self):
        """How many requests it has had, this one included."""
        with urllib.request.urlopen(f"{self.url}/status", timeout=5) as answer:
            text = answer.read().decode()
        return int(re.search(r"^\s*\d+\s+\d+\s+(\d+)", text, re.MULTILINE).group(1))

    def version(self):
        with urllib.request.urlopen(self.url, timeout=5) as answer:
            return answer.headers.get("Server", "nginx")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
