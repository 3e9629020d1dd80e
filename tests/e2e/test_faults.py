# SPDX-License-Identifier: Apache-2.0
"""Faults from outside: kills, a full disk, a store of the future, two servers at once, a port that is taken, and the end in order."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT, Server, clean_environment, program, store_arguments

FAULTS = ROOT / "tests" / "faults"
sys.path.insert(0, str(FAULTS))
KILL_LOOP_S = 300
DISK_BYTES = 24 << 20


def kill_loop(folder, *arguments):
    command = [sys.executable, str(FAULTS / "kill_loop.py"), str(program()), str(folder), *arguments, *store_arguments(folder)]
    return subprocess.run(command, env=clean_environment(),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=KILL_LOOP_S)


def test_fifty_kills_lose_nothing_that_was_acknowledged(tmp_path, capsys):
    done = kill_loop(tmp_path / "kills", "--kills", "50")
    with capsys.disabled():
        print(f"\n{done.stdout.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    numbers = re.match(r"50 kills \((\d+) during recovery\), (\d+) acknowledged writes, (\d+) checks, 0 missing", done.stdout)
    assert numbers, done.stdout
    early, acknowledged, checks = map(int, numbers.groups())
    assert early > 0 and acknowledged > 1_000 and checks > acknowledged
    shutil.rmtree(tmp_path / "kills")  # some 300 MB


def test_the_kill_loop_would_notice(tmp_path):
    """Each kind of acknowledged write, once, as a lie in the journal: the last check finds all of them."""
    done = kill_loop(tmp_path / "lies", "--kills", "2", "--forge")
    assert done.stdout == "15 kinds of lies, unnoticed: none\n", done.stdout + done.stderr
    assert done.returncode == 0


class SmallDisk:
    """Starts servers whose store is on a disk of DISK_BYTES: a tmpfs in a mount namespace of the server's own, which needs no root; where
    such namespaces are not allowed, one that root mounts. `folder(server)` is the disk as this process sees it."""

    IN_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
    MOUNT = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none"]

    def __init__(self, place):
        self.place = place
        place.mkdir()
        command = " ".join([*self.MOUNT, '"$1"'])
        probe = [*self.IN_NAMESPACE, "sh", "-c", command, "sh", str(place)]
        self.own_namespace = shutil.which("unshare") is not None and subprocess.run(probe, capture_output=True).returncode == 0
        if not self.own_namespace:
            mounted = subprocess.run([*self.MOUNT, str(place)], capture_output=True, text=True)
            if mounted.returncode != 0:
                pytest.skip(f"no small disk here: user namespaces are not allowed, and mount says: {mounted.stderr.strip()}")
        self.prefix = [*self.IN_NAMESPACE, "sh", "-c", f'{command} && shift && exec "$@"', "sh", str(place)] if self.own_namespace else []

    def folder(self, process):
        return pathlib.Path(f"/proc/{process.pid}/root{self.place}") if self.own_namespace else self.place

    def remove(self):
        if not self.own_namespace:
            subprocess.run(["umount", str(self.place)], check=True)


@pytest.fixture
def on_small_disk(tmp_path):
    """A kill_wire.Server on a small disk, with the world of the kill loop: (server, connection, world, folder of the disk)."""
    import kill_setup
    import kill_wire

    disk = SmallDisk(tmp_path / "disk")

    class Smothered(kill_wire.Server):
        def launch(self):
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen([*disk.prefix, self.slipway, "server", "--data", str(disk.place / "store"), "--listen",
                                                 "127.0.0.1:0"], env=clean_environment(), stdin=subprocess.DEVNULL,
                                                stdout=subprocess.PIPE, stderr=log, text=True)
            self.folder = disk.folder(self.process) / "store"

    server = Smothered(program(), disk.place / "store")
    server.log_path = tmp_path / "server.log"
    try:
        server.start()
        connection = kill_wire.Connection(server)
        yield server, connection, kill_setup.prepare(connection), disk.folder(server.process)
    finally:
        if server.process is not None and server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        disk.remove()


@contextlib.contextmanager
def lasting_disk(place):
    """A SmallDisk that outlives its servers, held by a process that sleeps: (prefix of a server's command, folder of the disk)."""
    disk = SmallDisk(place)
    with subprocess.Popen([*disk.prefix, "sleep", "600"], stdin=subprocess.DEVNULL) as holder:
        try:
            folder = disk.folder(holder)
            deadline = time.monotonic() + 30
            while os.statvfs(folder).f_blocks * os.statvfs(folder).f_frsize != DISK_BYTES:
                assert time.monotonic() < deadline, "the small disk does not come up"
                time.sleep(0.02)
            enter = ["nsenter", "--target", str(holder.pid), "--user", "--mount", "--preserve-credentials"]
            yield enter if disk.own_namespace else [], folder
        finally:
            holder.kill()
    disk.remove()


@contextlib.contextmanager
def full(folder):
    """Not a byte is left on the disk; what was taken is given back at the end."""
    ballast = folder / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(b"x" * 4096) == 4096:
                pass
        assert os.statvfs(folder).f_bavail == 0
        yield
    ballast.unlink()


def use_up(c, world):
    """Files that are there have some room in their last page: takes it."""
    from kill_loop import infer
    from kill_wire import MLFLOW

    for n in range(2_000):
        infer(c, world)
        if n >= 100 and c.call("POST", f"{MLFLOW}/experiments/create", {"name": f"use up {n}"})[0] != 200:
            return
    pytest.fail("the disk is not full")


def writes(c, prediction):
    """Each kind of write, as (what, function that returns status and body)."""
    from kill_setup import apply_body
    from kill_wire import MLFLOW, V1

    label = json.dumps({"prediction": prediction, "value": 1}).encode()
    return [
        ("run", lambda: c.call("POST", f"{MLFLOW}/runs/create", {"experiment_id": "0", "start_time": 1})),
        ("experiment", lambda: c.call("POST", f"{MLFLOW}/experiments/create", {"name": "x" * 400})),
        ("artifact", lambda: c.call("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/x/artifacts/f.bin", b"y" * 300_000, "application/octet-stream")),
        ("apply", lambda: c.call("POST", f"{V1}/apply", apply_body("full"))),
        ("promote", lambda: c.call("POST", f"{V1}/models/kill/promote", {"version": 2, "reason": "full"})),
        ("label", lambda: c.call("POST", f"{V1}/endpoints/kill/labels", label, "application/x-ndjson")),
        ("watermark", lambda: c.call("POST", f"{V1}/endpoints/kill/watermark", {"event_time": "2020-12-01T00:00:00Z"})),
    ]


def test_a_full_disk_stops_writes_but_not_reads_and_inference(on_small_disk, wait_until):
    from kill_loop import infer
    from kill_wire import MLFLOW, V1

    server, c, world, folder = on_small_disk
    run = c.post(f"{MLFLOW}/runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
    early = infer(c, world)[0]
    wait_until(lambda: c.call("GET", f"{V1}/predictions/{early}")[0] == 200, "the first record")
    with full(folder):
        use_up(c, world)
        late = infer(c, world)[0]  # its record waits in memory
        for what, write in writes(c, late):
            begun = time.monotonic()
            status, body = write()
            assert status == 507, f"{what}: {status} {body!r}"
            text = body.decode()
            assert "resource_exhausted" in text.lower() and ("disk" in text or "No space left on device" in text), f"{what}: {text}"
            assert time.monotonic() - begun < 5, f"{what} took its time to say no"
        # Twenty posts of labels at once wait for the log: reads are not queued up behind them.
        import kill_wire

        crowd = [threading.Thread(target=lambda: writes(kill_wire.Connection(server), late)[5][1]()) for _ in range(20)]
        for one in crowd:
            one.start()
        begun = time.monotonic()
        assert c.get(f"{MLFLOW}/runs/get?run_id={run}")["run"]["info"]["run_id"] == run
        assert time.monotonic() - begun < 5
        answered = [infer(c, world)[0] for _ in range(300)]
        for one in crowd:
            one.join()
        assert len(set(answered)) == 300
        for path in ("/health", f"{V1}/status", f"{V1}/endpoints/kill", f"{V1}/predictions/{early}", f"{V1}/events", "/metrics"):
            assert c.call("GET", path)[0] == 200, path
        assert c.get(f"{V1}/endpoints/kill")["rollout"] is None  # the refused promotion left nothing
    for what, write in writes(c, late):
        status, body = write()
        assert status == 200, f"{what}: {status} {body!r}"
    for prediction in (late, answered[0], answered[-1]):
        assert c.get(f"{V1}/predictions/{prediction}")["replay"]["equal"] is True
    assert c.get(f"{V1}/check")["violations"] == []
    assert "prediction log: nothing can be written" in server.log()
    assert server.stop() == 0


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_a_server_starts_on_a_full_disk_and_serves_reads_and_inference(tmp_path, end):
    """Whether it was killed there, and left its write-ahead log behind, or ended in order."""
    import kill_setup
    import kill_wire
    from kill_loop import infer
    from kill_wire import MLFLOW, V1

    with lasting_disk(tmp_path / "disk") as (prefix, folder):

        class Smothered(kill_wire.Server):
            def launch(self):
                with open(self.log_path, "ab") as log:
                    self.process = subprocess.Popen([*prefix, self.slipway, "server", "--data", str(tmp_path / "disk" / "store"), "--listen",
                                                     "127.0.0.1:0"], env=clean_environment(), stdin=subprocess.DEVNULL,
                                                    stdout=subprocess.PIPE, stderr=log, text=True)

        server = Smothered(program(), folder / "store")
        server.log_path = tmp_path / "server.log"
        server.start()
        try:
            c = kill_wire.Connection(server)
            world = kill_setup.prepare(c)
            run = c.post(f"{MLFLOW}/runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
            with full(folder):
                use_up(c, world)
                if end == "killed":
                    server.kill()
                else:
                    server.process.send_signal(signal.SIGTERM)
                    assert server.process.wait(30) == 0
                server.start()
                c = kill_wire.Connection(server)
                assert c.get(f"{MLFLOW}/runs/get?run_id={run}")["run"]["info"]["run_id"] == run
                answered = [infer(c, world)[0] for _ in range(20)]
                assert len(set(answered)) == 20
                for path in ("/health", f"{V1}/status", f"{V1}/endpoints/kill", f"{V1}/events", f"{V1}/story", "/metrics"):
                    assert c.call("GET", path)[0] == 200, path
                text = "z" * 400_000  # more than an end in order has given back
                status, body = c.call("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/x/artifacts/f.bin", text.encode() * 8, "application/octet-stream")
                assert status == 507, f"{status} {body!r}"
            assert c.post(f"{MLFLOW}/runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
        finally:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()


def test_mlflows_client_is_told_of_a_full_disk_at_once(on_small_disk, monkeypatch):
    """It repeats some statuses for minutes, and then says only how often it tried."""
    import mlflow

    server, _, _, folder = on_small_disk
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    client = mlflow.MlflowClient(server.url)
    run = client.create_run("0").info.run_id
    with full(folder):
        begun = time.monotonic()
        with pytest.raises(mlflow.exceptions.MlflowException, match="the disk of the store is full; nothing of this write was kept"):
            client.log_param(run, "p", "x" * 6_000)
        assert time.monotonic() - begun < 5
        assert client.get_run(run).data.params == {}
    client.log_param(run, "p", "y")
    assert client.get_run(run).data.params == {"p": "y"}


def fail_to_start(data, port=0, expected=6):
    command = [str(program()), "server", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    done = subprocess.run(command, env=clean_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == expected, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    return done.stderr


# Of PostgreSQL, test_postgresql.py asks the same.
@pytest.mark.skipif("SLIPWAY_TEST_DATABASE" in os.environ, reason="writes into the file of SQLite")
def test_a_store_newer_than_the_program_is_refused_by_name(make_server):
    server = make_server()
    server.stop()
    store = server.data / "slipway.db"
    with contextlib.closing(sqlite3.connect(store)) as database:
        known = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute("PRAGMA user_version = 9999")
        database.commit()
    before = hashlib.sha256(store.read_bytes()).hexdigest()
    said = fail_to_start(server.data)
    assert f"the store `{store}` has schema version 9999, this program knows versions up to {known}" in said
    assert "use the newer program that wrote it" in said
    assert hashlib.sha256(store.read_bytes()).hexdigest() == before
    with contextlib.closing(sqlite3.connect(store)) as database:
        database.execute(f"PRAGMA user_version = {known}")
        database.commit()
    server.start()
    assert server.get("v1/status").status_code == 200


def test_a_second_server_on_one_folder_is_refused_with_the_first_ones_address(server):
    said = fail_to_start(server.data)
    assert f"another server runs on the data folder `{server.data}`: {server.url}, process {server.process.pid}" in said
    assert server.get("v1/status").status_code == 200
    server.kill()
    server.start()  # a killed one does not hold the folder


def test_a_port_that_is_taken_is_told(server, tmp_path, free_port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        said = fail_to_start(tmp_path / "a", free_port, 7)
    assert f"cannot listen on 127.0.0.1:{free_port}: Address already in use; another program has this port" in said
    assert f"cannot listen on 127.0.0.1:{server.port}: Address already in use" in fail_to_start(tmp_path / "b", server.port, 7)
    assert server.get("/health").text == "OK"


def half_an_upload(server, size):
    """A PUT of an artifact of which the last byte has not been sent yet."""
    one = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    one.sendall(f"PUT /api/2.0/mlflow-artifacts/artifacts/0/x/artifacts/f.bin HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                f"Authorization: Bearer {server.token}\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n".encode()
                + b"z" * (size - 1))
    return one


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    except OSError:
        return False


def test_sigterm_answers_what_is_under_way_and_exits_0(make_server):
    server = make_server()
    idle = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    idle.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
    assert idle.recv(4096).startswith(b"HTTP/1.1 200 ")
    upload = half_an_upload(server, 500_000)
    time.sleep(0.3)  # so that the server is reading it
    begun = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert idle.recv(4096) == b""  # the idle connection is closed at once
    assert time.monotonic() - begun < 3
    while connects(server.port):  # each io thread closes its own acceptor: one may be a moment behind the other
        assert time.monotonic() - begun < 3
        time.sleep(0.01)
    assert server.process.poll() is None
    upload.sendall(b"z")
    assert upload.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert server.process.wait(10) == 0
    assert time.monotonic() - begun < 8
    assert not (server.data / "server.json").exists()
    again = Server(server.data).start()
    assert again.get("/api/2.0/mlflow-artifacts/artifacts/0/x/artifacts/f.bin").content == b"z" * 500_000
    again.stop()


def test_sigterm_does_not_wait_for_ever(make_server):
    """A request that never ends is given up after the grace of ten seconds; nothing of it is kept."""
    server = make_server()
    upload = half_an_upload(server, 100_000)
    time.sleep(0.3)
    begun = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0
    assert time.monotonic() - begun < 15
    ready, _, _ = select.select([upload], [], [], 5)
    assert ready and not upload.recv(4096).startswith(b"HTTP/1.1 200 ")
    server.start()
    assert server.get("/api/2.0/mlflow-artifacts/artifacts/0/x/artifacts/f.bin").status_code == 404
    left = [path for path in (server.data / "artifacts").rglob("*") if path.is_file()]
    assert left == []
