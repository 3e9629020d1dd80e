# SPDX-License-Identifier: Apache-2.0
"""data/matrix.npy -> model.onnx, recorded as an MLflow run and registered as the next version of `late-arrival`.

Where the run is recorded, MLFLOW_TRACKING_URI says (`slipway repro` sets it); without it, MLflow's own default holds.
"""

import time

import mlflow
import numpy as np
import yaml
from mlflow.entities import Metric, Param

from columns import DAY, FEATURES, LABEL, MONITORED
from export import to_onnx
from losses import log_loss
from recipe import fit, held_out

MODEL = "late-arrival"


def signature():
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    return ModelSignature(inputs=Schema([ColSpec("float", name) for name in FEATURES]),
                          outputs=Schema([ColSpec("float", "late_probability")]))


def requirements():
    from importlib.metadata import version

    return [f"{name}=={version(name)}" for name in ["onnx", "onnxruntime", "numpy"]]


def curve(model, rows, name, now_ms):
    """Log loss after each tree, on at most 20,000 rows evenly spread."""
    rows = rows[::max(1, len(rows) // 20_000)]
    stages = model.staged_predict_proba(rows[:, :LABEL])
    return [Metric(name, log_loss(rows[:, LABEL], p[:, 1]), now_ms, step) for step, p in enumerate(stages, start=1)]


def main():
    with open("params.yaml", encoding="utf-8") as file:
        params = yaml.safe_load(file)["train"]
    matrix = np.load("data/matrix.npy")
    out = held_out(matrix, params["holdout_days"])
    rows, held = matrix[~out], matrix[out]

    with mlflow.start_run() as run:
        started = time.monotonic()
        model = fit(rows, params)
        fit_s = time.monotonic() - started
        exported = to_onnx(model, len(FEATURES))
        with open("model.onnx", "wb") as file:
            file.write(exported.SerializeToString())

        now_ms = int(time.time() * 1000)
        points = curve(model, rows, "train.log_loss", now_ms)
        if len(held):
            points += curve(model, held, "holdout.log_loss", now_ms)
        facts = {
            "rows": len(rows),
            "rows.monitored": int(rows[:, MONITORED].sum()),
            "rows.held_out": len(held),
            "fit_s": fit_s,
            "late_share": float(rows[:, LABEL].mean()),
        }
        points += [Metric(name, float(value), now_ms, 0) for name, value in facts.items()]
        last = np.datetime64(int(rows[:, DAY].max()), "D")
        mlflow.MlflowClient().log_batch(run.info.run_id, metrics=points,
                                        params=[Param(k, str(v)) for k, v in {**params, "last_day": last}.items()])
        mlflow.onnx.log_model(exported, name="model", registered_model_name=MODEL, signature=signature(),
                              onnx_execution_providers=["CPUExecutionProvider"], pip_requirements=requirements(),
                              await_registration_for=None)
    print(f"trained on {len(rows)} flights up to {last}; {len(held)} held out")


if __name__ == "__main__":
    main()
