# SPDX-License-Identifier: Apache-2.0
"""The command line as a person meets it: names that do not exist, texts to read, a history, a terminal of 60 columns."""
import fcntl
import http.server
import json
import os
import pty
import struct
import subprocess
import termios
import threading
import urllib.parse

import pytest

from conftest import clean_environment, program, run_program

EXPERIMENT = "späte Flüge ✈"


@pytest.fixture(scope="module")
def filled(shared_server):
    """A model with two versions whose alias moved three times, and one run, all over MLflow's own API."""

    def call(path, body):
        answer = shared_server.post("/api/2.0/mlflow/" + path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    experiment = call("experiments/create", {"name": EXPERIMENT})["experiment_id"]
    run = call("runs/create", {"experiment_id": experiment, "run_name": "first", "start_time": 1_362_114_000_000})["run"]["info"]["run_id"]
    call("runs/log-metric", {"run_id": run, "key": "log_loss", "value": 0.6317801258898302, "timestamp": 1, "step": 0})
    call("runs/log-parameter", {"run_id": run, "key": "leaves", "value": "15"})
    call("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1_362_114_250_000})
    call("registered-models/create", {"name": "late-arrival"})
    call("registered-models/create", {"name": "lonely"})
    for number in (1, 2):
        call("model-versions/create", {"name": "late-arrival", "source": f"runs:/{run}/model{number}", "run_id": run})
    for version in ("1", "2"):
        call("registered-models/alias", {"name": "late-arrival", "alias": "champion", "version": version})
    call("registered-models/alias", {"name": "late-arrival", "alias": "shadow", "version": "1"})
    shared_server.run_id = run
    return shared_server


# What is asked, and the whole first line of the refusal. All exit 5 and name the list as the way out.
UNKNOWN = [
    (["model", "show", "late-arival"], "there is no model `late-arival`, did you mean `late-arrival`?", "model list"),
    (["model", "show", "nope"], "there is no model `nope`", "model list"),
    (["model", "promote", "late-arival/1"], "there is no model `late-arival`, did you mean `late-arrival`?", "model list"),
    (["model", "history", "late-arival"], "there is no model `late-arival`, did you mean `late-arrival`?", "model list"),
    (["model", "history", "late-arrival", "--alias", "champoin"],
     "no alias `champoin` of model `late-arrival` ever moved, did you mean `champion`?", "model history late-arrival"),
    (["rollout", "list", "--endpoint", "nope"], "there is no endpoint `nope`", "endpoint list"),
    (["alarm", "list", "--monitor", "nope"], "there is no monitor `nope`", "monitor list"),
    (["monitor", "show", "nope"], "there is no monitor `nope`", "monitor list"),
    (["monitor", "export", "nope"], "there is no monitor `nope`", "monitor list"),
    (["gate", "evaluate", "nope", "--challenger", "1"], "there is no gate `nope`", "gate list"),
    (["endpoint", "release", "nope"], "there is no endpoint `nope`", "endpoint list"),
    (["rollback", "nope"], "there is no endpoint `nope`", "endpoint list"),
    (["story", "--endpoint", "nope"], "there is no endpoint `nope`", "endpoint list"),
    (["trigger", "fire", "nope"], "there is no trigger `nope`", "trigger list"),
    (["rollout", "pause", "nope"], "there is no rollout `nope`", "rollout list"),
    (["run", "show", "nope"], "there is no run `nope`", "run list"),
    (["run", "list", "--experiment", "späte Flüge"], "there is no experiment `späte Flüge`, did you mean `späte Flüge ✈`?",
     "experiment list"),
    (["endpoint", "replay", "/dev/null", "--endpoint", "nope"], "there is no endpoint `nope`", "endpoint list"),
]


def test_an_unknown_name_exits_5_with_the_nearest_and_the_list(filled):
    wrong = []
    for words, message, hint in UNKNOWN:
        said = filled.cli(*words, check=False)
        if said.returncode != 5 or said.stdout or said.stderr != f"error: {message}\n  hint: slipway {hint}\n":
            wrong.append((words, said.returncode, said.stdout, said.stderr))
        told = filled.cli(*words, "--json", check=False) if words[:2] != ["monitor", "export"] else None
        if told is not None and (told.returncode, json.loads(told.stdout)["error"]["message"]) != (5, message):
            wrong.append((words, told.returncode, told.stdout))
    assert not wrong, "\n".join(map(str, wrong))


def test_the_history_of_aliases_says_who_why_and_on_what(filled):
    moves = json.loads(filled.cli("model", "history", "late-arrival", "--json").stdout)
    assert moves["kind"] == "model.history" and moves["data"]["model"] == "late-arrival"
    assert [(m["alias"], m["move"], m["from"], m["to"], m["direct"], m["evidence"]) for m in moves["data"]["moves"]] == [
        ("shadow", 1, None, 1, True, []), ("champion", 2, 1, 2, True, []), ("champion", 1, None, 1, True, [])]
    one = json.loads(filled.cli("model", "history", "late-arrival", "--alias", "champion", "--json").stdout)
    assert [m["move"] for m in one["data"]["moves"]] == [2, 1]
    lines = filled.cli("model", "history", "late-arrival", "--alias", "champion").stdout.splitlines()
    # No request came yet, so no move has an event time: the wall clock does not stand in for it unsaid.
    assert lines[0].startswith("champion 2  recorded 2") and "  1 -> 2  by mlflow-client" in lines[0]
    assert lines[1:3] == ["  why: no reason given", "  evidence: none"]
    assert "  none -> 1  by " in lines[3]
    lonely = filled.cli("model", "history", "lonely")
    assert (lonely.stdout, lonely.stderr) == ("", "no alias of `lonely` was ever set\n")


def test_runs_are_tables_not_json(filled):
    run = filled.run_id
    assert filled.cli("run", "list").stdout == (
        f"{run}\tfirst\tFINISHED\t2013-03-01T05:00:00Z\t4 min 10 s\t{EXPERIMENT}\tlog_loss 0.6317801258898302\n")
    text = filled.cli("run", "show", run[:8]).stdout
    assert text.startswith(f"run: {run}\nname: first\nexperiment: {EXPERIMENT}\nstatus: FINISHED\n")
    assert "params:\n  leaves: 15\nmetrics:\n  log_loss: 0.63178\n" in text
    assert json.loads(filled.cli("run", "show", run[:8], "--json").stdout)["data"]["info"]["run_id"] == run
    assert "{" not in filled.cli("event", "list").stdout
    none = filled.cli("alarm", "list")
    assert (none.stdout, none.stderr) == ("", "none\n")


def test_a_narrow_terminal_gets_whole_rows_without_colour(filled):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 60, 0, 0))
    done = subprocess.run([str(program()), "event", "list"], stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.PIPE,
                          env=filled.environ(), timeout=20)
    os.close(slave)
    text = b""
    try:
        while piece := os.read(master, 65536):
            text += piece
    except OSError:  # the other end is closed: that is a terminal's end of file
        pass
    os.close(master)
    lines = text.decode().replace("\r\n", "\n").splitlines()
    assert done.returncode == 0 and lines[0].split()[:4] == ["SEQ", "EVENT", "TIME", "TYPE"]
    assert "\x1b" not in text.decode()
    assert len(lines) == len(json.loads(filled.cli("event", "list", "--json").stdout)["data"]) + 1


def test_faults_of_the_connection_have_their_codes(filled, tmp_path, free_port):
    def say(*words, **environment):
        return run_program(words, {**filled.environ(), **environment}, tmp_path, False, 20)

    refused = say("trigger", "fire", "any", SLIPWAY_TOKEN="slp_" + "0" * 64)
    assert refused.returncode == 4 and refused.stderr.startswith("error: this token is not known here\n  hint: ")
    gone = say("endpoint", "list", SLIPWAY_URL=f"http://127.0.0.1:{free_port}")
    assert gone.returncode == 7 and gone.stderr.endswith("  hint: slipway server   (or: export SLIPWAY_URL=http://HOST:PORT)\n")
    (tmp_path / "x.plan").write_text("no plan\n")
    plan = say("apply", "x.plan")
    assert plan.returncode == 2 and plan.stderr.startswith("error: `x.plan` is no plan: not valid JSON")
    folder = say("endpoint", "replay", str(tmp_path), "--endpoint", "any")
    assert folder.returncode == 2 and folder.stderr == f"error: `{tmp_path}` is a folder, not a file of JSON lines\n"


@pytest.mark.parametrize("name", ["o'hare", 'the "late" one', """o'hare's "late" one"""])
def test_a_model_may_have_quotes_in_its_name(filled, name):
    for model in {name, name.replace("'", "-")}:  # the other one differs where a pattern has a wildcard
        assert filled.post("/api/2.0/mlflow/registered-models/create", {"name": model}).status_code == 200
        made = filled.post("/api/2.0/mlflow/model-versions/create", {"name": model, "source": f"runs:/{filled.run_id}/model1",
                                                                                "run_id": filled.run_id})
        assert made.status_code == 200, made.text
    shown = json.loads(filled.cli("model", "show", name, "--json").stdout)["data"]
    assert shown["name"] == name and {version["name"] for version in shown["versions"]} == {name}


@pytest.fixture
def told(tmp_path):
    """told({path: answer or function of the query}): runs `slipway` against a server that says just that, and keeps the queries."""
    servers = []

    def start(answers):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                asked.append((path, dict(urllib.parse.parse_qsl(query))))
                answer = answers.get(path)
                answer = answer(asked[-1][1]) if callable(answer) else answer
                body = json.dumps(answer or {"error": {"code": "not_found", "message": f"there is nothing at {path}"}}).encode()
                self.send_response(200 if answer else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        one = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=one.serve_forever, daemon=True).start()
        servers.append(one)
        url = f"http://127.0.0.1:{one.server_port}"

        def run(*words, check=True):
            return run_program(words, clean_environment(SLIPWAY_URL=url), tmp_path, check, 60)

        run.asked = asked
        return run

    yield start
    for one in servers:
        one.shutdown()
        one.server_close()


def test_a_monitor_has_its_losses_in_one_unit(told):
    block = {"start": "2013-03-01T00:00:00.000000Z", "predictions": 9, "labelled": 9, "mean_loss": 0.6, "mean_scaled": 0.2, "mean": 0.2,
             "value": 101, "judged": True, "skipped": ""}
    alarm = {"id": "A", "monitor": "late", "block": block["start"], "value": 101, "threshold": 100, "mean_loss": 0.6, "bound_loss": 0.57}
    run = told({"/api/slipway/v1/monitors/late": {"name": "late", "blocks": [block], "alarms": [alarm]}})
    assert run("monitor", "show", "late").stdout.splitlines() == [
        "name: late", "", "newest blocks (more with --json):", "2013-03-01T00:00:00.000000Z\t9\t9\t0.6\t101\tyes\t-", "",
        "alarms:", "A\tlate\t2013-03-01T00:00:00.000000Z\t101\t100\t0.6"]


def test_a_version_that_loads_is_no_problem(told):
    path = "/api/slipway/v1/endpoints/late"
    shown = {}
    for loading, problem in ((True, "version 3 is loading"), (False, "version 3 cannot be served: it is gone"), (False, "")):
        run = told({path: {"name": "late", "problem": problem, "loading": loading}})
        shown[problem] = run("endpoint", "show", "late").stdout
        assert json.loads(run("endpoint", "show", "late", "--json").stdout)["data"] == {"name": "late", "problem": problem, "loading": loading}
    assert list(shown.values()) == ["name: late\nloading: version 3 is loading\n",
                                    "name: late\nproblem: version 3 cannot be served: it is gone\n", "name: late\nproblem: -\n"]


def test_the_beginning_of_a_rollouts_id_is_looked_for_in_the_largest_page(told):
    ids = [f"01H{number:023}" for number in range(1_200, 0, -1)]

    def newest(query):
        return {"rollouts": [{"id": one} for one in ids[: int(query.get("limit", 100))]]}

    path = "/api/slipway/v1/rollouts"
    run = told({path: newest, **{f"{path}/{one}": {"id": one, "steps": []} for one in (ids[-1], "01A" + "0" * 23)}})
    shared = run("rollout", "show", ids[500][:25], check=False)  # ten ids begin so, none of the newest hundred
    assert shared.returncode == 2 and shared.stderr.startswith("error: more than one rollout begins with `")
    absent = run("rollout", "show", "01K", check=False)
    note, error = absent.stderr.splitlines()[:2]
    assert note == "`01K` was looked for among the newest 1000 rollouts alone; an older one takes its whole id"
    assert absent.returncode == 5 and error == "error: there is nothing at /api/slipway/v1/rollouts/01K"
    whole = run("rollout", "show", ids[-1])
    assert (whole.stdout.splitlines()[0], whole.stderr) == (f"id: {ids[-1]}", "")
    listed = run("rollout", "list")
    assert (len(listed.stdout.splitlines()), listed.stderr) == (1_000, "the newest 1000; there may be older ones\n")
    ids[:] = ids[:120] + ["01A" + "0" * 23]
    old = run("rollout", "show", "01a")
    assert (old.stdout.splitlines()[0], old.stderr) == ("id: 01A" + "0" * 23, "")


def test_a_list_without_an_end_is_refused_not_cut(told):
    run = told({"/api/2.0/mlflow/experiments/search": {"experiments": [{"experiment_id": "1", "name": "one"}], "next_page_token": "more"}})
    said = run("experiment", "list", check=False)
    assert (said.returncode, said.stdout, len(run.asked)) == (1, "", 100)
    assert said.stderr == "error: more than 100 experiments, the most that a command asks for: the rest would be missing\n"


def test_a_list_of_one_thing_is_one_request(told):
    run = told({"/api/slipway/v1/alarms": {"alarms": []}, "/api/slipway/v1/rollouts": {"rollouts": []}})
    for words in (["alarm", "list", "--monitor", "gone"], ["rollout", "list", "--endpoint", "gone"]):
        said = run(*words)
        assert (said.stdout, said.stderr) == ("", "none\n")
    assert [path for path, _ in run.asked] == ["/api/slipway/v1/alarms", "/api/slipway/v1/rollouts"]
