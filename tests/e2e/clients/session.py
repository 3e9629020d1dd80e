# SPDX-License-Identifier: Apache-2.0
"""What a data scientist does with an `mlflow` client, in words that every version from 2.0.1 on knows.

Runs in a client's own environment; prints, as one line of JSON, what came back from the server.
"""

import json
import os
import pathlib
import sys
import tempfile
import threading

import mlflow
import numpy as np
import sklearn
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LogisticRegression

NAME = "harbour"
VERSION = tuple(int(part) for part in mlflow.__version__.split(".")[:2])


def data():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(200, 3))
    return x, (x[:, 0] - x[:, 1] > 0).astype(int)


def autologged(client, seen):
    mlflow.sklearn.autolog()
    x, y = data()
    model = LogisticRegression(C=0.5)
    with mlflow.start_run(run_name="autolog") as run:
        model.fit(x, y)
        model.score(x, y)
    mlflow.sklearn.autolog(disable=True)
    data_logged = client.get_run(run.info.run_id).data
    seen["autolog"] = {
        "C": data_logged.params["C"],
        "score": bool(abs(data_logged.metrics["training_score"] - model.score(x, y)) < 1e-12),
        "estimator": data_logged.tags["estimator_name"],
    }
    loaded = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
    seen["autolog"]["loads"] = bool((loaded.predict(x) == model.predict(x)).all())


def recorded(client, seen):
    with mlflow.start_run(run_name="parent") as parent:
        mlflow.log_param("rate", 0.1)
        mlflow.log_params({"depth": 3, "text": "naïve – 逆"})
        for step in range(20):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metric("odd", float("nan"))
        mlflow.set_tags({"team": "night", "empty": ""})
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_metric("loss", 0.5)
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "deep").mkdir()
            (root / "deep/ä b.txt").write_text("hello", encoding="utf-8")
            (root / "raw.bin").write_bytes(bytes(range(256)) * 4096)
            mlflow.log_artifacts(folder, "files")
        mlflow.log_dict({"a": [1, 2]}, "notes/a.json")
        mlflow.log_text("text", "notes/t.txt")
    run = client.get_run(parent.info.run_id)
    history = client.get_metric_history(parent.info.run_id, "loss")
    seen["run"] = {
        "status": run.info.status,
        "params": dict(sorted(run.data.params.items())),
        "loss": run.data.metrics["loss"],
        "nan": bool(np.isnan(run.data.metrics["odd"])),
        "tags": {key: run.data.tags[key] for key in ("team", "empty")},
        "history": [[m.step, m.value] for m in sorted(history, key=lambda m: m.step)] == [[s, 1 / (s + 1)] for s in range(20)],
        "child": client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(client.download_artifacts(parent.info.run_id, "files", folder))
        seen["artifacts"] = {
            "listed": sorted(f.path for f in client.list_artifacts(parent.info.run_id)),
            "text": (path / "deep/ä b.txt").read_text(encoding="utf-8"),
            "binary": (path / "raw.bin").read_bytes() == bytes(range(256)) * 4096,
        }
    return parent.info


def concurrent(client, experiment, seen):
    def work(number):
        run = client.create_run(experiment, tags={"worker": str(number)})
        for step in range(25):
            client.log_metric(run.info.run_id, "v", step * number, step=step)
        client.set_terminated(run.info.run_id)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = client.search_runs([experiment], "tags.worker LIKE '%' AND metrics.v > 40", order_by=["metrics.v DESC"])
    seen["concurrent"] = [run.data.metrics["v"] for run in found]


def searched(client, experiment, parent, seen):
    frame = mlflow.search_runs([experiment], filter_string="params.depth = '3' and metrics.loss < 0.1", order_by=["metrics.loss ASC"])
    pages, token = [], None
    while True:
        page = client.search_runs([experiment], "tags.worker != ''", max_results=4, page_token=token)
        pages.append(len(page))
        token = page.token
        if not token:
            break
    client.delete_run(parent.run_id)
    gone = [run.info.run_id for run in client.search_runs([experiment], "params.depth = '3'")]
    client.restore_run(parent.run_id)
    seen["search"] = {
        "frame": list(frame["run_id"]) == [parent.run_id],
        "pages": pages,
        "deleted": gone,
        "restored": client.get_run(parent.run_id).info.lifecycle_stage,
        "experiments": [e.name for e in client.search_experiments(filter_string=f"name = '{NAME}'")],
    }


def registered(client, seen):
    x, y = data()
    for c in (0.1, 10.0):
        with mlflow.start_run():
            model = LogisticRegression(C=c).fit(x, y)
            mlflow.sklearn.log_model(model, "model", registered_model_name=NAME, pip_requirements=[f"scikit-learn=={sklearn.__version__}"])
    client.update_registered_model(NAME, description="ships")
    client.set_model_version_tag(NAME, "2", "checked", "yes")
    client.transition_model_version_stage(NAME, "1", "Staging")
    client.transition_model_version_stage(NAME, "2", "Production", archive_existing_versions=True)
    loaded = mlflow.pyfunc.load_model(f"models:/{NAME}/Production")
    seen["registry"] = {
        "versions": sorted(int(v.version) for v in client.search_model_versions(f"name = '{NAME}'")),
        "stages": sorted(v.current_stage for v in client.get_latest_versions(NAME)),
        "tag": client.get_model_version(NAME, "2").tags["checked"],
        "description": client.get_registered_model(NAME).description,
        "answers": bool((loaded.predict(x) == model.predict(x)).all()),
    }
    if VERSION >= (2, 3):
        client.set_registered_model_alias(NAME, "champion", "2")
        by_alias = mlflow.sklearn.load_model(f"models:/{NAME}@champion")
        seen["registry"]["alias"] = bool((by_alias.predict(x) == model.predict(x)).all())
        client.delete_registered_model_alias(NAME, "champion")
    try:
        client.get_model_version(NAME, "99")
    except mlflow.exceptions.MlflowException as error:
        seen["registry"]["missing"] = error.error_code


def boosted(seen):
    """Autologging of what is installed beside scikit-learn."""
    x, y = data()
    try:
        import lightgbm
        import xgboost
    except ImportError:
        return
    mlflow.xgboost.autolog()
    mlflow.lightgbm.autolog()
    for name, fit in (
        ("xgboost", lambda: xgboost.train({"objective": "binary:logistic", "max_depth": 2}, xgboost.DMatrix(x, y), 5, evals=[(xgboost.DMatrix(x, y), "train")])),
        ("lightgbm", lambda: lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(x, y), 5, valid_sets=[lightgbm.Dataset(x, y)])),
    ):
        with mlflow.start_run() as run:
            booster = fit()
        logged = mlflow.get_run(run.info.run_id)
        loaded = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
        mine = booster.predict(xgboost.DMatrix(x)) if name == "xgboost" else booster.predict(x)
        seen[name] = {"params": len(logged.data.params) > 2, "metrics": bool(logged.data.metrics), "loads": bool(np.allclose(loaded.predict(x), mine, atol=1e-6))}


def main():
    os.environ["MLFLOW_TRACKING_URI"] = sys.argv[1]
    mlflow.set_tracking_uri(sys.argv[1])
    client, seen = MlflowClient(), {"version": mlflow.__version__}
    experiment = mlflow.set_experiment(NAME).experiment_id
    autologged(client, seen)
    parent = recorded(client, seen)
    concurrent(client, experiment, seen)
    searched(client, experiment, parent, seen)
    registered(client, seen)
    boosted(seen)
    print(json.dumps(seen, sort_keys=True))


main()
