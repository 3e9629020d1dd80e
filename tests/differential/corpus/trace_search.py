# SPDX-License-Identifier: Apache-2.0
"""Search of traces: filters of every kind of key, orders, pages."""

from request import get, post

V3 = "{api}/3.0/mlflow/traces"
SEARCH = V3 + "/search"
HUMAN = {"source_type": "HUMAN", "source_id": "me"}
PLACE = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e}"}}


def started(number, second, **more):
    return post(f"start {number}", V3, {"trace": {"trace_info": {
        "trace_id": "tr-{x}" + number * 24, "trace_location": PLACE, "request_time": f"2024-05-06T07:08:{second:02d}.5Z", "state": "OK", **more}}})


def span(number, name, attributes, parent=None, status=1):
    ids = {"traceId": "{x}" + number * 24, "spanId": number * 15 + ("2" if parent else "1")}
    if parent:
        ids["parentSpanId"] = number * 15 + "1"
    return {**ids, "name": name, "startTimeUnixNano": "1714979289000000000", "endTimeUnixNano": "1714979290000000000", "status": {"code": status},
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]}


def spans(label, *them):
    return post(label, "/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": list(them)}]}]}, headers={"x-mlflow-experiment-id": "{e}"})


def assessed(label, number, **more):
    return post(label, V3 + "/tr-{x}" + number * 24 + "/assessments", {"assessment": {"source": HUMAN, **more}})


def find(label, **more):
    return post(label, SEARCH, {"locations": [PLACE], **more})


FILTERS = [
    "", "name = 'alpha'", "name != 'alpha'", "attributes.name = 'alpha'", "trace.name = 'alpha'", "attribute.name LIKE 'al%'", "name ILIKE 'AL%'",
    "name LIKE 'AL%'", "name IN ('alpha', 'beta')", "name NOT IN ('alpha')", "name RLIKE '^al'", "name RLIKE 'a$'", "name > 'a'", "name IS NULL",
    "name = alpha", "name = \"alpha\"", "`name` = 'alpha'", "tags.`mlflow.traceName` = 'alpha'", "tags.mlflow.traceName = 'beta'",
    "tags.mlflow.traceName IS NULL", "tags.mlflow.traceName IS NOT NULL",
    "status = 'OK'", "status = 'ERROR'", "status != 'OK'", "status IN ('OK', 'ERROR')", "status LIKE 'O%'", "trace.status = 'OK'", "status = OK",
    "timestamp > 0", "timestamp_ms > 1714979282500", "timestamp >= 1714979282500", "timestamp = 1714979282500", "timestamp != 1714979282500",
    "timestamp_ms < 1714979282500", "timestamp_ms = 'x'", "timestamp_ms IN (1)", "timestamp_ms > 1.5", "attributes.timestamp > 0",
    "execution_time > 100", "execution_time_ms >= 1500", "execution_time < 5", "execution_time = 1500", "trace.execution_time_ms > 100",
    "end_time > 0", "end_time_ms >= 1714979284000", "end_time_ms < 1714979283000", "trace.end_time > 0",
    "request_id = 'tr-{x}111111111111111111111111'", "request_id IN ('tr-{x}111111111111111111111111', 'x')", "request_id LIKE 'tr-%'",
    "trace_id = 'x'", "client_request_id = 'c1'", "client_request_id != 'c1'", "client_request_id LIKE 'c%'", "client_request_id IN ('c1', 'c2')",
    "run_id = '{r}'", "run_id != '{r}'", "run_id = 'zz'", "run_id LIKE '%'", "attributes.run_id = '{r}'", "metadata.mlflow.sourceRun = '{r}'",
    "run_id IN ('{r}')",
    "prompt = 'p/1'", "prompt = 'p/2'", "prompt = 'p'", "prompt != 'p/1'", "prompt LIKE 'p%'", "trace.prompt = 'p/1'",
    "tag.k = 'v1'", "tags.k = 'v1'", "tags.k != 'v1'", "tags.k LIKE 'v%'", "tags.k ILIKE 'V%'", "tags.k RLIKE 'v[12]'", "tags.k IS NULL", "tags.k IS NOT NULL",
    "tags.k = 5", "tags.k > 'a'", "tags.k IN ('v1', 'v2')", "tags.none = 'x'", "tags.`with space` = 'y'", "tags.\"with space\" = 'y'", "tags.a.b = 'dots'",
    "metadata.m = '1'", "metadata.m != '1'", "metadata.m LIKE '%'", "metadata.m IS NULL", "metadata.m IS NOT NULL", "request_metadata.m = '1'",
    "metadata.m = 1", "metadata.m IN ('1')", "metadata.`mlflow.trace.session` = 's1'", "metadata.mlflow.trace.session LIKE 's%'",
    "metadata.mlflow.trace.session IS NULL", "metadata.mlflow.trace.session IS NOT NULL",
    "metadata.mlflow.trace.tokenUsage IS NOT NULL", "metadata.mlflow.trace.tokenUsage IS NULL",
    "metadata.mlflow.trace.tokenUsage = '{\"input_tokens\": 3, \"output_tokens\": 4, \"total_tokens\": 7}'",
    "metadata.mlflow.trace.tokenUsage = '{\"input_tokens\":3, \"output_tokens\": 4, \"total_tokens\": 7}'",
    "metadata.mlflow.trace.tokenUsage != 'x'", "metadata.mlflow.trace.tokenUsage LIKE '%'", "metadata.mlflow.trace.cost IS NOT NULL",
    "span.name = 'root'", "span.name = 'child'", "span.name LIKE 'ch%'", "span.name ILIKE 'CH%'", "span.name RLIKE '^c.*d$'", "span.name IN ('child', 'x')",
    "span.name NOT IN ('child')", "span.name != 'root'", "span.type = 'LLM'", "span.type != 'LLM'", "span.status = 'OK'", "span.status = 'ERROR'",
    "span.name = 'child' AND span.type = 'TOOL'", "span.name = 'root' AND span.type = 'TOOL'", "span.name = 5", "span.name IS NULL", "span.name > 'a'",
    "span.foo = 'x'", "span.content LIKE '%nested%'", "span.content = 'x'", "span.attributes.model = 'gpt'", "span.attributes.model LIKE '%gpt%'",
    "span.attributes.model LIKE 'gpt'", "span.attributes.model ILIKE '%GPT%'", "span.attributes.model RLIKE '^gpt'", "span.attributes.model RLIKE 'gpt$'",
    "span.attributes. = 'x'", "spans.name = 'root'", "trace.text LIKE '%nested%'", "trace.text ILIKE '%NESTED%'", "trace.text = 'x'", "text LIKE '%héllo%'",
    "trace.text LIKE '%absent%'",
    "feedback.good = 'true'", "feedback.good = 'True'", "feedback.good != 'true'", "feedback.score = '0.5'", "feedback.score > 0.4", "feedback.score >= 0.5",
    "feedback.score < 0.5", "feedback.score > 'x'", "feedback.score = 0.5", "feedback.word = 'yes'", "feedback.word LIKE '%e%'", "feedback.word ILIKE '%YES%'",
    "feedback.word RLIKE 'y'", "feedback.word IS NULL", "feedback.word IS NOT NULL", "feedback.none IS NULL", "feedback.word IN ('yes')",
    "expectation.answer = 'Paris'", "expectation.answer != 'Paris'", "expectation.answer IS NOT NULL", "expectation.answer LIKE '%aris%'", "feedback. = 'x'",
    "feedback.over = 'old'", "feedback.over = 'new'", "feedback.wide = 'all'", "feedback.wide IS NULL",
    "issue.id = 'iss-1'", "issue.id != 'iss-1'", "issue.foo = 'x'", "issue.id = 5", "assessment.good = 'true'",
    "foo = 'x'", "foo.bar = 'x'", "params.p = 'x'", "metrics.m > 1", "attr.name = 'alpha'", "name = 'alpha' OR name = 'beta'", "(name = 'alpha')",
    "name = 'alpha' AND", "AND name = 'alpha'", "name = 'alpha' AND status = 'OK'", "name = 'alpha' and status = 'OK'", "name = 'alpha", "name", "name =", "= 'x'",
    "name == 'alpha'", "name = 'a' name = 'b'", "name = 'alpha'; status = 'OK'", "not a filter", "'name' = 'alpha'", "name IN ()", "name IN (1, 2)",
    "name IN 'alpha'", "tags.k = 'v1' AND tags.k = 'v2'", "Name = 'alpha'", "trace.Status = 'OK'", "status = 'OK' AND tags.k = 'v1' AND timestamp > 0",
    "execution_time > 'x'", "timestamp LIKE 'x'", "execution_time IN ('1')", "status = 5", "name = 5", "experiment_id = '1'", "tags = 'x'", "tags. = 'x'",
]
ORDERS = [
    ["timestamp"], ["timestamp DESC"], ["timestamp_ms ASC"], ["execution_time"], ["execution_time_ms DESC"], ["name"], ["name DESC"], ["status"],
    ["request_id DESC"], ["experiment_id"], ["end_time"], ["run_id"], ["tags.k"], ["tag.k DESC"], ["metadata.m"], ["metadata.mlflow.trace.session"],
    ["metadata.mlflow.trace.tokenUsage"], ["client_request_id"], ["status", "timestamp"], ["timestamp", "timestamp DESC"], ["foo"], ["foo.bar"],
    ["name foo"], ["name asc desc"], [""], ["span.name"], ["feedback.good"], ["text"], ["prompt"], ["`name`"], ["attributes.name desc"], ["trace.name"],
]

REQUESTS = [
    post("experiment", "experiments/create", {"name": "{n}"}, save={"e": "experiment_id"}),
    post("empty experiment", "experiments/create", {"name": "{n}.empty"}, save={"o": "experiment_id"}),
    post("run", "runs/create", {"experiment_id": "{e}", "start_time": 1, "run_name": "r"}, save={"r": "run.info.run_id"}),
    started("1", 1, execution_duration="1.5s", client_request_id="c1", tags={"mlflow.traceName": "alpha", "k": "v1", "with space": "y"},
            trace_metadata={"m": "1", "mlflow.trace.session": "s1",
                            "mlflow.trace.tokenUsage": "{\"input_tokens\": 3, \"output_tokens\": 4, \"total_tokens\": 7}"}),
    started("2", 2, execution_duration="0.010s", client_request_id="c2", state="ERROR", tags={"mlflow.traceName": "beta", "k": "v2", "a.b": "dots"},
            trace_metadata={"m": "2", "mlflow.trace.session": "s1", "mlflow.sourceRun": "{r}"}),
    started("3", 3, state="IN_PROGRESS", tags={"mlflow.traceName": "alpha"}, trace_metadata={"mlflow.trace.cost": "{\"total_cost\": 0.5}"}),
    started("4", 2),
    post("link", "traces/link-to-run", {"trace_ids": ["tr-{x}" + "1" * 24], "run_id": "{r}"}),
    post("prompts", "traces/link-prompts", {"trace_id": "tr-{x}" + "2" * 24, "prompt_versions": [{"name": "p", "version": "1"}]}),
    spans("spans of 1", span("1", "root", {"mlflow.spanType": "LLM", "model": "gpt-4", "deep": "nested text"}),
          span("1", "child", {"mlflow.spanType": "TOOL", "said": "héllo"}, parent=True)),
    spans("spans of 3", span("3", "root", {"mlflow.spanType": "CHAIN", "model": "my gpt"}, status=2)),
    assessed("good 1", "1", assessment_name="good", feedback={"value": True}),
    assessed("good 2", "2", assessment_name="good", feedback={"value": False}),
    assessed("score 1", "1", assessment_name="score", feedback={"value": 0.5}),
    assessed("score 3", "3", assessment_name="score", feedback={"value": 0.25}),
    assessed("word", "3", assessment_name="word", feedback={"value": "yes"}),
    assessed("answer", "3", assessment_name="answer", expectation={"value": "Paris"}),
    post("over", V3 + "/tr-{x}" + "1" * 24 + "/assessments", {"assessment": {"assessment_name": "over", "source": HUMAN, "feedback": {"value": "old"}}},
         save={"a": "assessment.assessment_id"}),
    assessed("over again", "1", assessment_name="over", feedback={"value": "new"}, overrides="{a}"),
    assessed("wide", "1", assessment_name="wide", feedback={"value": "all"}, metadata={"mlflow.trace.session": "s1"}),
    assessed("issue", "2", assessment_name="iss-1", issue={"issue_name": "slow"}),
    *[find("filter " + text, filter=text) for text in FILTERS],
    *[find("order " + ", ".join(terms), order_by=terms) for terms in ORDERS],
    post("page 1", SEARCH, {"locations": [PLACE], "max_results": 2}, save={"t": "next_page_token"}),
    post("page 2", SEARCH, {"locations": [PLACE], "max_results": 2, "page_token": "{t}"}, save={"t2": "next_page_token"}),
    post("page 3", SEARCH, {"locations": [PLACE], "max_results": 2, "page_token": "{t2}"}),
    find("page of offset 3", page_token="eyJvZmZzZXQiOiAzfQ=="),
    find("page token broken", page_token="%%%"),
    find("page token of nothing", page_token="e30="),
    find("page token 0", page_token="eyJvZmZzZXQiOiAwfQ=="),
    find("max 0", max_results=0),
    find("max -1", max_results=-1),
    find("max 500", max_results=500),
    find("max 501", max_results=501),
    find("max text", max_results="3"),
    find("max letters", max_results="x"),
    post("without locations", SEARCH, {}),
    post("no locations", SEARCH, {"locations": []}),
    post("locations text", SEARCH, {"locations": "x"}),
    post("location empty", SEARCH, {"locations": [{}]}),
    post("location unknown", SEARCH, {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "987654"}}]}),
    post("location letters", SEARCH, {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "abc"}}]}),
    post("location with nothing", SEARCH, {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{o}"}}]}),
    post("two locations", SEARCH, {"locations": [PLACE, {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{o}"}}],
                                   "filter": "name = 'beta'"}),
    find("filter int", filter=5),
    find("order as text", order_by="timestamp"),
    find("order numbers", order_by=[1]),
    get("v2 search", "traces", experiment_ids=["{e}"]),
    get("v2 search filter", "traces", experiment_ids=["{e}"], filter="name = 'alpha'", order_by="timestamp ASC"),
    get("v2 search page", "traces", experiment_ids=["{e}"], max_results="2"),
    get("v2 search full page", "traces", experiment_ids=["{e}"], max_results="4"),
    get("v2 search max 501", "traces", experiment_ids=["{e}"], max_results="501"),
    get("v2 search max 0", "traces", experiment_ids=["{e}"], max_results="0"),
    get("v2 search without experiments", "traces", filter="name = 'x'"),
    get("v2 search nothing", "traces"),
    get("v2 search experiment letters", "traces", experiment_ids="abc"),
]
