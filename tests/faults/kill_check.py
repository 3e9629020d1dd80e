# SPDX-License-Identifier: Apache-2.0
"""Looks everything up that the journals say was acknowledged, and whether what was not acknowledged happened wholly or not at all."""

import csv
import hashlib
import io
import math

from kill_clients import GROUP, KEYS, STEPS, artifact_path, label_value, post_labels, time_text
from kill_wire import MLFLOW, V1, Connection

LOOKED_UP = 30        # synced predictions of one life of the server that are asked for one by one; the last check sees all
LOST_AFTER_S = 1.0    # an answered prediction this much older than the kill must be there: 20 ms are promised, a busy machine takes longer
OPEN = ("active", "paused")


class Check:
    """One pass over the journals. `checked` counts single look-ups, `missing` holds a sentence for each that failed."""

    def __init__(self, server):
        self.c = Connection(server)
        self.checked = 0
        self.missing = []
        self.lost_late = 0  # predictions answered within the last moments before the kill, whose records went with it
        self.runs, self.histories = {}, {}

    def verify(self, condition, line, found=None):
        self.checked += 1
        if not condition:
            self.missing.append(f"{line}, found {found!r}")

    def run(self, run):
        if run not in self.runs:
            answer = self.c.get(f"{MLFLOW}/runs/get?run_id={run}", expected=(200, 404))
            self.runs[run] = answer["run"]["data"] if answer else None
        return self.runs[run]

    def history(self, run, key):
        if (run, key) not in self.histories:
            answer = self.c.get(f"{MLFLOW}/metrics/get-history?run_id={run}&metric_key={key}", expected=(200, 404)) or {}
            self.histories[run, key] = [(int(m.get("step", 0)), m["value"]) for m in answer.get("metrics", [])]
        return self.histories[run, key]

    def pairs(self, run, what):
        return {p["key"]: p["value"] for p in (self.run(run) or {}).get(what, [])}

    def batch(self, run):
        return [self.history(run, f"b{k}") for k in range(KEYS)]

    def artifact(self, run):
        status, data = self.c.call("GET", artifact_path(run))
        return hashlib.sha256(data).hexdigest() if status == 200 else status

    # What was acknowledged, by kind.

    def acknowledged(self, line):
        getattr(self, "see_" + line["kind"])(line)

    def see_run(self, line):
        self.verify(self.run(line["run"]) is not None, line)

    def see_metric(self, line):
        found = self.history(line["run"], "m")
        self.verify((line["step"], line["value"]) in found, line, found)

    def see_param(self, line):
        found = self.pairs(line["run"], "params")
        self.verify(found.get("p") == line["value"], line, found)

    def see_tag(self, line):
        found = self.pairs(line["run"], "tags").get("t")
        self.verify(found == line["value"] or (line["value"], found) == ("first", "second"), line, found)

    def see_batch(self, line):
        found = self.batch(line["run"])
        self.verify(found == [[(s, k + s / 8) for s in range(STEPS)] for k in range(KEYS)], line, [len(h) for h in found])

    def see_artifact(self, line):
        found = self.artifact(line["run"])
        self.verify(found == line["sha256"], line, found)

    def see_version(self, line):
        answer = self.c.get(f"{MLFLOW}/model-versions/get?name=many&version={line['version']}", expected=(200, 404))
        found = answer and answer["model_version"]["run_id"]
        self.verify(found == line["run"], line, found)

    def see_labels(self, line):
        self.verify(line["answer"] == {"accepted": GROUP, "duplicates": 0, "orphans": 0, "failed": 0, "errors": []}, line)
        found = post_labels(self.c, line["ids"])
        self.verify(found["duplicates"] == len(line["ids"]), line, found)

    def see_rollout(self, line):
        row = line["row"]
        found = self.c.get(f"{V1}/rollouts/{row['id']}", expected=(200, 404))
        if row["state"] in OPEN:
            kept = found is not None and all(found[k] == row[k] for k in ("champion", "challenger", "seed", "started_move"))
            self.verify(kept and (found["step"] >= row["step"]), line, found)
        else:
            self.verify(found == row, line, found)

    def see_event(self, line):
        found = self.c.get(f"{V1}/events?after={line['seq'] - 1}&limit=1")["events"]
        self.verify(found and found[0]["seq"] == line["seq"] and found[0]["id"] == line["id"], line, found)

    def see_apply(self, line):
        found = self.c.get(f"{V1}/events?type=apply.done&subject=apply:{line['id']}")["events"]
        self.verify(len(found) == 1, line, found)

    def see_monitor(self, line):
        found = self.c.get(f"{V1}/monitors/kill")["status"]["blocks_closed"]
        self.verify(found >= line["blocks_closed"], line, found)

    def see_watermark(self, line):
        found = self.c.get(f"{V1}/endpoints/kill")["watermark"]
        self.verify(found[:19] >= time_text(line["event_time_us"])[:19], line, found)

    def see_prediction(self, line):
        self.verify(self.prediction(line), line)

    def prediction(self, line):
        found = self.c.get(f"{V1}/predictions/{line['id']}", expected=(200, 404))
        if found is None:
            return False
        shown = found["prediction"]["inputs"][0]["data"][0]
        return math.isclose(shown, line["first"], rel_tol=1e-6) and found["version"]["run_id"] == line["run"] and found["replay"]["equal"]

    # What was sent and not acknowledged: all of it or nothing.

    def intended(self, line):
        kind = line["kind"]
        if kind == "batch":
            found = [len(h) for h in self.batch(line["run"])]
            self.verify(found in ([0] * KEYS, [STEPS] * KEYS), {"half": line}, found)
        elif kind == "artifact":
            found = self.artifact(line["run"])
            self.verify(found in (404, line["sha256"]), {"half": line}, found)
        elif kind == "labels":
            found = post_labels(self.c, line["ids"])
            self.verify(GROUP in (found["accepted"], found["duplicates"]) and found["orphans"] == 0, {"half": line}, found)

    # What later writes replace: the last acknowledged one stands, or one that was sent after it.

    def possible(self, journal, kind, key, **where):
        def values(lines, after=0):
            return [(x["n"], x[key]) for x in lines if x["kind"] == kind and x["n"] > after and where.items() <= x.items()]

        done = values(journal.acknowledged)
        n, value = done[-1] if done else (0, None)
        return [value] + [v for _, v in values(journal.intents, n)]

    def replaced(self, journals):
        marks = self.possible(journals["apply"], "apply", "mark")
        objects = {o["kind"]: o["spec"] for o in self.c.get(f"{V1}/objects")["objects"]}
        found = (objects["Model"]["description"], objects["Webhook"]["url"].split("//")[1].split(".invalid")[0])
        self.verify(found[0] == found[1] and (found[0] in marks or marks == [None]), {"kind": "apply", "possible": marks}, found)
        for name, journal in journals.items():
            moved = [x for x in journal.acknowledged if x["kind"] == "alias"]
            if not moved:
                continue
            alias = moved[0]["alias"]
            targets = self.possible(journal, "alias", "version", alias=alias)
            answer = self.c.get(f"{MLFLOW}/registered-models/alias?name=many&alias={alias}", expected=(200, 404))
            found = answer and answer["model_version"]["version"]
            self.verify(found in targets, {"kind": "alias", "client": name, "possible": targets}, found)
            self.alias_history(alias, [int(x["version"]) for x in moved])

    def alias_history(self, alias, acknowledged):
        """Each acknowledged move is in the history, in order; one to where the alias stood already is no move."""
        moves = self.c.get(f"{V1}/models/many/aliases/{alias}/history")["moves"]
        history = [m["to"] for m in sorted(moves, key=lambda m: m["move"])]
        self.verify([m["move"] for m in moves] == list(range(len(moves), 0, -1)), {"kind": "alias", "numbers": alias}, moves[:3])
        at = -1
        for version in acknowledged:
            if at < 0 or history[at] != version:
                at = next((i for i in range(at + 1, len(history)) if history[i] == version), None)
            self.verify(at is not None, {"kind": "alias", "alias": alias, "version": version}, history)
            if at is None:
                return

    def promotions(self, journals):
        """Every rollout that was seen promoted moved the alias, once."""
        moves = self.c.get(f"{V1}/models/kill/aliases/champion/history")["moves"]
        promoted = {x["row"]["id"]: x["row"]["challenger"] for x in journals["rollout"].acknowledged
                    if x["kind"] == "rollout" and x["row"]["state"] == "promoted"}
        for rollout, challenger in promoted.items():
            found = [m["to"] for m in moves if m["rollout"] == rollout]
            self.verify(found == [challenger], {"kind": "rollout", "promoted": rollout}, found)

    # Predictions

    def tail(self, journal, since, killed_at):
        """Answered, but not yet known to be synced: the newest of them may be gone, none before one that is there."""
        lines = journal.acknowledged[since:]
        synced = {i for x in lines if x["kind"] == "synced" for i in x["ids"]}
        gone = None
        for line in [x for x in lines if x["kind"] == "prediction" and x["id"] not in synced]:
            there = self.prediction(line)
            self.verify(there or killed_at - line["at"] < LOST_AFTER_S, line)
            self.verify(not (there and gone), {"kind": "prediction", "lost before one that is there": gone}, line["id"])
            if not there:
                gone = line["id"]
                self.lost_late += 1

    def some_synced(self, journal, since, rng):
        lines = journal.acknowledged[since:]
        synced = {i for x in lines if x["kind"] == "synced" for i in x["ids"]}
        known = [x for x in lines if x["kind"] == "prediction" and x["id"] in synced]
        for line in rng.sample(known, min(LOOKED_UP, len(known))):
            self.see_prediction(line)

    def all_labelled(self, journals):
        """Every labelled prediction, by the export: its input, its label."""
        status, data = self.c.call("GET", f"{V1}/monitors/kill/export?format=csv")
        self.verify(status == 200, {"kind": "export"}, status)
        rows = {row["prediction_id"].removesuffix("/0"): row for row in csv.DictReader(io.StringIO(data.decode(), newline=""))}
        column = next((name for name in next(iter(rows.values()), {}) if name in ("x", "x.0")), "x.0")
        first = {x["id"]: x["first"] for j in journals.values() for x in j.acknowledged if x["kind"] == "prediction"}
        for journal in journals.values():
            for line in journal.acknowledged:
                for prediction in line["ids"] if line["kind"] == "labels" else ():
                    row = rows.get(prediction)
                    self.verify(row is not None and math.isclose(float(row[column]), first[prediction], rel_tol=1e-6)
                                and float(row["label"]) == label_value(prediction), {"kind": "prediction", "id": prediction}, row)

    def invariants(self):
        report = self.c.get(f"{V1}/check")
        self.verify(report["violations"] == [], {"kind": "invariants"}, report["broken"])
        return report["checked"]


ONE_BY_ONE = ("run", "metric", "param", "tag", "batch", "artifact", "version", "labels", "apply")
NEWEST_ALONE = ("event", "monitor", "watermark")  # what only grows: the newest acknowledged one says it all


def check_journals(server, journals, since, *, last, rng=None, killed_at=0.0):
    """Everything that was acknowledged after `since` (name of a client -> length of its journal then); with `last` everything."""
    check = Check(server)
    for name, journal in journals.items():
        lines = journal.acknowledged[since.get(name, 0):]
        for line in lines:
            if line["kind"] in ONE_BY_ONE:
                check.acknowledged(line)
        for kind in NEWEST_ALONE:
            newest = [x for x in lines if x["kind"] == kind]
            if newest:
                check.acknowledged(newest[-1])
        for line in {x["row"]["id"]: x for x in lines if x["kind"] == "rollout"}.values():
            check.acknowledged(line)
        begun = lines[0]["n"] if lines else 0
        for line in journal.intents:
            if line["n"] >= begun:
                check.intended(line)
        if not last:
            check.tail(journal, since.get(name, 0), killed_at)
            check.some_synced(journal, since.get(name, 0), rng)
    check.replaced(journals)
    check.promotions(journals)
    if last:
        check.all_labelled(journals)
    return check
