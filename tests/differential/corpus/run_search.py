# SPDX-License-Identifier: Apache-2.0
"""runs/search: the filter grammar, the order, pages. Stock answers runs with equal keys by start time, newest first, then by id."""

from request import get, post

SEARCH = "runs/search"


def filtered(text, **more):
    return post("filter " + text, SEARCH, {"experiment_ids": ["{e}"], "filter": text, **more})


def ordered(*terms):
    return post("order " + " | ".join(terms), SEARCH, {"experiment_ids": ["{e}"], "order_by": list(terms)})


def run(name, start, batch):
    return [post("run " + name, "runs/create", {"experiment_id": "{e}", "start_time": start, "run_name": name, "user_id": "user-" + name},
                 save={name: "run.info.run_id"}),
            post("log " + name, "runs/log-batch", {"run_id": "{" + name + "}", **batch})]


FILTERS = [
    "", "   ", "metrics.m > 1", "metrics.m >= 1.5 AND metrics.m < 3", "metrics.m != 2", "metrics.m = 1.5e0", "metrics.m = -1", "metrics.m = +1",
    "metrics.nan != 5", "metrics.nan > 0", "metric.m > 1", "METRICS.m > 1", "metrics.`m` > 1", 'metrics."m" > 1', "metrics.m > .5",
    "metrics.m > 1e400", "metrics.m > 'x'", "metrics.m > '1'", "metrics.m LIKE 'x'", "metrics.m = nan", "metrics.m = inf", "metrics.m IS NULL",
    "metrics.m IN (1)", "metrics.m > 1 and params.p = '1'", "metrics.m > 1 AND", "AND metrics.m > 1", "metrics.m >", "metrics.m", "> 1",
    "metrics.m > 1 metrics.m < 5", "metrics.m >= 1; select 1", "metrics.m > 1 OR metrics.m < 5", "NOT metrics.m > 1", "metrics.m > params.p",
    "params.p = '1'", 'params.p = "1"', "params.p != '1'", "param.p = '1'", "parameters.p = '1'", "params.p LIKE '%'", "params.p ILIKE 'A%'",
    "params.p = 1", "params.p > '1'", "params.p in ('1','2')", "params.p IS NULL", "params.p IS NOT NULL", "params.p is null", "params.p",
    "params.p == '1'", "NOT params.p = '1'", "(params.p = '1')", "params.p = '1", "params.p = `1`", "params.p = '1' AND (params.q = '2')",
    "params.p = 'a''b'", "params.p = ''",
    "tags.t = 'v'", "tag.t != 'v'", "tags.`a b` = 'x'", "tags.\"a b\" ilike 'X'", "tags.mlflow.runName = 'one'", "tags.t IS NULL",
    "tags.t IS NOT NULL", "tags.t LIKE 'v%'", "tags.t = 5", "tags.t >= 'v'", "tags. = 'x'", "tags.a-b = 'x'",
    "run_id = '{one}'", "run_id != '{one}'", "run_id IN ('{one}','{two}')", "run_id NOT IN ('{one}')", "run_id IN ()", "run_id IN 'a'",
    "run_id IN (1)", "run_id IN ('a', 1)", "run_id IN ('a'", "run_id LIKE '%'", "attributes.run_id = '{one}'", "attribute.run_id = '{one}'",
    "run_name = 'one'", "run_name LIKE 'o%'", "run_name ILIKE 'O%'", "attributes.run_name != 'one'", "run_name > 'x'", "run_name IN ('one')",
    "attributes.`run name` = 'one'", "attributes.`Run Name` = 'one'", "status = 'RUNNING'", "status != 'RUNNING'", "status > 'FINISHED'", "status IN ('RUNNING')",
    "status = 'running'", "user_id = 'user-one'", "user_id IN ('user-one')", "artifact_uri = 'x'", "artifact_uri LIKE '%{one}%'",
    "lifecycle_stage = 'active'", "start_time > 1700000000001", "start_time > 'x'", "start_time LIKE 5", "attributes.start_time = 1700000000002",
    "created > 5", "attributes.Created > 5", "end_time > 5", "end_time = 5", "attributes.foo = 'x'", "foo.bar = 'x'", "foo = 'x'", "a = 'x' OR b = 'y'",
    "dataset.name = 'ds'", "datasets.name = 'ds'", "dataset.digest = 'dg'", "dataset.context = 'train'", "dataset.name LIKE 'd%'",
    "dataset.name IN ('ds')", "dataset.foo = 'ds'", "dataset.name > 'x'", "dataset.name = 5", "'x' = 'y'", "= 5", "name", "run_name = name",
    "params.p = '1', params.q = '2'", "tags.`x = 'y'", "params.p LIKE 5", "attributes.start_time > 5 AND attributes.end_time < 9",
]

REQUESTS = [
    post("experiment", "experiments/create", {"name": "{n}"}, save={"e": "experiment_id"}),
    *run("one", 1700000000001, {"metrics": [{"key": "m", "value": 1.5, "timestamp": 1}, {"key": "nan", "value": "NaN", "timestamp": 1}],
                                "params": [{"key": "p", "value": "1"}], "tags": [{"key": "t", "value": "v"}, {"key": "a b", "value": "x"}]}),
    *run("two", 1700000000002, {"metrics": [{"key": "m", "value": 2, "timestamp": 1}, {"key": "nan", "value": 4, "timestamp": 1}],
                                "params": [{"key": "p", "value": "abc"}, {"key": "q", "value": "2"}], "tags": [{"key": "t", "value": "w"}]}),
    *run("three", 1700000000003, {"metrics": [{"key": "m", "value": "Infinity", "timestamp": 1}], "params": [{"key": "p", "value": "2"}]}),
    *run("four", 1700000000004, {"metrics": [{"key": "m", "value": -1, "timestamp": 1}], "tags": [{"key": "t", "value": "V2"}]}),
    post("dataset of one", "runs/log-inputs", {"run_id": "{one}", "datasets": [
        {"dataset": {"name": "ds", "digest": "dg", "source_type": "local", "source": "{}"},
         "tags": [{"key": "mlflow.data.context", "value": "train"}]}]}),
    post("end of two", "runs/update", {"run_id": "{two}", "status": "FINISHED", "end_time": 1700000000009}),
    post("plain", SEARCH, {"experiment_ids": ["{e}"]}),
    *map(filtered, FILTERS),
    ordered("metrics.m"), ordered("metrics.m DESC"), ordered("metrics.m ASC"), ordered("metrics.nan desc"), ordered("metrics.`m` asc"),
    ordered("params.p"), ordered("params.p DESC"), ordered("tags.t desc"), ordered("tags.t"), ordered("run_name"), ordered("run_name DESC"),
    ordered("attributes.start_time ASC"), ordered("start_time"), ordered("start_time DESC"), ordered("end_time"), ordered("end_time DESC"),
    ordered("status"), ordered("user_id"), ordered("created DESC"),
    ordered("attributes.Created"), ordered("params.q", "metrics.m"), ordered("status", "start_time ASC"),
    ordered("foo"), ordered("attributes.foo"), ordered("foo.bar"), ordered("metrics.m ASCC"), ordered("metrics.m DESC, x"), ordered("metrics.m DESC ASC"),
    ordered("start_time DESC NULLS LAST"), ordered(""), ordered("dataset.name"), ordered("dataset.foo"), ordered("metrics.m", "metrics.m"),
    ordered("start_time", "attributes.start_time"), ordered("'x'"), ordered("`run name`"), ordered("1"), ordered("run name"),
    post("order run_id", SEARCH, {"experiment_ids": ["{e}"], "order_by": ["run_id"], "filter": "params.p = '1'"}),
    post("order artifact_uri", SEARCH, {"experiment_ids": ["{e}"], "order_by": ["artifact_uri DESC"], "filter": "params.p = '1'"}),
    post("order_by text", SEARCH, {"experiment_ids": ["{e}"], "order_by": "metrics.m"}),
    post("order_by int", SEARCH, {"experiment_ids": ["{e}"], "order_by": [5]}),
    post("max 0", SEARCH, {"experiment_ids": ["{e}"], "max_results": 0}),
    post("max -1", SEARCH, {"experiment_ids": ["{e}"], "max_results": -1}),
    post("max 50000", SEARCH, {"experiment_ids": ["{e}"], "max_results": 50000, "filter": "params.p = '1'"}),
    post("max 50001", SEARCH, {"experiment_ids": ["{e}"], "max_results": 50001}),
    post("max text", SEARCH, {"experiment_ids": ["{e}"], "max_results": "1", "order_by": ["start_time"]}),
    post("max letters", SEARCH, {"experiment_ids": ["{e}"], "max_results": "x"}),
    post("max null", SEARCH, {"experiment_ids": ["{e}"], "max_results": None, "filter": "params.p = '1'"}),
    post("no experiments", SEARCH, {}),
    post("experiments empty", SEARCH, {"experiment_ids": []}),
    post("experiment letters", SEARCH, {"experiment_ids": ["abc"]}),
    post("experiments text", SEARCH, {"experiment_ids": "abc"}),
    post("experiment int", SEARCH, {"experiment_ids": [987654]}),
    post("experiment unknown", SEARCH, {"experiment_ids": ["987654"]}),
    post("experiment twice", SEARCH, {"experiment_ids": ["{e}", "{e}"], "filter": "params.p = '1'"}),
    post("in camel case", SEARCH, {"experimentIds": ["{e}"], "orderBy": ["params.p"], "maxResults": 2}),
    post("filter int", SEARCH, {"experiment_ids": ["{e}"], "filter": 5}),
    post("page one", SEARCH, {"experiment_ids": ["{e}"], "max_results": 2, "order_by": ["metrics.m"]}, save={"token": "next_page_token"}),
    post("page two", SEARCH, {"experiment_ids": ["{e}"], "max_results": 2, "order_by": ["metrics.m"], "page_token": "{token}"}),
    post("token bad", SEARCH, {"experiment_ids": ["{e}"], "page_token": "abc"}),
    post("token of something else", SEARCH, {"experiment_ids": ["{e}"], "page_token": "eyJhIjogMX0="}),
    post("token empty", SEARCH, {"experiment_ids": ["{e}"], "page_token": "", "filter": "params.p = '1'"}),
    post("delete one", "runs/delete", {"run_id": "{one}"}),
    post("view active", SEARCH, {"experiment_ids": ["{e}"], "run_view_type": "ACTIVE_ONLY", "filter": "metrics.m = 1.5"}),
    post("view deleted", SEARCH, {"experiment_ids": ["{e}"], "run_view_type": "DELETED_ONLY"}),
    post("view all", SEARCH, {"experiment_ids": ["{e}"], "run_view_type": "ALL", "filter": "metrics.m < 2"}),
    post("view number", SEARCH, {"experiment_ids": ["{e}"], "run_view_type": 2}),
    post("view unknown", SEARCH, {"experiment_ids": ["{e}"], "run_view_type": "NOPE"}),
    get("by GET", SEARCH, experiment_ids="{e}"),
    post("10,001 experiments", SEARCH, {"experiment_ids": [str(10**9 + i) for i in range(10_001)]}),
    post("pattern of 16,001", SEARCH, {"experiment_ids": ["{e}"], "filter": "params.p LIKE '" + "x" * 16_001 + "'"}),
    post("pattern of 60,000", SEARCH, {"experiment_ids": ["{e}"], "filter": "params.p LIKE '" + "x" * 60_000 + "'"}),
    post("token far", SEARCH, {"experiment_ids": ["{e}"], "page_token": "eyJvZmZzZXQiOiAxMDAwMDAxfQ=="}),
    post("token beyond int64", SEARCH, {"experiment_ids": ["{e}"], "page_token": "eyJvZmZzZXQiOiA5MjIzMzcyMDM2ODU0Nzc1ODA3fQ=="}),
    post("filter with NUL", SEARCH, {"experiment_ids": ["{e}"], "filter": "params.p = 'a\0b'"}),
]
