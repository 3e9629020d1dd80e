# SPDX-License-Identifier: Apache-2.0
"""Checks the books of a run against each other and against the data, each number computed again by other means.

Each check takes what it needs and returns sentences; a sentence names what is wrong. None means that the books are right.
"""

import hashlib
import json
import math

import numpy as np

from books import MODEL, date

CLIP = 3.0  # the monitor's, in project/slipway.yaml
TOLERANCE = 2e-6  # between float32 probabilities of two ONNX Runtimes


def clipped_loss(probability, label):
    p = np.where(label == 1, probability, 1 - probability)
    return np.minimum(-np.log(np.maximum(p, 1e-300)), CLIP)


def check_promotions(server, events):
    """Every move of the alias rests on evidence that is there, has the hash that it is named by, and says pass."""
    for event in events:
        if event["type"] != "alias.moved" or event["subject"] != f"model:{MODEL}" or event["body"].get("to") is None:
            continue
        what = f"alias move {event['seq']} to version {event['body']['to']}"
        if event["body"].get("direct") or event["body"].get("rollback"):
            yield f"{what}: nobody moved the alias by hand in this example"
        if not event["evidence"]:
            yield f"{what}: no evidence"
        for digest in event["evidence"]:
            raw = server.get(f"/api/slipway/v1/evidence/{digest}")
            record = json.loads(raw)
            body = record.get("body", record)
            canonical = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
            if digest not in (hashlib.sha256(raw).hexdigest(), hashlib.sha256(canonical).hexdigest(), record.get("hash")):
                yield f"{what}: evidence {digest[:12]} has another hash"
            if record.get("kind") == "gate" and body.get("verdict") != "pass":
                yield f"{what}: evidence {digest[:12]} says {body.get('verdict')}"


def check_refusals(events):
    """Nothing is refused, rolled back or given up without a reason."""
    endings = ("promotion.refused", "alias.refused", "rollout.rolled_back", "rollout.expired", "rollout.voided",
               "rollout.aborted", "trigger.skipped", "trigger.paused")
    for event in events:
        if event["type"] in endings and not event["body"].get("reason"):
            yield f"{event['type']} {event['seq']}: no reason"
        if event["type"] == "gate.evaluated" and event["body"]["verdict"] != "pass" and not event["body"].get("reason"):
            yield f"gate.evaluated {event['seq']}: {event['body']['verdict']} without a reason"


def check_gates(events, replay, versions):
    """The gate's estimate and p again: both versions from the registry, scored here, on the days that it names."""
    from scipy.stats import t as student

    labelled = ~np.isnan(replay["label"])
    for event in events:
        body = event["body"]
        if event["type"] != "gate.evaluated" or not body.get("rows") or not body.get("champion"):
            continue
        what = f"gate.evaluated {event['seq']} ({body['challenger']} against {body['champion']})"
        first, last = (np.datetime64(body[key].rstrip("Z"), "us") for key in ("from", "to"))
        rows = labelled & (replay["time"] >= first) & (replay["time"] <= last)
        if rows.sum() != body["rows"] or len(np.unique(replay["day"][rows])) != body["days"]:
            yield (f"{what}: {body['rows']} labelled flights of {body['days']} days, but {rows.sum()} of "
                   f"{len(np.unique(replay['day'][rows]))} days were sent from {body['from']} to {body['to']}")
            continue
        label, day = replay["label"][rows], replay["day"][rows]
        d = (clipped_loss(versions.probability(body["champion"])[rows], label) -
             clipped_loss(versions.probability(body["challenger"])[rows], label))
        mean = d.mean()
        if abs(mean - body["estimate"]) > TOLERANCE:
            yield f"{what}: estimate {body['estimate']}, computed again {mean}"
        sums = np.array([(d[day == one] - mean).sum() for one in np.unique(day)])
        se = math.sqrt((sums**2).sum()) / len(d)
        if se > 1e-9 and body.get("p") is not None:
            p = float(student.sf(mean / se, len(sums) - 1))
            if abs(p - body["p"]) > 1e-3 * max(p, 1e-3):
                yield f"{what}: p {body['p']}, computed again {p}"


def promote_log_e(steps, loss, delta):
    """ln of the promote e-value from a rollout's counters: mean over 20 bets of the product over steps and cells."""
    total = np.zeros(20)
    bets = 0.9 * 2.0**(-np.arange(20) / 2)
    for step in steps:
        w, c0 = step["weight"], step["c0"][loss]
        for arm, sign in (("challenger", 1 / w), ("champion", -1 / (1 - w))):
            for outcome, y in (("bad", 1), ("good", 0)):
                x = (y - c0) * sign
                total += step["counters"][loss][arm][outcome] * np.log1p(bets * min(w, 1 - w) * (delta - x))
    return float(np.logaddexp.reduce(total) - math.log(20))


def check_rollouts(rollouts, replay, alpha=0.05):
    """Counters add up to the flights of the rollout's days, and what was promoted had the evidence for it."""
    for rollout in rollouts:
        what = f"rollout {rollout['id']} ({rollout['challenger']} against {rollout['champion']})"
        steps = [step for step in rollout["steps"] if step.get("counters") and step.get("started_event_time")]
        counted = sum(step["counters"]["error"][arm][outcome] for step in steps for arm in ("champion", "challenger")
                      for outcome in ("bad", "good"))
        timed = rollout["started_event_time"] and rollout["finished_event_time"]  # not before the first request
        if timed and rollout["state"] in ("promoted", "rolled_back", "expired"):
            start, end = (np.datetime64(rollout[key].rstrip("Z"), "us")
                          for key in ("started_event_time", "finished_event_time"))
            sent = int(((replay["time"] >= start) & (replay["time"] < end)).sum())
            if counted != sent:
                yield f"{what}: counters say {counted} requests, {sent} were sent"
        if rollout["state"] == "promoted":
            for loss in ("error", "slow", "nan"):
                if promote_log_e(steps, loss, rollout["delta"]) < math.log(1 / alpha):
                    yield f"{what}: promoted, but by its counters it is not yet shown that {loss} is no worse"


def check_served(served, replay):
    """Every labelled flight came back once, on its day, with its label."""
    labelled = ~np.isnan(replay["label"])
    sent = dict(zip(*np.unique(replay["day"][labelled], return_counts=True)))
    back = dict(zip(*np.unique(served["day"], return_counts=True)))
    for day in sorted(sent.keys() | back.keys()):
        if sent.get(day, 0) != back.get(day, 0):
            yield f"{date(day)}: {sent.get(day, 0)} labelled flights were sent, {back.get(day, 0)} came back"
    if served["prediction_id"].duplicated().any():
        yield "a prediction stands twice in the export"
    late = {day: replay["label"][labelled & (replay["day"] == day)].sum() for day in sent}
    came = served.groupby("day")["label"].sum()
    for day, count in late.items():
        if count != came.get(day, 0):
            yield f"{date(day)}: {int(count)} flights were late, by the export {int(came.get(day, 0))}"


def check_answers(served, replay, versions):
    """What was served is what the named version says: sums by day and version, from the model itself."""
    for version in sorted(served["version"].unique()):
        days = served[served["version"] == version].groupby("day")
        whole = [day for day, rows in days if (served["day"] == day).sum() == len(rows)]
        if not whole:
            continue
        inside = np.isin(replay["day"], whole) & ~np.isnan(replay["label"])
        here = versions.probability(int(version))[inside].sum()
        there = served[(served["version"] == version) & served["day"].isin(whole)]["late_probability"].sum()
        if abs(here - there) > 1e-4 * max(1.0, here):
            yield f"version {version}: its answers add up to {there:.4f}, by the model itself to {here:.4f}"


def check_explanations(server, served, sample=60):
    """Predictions from all over the year lead back to version, run, stages, data and commit, and answer the same again."""
    for place in np.linspace(0, len(served) - 1, sample).astype(int):
        row = served.iloc[place]
        what = f"prediction {row['prediction_id']}"
        told = server.json(f"/api/slipway/v1/predictions/{row['prediction_id']}")
        version = told.get("version") or {}
        if version.get("version") != row["version"]:
            yield f"{what}: the export says version {row['version']}, its explanation {version.get('version')}"
        if not version.get("run_id"):
            yield f"{what}: no run"
        if not told.get("commit"):
            yield f"{what}: no commit"
        stages = {stage["stage"] for stage in told.get("stages", [])}
        if "train" not in stages:
            yield f"{what}: its stages are {sorted(stages)}, without train"
        if not any(item.get("path") == "data/matrix.npy" and item.get("hash") for item in told.get("data", [])):
            yield f"{what}: no hash of the data that its model learned from"
        if not (told.get("replay") or {}).get("equal"):
            yield f"{what}: asked again, its version answers otherwise: {(told.get('replay') or {}).get('reason')}"
