# SPDX-License-Identifier: Apache-2.0
"""Kills a server at random moments while clients write, and checks after each restart that nothing acknowledged is missing.

Clients append every acknowledged write to a journal, with fsync, before they go on (kill_clients.py); after each SIGKILL and restart
every line that came since is looked up (kill_check.py), and all of them after the last one. What was sent without an answer must have
happened wholly or not at all. Some servers are killed while they still recover from the kill before. In the end the loop must go on: a
rollout is promoted, labels are accepted, a block of the monitor is judged.

    kill_loop.py SLIPWAY FOLDER [--kills 50] [--seed 1] [--forge] [--store URL]
The seed settles when kills come and what clients choose, not how far they get by then.
Prints how many acknowledged writes it checked. Exit 1 if one is missing, or if anything else than a kill made a client fail.
--forge: lies in the journals before the last check, which must find every lie.
"""

import argparse
import collections
import http.client
import pathlib
import random
import sys
import threading
import time

import kill_clients
from kill_check import OPEN, check_journals
from kill_setup import DAY_US, EVENT_STEP_US, INPUTS, apply_body, prepare
from kill_wire import V1, Connection, Journal, Refused, Server

LIFE_S = (0.05, 0.6)       # a server that answers lives so long
EARLY_SHARE = 0.2          # of kills that are followed by one during recovery
EARLY_S = (0.0, 0.08)
ROUNDS_MAX = 100           # of 50 requests, within which a rollout must end
PROMOTIONS_MAX = 3         # one rollout in a hundred may take a good version back: its test of the split errs that often
JOIN_S = 60


class Client(threading.Thread):
    """Runs one of kill_clients until the server is gone; `fault` is anything else that ended it."""

    def __init__(self, work, *arguments):
        super().__init__(daemon=True)
        self.work, self.arguments, self.fault = work, arguments, None

    def run(self):
        try:
            self.work(*self.arguments)
        except TimeoutError as error:
            self.fault = error
        except (OSError, http.client.HTTPException):
            pass  # killed
        except Exception as error:  # noqa: BLE001: kept, and told by the loop
            self.fault = error


def start_clients(server, journals, world, rng):
    def client(name, work, *first):
        return Client(work, *first, server, journals[name], world, random.Random(rng.getrandbits(64)))

    clients = [client("tracking-0", kill_clients.tracking_client, 0), client("tracking-1", kill_clients.tracking_client, 1),
               client("prediction-0", kill_clients.prediction_client), client("prediction-1", kill_clients.prediction_client),
               client("apply", kill_clients.apply_client), client("rollout", kill_clients.rollout_client)]
    for one in clients:
        one.start()
    return clients


def one_life(server, journals, world, moments, choices):
    """Clients write, the server is killed; returns when (monotonic)."""
    clients = start_clients(server, journals, world, choices)
    time.sleep(moments.uniform(*LIFE_S))
    killed_at = time.monotonic()
    server.kill()
    for client in clients:
        client.join(JOIN_S)
        if client.is_alive() or client.fault is not None:
            raise Refused(f"{client.work.__name__} failed otherwise: {client.fault!r}")
    return killed_at


def infer(c, world):
    event_time = next(world.event_time_us)
    answer = c.post("/v2/models/kill/infer", {"parameters": {"event_time": event_time}, "inputs": [
        {"name": "x", "shape": [1, INPUTS], "datatype": "FP32", "data": [0.5] * INPUTS}]})
    return answer["parameters"]["prediction_id"], event_time


def finish_rollout(c, world):
    """Traffic until no rollout is open; how the newest ended."""
    for _ in range(ROUNDS_MAX):
        newest = c.get(f"{V1}/rollouts?endpoint=kill&limit=1")["rollouts"]
        if not newest or newest[0]["state"] not in OPEN:
            return newest[0]["state"] if newest else None
        if newest[0]["state"] == "paused":
            c.post(f"{V1}/rollouts/{newest[0]['id']}/resume", {})
        for _ in range(50):
            infer(c, world)
        c.post(f"{V1}/endpoints/kill/settle", {"timeout_s": 20})
    raise Refused(f"a rollout is still open after {50 * ROUNDS_MAX} requests")


def goes_on(server, world, journal):
    """What is left of the loop after the last kill: raises Refused where it stands still."""
    c = Connection(server)
    finish_rollout(c, world)
    for _ in range(PROMOTIONS_MAX):
        champion = c.get(f"{V1}/endpoints/kill")["champion"]["version"]
        c.post(f"{V1}/models/kill/promote", {"version": 3 - champion, "reason": "the loop goes on"})
        ended = finish_rollout(c, world)
        if ended == "promoted":
            break
    now = c.get(f"{V1}/endpoints/kill")["champion"]["version"]
    if ended != "promoted" or now != 3 - champion:
        raise Refused(f"the last rollout ended {ended}, version {now} serves")
    before = c.get(f"{V1}/monitors/kill")["status"]
    for _ in range(3 * DAY_US // EVENT_STEP_US):
        prediction, event_time = infer(c, world)
        c.post(f"{V1}/endpoints/kill/watermark", {"event_time": kill_clients.time_text(event_time)})  # synced: no orphan
        answer = kill_clients.post_labels(c, [prediction])
        if answer["accepted"] != 1:
            raise Refused(f"a label of {prediction} was not accepted: {answer}")
    c.post(f"{V1}/endpoints/kill/settle", {"timeout_s": 20})
    after = c.get(f"{V1}/monitors/kill")["status"]
    if after["blocks_closed"] < before["blocks_closed"] + 2 or after["blocks_judged"] <= before["blocks_judged"]:
        raise Refused(f"the monitor stands still: {before} then {after}")
    journal.add("apply", mark="mark-last", id=c.post(f"{V1}/apply", apply_body("mark-last"))["apply_id"])
    return after["blocks_judged"]


def forge(journals):
    """One lie of each kind. Returns the kinds."""
    run = "0" * 32
    known = next(x for x in journals["tracking-0"].acknowledged if x["kind"] == "batch")["run"]
    rollout = next(x for x in journals["rollout"].acknowledged if x["kind"] == "rollout")["row"]
    lies = {
        "tracking-0": [("run", {"run": run}), ("metric", {"run": known, "step": 99, "value": 1.0}), ("param", {"run": known, "value": "no"}),
                       ("tag", {"run": known, "value": "no"}), ("batch", {"run": run}), ("artifact", {"run": run, "sha256": "0" * 64}),
                       ("version", {"version": "1", "run": run}), ("alias", {"alias": "a0", "version": "999999"})],
        "prediction-0": [("prediction", {"id": "00000001-999999999999", "first": 0.5}), ("watermark", {"event_time_us": 4_000_000_000_000_000}),
                         ("labels", {"ids": ["00000001-999999999999"], "answer": {}})],
        "apply": [("apply", {"mark": "never", "id": "01AAAAAAAAAAAAAAAAAAAAAAAA"})],
        "rollout": [("rollout", {"row": {**rollout, "state": "promoted", "reason": "no"}}), ("monitor", {"blocks_closed": 10**9}),
                    ("event", {"seq": 10**9, "id": "no"})],
    }
    for name, lines in lies.items():
        for kind, facts in lines:
            journals[name].add(kind, **facts)
    return {kind for lines in lies.values() for kind, _ in lines}


class Totals:
    def __init__(self):
        self.checked = self.lost_late = self.early = 0

    def take(self, check, when):
        self.checked += check.checked
        self.lost_late += check.lost_late
        if check.missing:
            raise Refused(f"{when}: {len(check.missing)} acknowledged writes are missing or half there, first {check.missing[0]}")


def run_loop(server, journals, arguments, totals):
    moments, choices = random.Random(arguments.seed), random.Random(arguments.seed + 1)
    kills = arguments.kills
    server.start()
    world = prepare(Connection(server))
    done = 0
    while done < kills:
        since = {name: len(journal.acknowledged) for name, journal in journals.items()}
        killed_at = one_life(server, journals, world, moments, choices)
        done += 1
        while done < kills and moments.random() < EARLY_SHARE:
            server.launch()
            time.sleep(moments.uniform(*EARLY_S))
            server.kill()
            totals.early += 1
            done += 1
        server.start()
        check = check_journals(server, journals, since, last=False, rng=choices, killed_at=killed_at)
        check.invariants()
        totals.take(check, f"kill {done}")
    ids = [x["id"] for j in journals.values() for x in j.acknowledged if x["kind"] == "prediction"]
    if len(ids) != len(set(ids)):
        raise Refused(f"{len(ids) - len(set(ids))} prediction ids were given twice")
    return world


def arguments_of(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slipway")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--forge", action="store_true")
    parser.add_argument("--store", help="of the server: postgresql://…, empty")
    return parser.parse_args(argv)


def main(argv):
    arguments = arguments_of(argv)
    begun = time.monotonic()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    server = Server(arguments.slipway, arguments.folder / "data", ["--store", arguments.store] if arguments.store else [])
    names = ("tracking-0", "tracking-1", "prediction-0", "prediction-1", "apply", "rollout")
    journals = {name: Journal(arguments.folder / f"journal-{name}.jsonl") for name in names}
    totals = Totals()
    try:
        world = run_loop(server, journals, arguments, totals)
        judged = goes_on(server, world, journals["apply"])
        lies = forge(journals) if arguments.forge else set()
        last = check_journals(server, journals, {}, last=True)
        if arguments.forge:
            return tell_lies(lies, last.missing)
        facts = last.invariants()
        totals.take(last, "at the end")
        rollouts = collections.Counter(row["state"] for row in last.c.get(f"{V1}/rollouts?endpoint=kill")["rollouts"])
        code = server.stop()
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        if server.process is not None and server.process.poll() is None:
            server.process.kill()
            server.process.wait()
    acknowledged = sum(len(journal.acknowledged) for journal in journals.values())
    states = ", ".join(f"{count} {state}" for state, count in sorted(rollouts.items()))
    print(f"{arguments.kills} kills ({totals.early} during recovery), {acknowledged} acknowledged writes, {totals.checked} checks, 0 missing; "
          f"{totals.lost_late} predictions of the last moments before a kill lost their record; rollouts: {states}; "
          f"{judged} blocks judged; {facts} invariants hold; slowest start {1000 * server.slowest_start_s:.0f} ms; exit {code} on SIGTERM; "
          f"{time.monotonic() - begun:.0f} s")
    return code


def tell_lies(lies, missing):
    """0 when the last check found every lie."""
    unnoticed = sorted(kind for kind in lies if not any(f"'kind': '{kind}'" in line for line in missing))
    print(f"{len(lies)} kinds of lies, unnoticed: {', '.join(unnoticed) or 'none'}")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
