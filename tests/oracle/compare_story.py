# SPDX-License-Identifier: Apache-2.0
"""Holds the story that `make run` told against the one that numpy and scikit-learn tell (flights_story.py).

    compare_story.py [--summary FILE] [--oracle FILE]

Without --oracle the recorded one is read (flights_story.json, made anew by `make oracle`). Exits 1 and names each
difference. Gate numbers must agree to 1e-6, gains to 1e-3, verdicts and the days of comparisons exactly; Slipway acts on
the first watermark after a day's end, so its date is the oracle's plus one day. The canary judges real latencies: on a
machine that stalls it takes a day more, so a promotion may come later (within the canary's ten days) and the months of
Slipway's arm agree to 5e-3.
"""

import argparse
import datetime
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
GATE_TOLERANCE, LOSS_TOLERANCE, ARM_TOLERANCE = 1e-6, 1e-3, 5e-3
CANARY_DAYS_MAX = 10


def next_day(text):
    return str(datetime.date.fromisoformat(text) + datetime.timedelta(days=1))


def days_between(first, second):
    """None unless both are days."""
    if not first or not second:
        return None
    return (datetime.date.fromisoformat(second) - datetime.date.fromisoformat(first)).days


def story_of(oracle):
    """The oracle's gates, each with the day on which its challenger was promoted."""
    gates = []
    for event in oracle["slipway"]["events"]:
        if event["what"] == "gate":
            gates.append({**event, "promoted": None})
        elif event["what"] == "promoted":
            gates[-1]["promoted"] = next_day(event["day"])
    return gates


def differences(oracle, summary):
    found = []

    def same(what, mine, theirs, tolerance=None):
        if tolerance is None or mine is None or theirs is None:
            equal = mine == theirs
        else:
            equal = abs(mine - theirs) <= tolerance
        if not equal:
            found.append(f"{what}: Slipway has {mine}, the oracle {theirs}")

    gates = story_of(oracle)
    tries = [one for one in summary["tries"] if one["champion"]]  # the first version has nobody to be compared with
    same("comparisons", len(tries), len(gates))
    for mine, theirs in zip(tries, gates):
        name = f"comparison of {theirs['day']}"
        same(f"{name}: its day", mine["day"], next_day(theirs["day"]))
        same(f"{name}: the verdict", mine["verdict"], theirs["verdict"])
        late = days_between(theirs["promoted"], mine["promoted"])
        if late is None or not 0 <= late <= CANARY_DAYS_MAX:
            same(f"{name}: promoted on", mine["promoted"], theirs["promoted"])
        for key in ("estimate", "lo", "hi", "p"):
            if key in theirs:
                same(f"{name}: {key}", mine[key], theirs[key], GATE_TOLERANCE)
        same(f"{name}: the next month", mine.get("next_gain"), theirs["next_month"], LOSS_TOLERANCE)
    alarms = sum(event["what"] == "alarm" for event in oracle["slipway"]["events"])
    same("alarms of the year", summary["counts"]["alarms"], alarms)
    for arm, months in (("never", oracle["february"]["months"]), ("slipway", oracle["slipway"]["months"])):
        same(f"months of {arm}", len(summary["arms"][arm]), len(months))
        for month, (mine, theirs) in enumerate(zip(summary["arms"][arm], months), start=3):
            same(f"loss of {arm} in month {month}", mine, theirs, ARM_TOLERANCE if arm == "slipway" else LOSS_TOLERANCE)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--summary", type=pathlib.Path, default=HERE.parents[1] / "build" / "flights" / "summary.json")
    parser.add_argument("--oracle", type=pathlib.Path, default=HERE / "flights_story.json")
    args = parser.parse_args()
    if not args.summary.exists():
        parser.exit(2, f"compare_story: there is no {args.summary}: run `make run` first\n")
    oracle, summary = json.loads(args.oracle.read_text()), json.loads(args.summary.read_text())
    found = differences(oracle, summary)
    for line in found:
        print(f"compare_story: {line}")
    if found:
        raise SystemExit(1)
    print(f"story: {len(story_of(oracle))} comparisons and 20 months agree with the oracle's")


if __name__ == "__main__":
    main()
