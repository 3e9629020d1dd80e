# SPDX-License-Identifier: Apache-2.0
"""What a repro leaves in tracking: a run for the execution, a child for each stage, and the script's own runs under its stage."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
import requests

SLIPWAY = os.environ.get("SLIPWAY_BIN", "build/release/slipway")

PIPELINE = """\
stages:
  prepare:
    cmd: cp raw data
    deps: [raw]
    outs: [data]
  train:
    cmd: python train.py
    deps: [data, train.py]
    params: [lr, model.depth]
    outs: [model]
    metrics: [{metrics.json: {cache: false}}]
"""
SCRIPT = """\
import json, mlflow, os
assert "SLIPWAY_TOKEN" not in os.environ
mlflow.set_experiment("the-scripts-own")
with mlflow.start_run():
    mlflow.log_metric("x", 1.5)
open("model", "w").write("m" + open("data").read())
json.dump({"test": {"auc": 0.75, "name": "text"}}, open("metrics.json", "w"))
"""


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "flights"
    root.mkdir()
    env = dict(os.environ, HOME=str(tmp_path), SHELL="/bin/sh", PYTHONDONTWRITEBYTECODE="1",
               PATH=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_EXPERIMENT_NAME", "SLIPWAY_URL", "SLIPWAY_TOKEN"):
        env.pop(name, None)
    for path, text in {"dvc.yaml": PIPELINE, "train.py": SCRIPT, "raw": "1\n", "params.yaml": "lr: 0.1\nmodel: {depth: 3}\n"}.items():
        (root / path).write_text(text)
    for command in (["git", "init", "-q", "-b", "main", "."], [SLIPWAY, "init", "-q"], ["git", "add", "."],
                    ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "one"]):
        subprocess.run(command, cwd=root, env=env, check=True)
    return root, env


@pytest.fixture
def server(repository):
    root, env = repository
    process = subprocess.Popen([SLIPWAY, "server", "--listen", "127.0.0.1:0"], cwd=root, env=env, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line.startswith("listening on http"), line
    yield line.split()[-1]
    process.terminate()
    assert process.wait(timeout=30) == 0


def repro(repository, **more):
    root, env = repository
    return subprocess.run([SLIPWAY, "repro"], cwd=root, env={**env, **more}, capture_output=True, text=True, timeout=120, check=False)


def runs_of(url, experiment):
    found = requests.get(f"{url}/api/2.0/mlflow/experiments/get-by-name", params={"experiment_name": experiment}, timeout=10).json()
    answer = requests.post(f"{url}/api/2.0/mlflow/runs/search", json={"experiment_ids": [found["experiment"]["experiment_id"]]}, timeout=10)
    runs = {}
    for run in answer.json().get("runs", []):
        data = {kind: {pair["key"]: pair["value"] for pair in run["data"].get(kind, [])} for kind in ("params", "metrics", "tags")}
        runs.setdefault(run["info"]["run_name"], []).append({**run["info"], **data})
    return runs


def test_stages_are_children_and_scripts_their_children(repository, server):
    root, env = repository
    done = repro(repository, SLIPWAY_RETRAINING="01ABC")
    assert done.returncode == 0, done.stderr
    runs = runs_of(server, "flights")
    assert {name: len(some) for name, some in runs.items()} == {"repro": 1, "prepare": 1, "train": 1}
    whole, train = runs["repro"][0], runs["train"][0]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    assert whole["status"] == train["status"] == "FINISHED"
    assert whole["tags"]["slipway.retraining"] == "01ABC"
    assert train["tags"]["mlflow.parentRunId"] == whole["run_id"]
    assert train["tags"]["slipway.commit"] == commit
    assert train["tags"]["slipway.dirty"] == "false"
    assert train["params"] == {"lr": "0.1", "model.depth": "3"}
    assert train["metrics"] == {"test.auc": 0.75}
    assert [d["path"] for d in json.loads(train["tags"]["slipway.deps"])] == ["data", "train.py"]
    assert [o["path"] for o in json.loads(train["tags"]["slipway.outs"])] == ["metrics.json", "model"]
    assert json.loads(train["tags"]["slipway.env"])["python"] == ".".join(map(str, sys.version_info[:3]))
    own = [run for some in runs_of(server, "the-scripts-own").values() for run in some]
    assert [run["tags"]["mlflow.parentRunId"] for run in own] == [train["run_id"]]

    # Nothing to do: nothing recorded. Outputs from the run cache: recorded as such.
    assert repro(repository).returncode == 0
    assert len(runs_of(server, "flights")["repro"]) == 1
    (root / "model").unlink()
    assert "is cached" in repro(repository).stdout
    runs = runs_of(server, "flights")
    assert sorted(run["tags"].get("slipway.cached", "") for run in runs["train"]) == ["", "true"]

    # A failure is recorded with its reason, and its token is worth nothing afterwards.
    (root / "train.py").write_text("import os\nopen('token', 'w').write(os.environ['MLFLOW_TRACKING_TOKEN'])\nraise SystemExit(3)\n")
    assert repro(repository).returncode == 255
    failed = [run for run in runs_of(server, "flights")["train"] if run["status"] == "FAILED"]
    assert [run["tags"]["slipway.reason"] for run in failed] == ["failed to run: python train.py, exited with 3"]
    token = (root / "token").read_text()
    fresh = requests.post(f"{server}/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    tags = {tag["key"]: tag["value"] for tag in fresh.json().get("run", {}).get("data", {}).get("tags", [])}
    assert "mlflow.parentRunId" not in tags


def test_recording_needs_the_servers_token(repository, server):
    root, _ = repository
    done = repro(repository, SLIPWAY_TOKEN="wrong")
    assert done.returncode == 255
    assert "did not record the run" in done.stderr
    assert not (root / "dvc.lock").exists()
    assert requests.post(f"{server}/api/slipway/v1/stage-runs/repros", json={"repro": "x", "experiment": "y"}, timeout=10).status_code == 401


def test_without_a_server(repository):
    root, _ = repository
    (root / "train.py").write_text("import os\nassert 'MLFLOW_TRACKING_URI' not in os.environ\nopen('model','w'); open('metrics.json','w').write('{}')\n")
    assert repro(repository).returncode == 0
    assert not (root / ".slipway").exists()
    # With a slipway.yaml the repro brings its own server.
    (root / "slipway.yaml").write_text("")
    (root / "train.py").write_text(SCRIPT)
    done = repro(repository)
    assert done.returncode == 0, done.stderr
    assert (root / ".slipway" / "slipway.db").exists()
    assert not (root / ".slipway" / "server.json").exists()
