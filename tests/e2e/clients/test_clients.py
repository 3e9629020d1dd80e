# SPDX-License-Identifier: Apache-2.0
"""The same session with `mlflow` clients from 2.0.1 to the newest, each in an environment of its own (scripts/setup clients).

The newest environment also has XGBoost and LightGBM, so that their autologging is in its session.
"""

import json
import pathlib
import subprocess

import pytest
from conftest import clean_environment

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
VERSIONS = sorted((lock.stem for lock in (HERE / "locks").glob("*.txt")), key=lambda name: [int(part) for part in name.split(".")])
SESSION_S = 600

EXPECTED = {
    "autolog": {"C": "0.5", "score": True, "estimator": "LogisticRegression", "loads": True},
    "run": {
        "status": "FINISHED", "params": {"depth": "3", "rate": "0.1", "text": "naïve – 逆"}, "loss": 0.05, "nan": True,
        "tags": {"team": "night", "empty": ""}, "history": True, "child": True,
    },
    "artifacts": {"listed": ["files", "notes"], "text": "hello", "binary": True},
    "concurrent": [120.0, 96.0, 72.0, 48.0],
    "search": {"frame": True, "pages": [4, 2], "deleted": [], "restored": "active", "experiments": ["harbour"]},
}
REGISTRY = {"versions": [1, 2], "stages": ["Production", "Staging"], "tag": "yes", "description": "ships", "answers": True,
            "missing": "RESOURCE_DOES_NOT_EXIST"}
BOOSTED = {"params": True, "metrics": True, "loads": True}


def test_the_versions_that_are_promised_are_here():
    assert VERSIONS == ["2.0.1", "2.9.2", "2.22.0", "3.1.0", "3.17.2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session(version, server, tmp_path):
    python = ROOT / "build" / "clients" / version / "bin" / "python"
    assert python.exists(), f"no client {version}: run scripts/setup clients"
    done = subprocess.run([python, HERE / "session.py", server.url], cwd=tmp_path, env=clean_environment(), capture_output=True, text=True,
                          timeout=SESSION_S)
    assert done.returncode == 0, done.stderr[-3_000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen.pop("version") == version
    registry = dict(REGISTRY)
    if version != "2.0.1":  # aliases came with 2.3
        registry["alias"] = True
    boosted = {"xgboost": BOOSTED, "lightgbm": BOOSTED} if version == VERSIONS[-1] else {}
    assert seen == {**EXPECTED, "registry": registry, **boosted}
