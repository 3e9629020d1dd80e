# SPDX-License-Identifier: Apache-2.0
"""Stores that an older program wrote, whose conversion is killed in its midst or meets a full disk: they come up unharmed afterwards."""

import contextlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import time

import pytest
from conftest import ROOT, Server, clean_environment, program
from test_faults import DISK_BYTES, SmallDisk

RUNS = 2_000
KEYS = 5            # series a run, of POINTS points each, in the rows that schema 8 had for them
POINTS = 6
PAIRS = 15          # parameters and tags of a run, each
STEPS = {"0009_metric_fragments": 9, "0010_search": 10}
LEFT_BYTES = {9: 400 << 10, 10: 1 << 20}  # on the full disk: a part of what the step writes
KILLS = 8           # of each step
NEWEST = max(int(path.name[:4]) for path in (ROOT / "schema").glob("*.sql"))


def make_store(path, version):
    """A store as a program of that schema wrote it; from 9 on the steps themselves have made it from 8."""
    steps = sorted(path for path in (ROOT / "schema").glob("*.sql") if "." not in path.stem)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        for step in steps[:8]:
            database.executescript(step.read_text())
        database.execute("CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n",
                         (RUNS,))
        database.execute("INSERT INTO run (uuid, experiment, name, user_id, status, start_time_ms, artifact_uri) "
                         "SELECT printf('%032x', i), 0, 'run ' || i, 'u', 3, 1000 + i, 'mlflow-artifacts:/0/x' FROM n")
        for k in range(KEYS):
            database.execute("INSERT INTO series (run, key, tail_points) SELECT id, ?, ? FROM run", (f"m{k}", POINTS))
            database.execute("INSERT INTO latest (run, key, experiment, value, nan, step, time_ms) SELECT id, ?, 0, ?, 0, ?, ? FROM run",
                             (f"m{k}", float(POINTS - 1), POINTS - 1, 1000 + POINTS - 1))
        for point in range(POINTS):
            database.execute("INSERT INTO tail (series, time_ms, step, value, nan) SELECT id, ?, ?, ?, 0 FROM series",
                             (1000 + point, point, float(point)))
        for k in range(PAIRS):
            for table in ("param", "tag"):
                database.execute(f"INSERT INTO {table} (run, key, value) SELECT id, ?, 'value ' || (id % 10) || ? FROM run", (f"k{k}", "." * 30))
        for step in steps[8:version]:
            database.executescript(step.read_text())
        database.execute(f"PRAGMA user_version = {version}")
        database.commit()


pytestmark = pytest.mark.skipif("SLIPWAY_TEST_DATABASE" in os.environ, reason="the file of SQLite")


@pytest.fixture(scope="module")
def old_stores(tmp_path_factory):
    """{version: folder of a store of that schema}"""
    folders = {}
    for version in (8, 9):
        folders[version] = tmp_path_factory.mktemp(f"schema-{version}") / "store"
        folders[version].mkdir()
        make_store(folders[version] / "slipway.db", version)
    return folders


def state_of(store):
    """The schema that the store has, as SQLite's own library finds it after the fault."""
    with contextlib.closing(sqlite3.connect(store / "slipway.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return database.execute("PRAGMA user_version").fetchone()[0]


def check_whole(store):
    """The conversion goes on where it ended, and the store holds what it held."""
    server = Server(store)
    server.start()
    try:
        for i in (1, RUNS // 2, RUNS):
            answer = server.get("/api/2.0/mlflow/metrics/get-history", params={"run_id": f"{i:032x}", "metric_key": "m1"}).json()
            assert [(m["step"], m["value"]) for m in answer["metrics"]] == [(p, float(p)) for p in range(POINTS)]
        found = server.post("/api/2.0/mlflow/runs/search", {"experiment_ids": ["0"], "max_results": 1000, "order_by": ["tags.k2", "run_id"],
                                                            "filter": f"params.k1 = 'value 3{'.' * 30}'"}).json()["runs"]
        assert [int(run["info"]["run_id"], 16) for run in found] == list(range(3, RUNS + 1, 10))
        assert server.post("/api/2.0/mlflow/runs/log-metric", {"run_id": f"{1:032x}", "key": "m1", "value": 9, "timestamp": 9000, "step": 9}).ok
        assert server.post("/api/2.0/mlflow/runs/log-parameter", {"run_id": f"{1:032x}", "key": "new", "value": "v"}).ok
    finally:
        server.stop()
    with contextlib.closing(sqlite3.connect(store / "slipway.db")) as database:
        count = lambda table: database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: E731
        assert database.execute("PRAGMA user_version").fetchone()[0] == NEWEST
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert count("series") == RUNS * KEYS and count("tail") == RUNS * KEYS * POINTS
        assert count("param") == count("param_by_value") == RUNS * PAIRS + 1
        assert count("tag") == count("tag_by_value") == RUNS * PAIRS
        assert database.execute("SELECT name FROM sqlite_schema WHERE name LIKE '%measured%' AND type = 'table'").fetchall() == []


def kill_within(store, step, delay_s):
    """Starts a server on the store and kills it so long after it began that step."""
    with subprocess.Popen([str(program()), "server", "--data", str(store), "--listen", "127.0.0.1:0"], env=clean_environment(),
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        for line in process.stderr:
            if b"converted to a newer schema" in line and json.loads(line)["step"] == step:
                break
        else:
            pytest.fail(f"{step} never began")
        time.sleep(delay_s)
        process.kill()


@pytest.mark.parametrize("step", STEPS)
def test_a_conversion_that_is_killed_is_undone_and_made_again(tmp_path, old_stores, step):
    version = STEPS[step]
    rng = random.Random(version)
    within = 0
    for kill in range(KILLS):
        store = tmp_path / f"store-{kill}"
        shutil.copytree(old_stores[version - 1], store)
        kill_within(store, step, rng.uniform(0, 0.03))
        found = state_of(store)
        assert version - 1 <= found <= NEWEST
        within += found == version - 1
        if kill % 4 == 0 or kill == KILLS - 1:
            check_whole(store)
        shutil.rmtree(store)
    assert within >= 2, f"only {within} of {KILLS} kills came in the midst of {step}"


@pytest.mark.parametrize("step", STEPS)
def test_a_conversion_on_a_full_disk_is_undone_and_made_again(tmp_path, old_stores, step):
    """The disk holds the store and a part of what the step writes. What is left there is taken home and opened."""
    version = STEPS[step]
    old = old_stores[version - 1]
    size = (old / "slipway.db").stat().st_size
    disk = SmallDisk(tmp_path / "disk")
    home = tmp_path / "store"
    script = 'cp -r "$1" "$2/store" && head -c "$3" /dev/zero > "$2/ballast"; shift 3; "$@"; echo "exit $?"; cp -r "$PLACE/store" "$HOME_OF_STORE"'
    ballast = DISK_BYTES - size - LEFT_BYTES[version]
    assert ballast > 0, f"the store of {size} bytes is too large for the disk"
    command = [str(program()), "server", "--data", str(disk.place / "store"), "--listen", "127.0.0.1:0"]
    try:
        done = subprocess.run([*disk.prefix, "sh", "-c", script, "sh", str(old), str(disk.place), str(ballast), *command], text=True,
                              env=clean_environment(PLACE=str(disk.place), HOME_OF_STORE=str(home)), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60)
    finally:
        disk.remove()
    assert "exit 1" in done.stdout, done.stdout + done.stderr
    assert "the disk of the store is full; nothing of this write was kept" in done.stderr
    assert state_of(home) == version - 1
    check_whole(home)
