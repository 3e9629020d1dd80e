# SPDX-License-Identifier: Apache-2.0
"""Accounts, tokens, roles and permissions, with the clients that people have."""

import json
import subprocess
import sys
import time
import types

import pytest
import requests

from conftest import program

ADMIN = ("ada", "a-password-of-ada")
ANN = ("ann", "a-password-of-ann")
BOB = ("bob", "a-password-of-bob")
API2, API3 = "/api/2.0/mlflow/", "/api/3.0/mlflow/"


class Closed:
    """A server with accounts: an administrator, and two users who may do nothing yet."""

    def __init__(self, server):
        self.server, self.url = server, server.url
        for name, password in (ADMIN, ANN, BOB):
            made = server.post("v1/users", {"username": name, "password": password})
            assert made.status_code == 200, made.text
            assert made.json()["admin"] == (name == "ada")

    def ask(self, who, method, path, **more):
        return requests.request(method, self.url + path, auth=who, timeout=60, **more)

    def get(self, who, path, **query):
        return self.ask(who, "GET", path, params=query)

    def post(self, who, path, **body):
        return self.ask(who, "POST", path, json=body)

    def experiment(self, who, name):
        return self.post(who, API2 + "experiments/create", name=name).json()["experiment_id"]

    def run(self, who, experiment, **more):
        made = self.post(who, API2 + "runs/create", experiment_id=experiment, **more)
        assert made.status_code == 200, made.text
        return made.json()["run"]["info"]["run_id"]

    def grant(self, user, kind, thing, permission, by=ADMIN):
        return self.post(by, API3 + "users/permissions/grant", username=user[0], resource_type=kind, resource_id=thing,
                         permission=permission)


@pytest.fixture
def closed(server):
    return Closed(server)


def is_forbidden(answer):
    return answer.status_code == 403 and answer.text == "Permission denied" and \
        answer.headers["content-type"].startswith("text/html")


def cli(server, *words, typed=None, token=None):
    environment = {**server.environ(), **({"SLIPWAY_TOKEN": token} if token else {})}
    return subprocess.run([str(program()), *words], input=typed, env=environment, capture_output=True, text=True, timeout=60)


def test_a_server_without_accounts_is_open_on_its_machine(server):
    assert requests.get(server.url + API2 + "experiments/get", params={"experiment_id": "0"}, timeout=60).status_code == 200
    # But nobody becomes its first administrator without its token.
    made = requests.post(server.url + API2 + "users/create", json={"username": "eve", "password": "a-password-of-eve"},
                         timeout=60)
    assert made.status_code == 401


def test_the_first_account_closes_it(closed):
    refused = closed.get(None, API2 + "experiments/get", experiment_id="0")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'Basic realm="mlflow"'
    assert refused.text.startswith("You are not authenticated. Please see https://www.mlflow.org/docs/latest/auth/index.html")
    for who in (("ada", "wrong"), ("nobody", "a-password-of-ada"), ("ada", ""), ("", "a-password-of-ada")):
        wrong = closed.get(who, API2 + "experiments/get", experiment_id="0")
        assert (wrong.status_code, wrong.text) == (401, refused.text), who
    assert closed.get(ADMIN, API2 + "experiments/get", experiment_id="0").status_code == 200
    assert is_forbidden(closed.get(ANN, API2 + "experiments/get", experiment_id="0"))
    for path in ("/health", "/version"):
        assert closed.get(None, path).status_code == 200
    assert closed.get(None, API3 + "server-info").status_code == 200
    own = closed.get(None, "/api/slipway/v1/endpoints")
    assert own.status_code == 401 and own.json()["error"]["code"] == "unauthenticated"
    # The server's own token still opens everything.
    assert closed.server.get("v1/endpoints").status_code == 200
    closed.server.restart()
    assert closed.get(None, API2 + "experiments/get", experiment_id="0").status_code == 401


def test_a_password_is_checked_once_and_then_remembered(closed):
    def spent():
        fields = open(f"/proc/{closed.server.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    with requests.Session() as session:
        session.auth = ADMIN
        url = closed.url + API2 + "experiments/get?experiment_id=0"
        assert session.get(url).status_code == 200
        before = spent()
        for _ in range(200):
            assert session.get(url).status_code == 200
        # One check of such a hash takes some 50 ms; 200 of them would take ten seconds.
        assert spent() - before < 1.0
    # Another password counts at once, and the one before opens nothing.
    changed = closed.ask(ADMIN, "PATCH", API2 + "users/update-password",
                         json={"username": "ann", "password": "another-of-ann"})
    assert changed.status_code == 200, changed.text
    assert closed.get(ANN, API2 + "users/current").status_code == 401
    assert closed.get(("ann", "another-of-ann"), API2 + "users/current").status_code == 200


def test_mlflows_client_of_accounts(closed, monkeypatch):
    # The client lies in a package with the stock server's app, which needs this part for its own page alone.
    forms = types.ModuleType("flask_wtf.csrf")
    forms.CSRFProtect = object
    monkeypatch.setitem(sys.modules, "flask_wtf", types.ModuleType("flask_wtf"))
    monkeypatch.setitem(sys.modules, "flask_wtf.csrf", forms)
    from mlflow.exceptions import MlflowException, RestException
    from mlflow.server.auth.client import AuthServiceClient

    def be(who):
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", who[0])
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", who[1])

    client = AuthServiceClient(closed.url)
    be(ADMIN)
    eve = client.create_user("eve", "a-password-of-eve")
    assert (eve.username, eve.is_admin, eve.password_hash) == ("eve", False, "REDACTED")
    assert client.get_user("eve").id == eve.id
    with pytest.raises(RestException, match="already exists"):
        client.create_user("eve", "a-password-of-eve")
    with pytest.raises(RestException, match="at least 12 characters"):
        client.create_user("joe", "short")
    client.update_user_admin("eve", True)
    assert client.get_user("eve").is_admin
    client.update_user_admin("eve", False)
    client.update_user_password("eve", "another-of-eve")

    role = client.create_role("default", "readers", "who may look")
    grant = client.add_role_permission(role.id, "experiment", "*", "READ")
    assert client.update_role_permission(grant.id, "EDIT").permission == "EDIT"
    assert [one.permission for one in client.list_role_permissions(role.id)] == ["EDIT"]
    client.assign_role("eve", role.id)
    assert [one.name for one in client.list_user_roles("eve")] == ["readers"]
    assert [one.user_id for one in client.list_role_users(role.id)] == [eve.id]
    assert client.update_role(role.id, name="writers").name == "writers"
    assert "writers" in [one.name for one in client.list_roles("default")] == [one.name for one in client.list_all_roles()]
    got = client.get_user_permission("eve", "experiment", "0")
    assert (got.permission, got.allowed) == ("EDIT", True)
    client.unassign_role("eve", role.id)
    client.remove_role_permission(grant.id)
    client.delete_role(role.id)
    with pytest.raises(RestException, match=f"Role with id={role.id} not found"):
        client.get_role(role.id)

    client.grant_user_permission("eve", "experiment", "0", "READ")
    assert client.get_user_permission("eve", "experiment", "0").permission == "READ"
    client.revoke_user_permission("eve", "experiment", "0")
    assert client.get_user_permission("eve", "experiment", "0").permission == "NO_PERMISSIONS"

    be(("eve", "another-of-eve"))
    assert client.get_user("eve").username == "eve"
    for refused in (lambda: client.get_user("ada"), lambda: client.create_user("x", "a-password-of-x"),
                    lambda: client.create_role("default", "r"),
                    lambda: client.grant_user_permission("eve", "experiment", "0", "READ"),
                    lambda: client.update_user_admin("eve", True), lambda: client.delete_user("bob")):
        with pytest.raises(MlflowException, match="403|Permission denied"):
            refused()
    with pytest.raises(RestException, match="Current password is required"):
        client.update_user_password("eve", "a-third-of-eve")
    with pytest.raises(RestException, match="Current password does not match"):
        client.update_user_password("eve", "a-third-of-eve", "wrong")
    client.update_user_password("eve", "a-third-of-eve", "another-of-eve")
    be(ADMIN)
    with pytest.raises(RestException, match="cannot delete their own account"):
        client.delete_user("ada")
    client.delete_user("eve")
    be(("eve", "a-third-of-eve"))
    with pytest.raises(MlflowException, match="401|not authenticated"):
        client.get_user("eve")


def test_mlflows_client_logs_as_a_user_and_with_a_token(closed, tmp_path):
    script = tmp_path / "train.py"
    script.write_text("""
import mlflow
mlflow.set_experiment("mine")
with mlflow.start_run() as run:
    mlflow.log_params({"a": 1}); mlflow.log_metric("m", 0.5); mlflow.log_text("hello", "note.txt")
assert mlflow.artifacts.load_text(run.info.artifact_uri + "/note.txt") == "hello"
client = mlflow.MlflowClient()
client.create_registered_model("my-model")
client.create_model_version("my-model", run.info.artifact_uri + "/note.txt", run.info.run_id)
print(len(mlflow.search_experiments()), len(mlflow.search_runs(experiment_names=["mine"])))
try:
    mlflow.log_metric("m", 1, run_id=RUN)
    raise SystemExit("logged into a run of somebody else")
except mlflow.exceptions.MlflowException as error:
    assert "403" in str(error) or "Permission denied" in str(error), error
""".replace("RUN", repr(closed.run(ADMIN, "0"))))
    token = closed.post(ANN, "/api/slipway/v1/tokens", name="laptop").json()["token"]
    for environment in ({"MLFLOW_TRACKING_USERNAME": ANN[0], "MLFLOW_TRACKING_PASSWORD": ANN[1]},):
        done = subprocess.run([sys.executable, script], env=closed.server.environ(**environment), capture_output=True, text=True,
                              timeout=300)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[-2:] == ["1", "1"]
    # The token is the same person.
    current = requests.get(closed.url + API2 + "users/current", headers={"Authorization": "Bearer " + token}, timeout=60)
    assert current.json()["user"]["username"] == "ann"
    assert closed.get(("whoever", token), API2 + "users/current").json()["user"]["username"] == "ann"
    events = closed.server.get("v1/events", params={"type": "model.created"}).json()["events"]
    assert [event["actor"] for event in events] == ["user:ann"]


def test_a_thing_is_its_makers_and_whose_they_let_in(closed):
    mine = closed.experiment(ANN, "mine")
    run = closed.run(ANN, mine)
    assert is_forbidden(closed.get(BOB, API2 + "runs/get", run_id=run))
    assert is_forbidden(closed.get(BOB, API2 + "runs/get", run_id="f" * 32))  # as one that does not exist
    assert is_forbidden(closed.grant(BOB, "experiment", mine, "MANAGE", by=BOB))
    assert closed.grant(BOB, "experiment", mine, "READ", by=ANN).status_code == 200
    assert closed.get(BOB, API2 + "runs/get", run_id=run).status_code == 200
    assert is_forbidden(closed.post(BOB, API2 + "runs/set-tag", run_id=run, key="a", value="b"))
    assert is_forbidden(closed.post(BOB, API2 + "runs/log-batch", run_id=run, tags=[{"key": "a", "value": "b"}]))
    assert is_forbidden(closed.post(BOB, API2 + "runs/create", experiment_id=mine))
    again = closed.grant(BOB, "experiment", mine, "EDIT", by=ANN)
    assert again.status_code == 400 and again.json()["error_code"] == "RESOURCE_ALREADY_EXISTS"
    # Clients before 3.17 change it so.
    changed = closed.ask(ANN, "PATCH", API2 + "experiments/permissions/update",
                         json={"experiment_id": mine, "username": "bob", "permission": "EDIT"})
    assert changed.status_code == 200, changed.text
    assert closed.post(BOB, API2 + "runs/set-tag", run_id=run, key="a", value="b").status_code == 200
    assert closed.post(BOB, API2 + "runs/log-batch", run_id=run, params=[{"key": "a", "value": "b"}]).status_code == 200
    assert is_forbidden(closed.post(BOB, API2 + "runs/delete", run_id=run))
    assert is_forbidden(closed.post(BOB, API2 + "experiments/delete", experiment_id=mine))
    # A role may take away what a grant gives.
    role = closed.post(ADMIN, API3 + "roles/create", name="no runs", workspace="default").json()["role"]["id"]
    closed.post(ADMIN, API3 + "roles/permissions/add", role_id=role, resource_type="run", resource_pattern="*", permission="DENY")
    closed.post(ADMIN, API3 + "roles/assign", username="bob", role_id=role)
    assert is_forbidden(closed.get(BOB, API2 + "runs/get", run_id=run))
    assert closed.get(BOB, API2 + "experiments/get", experiment_id=mine).status_code == 200
    assert closed.post(BOB, API2 + "runs/search", experiment_ids=[mine]).json() == {}


def test_permissions_of_clients_before_3_17(closed):
    mine = closed.experiment(ANN, "mine")
    closed.post(ANN, API2 + "registered-models/create", name="m")
    for base, key, thing, member in (("experiments", "experiment_id", mine, "experiment_permission"),
                                     ("registered-models", "name", "m", "registered_model_permission")):
        path = f"{API2}{base}/permissions/"
        what = {key: thing, "username": "bob"}
        made = closed.post(ANN, path + "create", **what, permission="READ").json()[member]
        assert (made[key], made["permission"]) == (thing, "READ")
        assert closed.get(ANN, path + "get", **what).json()[member] == made
        assert closed.ask(ANN, "PATCH", path + "update", json={**what, "permission": "MANAGE"}).json() == {}
        assert closed.get(BOB, path + "get", **what).json()[member]["permission"] == "MANAGE"
        assert closed.ask(BOB, "DELETE", path + "delete", json=what).json() == {}
        gone = closed.get(ANN, path + "get", **what)
        assert gone.status_code == 404 and gone.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
        assert is_forbidden(closed.get(BOB, path + "get", **what))


def test_a_models_grants_go_with_its_name_and_end_with_it(closed):
    closed.post(ANN, API2 + "registered-models/create", name="old")
    closed.grant(BOB, "registered_model", "old", "READ", by=ANN)
    assert closed.post(ANN, API2 + "registered-models/rename", name="old", new_name="new").status_code == 200
    assert closed.get(BOB, API2 + "registered-models/get", name="new").status_code == 200
    assert is_forbidden(closed.get(BOB, API2 + "registered-models/get", name="old"))
    assert closed.ask(ANN, "DELETE", API2 + "registered-models/delete", json={"name": "new"}).status_code == 200
    closed.post(ADMIN, API2 + "registered-models/create", name="new")  # another's, of the same name
    for who in (ANN, BOB):
        assert is_forbidden(closed.get(who, API2 + "registered-models/get", name="new"))


def test_searches_fill_their_pages_with_what_may_be_read(closed):
    hidden = [closed.experiment(ADMIN, f"hidden {i}") for i in range(30)]
    shown = []
    for i in range(6):
        shown.append(closed.experiment(ANN, f"shown {i}"))
        hidden.append(closed.experiment(ADMIN, f"between {i}"))
    for name in ("a", "b", "c", "d", "e"):
        closed.post(ADMIN if name in "bd" else ANN, API2 + "registered-models/create", name=name)
        made = closed.post(ADMIN, API2 + "model-versions/create", name=name, source="s3://bucket/x")
        assert made.status_code == 200, made.text

    def pages(path, member, size, method="GET"):
        token, all_of_it, full = "", [], []
        while True:
            query = {"max_results": size, "page_token": token}
            answer = (closed.get(ANN, path, **query) if method == "GET" else closed.post(ANN, path, **query)).json()
            all_of_it += answer.get(member, [])
            full.append(len(answer.get(member, [])))
            token = answer.get("next_page_token")
            if not token:
                return all_of_it, full

    found, sizes = pages(API2 + "experiments/search", "experiments", 4, "POST")
    assert sorted(one["experiment_id"] for one in found) == sorted(shown) and sizes == [4, 2]
    found, sizes = pages(API2 + "registered-models/search", "registered_models", 2)
    assert [one["name"] for one in found] == ["a", "c", "e"] and sizes == [2, 1]
    found, sizes = pages(API2 + "model-versions/search", "model_versions", 2)
    assert sorted(one["name"] for one in found) == ["a", "c", "e"] and sizes == [2, 1]
    closed.run(ADMIN, hidden[0])
    run = closed.run(ANN, shown[0])
    found = closed.post(ANN, API2 + "runs/search", experiment_ids=hidden + shown).json()["runs"]
    assert [one["info"]["run_id"] for one in found] == [run]
    assert closed.post(ANN, API2 + "logged-models/search", experiment_ids=hidden).json() == {}
    # Everything, for an administrator.
    assert len(closed.post(ADMIN, API2 + "experiments/search", max_results=100).json()["experiments"]) == 43


def test_artifacts_are_their_experiments(closed):
    mine = closed.experiment(ANN, "mine")
    run = closed.run(ANN, mine)
    path = f"/api/2.0/mlflow-artifacts/artifacts/{mine}/{run}/artifacts/note.txt"
    assert closed.ask(ANN, "PUT", path, data=b"hello").status_code == 200
    assert closed.get(ANN, path).text == "hello"
    tries = [lambda: closed.get(BOB, path), lambda: closed.ask(BOB, "PUT", path, data=b"x"),
             lambda: closed.ask(BOB, "DELETE", path), lambda: closed.ask(BOB, "GET", "/get-artifact", params={"run_id": run, "path": "note.txt"}),
             lambda: closed.get(BOB, API2 + "artifacts/list", run_id=run),
             lambda: closed.ask(BOB, "GET", "/api/2.0/mlflow-artifacts/artifacts", params={"path": mine}),
             lambda: closed.get(BOB, "/api/2.0/mlflow-artifacts/artifacts"),
             lambda: closed.ask(BOB, "PUT", "/api/2.0/mlflow-artifacts/artifacts/anywhere.txt", data=b"x"),
             lambda: closed.ask(BOB, "POST", "/ajax-api/2.0/mlflow/upload-artifact", params={"run_uuid": run, "path": "x"},
                                data=b"x")]
    for number, attempt in enumerate(tries):
        assert is_forbidden(attempt()), number
    closed.grant(BOB, "experiment", mine, "READ", by=ANN)
    assert closed.get(BOB, path).text == "hello"
    assert is_forbidden(closed.ask(BOB, "PUT", path, data=b"x"))
    assert closed.get(ANN, path).text == "hello"


def test_traces_are_their_experiments(closed):
    secret, mine = closed.experiment(ADMIN, "secret"), closed.experiment(ANN, "mine")

    def start(who, experiment, trace_id, **more):
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
        info = {"trace_id": trace_id, "trace_location": location, "request_time": "2026-01-01T00:00:00Z", "state": "OK", **more}
        return closed.post(who, API3 + "traces", trace={"trace_info": info})

    def spans(who, experiment, trace_id, **headers):
        span = {"traceId": trace_id.removeprefix("tr-"), "spanId": "01" * 8, "name": "s", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
        return closed.ask(who, "POST", "/v1/traces", json={"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]},
                          headers={"x-mlflow-experiment-id": experiment, **headers})

    hidden, own, sent = (f"tr-{digit * 32}" for digit in "abc")
    assert start(ADMIN, secret, hidden, request_preview="for nobody").status_code == 200
    assert start(ANN, mine, own).status_code == 200
    assert spans(ANN, mine, sent).status_code == 200
    run = closed.run(ADMIN, secret)
    for refused in (
        start(ANN, secret, "tr-" + "d" * 32), start(ANN, mine, hidden), spans(ANN, secret, "tr-" + "d" * 32), spans(ANN, mine, hidden),
        spans(ANN, mine, sent, **{"x-mlflow-run-id": run}), closed.get(ANN, API3 + f"traces/{hidden}"),
        closed.get(ANN, API3 + "traces/get", trace_id=hidden), closed.get(ANN, API3 + "traces/batchGet", trace_ids=hidden),
        closed.post(ANN, API3 + "traces/batchGetInfos", trace_ids=[own, hidden]), closed.get(ANN, API2 + f"traces/{hidden}/info"),
        closed.get(ANN, "/ajax-api/2.0/mlflow/get-trace-artifact", request_id=hidden),
        closed.ask(ANN, "PATCH", API3 + f"traces/{hidden}/tags", json={"key": "k", "value": "v"}),
        closed.post(ANN, API3 + f"traces/{hidden}/assessments", assessment={"assessment_name": "a", "feedback": {"value": 1}}),
        closed.post(ANN, API2 + "traces/link-to-run", trace_ids=[own], run_id=run),
        closed.post(ANN, API3 + "traces/delete-traces", experiment_id=secret, max_timestamp_millis=2**50),
        closed.post(ANN, API3 + "traces/calculate-filter-correlation", experiment_ids=[mine, secret], filter_string1="name = 'x'",
                    filter_string2="name = 'y'"),
        closed.post(ANN, API2 + "traces", experiment_id=secret, timestamp_ms=1),
    ):
        assert is_forbidden(refused), (refused.request.url, refused.status_code, refused.text)
    places = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": one}} for one in (mine, secret)]
    found = closed.post(ANN, API3 + "traces/search", locations=places).json()["traces"]
    assert sorted(trace["trace_id"] for trace in found) == [own, sent]
    assert "for nobody" not in closed.get(ANN, API2 + "traces", experiment_ids=secret).text
    assert is_forbidden(closed.get(ANN, "/ajax-api/2.0/mlflow/get-trace-artifact", trace_id=own, request_id=hidden))
    # A tag that says where files are leads nobody into another's.
    files = f"mlflow-artifacts:/{secret}/traces/{hidden}/artifacts"
    assert start(ANN, mine, "tr-" + "e" * 32, tags={"mlflow.artifactLocation": files}).status_code == 200
    shown = closed.get(ANN, "/ajax-api/2.0/mlflow/get-trace-artifact", request_id="tr-" + "e" * 32)
    assert is_forbidden(shown) or shown.status_code == 404, shown.text
    closed.grant(ANN, "experiment", secret, "READ")
    assert closed.get(ANN, API3 + f"traces/{hidden}").json()["trace"]["trace_info"]["request_preview"] == "for nobody"
    assert is_forbidden(closed.ask(ANN, "PATCH", API3 + f"traces/{hidden}/tags", json={"key": "k", "value": "v"}))


def test_no_detour_leads_into_anothers_files(closed):
    secret = closed.experiment(ADMIN, "secret")
    run = closed.run(ADMIN, secret)
    closed.ask(ADMIN, "PUT", f"/api/2.0/mlflow-artifacts/artifacts/{secret}/{run}/artifacts/key.txt", data=b"key")
    mine = closed.experiment(ANN, "mine")
    own = closed.run(ANN, mine)
    # An experiment of one's own whose artifacts are another's.
    for location in (f"mlflow-artifacts:/{secret}/{run}/artifacts", "mlflow-artifacts:/"):
        assert is_forbidden(closed.post(ANN, API2 + "experiments/create", name="trick", artifact_location=location))
    # A version of one's own model that stands on another's run.
    closed.post(ANN, API2 + "registered-models/create", name="m")
    for source, run_id in ((f"runs:/{run}/", run), (f"mlflow-artifacts:/{secret}/{run}/artifacts", run),
                           (f"mlflow-artifacts:/{secret}/{run}/artifacts", own), (f"runs:/{run}/x", own),
                           (f"mlflow-artifacts:/{secret}/{run}/artifacts", "")):
        made = closed.post(ANN, API2 + "model-versions/create", name="m", source=source, run_id=run_id)
        assert made.status_code in (400, 403), (source, run_id, made.text)
    closed.post(ADMIN, API2 + "registered-models/create", name="hidden")
    closed.post(ADMIN, API2 + "model-versions/create", name="hidden", source=f"runs:/{run}/", run_id=run)
    for source in ("models:/hidden/1", "models:hidden/1", "MODELS:/hidden/1", "models:///hidden/1", "models:/hidden\\1", "models:/hidden/latest",
                   "RUNS:/" + run + "/", "runs://" + run, "runs:\\" + run, f"MLFLOW-ARTIFACTS:/{secret}/{run}/artifacts"):
        made = closed.post(ANN, API2 + "model-versions/create", name="m", source=source)
        assert made.status_code in (400, 403), (source, made.text)
        made = closed.post(ANN, API2 + "model-versions/create", name="m", source=source, run_id=own)
        assert made.status_code in (400, 403), (source, made.text)
    assert is_forbidden(closed.post(ANN, API2 + "logged-models", experiment_id=mine, name="x", source_run_id=run))
    # One thing is named for the decision, another for the answer.
    assert is_forbidden(closed.get(ANN, "/ajax-api/2.0/mlflow/metrics/get-history-bulk", run_ids=own, run_id=run, metric_key="k"))
    closed.post(ANN, API2 + "model-versions/create", name="m", source=f"runs:/{own}/", run_id=own)
    peeked = closed.ask(ANN, "HEAD", "/model-versions/get-artifact?name=hidden&version=1&path=key.txt", json={"name": "m"})
    assert peeked.status_code == 403, peeked.headers
    # Metrics into another's logged model through one's own run.
    model = closed.post(ADMIN, API2 + "logged-models", experiment_id=secret, name="x").json()["model"]["info"]["model_id"]
    assert is_forbidden(closed.post(ANN, API2 + "runs/log-metric", run_id=own, key="k", value=1, timestamp=1, model_id=model))
    assert is_forbidden(closed.post(ANN, API2 + "runs/log-batch", run_id=own,
                                    metrics=[{"key": "k", "value": 1, "timestamp": 1, "step": 0, "model_id": model}]))
    assert is_forbidden(closed.post(ANN, API2 + "runs/outputs", run_id=own, models=[{"model_id": model, "step": 0}]))
    assert is_forbidden(closed.get(ANN, API2 + f"logged-models/{model}"))


def test_ids_of_what_may_not_be_read_are_left_out(closed):
    secret, mine = closed.experiment(ADMIN, "secret"), closed.experiment(ANN, "mine")
    run, own = closed.run(ADMIN, secret), closed.run(ANN, mine)
    closed.post(ADMIN, API2 + "registered-models/create", name="m")
    closed.post(ADMIN, API2 + "model-versions/create", name="m", source=f"runs:/{run}/model", run_id=run)
    closed.grant(ANN, "registered_model", "m", "READ")
    answers = [closed.get(ANN, API2 + "model-versions/get", name="m", version="1"), closed.get(ANN, API2 + "model-versions/search"),
               closed.get(ANN, API2 + "registered-models/get", name="m"), closed.get(ANN, API2 + "registered-models/search"),
               closed.get(ANN, API2 + "registered-models/get-latest-versions", name="m")]
    for answer in answers:
        assert answer.status_code == 200 and "model" in answer.text and run not in answer.text, answer.text
    assert run in closed.get(ADMIN, API2 + "model-versions/get", name="m", version="1").text
    model = closed.post(ADMIN, API2 + "logged-models", experiment_id=secret, name="x").json()["model"]["info"]["model_id"]
    closed.post(ADMIN, API2 + "runs/outputs", run_id=own, models=[{"model_id": model, "step": 0}])
    for answer in (closed.get(ANN, API2 + "runs/get", run_id=own), closed.post(ANN, API2 + "runs/search", experiment_ids=[mine])):
        assert own in answer.text and model not in answer.text
    assert model in closed.get(ADMIN, API2 + "runs/get", run_id=own).text
    made = closed.post(ADMIN, API2 + "logged-models", experiment_id=mine, name="y", source_run_id=run).json()
    shown = closed.get(ANN, API2 + "logged-models/" + made["model"]["info"]["model_id"])
    assert shown.status_code == 200 and run not in shown.text


def test_the_loop_is_for_those_who_may(closed):
    v1 = "/api/slipway/v1/"
    for path in ("endpoints", "events", "status", "monitors", "rollouts", "story"):
        refused = closed.get(ANN, v1 + path)
        assert refused.status_code == 403 and refused.json()["error"]["code"] == "permission_denied", path
    closed.grant(ANN, "operations", "*", "READ")
    for path in ("endpoints", "events", "status"):
        assert closed.get(ANN, v1 + path).status_code == 200, path
    assert closed.post(ANN, v1 + "apply", objects=[]).status_code == 403
    assert closed.post(ANN, v1 + "users", username="x", password="a-password-of-x").status_code == 403
    assert closed.get(ANN, v1 + "audit").status_code == 403
    assert closed.post(ANN, "/v2/models/m/infer", inputs=[]).status_code == 403
    closed.grant(ANN, "endpoint", "m", "USE")
    assert closed.post(ANN, "/v2/models/m/infer", inputs=[]).status_code == 404  # let in; there is none


def test_the_command_line_makes_users_and_tokens(server):
    made = cli(server, "user", "create", "ann", typed="a-password-of-ann\n")
    assert made.returncode == 0, made.stderr
    assert made.stdout == "user `ann` may sign in, as an administrator\n"
    assert "the first account is an administrator" in made.stderr
    assert cli(server, "user", "create", "bob", typed="short\n").returncode == 2
    assert cli(server, "user", "create", "bob", typed="").returncode == 2
    made = cli(server, "user", "create", "bob", "--json", typed="a-password-of-bob\n")
    assert json.loads(made.stdout)["data"]["admin"] is False
    assert "a-password-of-bob" not in made.stdout + made.stderr
    assert cli(server, "user", "create", "bob", typed="a-password-of-bob\n").returncode == 6
    token = cli(server, "token", "create", "ci", "--user", "bob", "--ttl", "90d").stdout.strip()
    assert token.startswith("slpa_")
    assert cli(server, "user", "list", token=token).returncode == 4
    assert cli(server, "endpoint", "list", token=token).returncode == 4
    assert cli(server, "user", "grant", "bob", "operations", "*", "READ").returncode == 0
    assert cli(server, "endpoint", "list", token=token).returncode == 0
    shown = json.loads(cli(server, "user", "show", "bob", "--json").stdout)["data"]["permissions"]
    assert [(one["resource_type"], one["permission"]) for one in shown] == [("operations", "READ")]
    listed = json.loads(cli(server, "token", "list", "--json", token=token).stdout)["data"]
    assert [one["name"] for one in listed] == ["ci"] and "token" not in listed[0]
    assert cli(server, "token", "revoke", "ci", "--user", "bob").returncode == 0
    assert cli(server, "endpoint", "list", token=token).returncode == 4
    assert cli(server, "user", "revoke", "bob", "operations", "*").returncode == 0
    assert cli(server, "user", "admin", "ann", "--off").returncode != 0  # the last one
    assert cli(server, "user", "delete", "bob").returncode == 0
    assert cli(server, "user", "delete", "bob").returncode == 5


@pytest.mark.parametrize("accounts", [False, True])
def test_a_stages_token_records_and_does_nothing_else(server, accounts):
    if accounts:
        Closed(server)
    repro = server.post("v1/stage-runs/repros", {"repro": "r", "experiment": "e"}).json()["run_id"]
    stage = server.post("v1/stage-runs", {"repro_run": repro, "stage": "s"}).json()
    bearer = {"Authorization": "Bearer " + stage["token"], "X-Forwarded-For": "203.0.113.9"}

    def ask(path, method="POST", **body):
        return requests.request(method, server.url + path, json=body, headers=bearer, timeout=20)

    assert ask(API2 + "runs/log-metric", run_id=stage["run_id"], key="k", value=1, timestamp=1).status_code == 200
    for path, body in ((API2 + "users/create", {"username": "x", "password": "a-password-of-x"}),
                       (API2 + "users/update-admin", {"method": "PATCH", "username": "ann", "is_admin": True}), (API3 + "roles/create", {"name": "r"}),
                       (API3 + "users/permissions/grant", {"username": "ann", "resource_type": "experiment", "resource_id": "*", "permission": "MANAGE"}),
                       ("/api/slipway/v1/users", {"username": "x", "password": "a-password-of-x"}), ("/api/slipway/v1/tokens", {"name": "x"})):
        assert ask(path, **body).status_code in (401, 403), path
    users = {user["name"] for user in server.get("v1/users").json()["users"]}
    assert users == ({"ada", "ann", "bob"} if accounts else set())


def test_changes_and_refusals_are_recorded(closed):
    for _ in range(40):
        closed.get(("ann", "guessed-password"), API2 + "users/current")
    closed.post(ANN, API2 + "users/create", username="eve", password="a-password-of-eve")
    closed.post(ADMIN, API2 + "users/create", username="eve", password="a-password-of-eve")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        kept = closed.server.get("v1/audit", params={"limit": 1000}).json()["audit"]
        if any(one["actor"] == "user:ada" for one in kept):
            break
        time.sleep(0.05)
    made = next(one for one in kept if one["actor"] == "user:ada")
    assert (made["route"], made["status"], made["resource"]) == (API2 + "users/create", 200, "username=eve")
    refused = next(one for one in kept if one["actor"] == "user:ann" and one["status"] == 403)
    assert refused["resource"] == "username=eve" and refused["peer"] == "127.0.0.1"
    guesses = [one for one in kept if one["actor"] == "nobody" and one["status"] == 401]
    assert len(guesses) == 10  # the rest is counted
    assert "password" not in json.dumps(kept).replace("/password", "").replace("update-password", "")
    closed.server.restart()
    kept = closed.server.get("v1/audit", params={"refused": "true", "limit": 1000}).json()["audit"]
    assert sum(one["times"] for one in kept if one["actor"] == "nobody") == 40
    listed = cli(closed.server, "audit", "list", "--refused", "--json")
    assert json.loads(listed.stdout)["kind"] == "audit.list" and len(json.loads(listed.stdout)["data"]) >= 11


def test_a_default_permission_is_for_everybody(make_server):
    closed = Closed(make_server(arguments=["--default-permission", "READ"]))
    assert closed.get(ANN, API2 + "experiments/get", experiment_id="0").status_code == 200
    assert is_forbidden(closed.post(ANN, API2 + "runs/create", experiment_id="0"))
    assert len(closed.post(ANN, API2 + "experiments/search", max_results=10).json()["experiments"]) == 1
    closed.grant(ANN, "experiment", "0", "DENY")
    assert is_forbidden(closed.get(ANN, API2 + "experiments/get", experiment_id="0"))
    assert closed.post(ANN, API2 + "experiments/search", max_results=10).json() == {}
    with pytest.raises(RuntimeError, match="NO_PERMISSIONS, READ, USE, EDIT or MANAGE"):
        make_server("other", arguments=["--default-permission", "ALL"])
