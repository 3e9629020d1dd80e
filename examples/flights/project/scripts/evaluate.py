# SPDX-License-Identifier: Apache-2.0
"""model.onnx -> metrics.json: how good is it on days that it has not seen?

With labels from production: the exported model on the newest days, which training left out. Before that there are none,
so a second model is trained without the last days and judged on them: an honest guess at the recipe, not at the model.
(On January and February that is where the bound in slipway.yaml comes from: .52, plus ten per cent.)
"""

import json

import numpy as np
import yaml

from columns import DAY, LABEL
from losses import auc, brier, log_loss
from recipe import fit, held_out


def scored_by_onnx(rows):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession("model.onnx", options, providers=["CPUExecutionProvider"])
    return session.run(["late_probability"], {"features": np.ascontiguousarray(rows[:, :LABEL])})[0][:, 0]


def backtest(matrix, params):
    last = matrix[:, DAY] > matrix[:, DAY].max() - params["holdout_days"]
    model = fit(matrix[~last], params)
    return matrix[last], model.predict_proba(matrix[last, :LABEL])[:, 1]


def main():
    with open("params.yaml", encoding="utf-8") as file:
        params = yaml.safe_load(file)["train"]
    matrix = np.load("data/matrix.npy")
    rows = matrix[held_out(matrix, params["holdout_days"])]
    if len(rows):
        kind, probability = "holdout", scored_by_onnx(rows)
    else:
        kind = "backtest"
        rows, probability = backtest(matrix, params)
    label = rows[:, LABEL]
    metrics = {
        kind: {
            "log_loss": round(log_loss(label, probability), 6),
            "brier": round(brier(label, probability), 6),
            "auc": round(auc(label, probability), 6),
            "days": len(np.unique(rows[:, DAY])),
            "rows": len(rows),
        }
    }
    with open("metrics.json", "w", encoding="ascii") as file:
        json.dump(metrics, file, indent=2)
        file.write("\n")
    print(f"{kind}: log loss {metrics[kind]['log_loss']:.4f} on {len(rows)} flights of {metrics[kind]['days']} days")


if __name__ == "__main__":
    main()
