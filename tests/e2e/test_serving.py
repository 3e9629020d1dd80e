# SPDX-License-Identifier: Apache-2.0
"""Serving, by the real clients: models logged with mlflow, asked over the Open Inference Protocol and MLflow's scoring protocol.

What the server answers is compared with what onnxruntime in Python says about the same file.
"""

import json
import math
import random
import threading

import numpy as np
import pandas as pd
import pytest
import requests

COLUMNS = ["month", "distance", "wind"]


@pytest.fixture(scope="module")
def models():
    """Two fitted classifiers as ONNX, and one that takes other columns."""
    import onnx
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.ensemble import HistGradientBoostingClassifier

    made = []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(400, 3)).astype(np.float32)
        x[rng.random(x.shape) < 0.1] = np.nan
        y = (np.nan_to_num(x[:, 0]) - np.nan_to_num(x[:, 2]) + rng.normal(size=400) > 0).astype(int)
        fitted = HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=7, random_state=0, early_stopping=False).fit(x, y)
        made.append(skl2onnx.to_onnx(fitted, initial_types=[("x", FloatTensorType([None, 3]))], options={"zipmap": False},
                                     target_opset={"": 18, "ai.onnx.ml": 3}))
    assert all(isinstance(model, onnx.ModelProto) for model in made)
    return made


@pytest.fixture
def tracked(server, monkeypatch):
    """mlflow's client pointed at the server."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    mlflow.set_tracking_uri(server.url)
    mlflow.set_registry_uri(server.url)
    mlflow.set_experiment("serving")
    return mlflow


def register(mlflow, model, name="late"):
    import mlflow.onnx
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    signature = ModelSignature(inputs=Schema([ColSpec("float", column, required=False) for column in COLUMNS]))
    with mlflow.start_run() as run:
        mlflow.onnx.log_model(model, name="model", registered_model_name=name, signature=signature)
    return run.info.run_id


def serve(server, mlflow, wait_until, version=1, name="late", clock="wall"):
    mlflow.MlflowClient().set_registered_model_alias(name, "champion", version)
    answer = server.post("v1/apply", json={"source": {"path": "slipway.yaml"}, "objects": [
        {"kind": "Model", "name": name, "spec": {}},
        {"kind": "Endpoint", "name": name, "spec": {"model": name, "alias": "champion", "clock": clock}}]})
    assert answer.status_code == 200, answer.text
    wait_until(lambda: server.get(f"/v2/models/{name}/ready").status_code == 200, "the endpoint to be ready")


def infer(server, rows, name="late", path="", **more):
    body = {"inputs": [{"name": "x", "shape": [len(rows), 3], "datatype": "FP32", "data": rows}], **more}
    # json.dumps writes NaN as a bare token, as every Python client does.
    return requests.post(f"{server.url}/v2/models/{name}{path}/infer", data=json.dumps(body), timeout=30)


def expected(model, rows):
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": np.array(rows, dtype=np.float32)})


def test_answers_are_onnxruntimes_and_lead_back_to_the_run(server, tracked, models, wait_until):
    run_id = register(tracked, models[0])
    serve(server, tracked, wait_until)
    rows = [[1.0, -0.5, 0.25], [float("nan"), 2.0, -3.0]]
    response = infer(server, rows, id="request 1")
    assert response.status_code == 200, response.text
    answer = json.loads(response.text)
    label, probabilities = expected(models[0], rows)
    assert answer["outputs"][0] == {"name": "label", "datatype": "INT64", "shape": [2], "data": label.tolist()}
    assert np.array_equal(np.array(answer["outputs"][1]["data"], dtype=np.float32), probabilities.ravel())
    assert answer["model_version"] == "1" and answer["id"] == "request 1"
    assert answer["parameters"]["run_id"] == run_id == response.headers["X-Slipway-Run-Id"]

    prediction = answer["parameters"]["prediction_id"]
    explained = server.get(f"v1/predictions/{prediction}/1").json()
    assert explained["version"]["run_id"] == run_id
    assert explained["provenance"]["run"]["run_id"] == run_id
    assert explained["replay"] == {"done": True, "equal": True, "engine": "onnxruntime 1.27.0", "largest_difference": 0.0, "reason": ""}
    assert explained["prediction"]["inputs"][0]["data"][3] == "NaN"


def test_mlflows_scoring_protocol_gives_what_pyfunc_gives(server, tracked, models, wait_until):
    register(tracked, models[0])
    serve(server, tracked, wait_until)
    frame = pd.DataFrame([[1.0, -0.5, 0.25], [0.5, 2.0, -3.0]], columns=COLUMNS)
    label, probabilities = expected(models[0], frame.to_numpy(dtype=np.float32))
    url = f"{server.url}/endpoints/late/invocations"
    shuffled = frame[["wind", "month", "distance"]]
    bodies = [
        {"dataframe_split": frame.to_dict(orient="split")},
        {"dataframe_split": shuffled.to_dict(orient="split")},
        {"dataframe_records": shuffled.to_dict(orient="records")},
    ]
    for body in bodies:
        response = requests.post(url, json=body, timeout=30)
        assert response.status_code == 200, response.text
        predictions = response.json()["predictions"]
        assert [row["label"] for row in predictions] == label.tolist()
        assert np.allclose([row["probabilities"] for row in predictions], probabilities, atol=1e-7)
        assert response.headers["X-Slipway-Prediction-Id"].startswith("00000001-")
    csv = requests.post(url, data=shuffled.to_csv(index=False), headers={"Content-Type": "text/csv"}, timeout=30)
    assert [row["label"] for row in csv.json()["predictions"]] == label.tolist()
    tensors = requests.post(url, json={"inputs": frame.to_numpy().tolist()}, timeout=30).json()["predictions"]
    assert tensors["label"] == label.tolist()
    assert requests.post(url, json={"rows": []}, timeout=30).json()["error_code"] == "BAD_REQUEST"
    assert requests.post(url, data="x", headers={"Content-Type": "text/plain"}, timeout=30).status_code == 415


def test_a_swap_fails_no_request(server, tracked, models, wait_until):
    register(tracked, models[0])
    register(tracked, models[1])
    serve(server, tracked, wait_until)
    row = [[1.0, -0.5, 0.25]]
    right = {str(v + 1): expected(model, row)[1].ravel().tolist() for v, model in enumerate(models)}
    stop = threading.Event()
    seen, wrong = {"1": 0, "2": 0}, []

    def ask():
        with requests.Session() as session:
            body = json.dumps({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": row}]})
            while not stop.is_set():
                response = session.post(f"{server.url}/v2/models/late/infer", data=body, timeout=30)
                answer = response.json()
                if response.status_code != 200 or not np.allclose(answer["outputs"][1]["data"], right[answer["model_version"]], atol=1e-7):
                    wrong.append(response.text)
                else:
                    seen[answer["model_version"]] += 1

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    registry = tracked.MlflowClient()
    for swap in range(10):
        target = str(2 - swap % 2)
        registry.set_registered_model_alias("late", "champion", target)
        wait_until(lambda: json.loads(infer(server, row).text)["model_version"] == target, "the alias to be followed")
    stop.set()
    for client in clients:
        client.join()
    assert not wrong, wrong[:3]
    assert min(seen.values()) > 10


def test_predictions_survive_kill_9(server, tracked, models, wait_until):
    register(tracked, models[0])
    serve(server, tracked, wait_until, clock="event")
    rng = random.Random(1)
    acknowledged = []
    for n in range(300):
        row = [[rng.random(), rng.random(), rng.random()]]
        answer = json.loads(infer(server, row, parameters={"event_time": f"2013-03-{1 + n // 30:02d}T00:00:00Z"}).text)
        acknowledged.append((answer["parameters"]["prediction_id"], row[0]))
    wait_until(lambda: server.get(f"v1/predictions/{acknowledged[-1][0]}").status_code == 200, "the last record to be synced")
    server.kill()
    server.start(server.port)
    wait_until(lambda: server.get("/v2/models/late/ready").status_code == 200, "the endpoint to be ready again")
    for prediction, row in rng.sample(acknowledged, 40):
        explained = server.get(f"v1/predictions/{prediction}").json()
        assert np.allclose(explained["prediction"]["inputs"][0]["data"], row)
        assert explained["replay"]["equal"] is True
    shown = server.get("v1/endpoints/late").json()
    assert shown["watermark"] == "2013-03-10T00:00:00.000000Z"
    assert shown["counters"]["error"]["champion"] == {"bad": 0, "good": 300}
    # Numbers are not given twice.
    fresh = json.loads(infer(server, [[0, 0, 0]]).text)["parameters"]["prediction_id"]
    assert int(fresh.split("-")[1]) > 300 and fresh not in dict(acknowledged)


def test_rollback_moves_back_and_holds(server, tracked, models, wait_until):
    register(tracked, models[0])
    register(tracked, models[1])
    serve(server, tracked, wait_until, version=1)
    tracked.MlflowClient().set_registered_model_alias("late", "champion", 2)
    wait_until(lambda: json.loads(infer(server, [[0, 0, 0]]).text)["model_version"] == "2", "version 2")
    done = server.post("v1/endpoints/late/rollback", json={"reason": "complaints", "ttl": "1h"}).json()
    assert (done["action"], done["from"], done["to"]) == ("alias_moved", 2, 1)
    assert json.loads(infer(server, [[0, 0, 0]]).text)["model_version"] == "1"
    assert server.get("v1/endpoints/late").json()["hold"]["reason"] == "complaints"
    assert server.post("v1/endpoints/late/release").json() == {"released": True}
    assert requests.post(f"{server.url}/api/slipway/v1/endpoints/late/rollback", json={"reason": "x"}, timeout=30).status_code == 401


def test_a_model_that_cannot_be_served_says_why_and_the_old_one_stays(server, tracked, models, wait_until):
    register(tracked, models[0])
    serve(server, tracked, wait_until)
    from sklearn.linear_model import LinearRegression
    import mlflow.sklearn

    with tracked.start_run():
        tracked.sklearn.log_model(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), name="model", registered_model_name="late",
                                  skops_trusted_types=[])
    tracked.MlflowClient().set_registered_model_alias("late", "champion", 2)
    wait_until(lambda: "only onnx is served" in server.get("v1/endpoints/late").json()["problem"], "the reason")
    assert json.loads(infer(server, [[0, 0, 0]]).text)["model_version"] == "1"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("", 400, "empty"),
        ("{", 400, "not valid JSON"),
        ("[" * 5_000, 400, "expected an object"),
        ('{"inputs": []}', 400, "input `x` is missing"),
        ('{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}', 400, "[1, 2]"),
        ('{"inputs": [{"name": "x", "shape": [-1, 3], "datatype": "FP32", "data": []}]}', 400, "negative"),
        ('{"inputs": [{"name": "x", "shape": [9223372036854775807, 3], "datatype": "FP32", "data": []}]}', 400, "elements"),
        ('{"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": ["a", "b", "c"]}]}', 400, "expected a number"),
        ('{"inputs": [{"name": "x", "shape": [1, 3], "datatype": "INT64", "data": [1, 2, 3]}]}', 400, "FP32"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(shared_models, body, status, words):
    response = requests.post(f"{shared_models.url}/v2/models/late/infer", data=body, timeout=30)
    assert response.status_code == status
    assert words in response.json()["error"]


@pytest.fixture(scope="module")
def shared_models(shared_server, models):
    import mlflow

    mlflow.set_tracking_uri(shared_server.url)
    mlflow.set_registry_uri(shared_server.url)
    mlflow.set_experiment("serving")
    register(mlflow, models[0])
    mlflow.MlflowClient().set_registered_model_alias("late", "champion", 1)
    shared_server.post("v1/apply", json={"source": {"path": "slipway.yaml"}, "objects": [
        {"kind": "Model", "name": "late", "spec": {}},
        {"kind": "Endpoint", "name": "late", "spec": {"model": "late", "alias": "champion"}}]})
    import time

    end = time.monotonic() + 20
    while shared_server.get("/v2/models/late/ready").status_code != 200:
        assert time.monotonic() < end, "the endpoint is not ready"
        time.sleep(0.05)
    return shared_server


def test_metrics_count_requests(shared_models):
    assert infer(shared_models, [[0, 0, 0]]).status_code == 200
    text = requests.get(f"{shared_models.url}/metrics", timeout=30).text
    line = next(line for line in text.splitlines() if line.startswith("slipway_inference_requests_total{") and 'code="200"' in line)
    assert 'endpoint="late"' in line and 'version="1"' in line
    assert not math.isnan(float(line.rsplit(" ", 1)[1]))
    assert "slipway_inference_duration_seconds_bucket" in text
    assert "slipway_serving_models_loaded" in text
