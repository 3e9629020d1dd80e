# SPDX-License-Identifier: Apache-2.0
"""The story of examples/flights told by numpy and scikit-learn alone: no server, no Slipway.

    flights_story.py [--out FILE]

A second, independent reading of the policy in examples/flights/project/slipway.yaml: the same days, detector, gate and
steps, written from the definitions (Shiryaev-Roberts mixture of twelve bets; paired t with clusters). It prints JSON that
a run of the example is held against. Which flight a canary gets is a hash in Slipway and a fixed draw here, so numbers
after the first rollout agree closely, not to the digit; what alarms, which challenger passes and when, must agree.

Three parts: `february` (the February model kept all year: on which days' means the monitor alarms), `every_14_days` (the
gate alone, every 14 days, what passes replaces at once) and `slipway` (the whole loop).
"""

import argparse
import datetime
import json
import pathlib
import sys

import numpy as np

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "flights"
sys.path[:0] = [str(EXAMPLE), str(EXAMPLE / "project" / "scripts")]

from arms import load_params, load_year  # noqa: E402
from columns import DAY, LABEL  # noqa: E402
from recipe import fit, held_out  # noqa: E402

CLIP, BOUND, BUDGET = 3.0, 0.572, 100.0
EVERY_DAYS, GATE_DAYS, ALPHA = 14, 14, 0.05
STEP_REQUESTS, CANARY_MAX_DAYS, DELTA = 2000, 10, 0.02
BETS = 0.9 / (BOUND / CLIP) * 2.0**(-0.75 * np.arange(12))


def date(day):
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=int(day)))


class Detector:
    """M_i <- (M_i + 1)(1 + bet_i (x - m)); alarm when the mean of the M_i reaches the budget."""

    def __init__(self):
        self.m = np.zeros(12)

    def update(self, mean_loss):
        self.m = (self.m + 1) * (1 + BETS * (mean_loss - BOUND) / CLIP)
        return float(self.m.mean())


class Year:
    def __init__(self):
        self.params = load_params()
        self.matrix, month = load_year()
        self.day = self.matrix[:, DAY].astype(int)
        self.start = self.day[month == 3].min()
        self.end = self.day.max()
        self.month = month
        self.models = {}

    def train(self, labelled_until):
        """A model of January, February and the days from March to labelled_until but the newest 14. Its loss on every row."""
        known = self.matrix[self.day <= max(labelled_until, self.start - 1)]
        rows = known[~held_out(known, self.params["holdout_days"])]
        key = rows[:, DAY].max()
        if key not in self.models:
            p = fit(rows, self.params).predict_proba(self.matrix[:, :LABEL])[:, 1].astype(np.float32).astype(float)
            late = self.matrix[:, LABEL] == 1
            loss = -np.where(late, np.log(np.maximum(p, 1e-15)), np.log(np.maximum(1 - p, 1e-15)))
            self.models[key] = {"until": date(key), "rows": len(rows), "loss": np.minimum(loss, CLIP)}
        return self.models[key]

    def gate(self, champion, challenger, labelled_until):
        """Paired t over the newest labelled days, one-sided, standard error by day."""
        from scipy.stats import t as student

        days = np.arange(max(self.start, labelled_until - GATE_DAYS + 1), labelled_until + 1)
        rows = np.isin(self.day, days)
        if len(days) < GATE_DAYS:
            return {"verdict": "insufficient", "days": len(days), "rows": int(rows.sum())}
        d = champion["loss"][rows] - challenger["loss"][rows]
        centred = d - d.mean()
        sums = np.array([centred[self.day[rows] == day].sum() for day in days])
        se, df = np.sqrt((sums**2).sum()) / len(d), len(days) - 1
        result = {"days": len(days), "rows": len(d), "estimate": float(d.mean()), "se": float(se)}
        if se == 0:
            return {**result, "verdict": "insufficient", "reason": "no difference"}
        wide = student.ppf(0.975, df) * se
        p = float(student.sf(d.mean() / se, df))
        return {**result, "lo": d.mean() - wide, "hi": d.mean() + wide, "p": p, "verdict": "pass" if p <= ALPHA else "fail"}

    def months(self, loss):
        return [round(float(loss[self.month == now].mean()), 4) for now in range(3, 13)]

    def next_month(self, first, second, after):
        """Mean loss of the first minus that of the second on the 30 days after: positive, the second would have helped."""
        rows = (self.day > after) & (self.day <= after + 30)
        return float((first["loss"][rows] - second["loss"][rows]).mean()) if rows.any() else None


def february(year):
    model, detector, alarms = year.train(year.start - 1), Detector(), []
    for day in range(year.start, year.end + 1):
        value = detector.update(model["loss"][year.day == day].mean())
        if value >= BUDGET:
            alarms.append({"block": date(day), "value": value})
            detector = Detector()
    return {"alarms": alarms, "months": year.months(model["loss"])}


def every_14_days(year):
    champion, served, verdicts = year.train(year.start - 1), np.full(len(year.matrix), np.nan), []
    for day in range(year.start, year.end + 1):
        now = year.day == day
        served[now] = champion["loss"][now]
        if (day - year.start) % EVERY_DAYS == 0 and day > year.start:
            challenger = year.train(day - 1)
            verdict = year.gate(champion, challenger, day - 1)
            verdicts.append({"day": date(day), "until": challenger["until"], **verdict,
                             "next_month": year.next_month(champion, challenger, day)})
            if verdict["verdict"] == "pass":
                champion = challenger
    return {"tried": len(verdicts), "passed": sum(v["verdict"] == "pass" for v in verdicts), "verdicts": verdicts,
            "months": year.months(served)}


def log_promote(requests, weight):
    """ln of the promote e-value's factors, one a bet, of requests without a fault (c0 = 0): each adds log(1 + bet w' delta)."""
    return requests * np.log1p(0.9 * 2.0**(-np.arange(20) / 2) * min(weight, 1 - weight) * DELTA)


def slipway(year):
    draw = np.random.default_rng(0)
    champion, challenger, canary = year.train(year.start - 1), None, None
    detector, served, events = Detector(), np.full(len(year.matrix), np.nan), []
    for day in range(year.start, year.end + 2):
        now = year.day == day
        to_challenger = draw.random(now.sum()) < (canary["weight"] if canary else 0)
        served[now] = np.where(to_challenger, (challenger or champion)["loss"][now], champion["loss"][now])

        labelled, alarm = day - 1, False
        if labelled >= year.start:
            mean = served[year.day == labelled].mean()
            value = detector.update(mean)
            if value >= BUDGET:
                alarm, detector = True, Detector()
                events.append({"day": date(day), "what": "alarm", "block": date(labelled), "value": value, "mean_loss": mean})
        if canary:
            canary["requests"][-1] += int(now.sum())
            evidence = sum(log_promote(n, w) for n, w in zip(canary["requests"], canary["weights"]))
            if canary["weight"] < 0.5 and canary["requests"][-1] >= STEP_REQUESTS:
                canary["weight"] = 0.5
                canary["requests"].append(0)
                canary["weights"].append(0.5)
                events.append({"day": date(day), "what": "step", "weight": 0.5})
            elif canary["weight"] == 0.5 and np.exp(evidence).mean() >= 1 / 0.05:
                events.append({"day": date(day), "what": "promoted", "until": challenger["until"],
                               "next_month": year.next_month(champion, challenger, day)})
                champion, challenger, canary, detector = challenger, None, None, Detector()
            elif day - canary["day"] >= CANARY_MAX_DAYS:
                events.append({"day": date(day), "what": "undecided"})
                challenger, canary = None, None
        scheduled = (day - year.start) % EVERY_DAYS == 0 and day > year.start
        if (alarm or scheduled) and day <= year.end and not canary:
            trained = year.train(labelled)
            verdict = year.gate(champion, trained, labelled)
            events.append({"day": date(day), "what": "gate", "why": "alarm" if alarm else "schedule",
                           "until": trained["until"], "champion": champion["until"], "rows_trained": trained["rows"],
                           **verdict, "next_month": year.next_month(champion, trained, day)})
            if verdict["verdict"] == "pass":
                challenger = trained
                canary = {"day": day, "weight": 0.25, "requests": [0], "weights": [0.25]}
    return {"events": events, "months": year.months(served)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    year = Year()
    story = {"february": february(year), "every_14_days": every_14_days(year), "slipway": slipway(year)}
    text = json.dumps(story, indent=1, default=float) + "\n"
    if args.out:
        args.out.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
