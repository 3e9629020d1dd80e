# SPDX-License-Identifier: Apache-2.0
"""The tracking API as the real MLflow client uses it, against the real binary. One server for the file; tests use experiments of
their own."""

import concurrent.futures
import hashlib
import http.client
import json
import math
import os
import pathlib
import time
import uuid

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # a wrong 5xx must show at once, not after minutes
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
import numpy as np
import pandas as pd
import pytest
import requests
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException


@pytest.fixture(scope="module")
def server(shared_server):
    mlflow.set_tracking_uri(shared_server.url)
    mlflow.set_registry_uri(shared_server.url)
    return shared_server


@pytest.fixture
def client(server):
    return MlflowClient(server.url)


@pytest.fixture
def experiment(client):
    return client.create_experiment("e-" + uuid.uuid4().hex)


@pytest.fixture
def run(client, experiment):
    return client.create_run(experiment).info.run_id


def api(server, method, path, **kwargs):
    return requests.request(method, server.url + "/api/2.0/mlflow/" + path, timeout=20, **kwargs)


def refusal(call, *args, **kwargs):
    with pytest.raises(MlflowException) as caught:
        call(*args, **kwargs)
    return caught.value


# Experiments


def test_experiment_life(client):
    name = "früh " + uuid.uuid4().hex
    experiment_id = client.create_experiment(name, tags={"team": "a"})
    found = client.get_experiment_by_name(name)
    assert (found.experiment_id, found.tags, found.lifecycle_stage) == (experiment_id, {"team": "a"}, "active")
    assert found.artifact_location == f"mlflow-artifacts:/{experiment_id}"
    client.set_experiment_tag(experiment_id, "team", "b")
    client.rename_experiment(experiment_id, name + "2")
    assert client.get_experiment(experiment_id).name == name + "2"
    run_id = client.create_run(experiment_id).info.run_id
    client.delete_experiment(experiment_id)
    assert client.get_experiment(experiment_id).lifecycle_stage == "deleted"
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    error = refusal(client.create_experiment, name + "2")
    assert error.error_code == "RESOURCE_ALREADY_EXISTS" and "deleted" in error.message
    error = refusal(client.create_run, experiment_id)
    assert "must be in the 'active' state" in error.message
    client.restore_experiment(experiment_id)
    assert client.get_run(run_id).info.lifecycle_stage == "active"
    assert client.get_experiment(experiment_id).tags == {"team": "b"}


def test_default_experiment(client):
    default = client.get_experiment("0")
    assert (default.name, default.artifact_location) == ("Default", "mlflow-artifacts:/0")
    assert abs(default.creation_time - time.time() * 1000) < 3_600_000


def test_search_experiments(client):
    mark = uuid.uuid4().hex[:8]
    for i in range(5):
        client.create_experiment(f"{mark}-{i}", tags={"mark": mark, "odd": str(i % 2)})
    found = client.search_experiments(filter_string=f"tags.mark = '{mark}'", order_by=["name DESC"])
    assert [e.name[-1] for e in found] == list("43210")
    found = client.search_experiments(filter_string=f"name LIKE '{mark}%' AND tags.odd = '1'", order_by=["name"])
    assert [e.name[-1] for e in found] == list("13")
    page = client.search_experiments(filter_string=f"tags.mark = '{mark}'", order_by=["name"], max_results=2)
    names = [e.name[-1] for e in page]
    while page.token:
        page = client.search_experiments(
            filter_string=f"tags.mark = '{mark}'", order_by=["name"], max_results=2, page_token=page.token
        )
        names += [e.name[-1] for e in page]
    assert names == list("01234")


# Runs


def test_nested_runs(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run(run_name="parent", description="why") as parent:
        with mlflow.start_run(nested=True, run_name="child") as child:
            mlflow.log_metric("m", 1)
    stored = client.get_run(child.info.run_id)
    assert stored.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert (stored.info.status, stored.info.run_name) == ("FINISHED", "child")
    assert stored.info.end_time >= stored.info.start_time
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert [r.info.run_id for r in children] == [child.info.run_id]
    assert client.get_run(parent.info.run_id).data.tags["mlflow.note.content"] == "why"


def test_run_update_delete_restore(client, experiment, run):
    client.update_run(run, status="FAILED", name="renamed")
    stored = client.get_run(run)
    assert (stored.info.status, stored.info.run_name) == ("FAILED", "renamed")
    assert stored.data.tags["mlflow.runName"] == "renamed"
    client.set_terminated(run, "KILLED", end_time=123)
    assert client.get_run(run).info.end_time == 123
    client.delete_run(run)
    client.delete_run(run)
    assert client.search_runs([experiment]) == []
    assert [r.info.run_id for r in client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)] == [run]
    error = refusal(client.log_metric, run, "m", 1)
    assert error.error_code == "INVALID_PARAMETER_VALUE"
    assert error.message.endswith(f"The run {run} must be in the 'active' state. Current state is deleted.")
    client.restore_run(run)
    client.log_metric(run, "m", 1)
    assert client.get_run(run).data.metrics == {"m": 1}


def test_unknown_run(client):
    error = refusal(client.get_run, "0" * 32)
    assert error.error_code == "RESOURCE_DOES_NOT_EXIST" and error.get_http_status_code() == 404


# Parameters, tags, metrics


def test_params_never_change(client, run):
    client.log_param(run, "k", "a")
    client.log_param(run, "k", "a")
    error = refusal(client.log_param, run, "k", "b")
    assert (
        f"Changing param values is not allowed. Param with key='k' was already logged with value='a' for run ID='{run}'. "
        "Attempted logging new value 'b'." in error.message
    )
    error = refusal(client.log_batch, run, params=[Param("new", "1"), Param("k", "b")], metrics=[Metric("m", 1, 1, 1)])
    assert "Changing param values is not allowed" in error.message
    stored = client.get_run(run).data
    assert (stored.params, stored.metrics) == ({"k": "a"}, {})


def test_unicode_and_empty_values(client, run):
    client.log_param(run, "größe/α", "漢字 😀")
    client.log_param(run, "empty", "")
    client.set_tag(run, "ключ", "значение")
    client.set_tag(run, "gone", "x")
    client.delete_tag(run, "gone")
    client.log_metric(run, "точность", 0.5)
    data = client.get_run(run).data
    assert data.params == {"größe/α": "漢字 😀", "empty": ""}
    assert data.tags["ключ"] == "значение" and "gone" not in data.tags
    assert data.metrics == {"точность": 0.5}
    assert [p.value for p in client.get_metric_history(run, "точность")] == [0.5]
    assert refusal(client.delete_tag, run, "gone").error_code == "RESOURCE_DOES_NOT_EXIST"


def test_long_values_are_cut(client, run):
    client.log_param(run, "p", "x" * 6000)
    client.set_tag(run, "t", "y" * 8000)
    assert len(client.get_run(run).data.params["p"]) == 6000
    assert len(client.get_run(run).data.tags["t"]) == 8000


def test_not_a_number_and_infinities(client, run):
    client.log_metric(run, "nan", float("nan"))
    client.log_metric(run, "inf", float("inf"))
    client.log_metric(run, "-inf", float("-inf"))
    metrics = client.get_run(run).data.metrics
    assert math.isnan(metrics["nan"])
    assert (metrics["inf"], metrics["-inf"]) == (1.7976931348623157e308, -1.7976931348623157e308)
    assert math.isnan(client.get_metric_history(run, "nan")[0].value)


def test_batch_and_latest(client, run):
    client.log_batch(
        run,
        metrics=[Metric("m", 1.0, 5, 2), Metric("m", 7.0, 9, 1), Metric("m", 3.0, 5, 2), Metric("m", 3.0, 5, 2)],
        params=[Param(f"p{i}", str(i)) for i in range(100)],
        tags=[RunTag("t", "1"), RunTag("mlflow.runName", "by tag")],
    )
    stored = client.get_run(run)
    assert stored.data.metrics == {"m": 3.0}
    assert len(stored.data.params) == 100 and stored.info.run_name == "by tag"
    history = [(p.timestamp, p.step, p.value) for p in client.get_metric_history(run, "m")]
    assert history == [(5, 2, 1.0), (5, 2, 3.0), (9, 1, 7.0)]


def test_history_in_pages(client, server, run):
    points = [(1_000 + i // 2, i, i / 7) for i in range(30_000)]
    for i in range(0, len(points), 1_000):
        client.log_batch(run, metrics=[Metric("m", v, t, s) for t, s, v in points[i : i + 1_000]])
    # The client asks for pages of 25,000 itself.
    history = client.get_metric_history(run, "m")
    assert [(p.timestamp, p.step, p.value) for p in history] == points
    steps, token = [], None
    while True:
        query = {"run_id": run, "metric_key": "m", "max_results": 7_000, "page_token": token}
        body = api(server, "GET", "metrics/get-history", params=query).json()
        steps += [p["step"] for p in body["metrics"]]
        token = body.get("next_page_token")
        if not token:
            break
    assert steps == list(range(30_000))
    assert api(server, "GET", "metrics/get-history", params={"run_id": "none", "metric_key": "m"}).json() == {}


def test_history_interval(client, server, run):
    client.log_batch(run, metrics=[Metric("m", i, 1_000 + i, i) for i in range(10)])

    def steps(n, **query):
        query |= {"run_ids": [run], "metric_key": "m", "max_results": n}
        body = api(server, "GET", "metrics/get-history-bulk-interval", params=query).json()
        return [p["step"] for p in body.get("metrics", [])]

    assert [steps(n) for n in (1, 2, 3, 4, 5)] == [[9], [0, 9], [0, 4, 9], [0, 3, 6, 9], [0, 2, 4, 6, 9]]
    assert steps(2, start_step=3, end_step=7) == [3, 7]
    bulk = requests.get(
        server.url + "/ajax-api/2.0/mlflow/metrics/get-history-bulk", params={"run_id": run, "metric_key": "m"}, timeout=20
    ).json()
    assert len(bulk["metrics"]) == 10 and bulk["metrics"][0] == {
        "key": "m", "run_id": run, "step": 0, "timestamp": 1000, "value": 0.0,
    }  # fmt: skip


def test_concurrent_clients_on_one_run(server, client, run):
    def work(worker):
        mine = MlflowClient(server.url)
        for i in range(20):
            # Every worker logs the shared points too: duplicates of all the others'.
            shared = [Metric("shared", i * 10 + k, i * 10 + k, i * 10 + k) for k in range(10)]
            own = [Metric(f"own{worker}", k, i * 10 + k, i * 10 + k) for k in range(10)]
            mine.log_batch(run, metrics=shared + own, params=[Param("same", "1")], tags=[RunTag(f"w{worker}", str(i))])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, w) for w in range(8)]:
            done.result()
    assert [p.step for p in client.get_metric_history(run, "shared")] == list(range(200))
    for worker in range(8):
        assert len(client.get_metric_history(run, f"own{worker}")) == 200
    data = client.get_run(run).data
    assert data.params == {"same": "1"} and all(data.tags[f"w{w}"] == "19" for w in range(8))


# Search


def test_search_runs(client, experiment):
    runs = {}
    for name, accuracy, rate in [("a", 0.9, "0.1"), ("b", 0.5, "0.2"), ("c", float("nan"), "0.1"), ("d", None, "0.3")]:
        runs[name] = client.create_run(experiment, run_name=name, start_time=len(runs) + 1).info.run_id
        client.log_param(runs[name], "lr", rate)
        if accuracy is not None:
            client.log_metric(runs[name], "val acc", accuracy)

    def names(text="", order=None, **kwargs):
        return "".join(r.info.run_name for r in client.search_runs([experiment], text, order_by=order, **kwargs))

    assert names() == "dcba"
    assert names("metrics.`val acc` > 0.4") == "ba"
    assert names("params.lr = '0.1' AND metrics.`val acc` >= 0.9") == "a"
    assert names("params.lr != '0.1'") == "db"
    assert names("attributes.run_name LIKE '%a%'") == "a"
    assert names(f"attributes.run_id IN ('{runs['a']}', '{runs['d']}')") == "da"
    assert names("", ["metrics.`val acc` DESC"]) == "abcd"
    assert names("", ["metrics.`val acc` ASC"]) == "bacd"
    assert names("", ["params.lr DESC", "attributes.start_time ASC"]) == "dbac"
    page = client.search_runs([experiment], order_by=["metrics.`val acc` DESC"], max_results=3)
    assert "".join(r.info.run_name for r in page) == "abc"
    page = client.search_runs([experiment], order_by=["metrics.`val acc` DESC"], max_results=3, page_token=page.token)
    assert ("".join(r.info.run_name for r in page), page.token) == ("d", None)
    frame = mlflow.search_runs([experiment], "metrics.`val acc` > 0.4")
    assert list(frame["metrics.val acc"]) == [0.5, 0.9]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("metrics.a = 'x'", "Expected numeric value type for metric"),
        ("params.a = 5", "Expected a quoted string value"),
        ("params.a > 'x'", "Invalid comparator"),
        ("attributes.color = 'x'", "Invalid attribute key"),
        ("metrics.a > 1 OR metrics.b > 1", "Invalid clause(s) in filter string"),
        ("metrics.a > 1 AND", "Invalid clause(s) in filter string"),
    ],
)
def test_wrong_filters(client, experiment, text, part):
    error = refusal(client.search_runs, [experiment], text)
    assert error.error_code == "INVALID_PARAMETER_VALUE" and part in error.message


# Datasets


def test_log_input(client, experiment, server):
    mlflow.set_experiment(experiment_id=experiment)
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [0, 1]})
    dataset = mlflow.data.from_pandas(frame, source="flights.csv", name="flights", targets="y")
    with mlflow.start_run() as run:
        mlflow.log_input(dataset, context="training", tags={"fold": "1"})
        mlflow.log_input(dataset, context="training")
    inputs = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert len(inputs) == 1
    assert (inputs[0].dataset.name, inputs[0].dataset.digest) == ("flights", dataset.digest)
    assert json.loads(inputs[0].dataset.schema) == json.loads(dataset.to_dict()["schema"])
    assert {t.key: t.value for t in inputs[0].tags} == {"mlflow.data.context": "training", "fold": "1"}
    assert len(client.search_runs([experiment], "dataset.name = 'flights' AND dataset.context = 'training'")) == 1
    body = requests.post(
        server.url + "/ajax-api/2.0/mlflow/experiments/search-datasets", json={"experiment_ids": [experiment]}, timeout=20
    ).json()
    assert body == {
        "dataset_summaries": [
            {"experiment_id": experiment, "name": "flights", "digest": dataset.digest, "context": "training"}
        ]
    }


# Artifacts


def test_artifacts(client, run, tmp_path):
    client.log_dict(run, {"a": [1, 2]}, "deep/er/config.json")
    client.log_text(run, "hällo", "notes/ü file.txt")
    (tmp_path / "image.png").write_bytes(bytes(range(256)) * 100)
    client.log_artifact(run, str(tmp_path / "image.png"), "figures")
    listed = {f.path: (f.is_dir, f.file_size) for f in client.list_artifacts(run)}
    assert listed == {"deep": (True, None), "figures": (True, None), "notes": (True, None)}
    assert [(f.path, f.file_size) for f in client.list_artifacts(run, "figures")] == [("figures/image.png", 25_600)]
    assert client.list_artifacts(run, "figures/image.png") == []
    local = client.download_artifacts(run, "", str(tmp_path))
    assert json.loads((pathlib.Path(local) / "deep/er/config.json").read_text()) == {"a": [1, 2]}
    assert (pathlib.Path(local) / "notes/ü file.txt").read_text() == "hällo"
    assert (pathlib.Path(local) / "figures/image.png").read_bytes() == bytes(range(256)) * 100


def test_large_artifact_is_streamed(server, client, run):
    size = 64 << 20
    block = os.urandom(1 << 20)
    digest = hashlib.sha256(block * (size >> 20)).hexdigest()

    def peak():
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) << 10

    uri = client.get_run(run).info.artifact_uri.removeprefix("mlflow-artifacts:/")
    url = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{uri}/big.bin"
    before = peak()
    assert requests.put(url, data=(block for _ in range(size >> 20)), timeout=120).status_code == 200
    answer = requests.get(url, stream=True, timeout=120)
    got = hashlib.sha256()
    for part in answer.iter_content(1 << 20):
        got.update(part)
    assert got.hexdigest() == digest
    assert int(answer.headers["Content-Length"]) == size
    assert peak() - before < 16 << 20


def test_proxy_headers_and_ranges(server, client, run):
    uri = client.get_run(run).info.artifact_uri.removeprefix("mlflow-artifacts:/")
    url = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{uri}/r.json"
    put = requests.put(url, data=b"0123456789", timeout=20)
    assert (put.status_code, put.content) == (200, b"")
    whole = requests.get(url, timeout=20)
    assert (whole.content, whole.headers["Content-Type"]) == (b"0123456789", "text/plain")
    assert whole.headers["Content-Disposition"] == "attachment; filename=r.json"
    assert whole.headers["X-Content-Type-Options"] == "nosniff" and whole.headers["Accept-Ranges"] == "bytes"

    def part(text, **headers):
        answer = requests.get(url, headers={"Range": text} | headers, timeout=20)
        return answer.status_code, answer.headers.get("Content-Range"), answer.content

    assert part("bytes=2-4") == (206, "bytes 2-4/10", b"234")
    assert part("bytes=7-") == (206, "bytes 7-9/10", b"789")
    assert part("bytes=-3") == (206, "bytes 7-9/10", b"789")
    assert part("bytes=5-500") == (206, "bytes 5-9/10", b"56789")
    assert part("bytes=10-")[:2] == (416, "bytes */10")
    assert part("bytes=0-1,3-4")[0] == 200
    assert part("bytes=0-1", **{"If-Range": whole.headers["ETag"]})[0] == 206
    assert part("bytes=0-1", **{"If-Range": '"other"'})[0] == 200
    folder = url.rsplit("/", 1)[0]
    base, path = folder.split("/artifacts/", 1)
    listed = requests.get(base + "/artifacts", params={"path": path}, timeout=20).json()
    assert listed == {"files": [{"path": "r.json", "is_dir": False, "file_size": 10}]}
    assert requests.delete(folder, timeout=20).status_code == 200
    assert requests.delete(folder, timeout=20).status_code == 200
    missing = requests.get(url, timeout=20)
    assert (missing.status_code, missing.json()["message"]) == (404, f"No such artifact: '{path}/r.json'")


def raw(server, method, target, body=None):
    """Sends the target as it is: libraries would mend it."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
    connection.putrequest(method, target, skip_accept_encoding=True)
    connection.putheader("Content-Length", str(len(body or b"")))
    connection.endheaders(body or b"")
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


ATTACKS = [
    "../secret",
    "0/../../secret",
    "0/%2e%2e/%2e%2e/secret",
    "0/%2E%2E%2Fsecret",
    "0/..%2f..%2fsecret",
    "0/%252e%252e/x/%2e%2e",
    "%2fetc/passwd",
    "0/a%00b",
    "0/a%0ab",
    "0/a%5c..%5cb",
    "0/./a",
    "0/a%2f%2fb",
    "0/" + "x" * 256,
    "0/" + "ab/" * 1_400 + "c",
    ".incoming/x",
]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_artifact_paths_stay_inside(server, method, attack):
    outside = (server.data / "secret", server.data.parent / "secret")
    for file in outside:
        file.write_text("secret")
    status, text = raw(server, method, "/api/2.0/mlflow-artifacts/artifacts/" + attack, b"evil" if method == "PUT" else None)
    assert 400 <= status < 500, (status, text)
    assert b"secret" not in text or b"Invalid path" in text
    assert [file.read_text() for file in outside] == ["secret", "secret"]


def test_absolute_path_is_below_the_root(server):
    # "artifacts//x" is "artifacts/x": nothing of the machine's own root is meant.
    name = "/slipway-probe-" + uuid.uuid4().hex
    base = "/api/2.0/mlflow-artifacts/artifacts/"
    assert raw(server, "PUT", base + name, b"x")[0] == 200
    assert not pathlib.Path(name).exists()
    assert raw(server, "GET", base + name) == (200, b"x")
    assert raw(server, "GET", base + "/etc/passwd")[0] == 404


def test_listing_and_run_paths_stay_inside(server, run):
    for path in ["..", "../..", "/etc", "a/../../x", "%2e%2e", "a\\..\\b", "a//b"]:
        listed = api(server, "GET", "artifacts/list", params={"run_id": run, "path": path})
        if path == "%2e%2e":  # decoded once, as a name it is harmless
            assert listed.status_code == 200 and "files" not in listed.json()
            continue
        assert listed.status_code == 400, path
        assert listed.json()["error_code"] == "INVALID_PARAMETER_VALUE"
        got = requests.get(server.url + "/get-artifact", params={"run_id": run, "path": path}, timeout=20)
        assert got.status_code == 400, path
        proxied = requests.get(
            server.url + "/api/2.0/mlflow-artifacts/artifacts", params={"path": path}, timeout=20
        )
        assert proxied.status_code == 400, path


def test_symbolic_links_are_not_followed(server, client, run):
    client.log_text(run, "x", "in/a.txt")
    uri = client.get_run(run).info.artifact_uri.removeprefix("mlflow-artifacts:/")
    folder = next(p for p in server.data.rglob(uri.split("/")[1])) / "artifacts"
    outside = server.data.parent / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "f.txt").write_text("outside")
    (folder / "link").symlink_to(outside)
    (folder / "in" / "link.txt").symlink_to(outside / "f.txt")
    base = f"/api/2.0/mlflow-artifacts/artifacts/{uri}"
    for target in ("/link/f.txt", "/in/link.txt"):
        status, text = raw(server, "GET", base + target)
        assert status == 400 and b"symbolic links" in text
    assert raw(server, "PUT", base + "/link/g.txt", b"evil")[0] == 400
    assert not (outside / "g.txt").exists()
    assert raw(server, "DELETE", base + "/link/f.txt")[0] == 400
    assert [f.path for f in client.list_artifacts(run)] == ["in"]
    # Removing the run's folder removes links, not what they point at.
    assert raw(server, "DELETE", base)[0] == 200
    assert (outside / "f.txt").read_text() == "outside"


def test_artifact_locations(client):
    for location in [
        "runs:/abc/x",
        "http://169.254.169.254/latest",
        "mlflow-artifacts://other:5000/x",
        "mlflow-artifacts:/../x",
        "s3://bucket/a?x=%2e%2e",
        "file:///tmp/a#frag",
        "s3://bucket/" + "x" * 2_048,
    ]:
        error = refusal(client.create_experiment, "e-" + uuid.uuid4().hex, artifact_location=location)
        assert error.error_code == "INVALID_PARAMETER_VALUE", location
    location = "s3://bucket/p;x"
    experiment_id = client.create_experiment("e-" + uuid.uuid4().hex, artifact_location=location)
    run = client.create_run(experiment_id)
    assert run.info.artifact_uri == f"{location}/{run.info.run_id}/artifacts"


# Models


def small_data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)).astype(np.float32)
    return x, (x[:, 0] + x[:, 1] > 0).astype(int)


def test_autolog_of_scikit_learn(client, experiment):
    from sklearn.linear_model import LogisticRegression

    mlflow.set_experiment(experiment_id=experiment)
    x, y = small_data()
    mlflow.sklearn.autolog()
    try:
        with mlflow.start_run() as run:
            LogisticRegression(C=0.5).fit(x, y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    data = client.get_run(run.info.run_id).data
    assert data.params["C"] == "0.5" and data.tags["estimator_name"] == "LogisticRegression"
    assert 0.5 < data.metrics["training_accuracy_score"] <= 1
    assert [m.name for m in client.search_logged_models([experiment])] == ["model"]


def test_sklearn_model_round_trip(client, experiment):
    from sklearn.linear_model import LogisticRegression

    mlflow.set_experiment(experiment_id=experiment)
    x, y = small_data()
    fitted = LogisticRegression().fit(x, y)
    name = "sk-" + uuid.uuid4().hex[:8]
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(fitted, name="model", input_example=x[:2], registered_model_name=name)
        mlflow.log_metric("acc", 0.75, model_id=info.model_id)
    model = client.get_logged_model(info.model_id)
    assert str(model.status) in ("READY", "LoggedModelStatus.READY") and model.source_run_id == run.info.run_id
    assert [(m.key, m.value, m.run_id) for m in model.metrics] == [("acc", 0.75, run.info.run_id)]
    stored = client.get_run(run.info.run_id)
    assert [o.model_id for o in stored.outputs.model_outputs] == [info.model_id]
    client.set_registered_model_alias(name, "champion", 1)
    for uri in (f"models:/{name}@champion", f"models:/{name}/1", f"models:/{info.model_id}", f"runs:/{run.info.run_id}/model"):
        assert (mlflow.sklearn.load_model(uri).predict(x) == fitted.predict(x)).all()


def test_onnx_model_round_trip(client, experiment):
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    mlflow.set_experiment(experiment_id=experiment)
    x, y = small_data()
    fitted = LogisticRegression().fit(x, y)
    onnx = to_onnx(fitted, x[:1], options={"zipmap": False})
    name = "onnx-" + uuid.uuid4().hex[:8]
    with mlflow.start_run():
        mlflow.onnx.log_model(onnx, name="model", registered_model_name=name)
    client.set_registered_model_alias(name, "champion", 1)
    loaded = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    output = loaded.predict(x)
    assert (np.asarray(output["label"]).ravel() == fitted.predict(x)).all()


def test_logged_models(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    ids = []
    for i in range(3):
        model = mlflow.initialize_logged_model(name=f"m{i}", params={"depth": str(i)}, tags={"k": "v"}, model_type="tree")
        ids.append(model.model_id)
        with mlflow.start_run():
            mlflow.log_metric("auc", i / 10, step=1, model_id=model.model_id)
    client.finalize_logged_model(ids[0], "READY")
    client.set_logged_model_tags(ids[1], {"k": "w"})
    client.delete_logged_model_tag(ids[2], "k")

    def found(text, order=None):
        return [m.name for m in client.search_logged_models([experiment], filter_string=text, order_by=order)]

    assert sorted(found("")) == ["m0", "m1", "m2"]
    assert found("params.depth = '1'") == ["m1"]
    assert found("tags.k = 'w'") == ["m1"]
    assert found("metrics.auc >= 0.1", [{"field_name": "metrics.auc", "ascending": False}]) == ["m2", "m1"]
    assert found("name = 'm0' AND model_type = 'tree'") == ["m0"]
    page = client.search_logged_models([experiment], max_results=2, order_by=[{"field_name": "name", "ascending": True}])
    assert [m.name for m in page] == ["m0", "m1"]
    rest = client.search_logged_models(
        [experiment], max_results=2, order_by=[{"field_name": "name", "ascending": True}], page_token=page.token
    )
    assert [m.name for m in rest] == ["m2"]
    error = refusal(client.search_logged_models, [experiment], max_results=2, page_token=page.token)
    assert "page token" in error.message
    client.delete_logged_model(ids[0])
    assert sorted(found("")) == ["m1", "m2"]
    assert refusal(client.get_logged_model, ids[0]).error_code == "RESOURCE_DOES_NOT_EXIST"
    refused = refusal(client.create_logged_model, experiment, name="a/b")
    assert "cannot contain" in refused.message


# The wire


def test_errors_on_the_wire(server, run):
    def post(path, **kwargs):
        answer = api(server, "POST", path, **kwargs)
        return answer.status_code, answer.json()

    status, body = post("runs/log-metric", json={"key": "m", "value": 1, "timestamp": 1})
    assert (status, body) == (
        400,
        {
            "error_code": "INVALID_PARAMETER_VALUE",
            "message": "Missing value for required parameter 'run_id'. See the API docs for more information about request "
            "parameters.",
            "sqlstate": "KAM00",
            "error_class": "INVALID_PARAMETER_VALUE",
        },
    )
    hint = "Invalid value {} for parameter '{}' supplied:  Hint: Value was of type '{}'. See the API docs for more information"
    for value, kind in [(True, "bool"), ([1], "list"), ("x", "str")]:
        status, body = post("runs/log-metric", json={"run_id": run, "key": "m", "value": value, "timestamp": 1})
        assert status == 400 and body["message"].startswith(
            hint.format(json.dumps(value, separators=(",", ":")), "value", kind)
        )
    for field, value in [("timestamp", 1.5), ("step", 2.7), ("step", "x")]:
        metric = {"key": "m", "value": 1, "timestamp": 1, field: value}
        status, body = post("runs/log-batch", json={"run_id": run, "metrics": [metric]})
        assert status == 400 and f"'metrics[0].{field}'" in body["message"]
    status, body = post("runs/log-batch", data="{broken", headers={"Content-Type": "application/json"})
    assert status == 400 and "not valid JSON" in body["message"]
    status, body = post("runs/log-batch", data="[1]", headers={"Content-Type": "application/json"})
    assert status == 400 and "must be a JSON object" in body["message"]
    status, body = post("runs/search", json={"experiment_ids": ["0"], "max_results": 50_001})
    assert status == 400 and "'max_results'" in body["message"]
    status, body = post("runs/search", json={"experiment_ids": ["0"], "page_token": "!"})
    assert status == 400 and "page token" in body["message"]
    assert api(server, "GET", "experiments/search").status_code == 400
    assert api(server, "GET", "metrics/get-history", params={"run_id": run}).status_code == 400


def test_a_long_page_ends_early_with_a_token(server, client, experiment):
    """130 runs of 600 KB: an answer has 64 MiB at most, and the client follows the token."""
    value = "v" * 6_000
    runs = [client.create_run(experiment, start_time=i + 1).info.run_id for i in range(130)]
    for run_id in runs:
        client.log_batch(run_id, params=[Param(f"p{i}", value) for i in range(100)])
    body = {"experiment_ids": [experiment], "max_results": 1_000, "order_by": ["start_time"]}
    first = api(server, "POST", "runs/search", json=body)
    assert (64 << 20) <= len(first.content) < (65 << 20)
    second = api(server, "POST", "runs/search", json={**body, "page_token": first.json()["next_page_token"]}).json()
    assert "next_page_token" not in second
    assert [run["info"]["run_id"] for run in first.json()["runs"] + second["runs"]] == runs
    assert len(mlflow.search_runs([experiment], output_format="list")) == len(runs)


def test_lenient_spellings(server, client, run):
    def log(body):
        return api(server, "POST", "runs/log-metric", data=body, headers={"Content-Type": "application/json; charset=utf-8"})

    plain = {"run_id": run, "key": "m", "value": 1.5, "timestamp": 7}
    assert log(json.dumps(json.dumps(plain))).status_code == 200  # JSON in JSON
    assert log(json.dumps({"run_uuid": run, "key": "m", "value": "2.5", "timestamp": "8", "step": "3", "x": {}})).status_code == 200
    assert log(json.dumps({"runId": run, "key": "m", "value": 3.5, "timestamp": 9, "step": None})).status_code == 200
    assert [(p.value, p.timestamp, p.step) for p in client.get_metric_history(run, "m")] == [(1.5, 7, 0), (2.5, 8, 3), (3.5, 9, 0)]
    body = json.dumps({"run_id": run, "metrics": [{"key": "n", "value": float("nan"), "timestamp": 1}]})
    assert api(server, "POST", "runs/log-batch", data=body, headers={"Content-Type": "application/json"}).status_code == 200
    answer = api(server, "GET", "runs/get", params={"run_uuid": run})
    assert '"value": "NaN"' in answer.text and answer.text.startswith('{\n  "run": {\n    "info"')
    assert "outputs" in answer.json()["run"] and answer.json()["run"]["inputs"] == {}


def test_server_facts(server):
    version = requests.get(server.url + "/version", timeout=20)
    assert (version.text, version.status_code) == (mlflow.__version__, 200)
    assert requests.get(server.url + "/health", timeout=20).text == "OK"
    facts = requests.get(server.url + "/api/3.0/mlflow/server-info", timeout=20).json()
    assert (facts["store_type"], facts["workspaces_enabled"]) == ("SqlStore", False)
    unknown = requests.get(server.url + "/api/2.0/mlflow/nothing/here", timeout=20)
    assert unknown.status_code == 404 and "application/json" not in unknown.headers.get("Content-Type", "")
    wrong = requests.get(server.url + "/api/2.0/mlflow/runs/create", timeout=20)
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "POST")


# What was acknowledged


def test_kill_keeps_what_was_acknowledged(make_server):
    own = make_server()
    client = MlflowClient(own.url)
    run = client.create_run("0").info.run_id
    for i in range(700):
        requests.post(
            own.url + "/api/2.0/mlflow/runs/log-metric",
            json={"run_id": run, "key": "m", "value": i, "timestamp": i, "step": i},
            timeout=20,
        ).raise_for_status()
    client.log_text(run, "kept", "a.txt")
    own.kill()
    own.start()
    client = MlflowClient(own.url)
    assert [p.step for p in client.get_metric_history(run, "m")] == list(range(700))
    assert [f.path for f in client.list_artifacts(run)] == ["a.txt"]
