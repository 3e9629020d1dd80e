# SPDX-License-Identifier: Apache-2.0
"""Four ways to keep a model through a year, and what Slipway did: from the server's books, checked.

    summary.py --url URL --token-file FILE --replay FILE --arms FILE [--out FILE]

Prints, and exits 1 if an invariant is broken; how the story ends is no reason to.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "project" / "scripts")]

import invariants  # noqa: E402
from books import ENDPOINT, MODEL, Server, Versions, date, day_of, read_replay  # noqa: E402
from losses import log_loss  # noqa: E402

NEXT_DAYS = 30
ARMS = [("never", "trained once"), ("two_months", "calendar, two months"), ("everything", "calendar, everything"),
        ("slipway", "Slipway")]


def months_of(served, months):
    by_month = served["day"].to_numpy().astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 + 1
    label, probability = served["label"].to_numpy(), served["late_probability"].to_numpy()
    return [round(log_loss(label[by_month == now], probability[by_month == now]), 6) for now in months]


def event_day(event):
    """The event's day on the endpoint's clock; the first version came before the first request, and so before any day."""
    return event["event_time"][:10] if event["event_time"] else "before any"


def tries_of(events, replay, versions):
    """Each comparison with what it led to, and what the challenger would have been worth in the days after."""
    labelled = ~np.isnan(replay["label"])
    tries = []
    for event in events:
        body = event["body"]
        if event["type"] == "gate.evaluated":
            found = {"day": event_day(event), "challenger": body["challenger"], "champion": body.get("champion"),
                     "verdict": body["verdict"], "estimate": body.get("estimate"), "lo": body.get("lo"),
                     "hi": body.get("hi"), "p": body.get("p"), "reason": body.get("reason"), "promoted": None}
            if found["champion"] and event["event_time"]:
                now = np.datetime64(event["event_time"].rstrip("Z"), "us")
                after = labelled & (replay["time"] >= now) & (replay["time"] < now + np.timedelta64(NEXT_DAYS, "D"))
                if after.any() and found["champion"] != found["challenger"]:
                    label = replay["label"][after]
                    found["next_gain"] = (log_loss(label, versions.probability(found["champion"])[after]) -
                                          log_loss(label, versions.probability(found["challenger"])[after]))
            tries.append(found)
        elif event["type"] == "alias.moved" and event["subject"] == f"model:{MODEL}":
            for found in reversed(tries):
                if found["challenger"] == body.get("to") and not found["promoted"]:
                    found["promoted"] = event_day(event)
                    break
    return tries


def number(value, form="+.4f"):
    return "" if value is None else format(value, form)


def print_arms(months, arms):
    names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    print(f"\nMean log loss, month by month (less is better)\n{'':22}" + "".join(f"{names[m - 1]:>7}" for m in months) +
          f"{'mean':>8}")
    for key, title in ARMS:
        print(f"{title:22}" + "".join(f"{value:7.3f}" for value in arms[key]) + f"{np.mean(arms[key]):8.4f}")


def print_tries(tries):
    print(f"\nEvery challenger. gain: champion's loss minus its own on the newest 14 labelled days; then: on the {NEXT_DAYS} days after")
    print(f"{'day':12}{'challenger':>11}{'champion':>10}{'gain':>9}{'95 % interval':>19}{'p':>8}  {'verdict':13}{'in production':15}{'then':>8}")
    for row in tries:
        interval = f"{row['lo']:+.4f}…{row['hi']:+.4f}" if row.get("lo") is not None else ""
        print(f"{row['day']:12}{row['challenger']:>11}{row['champion'] or '-':>10}{number(row['estimate']):>9}{interval:>19}"
              f"{number(row['p'], '.3f'):>8}  {row['verdict']:13}{row['promoted'] or '-':15}{number(row.get('next_gain')):>8}")


def days_between(first, second):
    return day_of(second) - day_of(first)


def print_counts(events, tries, arms):
    later = [row for row in tries if row["champion"]]
    promoted = [row for row in later if row["promoted"]]
    refused = [row for row in later if not row["promoted"] and row.get("next_gain") is not None]
    hurt = [row for row in refused if row["next_gain"] < 0]
    missed = [row for row in refused if row["next_gain"] > 0]
    regretted = [row for row in promoted if (row.get("next_gain") or 0) < 0]
    alarms = [event for event in events if event["type"] == "alarm.raised"]
    fired = [event for event in events if event["type"] == "trigger.fired"]
    lead = [days_between(row["day"], row["promoted"]) for row in promoted]
    sizes = [event["body"]["duration_s"] for event in events
             if event["type"] == "retraining.finished" and event["body"].get("duration_s") is not None]
    months = len(arms["never"])
    print(f"""
Deployments after the first: {len(promoted)} by Slipway, {months - 1} by either calendar, 0 by leaving it alone
Tried: {len(later)} challengers ({len(fired)} triggers, {len(alarms)} of them by an alarm), retrained in {np.median(sizes) if sizes else 0:.1f} s in the median
Refused: {len(refused)}; {len(hurt)} of them would have been worse than the champion in the {NEXT_DAYS} days after, {len(missed)} better
Promoted, and worse than the old champion in the {NEXT_DAYS} days after: {len(regretted)} of {len(promoted)}
Lead time, from the challenger's training to all traffic: {f'{np.median(lead):.0f} days in the median' if lead else 'nothing was promoted'}""")
    for event in alarms:
        body = event["body"]
        print(f"Alarm on {event['event_time'][:10]}: block {body.get('block')}, value {body.get('value'):.1f} "
              f"(threshold {body.get('threshold')}), mean loss {body.get('mean_loss'):.3f} against a bound of {body.get('bound_loss'):.3f}, one false alarm in {body.get('budget_blocks')} days")
    return {"promoted": len(promoted), "tried": len(later), "refused": len(refused), "refused_would_have_hurt": len(hurt),
            "refused_would_have_helped": len(missed), "promoted_and_worse": len(regretted), "alarms": len(alarms),
            "lead_days": lead}


def print_ways(url, served, tries):
    one = served["prediction_id"].iloc[len(served) // 2]
    print(f"""
See it yourself                                     on the page
  slipway story                                       {url}/story
  slipway endpoint show {ENDPOINT}                  {url}/endpoints/{ENDPOINT}
  slipway explain {one:35} (one prediction, back to run, data and commit)
  slipway run list                                    {url}/runs
  slipway model show {MODEL}                     (why version {next((row['challenger'] for row in reversed(tries) if row['promoted']), 1)} serves)""")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--token-file", required=True, type=pathlib.Path)
    parser.add_argument("--replay", required=True, type=pathlib.Path)
    parser.add_argument("--arms", required=True, type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()

    server = Server(args.url, args.token_file.read_text().strip())
    measured = json.loads(args.arms.read_text())
    events, rollouts, served = server.events(), server.rollouts(), server.served()
    replay = read_replay(args.replay)
    versions = Versions(args.url, replay["features"])

    arms = {**measured["arms"], "slipway": months_of(served, measured["months"])}
    tries = tries_of(events, replay, versions)
    print_arms(measured["months"], arms)
    print_tries(tries)
    counts = print_counts(events, tries, arms)
    print_ways(args.url, served, tries)

    checks = {
        "promotions rest on evidence": invariants.check_promotions(server, events),
        "refusals have reasons": invariants.check_refusals(events),
        "the gate's numbers compute again": invariants.check_gates(events, replay, versions),
        "rollout counters add up": invariants.check_rollouts(rollouts, replay),
        "every labelled flight came back once": invariants.check_served(served, replay),
        "answers are the named version's": invariants.check_answers(served, replay, versions),
        "predictions explain themselves": invariants.check_explanations(server, served),
    }
    print("\nThe books")
    broken = {}
    for name, found in checks.items():
        broken[name] = list(found)
        print(f"  {'ok    ' if not broken[name] else 'BROKEN'} {name}")
        for sentence in broken[name][:10]:
            print(f"         {sentence}")
    if args.out:
        args.out.write_text(json.dumps({"arms": arms, "tries": tries, "counts": counts, "broken": broken,
                                        "first_day": date(replay["day"][0])}, indent=1, default=float) + "\n")
    return 1 if any(broken.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
