# SPDX-License-Identifier: Apache-2.0
"""Histories of metrics, and the datasets of experiments."""

from request import ask, get, post

HISTORY, INTERVAL, BULK = "metrics/get-history", "metrics/get-history-bulk-interval", "metrics/get-history-bulk"
DATASETS = "experiments/search-datasets"


def points(key, values, start=0):
    return [{"key": key, "value": value, "timestamp": 1000 + i, "step": i} for i, value in enumerate(values, start)]


REQUESTS = [
    post("experiment", "experiments/create", {"name": "{n}"}, save={"e": "experiment_id"}),
    post("run", "runs/create", {"experiment_id": "{e}", "start_time": 1, "run_name": "r"}, save={"r": "run.info.run_id"}),
    post("another run", "runs/create", {"experiment_id": "{e}", "start_time": 2, "run_name": "s"}, save={"s": "run.info.run_id"}),
    post("points", "runs/log-batch", {"run_id": "{r}", "metrics": points("m", range(10))}),
    post("points of special values", "runs/log-batch", {"run_id": "{r}", "metrics": points("x", ["NaN", 2, "Infinity", "-Infinity"])}),
    post("points of one time", "runs/log-batch", {"run_id": "{r}", "metrics": [
        {"key": "tie", "value": 3, "timestamp": 5, "step": 2}, {"key": "tie", "value": 2, "timestamp": 5, "step": 1},
        {"key": "tie", "value": 1, "timestamp": 5, "step": 2}, {"key": "tie", "value": 9, "timestamp": 4, "step": 7}]}),
    post("points of another run", "runs/log-batch", {"run_id": "{s}", "metrics": points("m", range(20, 24))}),
    get("history", HISTORY, run_id="{r}", metric_key="m"),
    get("history of special values", HISTORY, run_id="{r}", metric_key="x"),
    get("history of one time", HISTORY, run_id="{r}", metric_key="tie"),
    get("history by run_uuid", HISTORY, run_uuid="{r}", metric_key="m", max_results=1),
    get("history of an unknown metric", HISTORY, run_id="{r}", metric_key="nope"),
    get("history of an unknown run", HISTORY, run_id="0" * 32, metric_key="m"),
    get("history without key", HISTORY, run_id="{r}"),
    get("history without run", HISTORY, metric_key="m"),
    get("history max 0", HISTORY, run_id="{r}", metric_key="m", max_results=0),
    get("history max -1", HISTORY, run_id="{r}", metric_key="m", max_results=-1),
    get("history max letters", HISTORY, run_id="{r}", metric_key="m", max_results="x"),
    ask("history page", "GET", HISTORY, query={"run_id": "{r}", "metric_key": "m", "max_results": 4}, save={"token": "next_page_token"}),
    get("history second page", HISTORY, run_id="{r}", metric_key="m", max_results=4, page_token="{token}"),
    get("history bad token", HISTORY, run_id="{r}", metric_key="m", page_token="zz"),
    ask("history by POST", "POST", HISTORY, {"run_id": "{r}", "metric_key": "m"}),
    get("interval", INTERVAL, run_ids="{r}", metric_key="m"),
    *[get(f"interval of {n}", INTERVAL, run_ids="{r}", metric_key="m", max_results=n) for n in (1, 2, 3, 4, 5, 9, 10)],
    get("interval of two runs", INTERVAL, run_ids=["{s}", "{r}"], metric_key="m", max_results=2),
    get("interval of steps", INTERVAL, run_ids="{r}", metric_key="m", start_step=3, end_step=6),
    get("interval of special values", INTERVAL, run_ids="{r}", metric_key="x"),
    get("interval from a step on", INTERVAL, run_ids="{r}", metric_key="m", start_step=3),
    get("interval backwards", INTERVAL, run_ids="{r}", metric_key="m", start_step=6, end_step=3),
    get("interval with step letters", INTERVAL, run_ids="{r}", metric_key="m", start_step="x", end_step=3),
    get("interval without runs", INTERVAL, metric_key="m"),
    get("interval without key", INTERVAL, run_ids="{r}"),
    get("interval without anything", INTERVAL),
    get("interval max 2501", INTERVAL, run_ids="{r}", metric_key="m", max_results=2501),
    get("interval max 0", INTERVAL, run_ids="{r}", metric_key="m", max_results=0),
    get("interval max letters", INTERVAL, run_ids="{r}", metric_key="m", max_results="x"),
    get("interval of 101 runs", INTERVAL, run_ids=["{r}"] * 101, metric_key="m"),
    get("interval of an unknown run", INTERVAL, run_ids="0" * 32, metric_key="m"),
    get("bulk", BULK, run_id="{r}", metric_key="m"),
    get("bulk of special values", BULK, run_id="{r}", metric_key="x"),
    get("bulk of one time", BULK, run_id="{r}", metric_key="tie"),
    get("bulk without run", BULK, metric_key="m"),
    get("bulk without key", BULK, run_id="{r}"),
    get("bulk of 101 runs", BULK, run_id=["{r}"] * 101, metric_key="m"),
    get("bulk of 3", BULK, run_id="{r}", metric_key="m", max_results=3),
    get("bulk of an unknown run", BULK, run_id="0" * 32, metric_key="m"),
    post("dataset", "runs/log-inputs", {"run_id": "{r}", "datasets": [
        {"dataset": {"name": "ds", "digest": "dg", "source_type": "local", "source": "{}"},
         "tags": [{"key": "mlflow.data.context", "value": "train"}]}]}),
    post("dataset without context", "runs/log-inputs", {"run_id": "{s}", "datasets": [
        {"dataset": {"name": "other", "digest": "dg", "source_type": "local", "source": "{}"}}]}),
    post("datasets", DATASETS, {"experiment_ids": ["{e}"]}),
    post("datasets of nothing", DATASETS, {}),
    post("datasets of an empty list", DATASETS, {"experiment_ids": []}),
    post("datasets of 21 experiments", DATASETS, {"experiment_ids": ["{e}"] * 21}),
    post("datasets of an unknown experiment", DATASETS, {"experiment_ids": ["987654"]}),
]
