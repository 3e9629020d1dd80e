# SPDX-License-Identifier: Apache-2.0
"""The clients of the kill loop. Each runs until its server is gone, and journals what was acknowledged before it goes on.

Of every name that can be written twice (tag, alias, description) one client is the only writer.
"""

import hashlib
import json
import time

from kill_setup import INPUTS, apply_body
from kill_wire import MLFLOW, V1, Connection

GROUP = 20        # predictions that are synced and labelled together
KEYS, STEPS = 3, 40  # of one batch of metrics


def label_value(prediction):
    """What turned out to be true: a function of the id, so that anybody can send the same label again."""
    return int(prediction.rsplit("-", 1)[1]) % 2


def time_text(time_us):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_us // 1_000_000))


def label_lines(predictions, source="kill"):
    return "\n".join(json.dumps({"prediction": p, "value": label_value(p), "source": source}) for p in predictions).encode()


def post_labels(c, predictions, source="kill"):
    return c.ask("POST", f"{V1}/endpoints/kill/labels", label_lines(predictions, source), "application/x-ndjson")


def artifact_path(run):
    return f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/f.bin"


def batch_points():
    return [{"key": f"b{k}", "value": k + s / 8, "timestamp": 5, "step": s} for k in range(KEYS) for s in range(STEPS)]


def tracking_client(number, server, journal, world, rng):
    """Runs with params, tags, metrics and artifacts; versions of model `many` and an alias that moves over them."""
    c = Connection(server)
    alias, versions = f"a{number}", []
    while True:
        run = c.post(f"{MLFLOW}/runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
        journal.add("run", run=run)
        for step in range(rng.randint(1, 4)):
            c.post(f"{MLFLOW}/runs/log-metric", {"run_id": run, "key": "m", "value": step + 0.5, "timestamp": 1000 + step, "step": step})
            journal.add("metric", run=run, step=step, value=step + 0.5)
        c.post(f"{MLFLOW}/runs/log-parameter", {"run_id": run, "key": "p", "value": str(number)})
        journal.add("param", run=run, value=str(number))
        for value in ("first", "second"):
            journal.tried("tag", run=run, value=value)
            c.post(f"{MLFLOW}/runs/set-tag", {"run_id": run, "key": "t", "value": value})
            journal.add("tag", run=run, value=value)
        journal.tried("batch", run=run)
        c.post(f"{MLFLOW}/runs/log-batch", {"run_id": run, "metrics": batch_points()})
        journal.add("batch", run=run)
        data = rng.randbytes(rng.randint(0, 200_000))
        digest = hashlib.sha256(data).hexdigest()
        journal.tried("artifact", run=run, sha256=digest)
        c.ask("PUT", artifact_path(run), data, "application/octet-stream")
        journal.add("artifact", run=run, sha256=digest)
        made = c.post(f"{MLFLOW}/model-versions/create", {"name": "many", "source": f"runs:/{run}/f.bin", "run_id": run})
        versions.append(made["model_version"]["version"])
        journal.add("version", version=versions[-1], run=run)
        target = rng.choice(versions)
        journal.tried("alias", alias=alias, version=target)
        c.post(f"{MLFLOW}/registered-models/alias", {"name": "many", "alias": alias, "version": target})
        journal.add("alias", alias=alias, version=target)


def prediction_client(server, journal, world, rng):
    """Predictions in event time; each group is synced by a watermark, then labelled."""
    c = Connection(server)
    group = []
    while True:
        event_time = next(world.event_time_us)
        row = [rng.random() for _ in range(INPUTS)]
        answer = c.post("/v2/models/kill/infer", {"parameters": {"event_time": event_time}, "inputs": [
            {"name": "x", "shape": [1, INPUTS], "datatype": "FP32", "data": row}]})
        prediction = answer["parameters"]["prediction_id"]
        journal.add("prediction", id=prediction, first=row[0], run=answer["parameters"]["run_id"], at=time.monotonic())
        group.append(prediction)
        if len(group) == GROUP:
            c.post(f"{V1}/endpoints/kill/watermark", {"event_time": time_text(event_time)})
            journal.add("watermark", event_time_us=event_time)
            journal.add("synced", ids=group)
            journal.tried("labels", ids=group)
            answer = post_labels(c, group)
            journal.add("labels", ids=group, answer=answer)
            group = []


def apply_client(server, journal, world, rng):
    """Desired state: half of the times straight, half by a plan that is then carried out."""
    c = Connection(server)
    while True:
        mark = f"mark-{next(world.marks)}"
        body = apply_body(mark)
        if rng.random() < 0.5:
            body = {"plan": c.post(f"{V1}/plan", body)}
        journal.tried("apply", mark=mark)
        done = c.post(f"{V1}/apply", body)
        journal.add("apply", mark=mark, id=done["apply_id"])
        time.sleep(rng.random() * 0.05)


def rollout_client(server, journal, world, rng):
    """Promotes 2, then 1 again, and so on; settles so that steps advance; pauses, resumes, aborts and promotes by hand now and then.

    412 is an answer to each move by hand: the controller may have ended the rollout a moment ago.
    """
    c = Connection(server)

    def by_hand(rollout, action, **body):
        journal.tried("rollout", id=rollout["id"], state=action)
        done = c.post(f"{V1}/rollouts/{rollout['id']}/{action}", body, expected=(200, 412))
        if done is not None:
            journal.add("rollout", row=done)

    while True:
        newest = c.get(f"{V1}/rollouts?endpoint=kill&limit=1")["rollouts"]
        if not newest or newest[0]["state"] not in ("active", "paused"):
            champion = c.get(f"{V1}/endpoints/kill")["champion"]["version"]
            made = c.post(f"{V1}/models/kill/promote", {"version": 3 - champion, "reason": "again"})
            if made["outcome"] == "rollout":
                journal.add("rollout", row=c.get(f"{V1}/rollouts/{made['rollout']}"))
        elif newest[0]["state"] == "paused":
            by_hand(newest[0], "resume")
        else:
            what = rng.random()
            if what < 0.06:
                by_hand(newest[0], "pause")
            elif what < 0.08:
                by_hand(newest[0], "abort", reason="enough")
            elif what < 0.10:
                by_hand(newest[0], "promote", reason="sure")
            else:
                c.post(f"{V1}/endpoints/kill/settle", {"timeout_s": 10})
            journal.add("rollout", row=c.get(f"{V1}/rollouts/{newest[0]['id']}"))
        monitor = c.get(f"{V1}/monitors/kill")["status"]
        journal.add("monitor", blocks_closed=monitor["blocks_closed"])
        event = c.get(f"{V1}/events?newest=1&limit=1")["events"][0]
        journal.add("event", seq=event["seq"], id=event["id"])
        time.sleep(rng.random() * 0.03)
