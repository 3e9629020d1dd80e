# SPDX-License-Identifier: Apache-2.0
"""Metric histories as clients see them: a store from before fragments, long answers in pieces, kill -9 between acknowledged writes."""

import json
import pathlib
import sqlite3

import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
API = "/api/2.0/mlflow/"
RUN = "0123456789abcdef0123456789abcdef"
# The example of docs/formats/metric-chunk.md in format 1, as versions before schema 9 wrote it.
OLD_CHUNK = bytes.fromhex("0103d00f00010000020000c447fda81cc306c2a0")
OLD_POINTS = [(1000, 0, 0.5), (2000, 1, 0.5), (3000, 2, 0.25)]
TAIL = [(4000, 3, 1e-7), (4000, 4, "NaN"), (4500, -2, -1.5), (9000, 5, 0.1)]


def schema_8(path):
    """An empty store as the versions before schema 9 made it."""
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    for file in sorted((ROOT / "schema").glob("000[1-8]_*.sql")):
        store.executescript(file.read_text())
    store.execute("PRAGMA user_version = 8")
    return store


def old_store(folder):
    folder.mkdir()
    store = schema_8(folder / "slipway.db")
    store.execute("INSERT INTO run (id, uuid, experiment, name, user_id, status, start_time_ms, artifact_uri) VALUES (1, ?, 0, 'old', '', 1, 1, ?)",
                  (RUN, f"mlflow-artifacts:/0/{RUN}/artifacts"))
    store.execute("INSERT INTO series (id, run, key, tail_points, sealed_points, sealed_time_max_ms) VALUES (5, 1, 'both', 4, 3, 3000), "
                  "(6, 1, 'tail', 4, 0, NULL), (7, 1, 'chunk', 0, 3, 3000)")
    for series in (5, 7):
        store.execute("INSERT INTO chunk VALUES (?, 1, 3, 1000, 3000, 0, 2, ?)", (series, OLD_CHUNK))
    for series in (5, 6):
        for time_ms, step, value in TAIL:
            nan = value == "NaN"
            store.execute("INSERT INTO tail VALUES (?, ?, ?, ?, ?)", (series, time_ms, step, 0.0 if nan else value, nan))
    for key, (time_ms, step, value) in (("both", TAIL[3]), ("tail", TAIL[3]), ("chunk", OLD_POINTS[2])):
        store.execute("INSERT INTO latest VALUES (1, ?, 0, ?, 0, ?, ?)", (key, value, step, time_ms))
    store.close()


def history(server, key, run=RUN, **more):
    points, token = [], ""
    while True:
        answer = server.get(API + "metrics/get-history", params={"run_id": run, "metric_key": key, **more, **({"page_token": token} if token else {})})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        points += [(p["timestamp"], p["step"], p["value"]) for p in body.get("metrics", [])]
        token = body.get("next_page_token")
        if not token:
            return points


def log(server, run, points, key):
    body = {"run_id": run, "metrics": [{"key": key, "timestamp": t, "step": s, "value": v} for t, s, v in points]}
    answer = server.post(API + "runs/log-batch", body)
    assert answer.status_code == 200, answer.text


def create_run(server):
    return server.post(API + "runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]


def in_order(points):
    return sorted(points, key=lambda p: (p[0], p[1], 0 if p[2] == "NaN" else p[2]))


def test_a_store_from_before_fragments_keeps_every_point(make_server, tmp_path):
    old_store(tmp_path / "store")
    server = make_server()
    expected = {"both": OLD_POINTS + TAIL, "tail": list(TAIL), "chunk": list(OLD_POINTS)}
    for key, points in expected.items():
        assert history(server, key) == in_order(points)
        assert history(server, key, max_results=2) == in_order(points)
    # What is there already is dropped, wherever it is stored; what is late or new is not.
    late = (4000, 4, 2.5)
    for key, points in expected.items():
        log(server, RUN, points + [late], key)
        points.append(late)
        assert history(server, key) == in_order(points)
    # Killed, and grown until what was rows has been gathered into chunks.
    server.kill()
    server.start()
    for key, points in expected.items():
        more = [(10_000 + i, 100 + i, i / 7) for i in range(600)]
        log(server, RUN, more, key)
        points += more
        log(server, RUN, points[:900], key)
        assert history(server, key) == in_order(points)
    server.stop()
    store = sqlite3.connect(tmp_path / "store" / "slipway.db")
    assert store.execute("SELECT COUNT(*) FROM tail").fetchone() == (0,)
    assert store.execute("SELECT id, run, key, fragment_points + sealed_points FROM series ORDER BY id").fetchall() == [
        (5, 1, "both", 608), (6, 1, "tail", 605), (7, 1, "chunk", 604)]


def test_acknowledged_points_survive_kills_at_every_border(server):
    run = create_run(server)
    points = []
    for write in range(60):
        more = [(1_000 + write * 40 + i, write * 40 + i, i / 3) for i in range(1 + write * 7 % 40)]
        log(server, run, more, "m")
        points += more
        if write % 10 == 9:
            server.kill()
            server.start()
            assert history(server, "m", run) == in_order(points)
    log(server, run, points[-1000:], "m")  # a client that was not answered sends again
    assert history(server, "m", run) == in_order(points)


def test_a_long_history_comes_in_pieces_and_is_whole(server):
    run = create_run(server)
    key = "a key of \N{LATIN SMALL LETTER E WITH ACUTE}t\N{LATIN SMALL LETTER E WITH ACUTE}"
    count = 60_000
    points = [(1_700_000_000_000 + i, i, i / 7 if i % 1000 else "NaN") for i in range(count)]
    for i in range(0, count, 1000):
        log(server, run, points[i:i + 1000], key)
    url = server.url + API + "metrics/get-history"
    with requests.get(url, params={"run_id": run, "metric_key": key}, stream=True, timeout=60) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers.get("Transfer-Encoding") == "chunked"
        body = json.loads(answer.content)
    assert set(body) == {"metrics"}
    assert {p["key"] for p in body["metrics"]} == {key}
    assert [(p["timestamp"], p["step"], p["value"]) for p in body["metrics"]] == points
    # A limit that ends within a piece, and one that ends at the last point.
    for limit in (25_000, 59_999, 60_000):
        body = requests.get(url, params={"run_id": run, "metric_key": key, "max_results": limit}, timeout=60).json()
        assert len(body["metrics"]) == limit
        assert ("next_page_token" in body) == (limit < count)
    assert history(server, key, run, max_results=25_000) == points


@pytest.mark.parametrize("token", ["x", "MTI6Mw=="])
def test_a_foreign_token_is_refused_before_anything_is_sent(server, token):
    run = create_run(server)
    answer = server.get(API + "metrics/get-history", params={"run_id": run, "metric_key": "m", "page_token": token})
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
