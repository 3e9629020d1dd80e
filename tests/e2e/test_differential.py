# SPDX-License-Identifier: Apache-2.0
"""The corpus of tests/differential against Slipway: the stock server's recorded answers, but for the allowed differences."""

import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "differential"))

import replay  # noqa: E402

RULES = replay.allowed_differences()
OURS = replay.own_answers()
UPDATE = "SLIPWAY_UPDATE_GOLDEN" in os.environ
NEEDED = set()  # patterns of the list that some answer needed
OWN = {}  # what was answered where it may differ


@pytest.mark.parametrize("resource", replay.resources())
def test_answers_as_the_stock_server(shared_server, resource):
    faults = []
    for prefix in replay.PREFIXES:
        answers = replay.Player(shared_server.url).play(resource, prefix)
        found, needed, own = replay.compare(resource, prefix, answers, RULES, None if UPDATE else OURS)
        faults += found
        NEEDED.update(needed)
        OWN.update(own)
    assert not faults, "\n".join(faults)


def test_every_allowed_difference_is_one(request):
    """Runs last; alone it would know nothing."""
    played = sum(item.name.startswith("test_answers_as") for item in request.session.items)
    if played < len(replay.resources()):
        pytest.skip("not the whole corpus was played")
    stale = [pattern for rule in RULES for pattern in rule["requests"] if pattern not in NEEDED]
    assert not stale, f"nothing differs as allowed.yaml says: {stale}"
    if UPDATE:
        replay.record_ours(OWN)
    assert UPDATE or not replay.stale_answers(OURS, OWN)


def test_answers_are_compared_as_texts():
    """1, 1.0 and true are three answers, also where Python calls them equal."""
    assert len({replay.text_of({"body": value}) for value in (1, 1.0, True)}) == 3
    name = next(iter(OURS))
    resource, label = name.split(": ", 1)
    other = {**OURS[name], "body": "something else"}
    faults, _, _ = replay.compare(resource, "/api", {label: other}, RULES, OURS)
    assert any("allowed to differ, but not so" in fault for fault in faults)
    faults, _, _ = replay.compare(resource, "/api", {label: OURS[name]}, RULES, OURS)
    assert not any(label in fault for fault in faults)


def test_the_corpus_is_large_and_recorded():
    assert sum(len(replay.requests_of(resource)) for resource in replay.resources()) >= 400
    for resource in replay.resources():
        assert list(replay.expected(resource, "/api")) == [request.label for request in replay.requests_of(resource)], resource
    assert sum(path.stat().st_size for path in (replay.HERE / "recorded").iterdir()) <= 900_000


def test_every_endpoint_of_tracking_and_registry_is_asked():
    """MLflow's own table of routes, less what Slipway does not offer yet."""
    from mlflow.server.handlers import get_endpoints

    ours = re.compile(r"/api/2\.0/mlflow/(experiments|runs|metrics|logged-models|registered-models|model-versions|artifacts)(/|$)"
                      r"|/api/[23]\.0/mlflow/traces(/|$)")
    absent = re.compile(r"presigned|/permissions/")
    named = re.compile(r"\b(?:tr|a)-[^/]*|\{(?!api\})[a-z_0-9]+\}|m-x|/tags/x$|^\{api\}")
    asked = {(request.method, named.sub(lambda m: "/tags/*" if "tags" in m[0] else "*", request.path))
             for resource in replay.resources() for request in replay.requests_of(resource)}
    missing = [f"{method} {path}" for path, _, methods in get_endpoints() if ours.match(path) and not absent.search(path)
               for method in methods if (method, re.sub(r"<[a-z_:]+>", "*", path).replace("/api/", "*/", 1)) not in asked]
    assert not missing, missing
