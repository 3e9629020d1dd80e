# SPDX-License-Identifier: Apache-2.0
"""A server whose store is in PostgreSQL, and what happens to that: restarts, a second server, passwords, a store of the future. That everything
else is as on SQLite, the other files say (make e2e-postgres)."""

import pathlib
import shutil
import subprocess
import tempfile

import pytest
from conftest import ROOT, Server, clean_environment, program

ENGINE = ROOT / "tests" / "engines" / "postgres"
SECRET = "s3cret"
MLFLOW = "/api/2.0/mlflow"


class Postgres:
    """A private one. Its URL has a password, which is not asked for."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway-e2e-", dir="/tmp"))  # a socket's path must be short
        self.start()

    def start(self):
        done = subprocess.run([ENGINE, "start", self.folder], capture_output=True, text=True)
        if done.returncode == 77:
            pytest.skip(done.stderr.strip())
        assert done.returncode == 0, done.stderr
        self.bare_url = done.stdout.strip()
        self.url = self.bare_url.replace("slipway@", f"slipway:{SECRET}@")

    def stop(self):
        subprocess.run([ENGINE, "stop", self.folder], check=True)

    def sql(self, text):
        return subprocess.run(["psql", "-qAt", self.bare_url, "-c", text], check=True, capture_output=True, text=True).stdout.strip()

    def remove(self):
        subprocess.run([ENGINE, "stop", self.folder], capture_output=True)
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def postgres():
    one = Postgres()
    yield one
    one.remove()


@pytest.fixture
def url(postgres):
    """Of a schema of its own."""
    postgres.sql("DROP SCHEMA IF EXISTS one CASCADE; CREATE SCHEMA one")
    return f"{postgres.url}&options=-csearch_path%3Done"


@pytest.fixture
def server(tmp_path, url):
    one = Server(tmp_path / "store")
    one.arguments = ["--store", url]
    one.start()
    yield one
    one.stop()
    assert SECRET not in one.log()


def log_param(server, run, key):
    return server.post(f"{MLFLOW}/runs/log-parameter", {"run_id": run, "key": key, "value": "v"})


def params(server, run):
    answer = server.get(f"{MLFLOW}/runs/get", params={"run_id": run})
    assert answer.status_code == 200, answer.text
    return sorted(p["key"] for p in answer.json()["run"]["data"].get("params", []))


def refused(data, url, **environment):
    command = [str(program()), "server", "--data", str(data), "--listen", "127.0.0.1:0", "--store", url]
    done = subprocess.run(command, env=clean_environment(**environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.stdout == "" and SECRET not in done.stderr
    return done.returncode, done.stderr


def test_what_was_written_outlives_both_servers(server, postgres, tmp_path):
    run = server.post(f"{MLFLOW}/runs/create", {"experiment_id": "0", "start_time": 1}).json()["run"]["info"]["run_id"]
    assert log_param(server, run, "a").ok
    postgres.stop()
    away = log_param(server, run, "lost")
    assert away.status_code == 503 and away.json()["error_code"] == "TEMPORARILY_UNAVAILABLE", away.text
    assert "the store `postgresql://" in away.json()["message"] and SECRET not in away.text
    assert server.get(f"{MLFLOW}/runs/get", params={"run_id": run}).status_code == 503
    assert server.get("/health").status_code == 200
    postgres.start()
    assert params(server, run) == ["a"]
    assert log_param(server, run, "b").ok
    assert params(server, run) == ["a", "b"]
    server.kill()
    server.start()
    assert params(server, run) == ["a", "b"]
    assert SECRET not in server.get("v1/status").text
    assert not (tmp_path / "store" / "slipway.db").exists()


def test_a_second_server_is_refused(server, tmp_path, url):
    code, said = refused(tmp_path / "other", url)
    assert code == 7
    assert "another server has the store `postgresql:///slipway?host=" in said
    assert server.get("v1/status").status_code == 200


def test_a_newer_store_is_refused_by_name(server, postgres, tmp_path, url):
    server.stop()
    known = postgres.sql("SELECT max(version) FROM one.slipway_schema")
    postgres.sql("INSERT INTO one.slipway_schema (version) VALUES (9999)")
    code, said = refused(tmp_path / "store", url)
    assert code == 6
    assert f"has schema version 9999, this program knows versions up to {known}" in said
    postgres.sql("DELETE FROM one.slipway_schema WHERE version = 9999")
    server.start()
    assert server.get("v1/status").status_code == 200


def test_the_password_may_stand_in_the_environment(postgres, tmp_path, url):
    postgres.sql(f"DROP ROLE IF EXISTS ada; CREATE ROLE ada LOGIN PASSWORD '{SECRET}'; ALTER SCHEMA one OWNER TO ada; "
                 "GRANT CONNECT ON DATABASE slipway TO ada")
    rules = postgres.folder / "data" / "pg_hba.conf"
    rules.write_text("local all ada scram-sha-256\n" + rules.read_text())
    postgres.sql("SELECT pg_reload_conf()")
    mine = url.replace(f"slipway:{SECRET}@", "ada@")
    code, said = refused(tmp_path / "store", mine, HOME=str(tmp_path))
    assert code == 4 and "no password supplied" in said and "PGPASSWORD or ~/.pgpass" in said
    code, said = refused(tmp_path / "store", mine, HOME=str(tmp_path), PGPASSWORD="wrong" + SECRET[:2])
    assert code == 4 and "password authentication failed" in said
    one = Server(tmp_path / "store", environment={"PGPASSWORD": SECRET})
    one.arguments = ["--store", mine]
    one.start()
    assert one.get("v1/status").status_code == 200
    one.stop()
    assert SECRET not in one.log()
    postgres.sql("DROP OWNED BY ada CASCADE")


@pytest.mark.parametrize("bad", [f"mysql://ada:{SECRET}@h/d", SECRET, f"postgresql://ada:{SECRET}@[h/d", f"postgresql://h/d?{SECRET}=1"])
def test_a_bad_url_is_refused_and_not_repeated(tmp_path, bad):
    code, said = refused(tmp_path / "store", bad)
    assert code == 2 and "postgresql://USER@HOST:PORT/DATABASE" in said


def test_who_stays_with_sqlite_does_not_load_libpq(tmp_path):
    one = Server(tmp_path / "store")
    one.arguments = []
    one.start()
    try:
        assert one.get("v1/status").status_code == 200
        assert "libpq" not in pathlib.Path(f"/proc/{one.process.pid}/maps").read_text()
    finally:
        one.stop()
