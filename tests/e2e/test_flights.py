# SPDX-License-Identifier: Apache-2.0
"""What examples/flights promises, without its year: the dictionary, the exported model, and what a pull request runs."""

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "flights"
PROJECT = EXAMPLE / "project"


@pytest.fixture(scope="module")
def modules():
    """The example's own modules, as its scripts import them."""
    before = list(sys.path)
    sys.path[:0] = [str(EXAMPLE), str(PROJECT / "scripts")]
    import columns
    import export
    import invariants
    import losses
    import make_data
    import recipe

    yield {one.__name__: one for one in (columns, export, invariants, losses, make_data, recipe)}
    sys.path[:] = before


@pytest.fixture(scope="module")
def flights(modules):
    return modules["make_data"].load_flights()


def test_the_year_is_the_one_that_the_readme_tells_of(flights):
    assert len(flights) == 336_776
    assert flights["label"].isna().sum() == 9_430
    assert not flights["id"].duplicated().any()
    assert flights["event_time"].is_monotonic_increasing


def test_the_dictionary_is_that_of_january_and_february(modules, flights):
    known = json.loads((PROJECT / "categories.json").read_text())
    assert modules["make_data"].categories_of(flights[flights["month"] <= 2]) == known


def test_an_unknown_name_is_a_missing_value(modules, flights):
    coded = modules["make_data"].coded(flights, {"carrier": ["UA"], "origin": ["EWR", "JFK", "LGA"], "dest": []})
    assert coded["dest"].isna().all()
    assert coded.loc[flights["carrier"] == "UA", "carrier"].eq(0).all()
    assert coded.loc[flights["carrier"] != "UA", "carrier"].isna().all()


def test_the_exported_model_answers_as_the_fitted_one_does(modules, flights):
    import onnxruntime

    features = modules["make_data"].FEATURES
    known = flights[(flights["month"] == 1) & flights["label"].notna()].head(8_000)
    coded = modules["make_data"].coded(known, json.loads((PROJECT / "categories.json").read_text()))
    rows = np.column_stack([coded[features].to_numpy(np.float32), known["label"].to_numpy(np.float32)])
    params = {"iterations": 100, "learning_rate": 0.1, "leaves": 15, "seed": 0}
    model = modules["recipe"].fit(rows, params)
    session = onnxruntime.InferenceSession(modules["export"].to_onnx(model, len(features)).SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == ["features"]
    assert [one.name for one in session.get_outputs()] == ["late_probability"]
    asked = np.ascontiguousarray(rows[:, :len(features)])
    holes = asked.copy()
    holes[np.random.default_rng(0).random(holes.shape) < 0.2] = np.nan
    strange = asked.copy()
    strange[:, 0], strange[:, 2] = 99, 500
    nothing = np.full((2, len(features)), np.nan, np.float32)
    for inputs in (asked, holes, strange, nothing):
        answered = session.run(None, {"features": inputs})[0]
        assert answered.shape == (len(inputs), 1)
        np.testing.assert_allclose(answered[:, 0], model.predict_proba(inputs)[:, 1], atol=1e-5, rtol=0)


def test_the_newest_labelled_days_are_held_out(modules):
    columns, recipe = modules["columns"], modules["recipe"]
    matrix = np.zeros((40, columns.WIDTH), np.float32)
    matrix[:, columns.DAY] = np.arange(40) // 2
    matrix[20:, columns.MONITORED] = 1
    assert recipe.held_out(matrix, 3).nonzero()[0].tolist() == [34, 35, 36, 37, 38, 39]
    assert recipe.held_out(matrix, 14).sum() == 20
    assert recipe.held_out(matrix[:20], 14).sum() == 0
    assert recipe.held_out(matrix, 0).sum() == 0


def test_losses_are_those_of_scikit_learn(modules):
    from sklearn import metrics

    random = np.random.default_rng(3)
    label = (random.random(500) < 0.3).astype(float)
    probability = np.round(random.random(500), 2).clip(0.01, 0.99)
    losses = modules["losses"]
    assert losses.log_loss(label, probability) == pytest.approx(metrics.log_loss(label, probability), abs=1e-9)
    assert losses.brier(label, probability) == pytest.approx(metrics.brier_score_loss(label, probability), abs=1e-12)
    assert losses.auc(label, probability) == pytest.approx(metrics.roc_auc_score(label, probability), abs=1e-12)


def test_the_checks_of_the_books_find_what_is_wrong(modules):
    check = modules["invariants"]
    refused = {"seq": 7, "type": "promotion.refused", "subject": "model:late-arrival", "evidence": [], "body": {}}
    assert list(check.check_refusals([refused])) == ["promotion.refused 7: no reason"]
    moved = {"seq": 8, "type": "alias.moved", "subject": "model:late-arrival", "evidence": [], "body": {"to": 2}}
    assert list(check.check_promotions(None, [moved])) == ["alias move 8 to version 2: no evidence"]
    # Two worked examples, computed by hand elsewhere: four counters, c0 .02, delta .01 -> e .624096 and 1.90885.
    for bad, e in ((35, 0.624096), (20, 1.90885)):
        step = {"weight": 0.1, "c0": {"error": 0.02},
                "counters": {"error": {"challenger": {"bad": bad, "good": 1000 - bad}, "champion": {"bad": 180, "good": 8820}}}}
        assert np.exp(check.promote_log_e([step], "error", 0.01)) == pytest.approx(e, rel=1e-5)


def test_a_pull_request_sees_its_plan(server, repository):
    shutil.copytree(PROJECT, repository.path, dirs_exist_ok=True)
    repository("add", "-A")
    repository("commit", "-qm", "Predict late arrivals")
    program = pathlib.Path(os.environ.get("SLIPWAY_BIN") or EXAMPLE.parents[1] / "build" / "release" / "slipway").resolve()

    def plan():
        return subprocess.run(["sh", "ci/plan.sh"], cwd=repository.path, env=server.environ(SLIPWAY=str(program)),
                              capture_output=True, text=True, timeout=60)

    first = plan()
    assert first.returncode == 0, first.stdout + first.stderr
    assert "the plan is in plan.json" in first.stdout
    server.cli("apply", "plan.json", cwd=repository.path)
    assert "nothing would change" in plan().stdout

    policy = repository.path / "slipway.yaml"
    policy.write_text(policy.read_text().replace("budget: 100", "budget: 50"))
    repository("commit", "-qam", "Alarm sooner")
    changed = plan()
    assert "the plan is in plan.json" in changed.stdout
    assert "budget" in changed.stdout
    policy.write_text(policy.read_text().replace("budget: 50", "bugdet: 50"))
    broken = plan()
    assert broken.returncode == 1
    assert "bugdet" in broken.stderr


def test_the_comparison_with_the_oracle_finds_what_is_wrong():
    """A story that repeats the oracle's passes; each number that is changed is named."""
    folder = pathlib.Path(__file__).resolve().parents[1] / "oracle"
    spec = importlib.util.spec_from_file_location("compare_story", folder / "compare_story.py")
    compare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compare)
    oracle = json.loads((folder / "flights_story.json").read_text())
    assert [alarm["block"] for alarm in oracle["february"]["alarms"]] == ["2013-06-30", "2013-12-17"]
    tries = [{**{key: gate.get(key) for key in ("verdict", "estimate", "lo", "hi", "p", "promoted")}, "champion": 1,
              "day": compare.next_day(gate["day"]), "next_gain": gate["next_month"]} for gate in compare.story_of(oracle)]
    summary = {"tries": tries, "counts": {"alarms": 0},
               "arms": {"never": list(oracle["february"]["months"]), "slipway": list(oracle["slipway"]["months"])}}
    assert compare.differences(oracle, summary) == []

    tries[1]["p"] += 2e-6
    tries[2]["verdict"] = "fail"
    tries[2]["promoted"] = None
    tries[8]["promoted"] = "2013-07-12"  # two days late: a stalled machine's canary
    tries[10]["promoted"] = "2013-08-20"  # later than the canary may take
    summary["counts"]["alarms"] = 1
    summary["arms"]["slipway"][9] += 0.006
    assert [line.split(":")[:2] for line in compare.differences(oracle, summary)] == [
        ["comparison of 2013-03-29", " p"],
        ["comparison of 2013-04-12", " the verdict"],
        ["comparison of 2013-04-12", " promoted on"],
        ["comparison of 2013-08-02", " promoted on"],
        ["alarms of the year", " Slipway has 1, the oracle 0"],
        ["loss of slipway in month 12", f" Slipway has {summary['arms']['slipway'][9]}, the oracle {oracle['slipway']['months'][9]}"],
    ]
