#!/usr/bin/env python3
"""Makes a store for measuring searches: runs with metrics, parameters and tags in one experiment, and a registry with versions.
    bench/search_store.py FOLDER [--runs 100000] [--metrics 20] [--params 20] [--versions 200000]
FOLDER becomes a data folder for `slipway server`. Rows are made by SQLite itself through the schema in schema/, with what searches read;
histories of metrics are left out. Equal arguments make equal stores.

Metrics m00 … are evenly spread over [0, 1), each 1000th a NaN, and each run lacks m19 with probability 1/10. Parameters p00 … p09 have 3 values,
p10 … p17 have 1,000, p18 and p19 are different in every run. Run r has tag `batch` = r / 1000 and user u0 … u9."""
import argparse
import pathlib
import sqlite3
import time

root = pathlib.Path(__file__).resolve().parent.parent
START_MS = 1_700_000_000_000
# A hash of two numbers in [0, 1): the same in every SQLite.
HASH = "((({a} * 2654435761 + {b} * 40503 + 12345) % 4294967291) * (48271 + 2 * {b} * {b} + 2 * {b}) % 2147483647) / 2147483647.0"


def hashed(a, b):
    return HASH.format(a=a, b=b)


def make_runs(db, arguments):
    db.execute("INSERT INTO experiment (name, artifact_location, created_at_ms, updated_at_ms) VALUES ('search', 'mlflow-artifacts:/1', 0, 0)")
    db.execute(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {arguments.runs}) "
        "INSERT INTO run (uuid, experiment, name, user_id, status, start_time_ms, end_time_ms, artifact_uri) "
        f"SELECT printf('%08x%024x', (i * 2654435761) % 4294967296, i), 1, 'run-' || i, 'u' || (i % 10), CASE WHEN i % 1000 = 0 THEN 4 ELSE 3 END, "
        f"{START_MS} + i * 1000, {START_MS} + i * 1000 + i % 977, '' FROM n"
    )
    db.execute("UPDATE run SET artifact_uri = 'mlflow-artifacts:/1/' || uuid || '/artifacts'")
    for i in range(arguments.metrics):
        lacking = "WHERE r.id % 10 <> 0" if i == 19 else ""
        db.execute(
            "INSERT INTO latest (run, key, experiment, value, nan, step, time_ms) "
            f"SELECT r.id, 'm{i:02}', 1, CASE WHEN r.id % 1000 = {i} THEN 0 ELSE {hashed('r.id', i)} END, r.id % 1000 = {i}, 1, r.start_time_ms "
            f"FROM run r {lacking}"
        )
    for i in range(arguments.params):
        value = "r.id * 7 % 3" if i < 10 else f"(r.id * 7919 + {i}) % 1000" if i < 18 else f"printf('%08x', (r.id * 2654435761 + {i}) % 4294967296)"
        db.execute(f"INSERT INTO param (run, key, value) SELECT r.id, 'p{i:02}', 'v' || ({value}) FROM run r")
    for key, value in (("mlflow.runName", "r.name"), ("mlflow.user", "r.user_id"), ("batch", "'b' || (r.id / 1000)"), ("mlflow.source.name", "'train.py'")):
        db.execute(f"INSERT INTO tag (run, key, value) SELECT r.id, '{key}', {value} FROM run r")


def make_registry(db, arguments):
    """One model has half of the versions, a thousand share the rest."""
    db.execute(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        f"INSERT INTO registered_model (name, created_at, updated_at) SELECT printf('model-%04d', i), {START_MS}000 + i, {START_MS}000 + i FROM n"
    )
    db.execute(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {arguments.versions}) "
        "INSERT INTO model_version (model, version, created_at, updated_at, user_id, stage, description, source, location, run_id, run_link, model_id) "
        "SELECT CASE WHEN i % 2 = 0 THEN 1 ELSE 2 + (i / 2) % 1000 END, CASE WHEN i % 2 = 0 THEN i / 2 ELSE i / 2000 + 1 END, "
        f"{START_MS}000 + i * 1000, {START_MS}000 + i * 1000 + (i * 7919) % 100000, 'u' || (i % 10), "
        "CASE WHEN i % 1000 = 7 THEN 'Production' ELSE 'None' END, '', 's3://bucket/' || i, 's3://bucket/' || i, printf('%032x', i / 2), '', '' FROM n"
    )
    db.execute("INSERT INTO model_version_tag (version, name, value) SELECT key, 'team', 't' || (key % 50) FROM model_version")
    db.execute("INSERT INTO model_version_tag (version, name, value) SELECT key, 'digest', printf('%08x', (key * 2654435761) % 4294967296) FROM model_version")
    db.execute("INSERT INTO registered_model_tag (model, name, value) SELECT key, 'team', 't' || (key % 50) FROM registered_model")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--metrics", type=int, default=20)
    parser.add_argument("--params", type=int, default=20)
    parser.add_argument("--versions", type=int, default=200_000)
    parser.add_argument("--schema", type=int, default=None, help="stop at this schema version, to measure its migration")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    path = arguments.folder / "slipway.db"
    if path.exists():
        parser.error(f"{path} exists")
    started = time.monotonic()
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("auto_vacuum = INCREMENTAL", "journal_mode = OFF", "synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY"):
        db.execute("PRAGMA " + pragma)
    steps = [s for s in sorted((root / "schema").glob("*.sql")) if arguments.schema is None or int(s.name[:4]) <= arguments.schema]
    for step in steps:
        db.executescript(step.read_text())
    db.execute(f"PRAGMA user_version = {int(steps[-1].name[:4])}")
    db.execute("BEGIN")
    make_runs(db, arguments)
    make_registry(db, arguments)
    db.execute("COMMIT")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    print(f"{path}: {arguments.runs} runs, {arguments.versions} versions, {path.stat().st_size >> 20} MiB in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
