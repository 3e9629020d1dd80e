# SPDX-License-Identifier: Apache-2.0
"""A real server for each test that asks for one.

    server          a server on an empty store: .url, .data, .token, .get/.post/..., .cli(...), .restart(), .log()
    make_server     the same by hand, with arguments, as many as the test wants; all end with the test
    slipway         runs the program: slipway("stats", "list") -> CompletedProcess (text)

SLIPWAY_BIN names the program (default build/release/slipway). Where SLIPWAY_TEST_DATABASE holds the URL of a PostgreSQL database
(tests/engines/postgres), each server has its store there, in a schema of its own. Nothing else of the caller's environment leads a test
elsewhere.
"""

import hashlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY_S = 30
DRAIN_S = 20
FOREIGN = ("SLIPWAY_", "MLFLOW_", "DVC_")


def program():
    return pathlib.Path(os.environ.get("SLIPWAY_BIN") or ROOT / "build" / "release" / "slipway").resolve()


def clean_environment(**more):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # MLflow takes seconds to import without its byte code: kept below build/
    return {**kept, "PYTHONPYCACHEPREFIX": str(ROOT / "build" / "pycache"), "MLFLOW_DISABLE_TELEMETRY": "true",
            "DVC_NO_ANALYTICS": "1", "NO_COLOR": "1", **more}


def store_arguments(data):
    """Of a server whose data folder this is: none, or those that lead it to a schema of the test database; the same folder, the same schema."""
    url = os.environ.get("SLIPWAY_TEST_DATABASE")
    if not url:
        return []
    schema = "e2e_" + hashlib.sha256(str(data).encode()).hexdigest()[:24]
    subprocess.run(["psql", "-q", url, "-c", f"SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS {schema}"], check=True)
    return ["--store", f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"]


class Server:
    """One `slipway server` process on 127.0.0.1; errors go to a log beside its store."""

    def __init__(self, data, arguments=(), environment=None):
        self.data = pathlib.Path(data)
        self.log_path = self.data.with_name(self.data.name + ".log")
        self.arguments = [*store_arguments(self.data), *arguments]
        self.environment = clean_environment(**(environment or {}))
        self.process = None
        self.url = None
        self.port = 0

    def start(self, port=0):
        """Starts, and returns when it said that it can answer. Raises with its log if it ends before, or takes too long."""
        command = [str(program()), "server", "--data", str(self.data), "--listen", f"127.0.0.1:{port}", *self.arguments]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
                                            env=self.environment)
        killer = threading.Timer(READY_S, self.process.kill)
        killer.start()
        try:
            line = self.process.stdout.readline()
        finally:
            killer.cancel()
        ready = re.fullmatch(r"listening on (http://127\.0\.0\.1:(\d+))\n", line)
        if not ready:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"no ready line but {line!r}; log:\n{self.log()}")
        self.url, self.port = ready[1], int(ready[2])
        return self

    def stop(self):
        """SIGTERM; must drain and exit 0."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(DRAIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"did not end {DRAIN_S} s after SIGTERM; log:\n{self.log()}") from None
        self.process.stdout.close()
        if status != 0:
            raise RuntimeError(f"exited {status} after SIGTERM; log:\n{self.log()}")

    def kill(self):
        """kill -9, as a power button would for the process."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def restart(self):
        """Ends it in order if it is up, and starts it again on the same store and port."""
        self.stop()
        return self.start(self.port)

    def log(self):
        return self.log_path.read_text(errors="replace")[-10_000:] if self.log_path.exists() else ""

    @property
    def token(self):
        return (self.data / "token").read_text().strip()

    def request(self, method, path, **more):
        """A request with the server's token; `path` may be below /api/slipway/v1 ("v1/..."), or absolute ("/health")."""
        url = self.url + (path if path.startswith("/") else "/api/slipway/" + path)
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return requests.request(method, url, headers=headers, timeout=more.pop("timeout", 60), **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, json=None, **more):
        return self.request("POST", path, json=json, **more)

    def environ(self, **more):
        """For a client of this server: MLflow's and ours."""
        return clean_environment(SLIPWAY_URL=self.url, MLFLOW_TRACKING_URI=self.url, SLIPWAY_TOKEN=self.token, **more)

    def cli(self, *arguments, cwd=None, check=True, timeout=120, **environment):
        return run_program(arguments, self.environ(**environment), cwd, check, timeout)


def run_program(arguments, environment, cwd, check, timeout):
    done = subprocess.run([str(program()), *map(str, arguments)], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"slipway {' '.join(map(str, arguments))} exited {done.returncode}\n{done.stdout}{done.stderr}")
    return done


@pytest.fixture(scope="session", autouse=True)
def built():
    if not program().exists():
        pytest.exit(f"no program at {program()}: run `make build`, or name it with SLIPWAY_BIN", returncode=2)


@pytest.fixture
def make_server(tmp_path):
    """make_server(name="store", arguments=[...], environment={...}, start=True)"""
    started = []

    def make(name="store", arguments=(), environment=None, start=True):
        one = Server(tmp_path / name, arguments, environment)
        started.append(one)
        return one.start() if start else one

    yield make
    problems = []
    for one in started:
        try:
            one.stop()
        except RuntimeError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.fixture
def server(make_server):
    return make_server()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """One for a whole file: for tests that only add things with names of their own."""
    one = Server(tmp_path_factory.mktemp("shared") / "store").start()
    yield one
    one.stop()


@pytest.fixture
def slipway(tmp_path):
    """slipway("stats", "list", cwd=..., check=True, **environment): the program without a server, in an empty folder."""

    def run(*arguments, cwd=None, check=True, timeout=120, **environment):
        return run_program(arguments, clean_environment(**environment), cwd or tmp_path, check, timeout)

    return run


@pytest.fixture
def wait_until():
    """wait_until(condition, "what is awaited"): polls until it is true; fails after timeout_s."""

    def wait(condition, what, timeout_s=15):
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, f"still waiting after {timeout_s} s: {what}"
            time.sleep(0.02)

    return wait


@pytest.fixture
def repository(tmp_path):
    """An empty git repository with a name to commit under: repository("commit", "-qm", "x") runs git in it; .path."""

    class Repository:
        path = tmp_path / "repository"

        def __call__(self, *arguments):
            return subprocess.run(["git", "-C", str(self.path), "-c", "user.name=test", "-c", "user.email=test@example.invalid",
                                   "-c", "commit.gpgsign=false", *arguments], check=True, capture_output=True, text=True).stdout

    one = Repository()
    one.path.mkdir()
    one("init", "-q", "-b", "main")
    return one


@pytest.fixture
def free_port():
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
