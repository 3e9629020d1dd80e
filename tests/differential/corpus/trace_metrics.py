# SPDX-License-Identifier: Apache-2.0
"""Sums over traces, spans and assessments; how two filters go together."""

from request import post

V3 = "{api}/3.0/mlflow/traces"
METRICS, CORRELATION = V3 + "/metrics", V3 + "/calculate-filter-correlation"
PLACE = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e}"}}
HUMAN = {"source_type": "HUMAN", "source_id": "me"}
COUNT = [{"aggregation_type": "COUNT"}]
MOST = [{"aggregation_type": "AVG"}, {"aggregation_type": "MIN"}, {"aggregation_type": "MAX"}, {"aggregation_type": "PERCENTILE", "percentile_value": 50},
        {"aggregation_type": "PERCENTILE", "percentile_value": 99.5}]
SUM = [{"aggregation_type": "SUM"}]
START, END = 1714979280000, 1714979400000


def started(number, second, **more):
    return post(f"start {number}", V3, {"trace": {"trace_info": {
        "trace_id": "tr-{x}" + number * 24, "trace_location": PLACE, "request_time": f"2024-05-06T07:0{8 + second // 60}:{second % 60:02d}.5Z", "state": "OK",
        **more}}})


def usage(*counts):
    return '{"input_tokens": %d, "output_tokens": %d, "total_tokens": %d}' % counts


def span(trace, number, name, attributes=(), status=1, milliseconds=1500):
    return {"traceId": "{x}" + trace * 24, "spanId": "000000000000000" + number, "name": name, "startTimeUnixNano": "1714979289000000000",
            "endTimeUnixNano": str(1714979289000000000 + milliseconds * 1000000), "status": {"code": status},
            **({"parentSpanId": "0000000000000001"} if number != "1" else {}),
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in dict(attributes).items()]}


def asked(label, view, name, aggregations=COUNT, **more):
    return post(label, METRICS, {"experiment_ids": ["{e}"], "view_type": view, "metric_name": name, "aggregations": aggregations, **more})


def together(label, one, two, **more):
    return post(label, CORRELATION, {"experiment_ids": ["{e}"], "filter_string1": one, "filter_string2": two, **more})


def assessed(label, number, **more):
    return post(label, V3 + "/tr-{x}" + number * 24 + "/assessments", {"assessment": {"source": HUMAN, **more}})


REQUESTS = [
    post("experiment", "experiments/create", {"name": "{n}"}, save={"e": "experiment_id"}),
    post("run", "runs/create", {"experiment_id": "{e}", "start_time": 1, "run_name": "r"}, save={"r": "run.info.run_id"}),
    started("1", 1, execution_duration="1.5s", tags={"mlflow.traceName": "alpha", "k": "v"},
            trace_metadata={"mlflow.trace.session": "s1", "mlflow.trace.tokenUsage": usage(3, 4, 7), "m": "1"}),
    started("2", 31, execution_duration="0.5s", state="ERROR", tags={"mlflow.traceName": "beta", "k": "v"},
            trace_metadata={"mlflow.trace.session": "s1", "mlflow.trace.tokenUsage": usage(10, 20, 30)}),
    started("3", 65, execution_duration="4s", tags={"mlflow.traceName": "alpha"}, trace_metadata={"mlflow.trace.session": "s2", "mlflow.sourceRun": "{r}"}),
    started("4", 66, state="IN_PROGRESS"),
    post("spans", "/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": [
        span("1", "1", "root", {"mlflow.spanType": "CHAIN"}),
        span("1", "2", "call", {"mlflow.spanType": "LLM", "mlflow.llm.model": "m", "mlflow.llm.provider": "p",
                                "mlflow.llm.cost": '{"input_cost": 0.25, "output_cost": 0.5, "total_cost": 0.75}'}, milliseconds=100),
        span("1", "3", "call", {"mlflow.spanType": "LLM", "mlflow.llm.model": "other",
                                "mlflow.llm.cost": '{"input_cost": 1, "output_cost": 2, "total_cost": 3}'}, status=2, milliseconds=301)]}]}]},
         headers={"x-mlflow-experiment-id": "{e}"}),
    assessed("good 1", "1", assessment_name="good", feedback={"value": True}),
    assessed("good 2", "2", assessment_name="good", feedback={"value": False}),
    assessed("score 1", "1", assessment_name="score", feedback={"value": 0.5}),
    assessed("score 2", "2", assessment_name="score", feedback={"value": 0.25}),
    assessed("answer", "3", assessment_name="answer", expectation={"value": "x"}),
    asked("traces", "TRACES", "trace_count"),
    asked("traces by number", 1, "trace_count", [{"aggregation_type": 1}]),
    asked("traces by name", "TRACES", "trace_count", dimensions=["trace_name"]),
    asked("traces by status", "TRACES", "trace_count", dimensions=["trace_status"]),
    asked("traces by both", "TRACES", "trace_count", dimensions=["trace_status", "trace_name"]),
    asked("sessions", "TRACES", "session_count"),
    asked("latency", "TRACES", "latency", MOST),
    asked("latency by name", "TRACES", "latency", MOST, dimensions=["trace_name"]),
    asked("tokens", "TRACES", "total_tokens", SUM + MOST),
    asked("input tokens by name", "TRACES", "input_tokens", SUM, dimensions=["trace_name"]),
    asked("cached tokens", "TRACES", "cache_read_input_tokens", SUM),
    asked("buckets", "TRACES", "trace_count", time_interval_seconds=60, start_time_ms=START, end_time_ms=END),
    asked("buckets by name", "TRACES", "trace_count", dimensions=["trace_name"], time_interval_seconds=60, start_time_ms=START, end_time_ms=END),
    asked("buckets of a second", "TRACES", "latency", MOST[:1], time_interval_seconds=1, start_time_ms=START, end_time_ms=END),
    asked("buckets without times", "TRACES", "trace_count", time_interval_seconds=60),
    asked("times", "TRACES", "trace_count", start_time_ms=START, end_time_ms=START + 10000),
    asked("from", "TRACES", "trace_count", start_time_ms=START + 10000),
    asked("two of them", "TRACES", "trace_count", dimensions=["trace_name"], max_results=1),
    asked("max 0", "TRACES", "trace_count", dimensions=["trace_name"], max_results=0),
    asked("filter status", "TRACES", "trace_count", filters=["trace.status = 'OK'"]),
    asked("filter tag", "TRACES", "trace_count", filters=["trace.tag.k = 'v'"]),
    asked("filter tag in backticks", "TRACES", "trace_count", filters=["trace.tag.`mlflow.traceName` = 'alpha'"]),
    asked("filter metadata", "TRACES", "trace_count", filters=["trace.metadata.m = '1'"]),
    asked("filter session", "TRACES", "trace_count", filters=["trace.metadata.`mlflow.trace.session` = 's1'"]),
    asked("filter run", "TRACES", "trace_count", filters=["trace.metadata.`mlflow.sourceRun` = '{r}'"]),
    asked("filters", "TRACES", "trace_count", filters=["trace.status = 'OK'", "trace.tag.k = 'v'"]),
    asked("filter operator", "TRACES", "trace_count", filters=["trace.status != 'OK'"]),
    asked("filter two clauses", "TRACES", "trace_count", filters=["trace.status = 'OK' AND trace.tag.k = 'v'"]),
    asked("filter view", "TRACES", "trace_count", filters=["foo.status = 'OK'"]),
    asked("filter entity", "TRACES", "trace_count", filters=["trace.foo = 'OK'"]),
    asked("filter without key", "TRACES", "trace_count", filters=["trace.tag = 'OK'"]),
    asked("filter with key", "TRACES", "trace_count", filters=["trace.status.x = 'OK'"]),
    asked("filter bare", "TRACES", "trace_count", filters=["status = 'OK'"]),
    asked("filter number", "TRACES", "trace_count", filters=["trace.status = 5"]),
    asked("filter of spans on traces", "TRACES", "trace_count", filters=["span.name = 'root'"]),
    asked("filter of assessments on traces", "TRACES", "trace_count", filters=["assessment.name = 'good'"]),
    asked("spans counted", "SPANS", "span_count"),
    asked("spans by name", "SPANS", "span_count", dimensions=["span_name"]),
    asked("spans by type and status", "SPANS", "span_count", dimensions=["span_type", "span_status"]),
    asked("spans by model", "SPANS", "span_count", dimensions=["span_model_name", "span_model_provider"]),
    asked("span latency", "SPANS", "latency", MOST, dimensions=["span_name"]),
    asked("span costs", "SPANS", "total_cost", SUM + MOST),
    asked("span costs by model", "SPANS", "input_cost", SUM, dimensions=["span_model_name"]),
    asked("spans filtered", "SPANS", "span_count", filters=["span.name = 'call'", "trace.status = 'OK'"]),
    asked("spans of type", "SPANS", "span_count", filters=["span.type = 'LLM'"]),
    asked("spans of status", "SPANS", "span_count", filters=["span.status = 'ERROR'"]),
    asked("span buckets", "SPANS", "span_count", time_interval_seconds=3600, start_time_ms=START, end_time_ms=END),
    asked("assessments", "ASSESSMENTS", "assessment_count"),
    asked("assessments by name", "ASSESSMENTS", "assessment_count", dimensions=["assessment_name"]),
    asked("assessments by value", "ASSESSMENTS", "assessment_count", dimensions=["assessment_name", "assessment_value"]),
    asked("assessment values", "ASSESSMENTS", "assessment_value", MOST, dimensions=["assessment_name"]),
    asked("assessments filtered", "ASSESSMENTS", "assessment_count", filters=["assessment.name = 'good'", "trace.status = 'OK'"]),
    asked("assessments of type", "ASSESSMENTS", "assessment_count", filters=["assessment.type = 'expectation'"]),
    asked("assessments of a session", "ASSESSMENTS", "assessment_count", filters=["trace.metadata.`mlflow.trace.session` = 's1'"]),
    asked("assessment buckets", "ASSESSMENTS", "assessment_count", time_interval_seconds=60, start_time_ms=START, end_time_ms=END),
    asked("view unknown", "FOO", "trace_count"),
    asked("view unspecified", 0, "trace_count"),
    asked("metric unknown", "TRACES", "foo"),
    asked("aggregation unsupported", "TRACES", "trace_count", SUM),
    asked("aggregation unknown", "TRACES", "trace_count", [{"aggregation_type": "FOO"}]),
    asked("dimension unsupported", "TRACES", "latency", MOST, dimensions=["trace_status"]),
    asked("percentile without value", "TRACES", "latency", [{"aggregation_type": "PERCENTILE"}]),
    asked("percentile of 101", "TRACES", "latency", [{"aggregation_type": "PERCENTILE", "percentile_value": 101}]),
    asked("value without percentile", "TRACES", "trace_count", [{"aggregation_type": "COUNT", "percentile_value": 5}]),
    post("without experiments", METRICS, {"view_type": "TRACES", "metric_name": "trace_count", "aggregations": COUNT}),
    post("without view", METRICS, {"experiment_ids": ["{e}"], "metric_name": "trace_count", "aggregations": COUNT}),
    post("without metric", METRICS, {"experiment_ids": ["{e}"], "view_type": "TRACES", "aggregations": COUNT}),
    post("without aggregations", METRICS, {"experiment_ids": ["{e}"], "view_type": "TRACES", "metric_name": "trace_count"}),
    post("experiment unknown", METRICS, {"experiment_ids": ["987654"], "view_type": "TRACES", "metric_name": "trace_count", "aggregations": COUNT}),
    # correlation
    together("together", "name = 'alpha'", "status = 'OK'"),
    together("always together", "name = 'beta'", "status = 'ERROR'"),
    together("never together", "name = 'alpha'", "status = 'ERROR'"),
    together("nothing", "name = 'none'", "status = 'OK'"),
    together("everything", "timestamp > 0", "timestamp > 0"),
    together("with a base", "name = 'alpha'", "metadata.mlflow.trace.session = 's1'", base_filter="status != 'IN_PROGRESS'"),
    together("filter broken", "name =", "status = 'OK'"),
    together("base broken", "name = 'alpha'", "status = 'OK'", base_filter="foo = 'x'"),
    post("without a filter", CORRELATION, {"experiment_ids": ["{e}"], "filter_string1": "name = 'alpha'"}),
    post("without experiments, correlation", CORRELATION, {"filter_string1": "name = 'alpha'", "filter_string2": "name = 'alpha'"}),
    post("correlation of unknown experiment", CORRELATION, {"experiment_ids": ["987654"], "filter_string1": "name = 'a'", "filter_string2": "name = 'b'"}),
]
