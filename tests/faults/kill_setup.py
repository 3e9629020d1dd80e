# SPDX-License-Identifier: Apache-2.0
"""The world of the kill loop: model `kill` with two versions of a tiny network behind an endpoint on event time with a canary policy
and a monitor; model `many` that only collects versions and aliases."""

import itertools

from kill_wire import MLFLOW, V1, Refused

EVENT_START_US = 1_600_000_000_000_000  # 13 September 2020
EVENT_STEP_US = 600_000_000             # a request each ten minutes: 144 a day
DAY_US = 86_400_000_000
INPUTS = 3


def make_onnx(bias):
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.array([[0.5], [-0.25], [0.125]], dtype=np.float32), "w")
    offset = numpy_helper.from_array(np.array([bias], dtype=np.float32), "b")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["a"]),
             helper.make_node("Sigmoid", ["a"], ["p"])]
    graph = helper.make_graph(nodes, "kill", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, INPUTS])],
                              [helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 1])], [weights, offset])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def desired(mark):
    """Two of the objects carry the mark, so that half an apply would show."""
    return [
        {"kind": "Model", "name": "kill", "spec": {"description": mark}},
        {"kind": "Webhook", "name": "kill", "spec": {"url": f"http://{mark}.invalid/hook"}},
        {"kind": "Endpoint", "name": "kill", "spec": {"model": "kill", "alias": "champion", "clock": "event", "rollout": {
            "steps": [{"weight": 0.25, "requests": 250}, {"weight": 0.5, "requests": 250}], "delta": 0.2, "losses": ["error", "nan"],
            "latency_limit_ms": 1000, "max_duration": "300d"}}},
        {"kind": "Monitor", "name": "kill", "spec": {"endpoint": "kill", "loss": "log_loss", "clip": 3, "block": "day", "bound": 2.9,
                                                     "budget": 100, "horizon": "1h"}},
    ]


def apply_body(mark):
    return {"objects": desired(mark), "source": {"repo": "kill", "path": "slipway.yaml"}}


class World:
    """What clients share."""

    def __init__(self):
        self.event_time_us = itertools.count(EVENT_START_US, EVENT_STEP_US)
        self.marks = itertools.count(1)


def prepare(c):
    for model in ("kill", "many"):
        c.post(f"{MLFLOW}/registered-models/create", {"name": model})
    for bias in (0.0, 0.01):
        run = c.post(f"{MLFLOW}/runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
        path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/model/model.onnx"
        status, data = c.call("PUT", path, make_onnx(bias), "application/octet-stream")
        if status != 200:
            raise Refused(f"PUT {path}: {status} {data!r}")
        c.post(f"{MLFLOW}/model-versions/create", {"name": "kill", "source": f"runs:/{run}/model", "run_id": run})
    c.post(f"{V1}/apply", apply_body("mark-0"))
    c.post(f"{V1}/models/kill/promote", {"version": 1, "reason": "first"})
    return World()
