# SPDX-License-Identifier: Apache-2.0
"""What the kill loop stands on: a server that can be killed, a connection, and a journal that outlives neither by accident."""

import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.parse

READY_S = 30
DRAIN_S = 30
ANSWER_S = 20
V1 = "/api/slipway/v1"
MLFLOW = "/api/2.0/mlflow"


class Refused(Exception):
    """An answer other than the ones that were expected: never the fault of a kill."""


class Journal:
    """Acknowledged writes of one client, on disk before the client goes on. `order` counts over all journals of a loop.

    tried() notes an intent, in memory: what was sent and not acknowledged may have happened, wholly or not at all.
    """

    order = itertools.count(1)

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")  # closed with the process
        self.acknowledged = []
        self.intents = []

    def add(self, kind, **facts):
        line = {"n": next(self.order), "kind": kind, **facts}
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        self.acknowledged.append(line)
        return line

    def tried(self, kind, **facts):
        self.intents.append({"n": next(self.order), "kind": kind, **facts})


class Connection:
    """One keep-alive connection. OSError and HTTPException mean that the server is gone, Refused that it said no."""

    def __init__(self, server):
        parsed = urllib.parse.urlparse(server.url)
        self.http = http.client.HTTPConnection(parsed.hostname, parsed.port, timeout=ANSWER_S)
        self.token = server.token

    def call(self, method, path, body=None, content_type="application/json"):
        payload = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        self.http.request(method, path, payload, {"Content-Type": content_type, "Authorization": f"Bearer {self.token}"})
        answer = self.http.getresponse()
        return answer.status, answer.read()

    def ask(self, method, path, body=None, content_type="application/json", expected=(200,)):
        status, data = self.call(method, path, body, content_type)
        if status not in expected:
            raise Refused(f"{method} {path}: {status} {data[:300]!r}")
        return json.loads(data or b"{}") if status == 200 else None

    def post(self, path, body, expected=(200,)):
        return self.ask("POST", path, body, expected=expected)

    def get(self, path, expected=(200,)):
        return self.ask("GET", path, expected=expected)


class Server:
    """`slipway server` on a folder and a free port, with further arguments."""

    def __init__(self, slipway, folder, arguments=()):
        self.slipway, self.folder, self.arguments = str(slipway), folder, list(arguments)
        self.log_path = folder.with_name("server.log")
        self.process = self.url = self.token = None
        self.slowest_start_s = 0.0

    def launch(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.slipway, "server", "--data", str(self.folder), "--listen", "127.0.0.1:0",
                                             *self.arguments],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)

    def start(self):
        begun = time.monotonic()
        self.launch()
        guard = threading.Timer(READY_S, self.process.kill)
        guard.start()
        line = self.process.stdout.readline()
        guard.cancel()
        ready = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)
        if not ready:
            raise Refused(f"the server did not start: {line!r}, {self.log_path} ends with {self.log()[-1000:]}")
        self.slowest_start_s = max(self.slowest_start_s, time.monotonic() - begun)
        self.url, self.token = ready[1], (self.folder / "token").read_text().strip()

    def kill(self):
        """SIGKILL. Refused if it was gone already: then it crashed by itself."""
        if self.process.poll() is not None:
            raise Refused(f"the server ended by itself with {self.process.returncode}: {self.log()[-1000:]}")
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DRAIN_S)
        self.process.stdout.close()
        return code

    def log(self):
        return self.log_path.read_text(errors="replace")
