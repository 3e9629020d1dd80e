# SPDX-License-Identifier: Apache-2.0
"""Traces as the real MLflow client makes and reads them, and OpenTelemetry's messages over OTLP/HTTP. One server for the file; tests use
experiments of their own."""

import gzip
import os
import time
import uuid

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # a wrong 5xx must show at once, not after minutes
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, SpanType
from mlflow.exceptions import MlflowException
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse


@pytest.fixture(scope="module")
def server(shared_server):
    mlflow.set_tracking_uri(shared_server.url)
    mlflow.set_registry_uri(shared_server.url)
    return shared_server


@pytest.fixture
def client(server):
    return MlflowClient(server.url)


@pytest.fixture
def experiment(server):
    return mlflow.set_experiment("t-" + uuid.uuid4().hex).experiment_id


def search(experiment, filter_string=None, **more):
    return mlflow.search_traces(locations=[experiment], filter_string=filter_string, return_type="list", **more)


def answer(question):
    """Two nested spans; the trace's id."""
    with mlflow.start_span("answer", span_type=SpanType.CHAIN) as span:
        span.set_inputs({"question": question})
        with mlflow.start_span("look up", span_type=SpanType.TOOL) as inner:
            inner.set_attribute("depth", 2)
        span.set_outputs({"answer": 42})
    return span.trace_id


def test_a_trace_comes_back_whole(experiment):
    trace = mlflow.get_trace(answer("why?"))
    assert trace.info.experiment_id == experiment
    assert trace.info.state == "OK"
    assert [span.name for span in trace.data.spans] == ["answer", "look up"]
    root, inner = trace.data.spans
    assert root.inputs == {"question": "why?"} and root.outputs == {"answer": 42}
    assert inner.parent_id == root.span_id and inner.get_attribute("depth") == 2 and inner.span_type == "TOOL"
    assert trace.info.request_preview == '{"question": "why?"}'
    assert 0 <= trace.info.execution_duration < 60_000
    assert abs(trace.info.request_time - time.time() * 1000) < 60_000


def test_decorated_functions_and_errors(experiment):
    @mlflow.trace(name="divide")
    def divide(a, b):
        return a / b

    assert divide(6, 3) == 2
    with pytest.raises(ZeroDivisionError):
        divide(1, 0)
    failed, = search(experiment, "status = 'ERROR'")
    assert failed.data.spans[0].events[0].name == "exception"
    fine, = search(experiment, "status = 'OK' AND name = 'divide'")
    assert fine.data.spans[0].outputs == 2


def test_tags_metadata_session_and_search(experiment, client):
    with mlflow.start_span("tagged") as span:
        mlflow.update_current_trace(tags={"color": "red"}, metadata={"mlflow.trace.session": "s-1", "mlflow.trace.user": "ann"})
    answer("x")
    client.set_trace_tag(span.trace_id, "later", "yes")
    for text in ("tags.color = 'red'", "tags.later LIKE 'y%'", "metadata.`mlflow.trace.session` = 's-1'", "span.name = 'tagged'",
                 "trace.name RLIKE '^tag'", "metadata.mlflow.trace.user = 'ann'"):
        assert [trace.info.trace_id for trace in search(experiment, text)] == [span.trace_id], text
    client.delete_trace_tag(span.trace_id, "later")
    assert search(experiment, "tags.later = 'yes'") == []
    with pytest.raises(MlflowException, match="Invalid clause"):
        search(experiment, "name = 'a' OR name = 'b'")


def test_pages_and_order(experiment, client):
    ids = [answer(str(number)) for number in range(5)]
    first = client.search_traces(locations=[experiment], max_results=2, order_by=["timestamp ASC"])
    second = client.search_traces(locations=[experiment], max_results=2, order_by=["timestamp ASC"], page_token=first.token)
    third = client.search_traces(locations=[experiment], max_results=2, order_by=["timestamp ASC"], page_token=second.token)
    assert [trace.info.trace_id for trace in [*first, *second, *third]] == ids
    assert third.token is None


def test_tokens_are_summed_once(experiment):
    with mlflow.start_span("agent") as root:
        for number in (1, 2):
            with mlflow.start_span(f"call {number}", span_type=SpanType.CHAT_MODEL) as call:
                call.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 10, "output_tokens": number, "total_tokens": 10 + number})
    assert mlflow.get_trace(root.trace_id).info.token_usage == {"input_tokens": 20, "output_tokens": 3, "total_tokens": 23}


def test_runs_and_their_traces(experiment, client):
    with mlflow.start_run() as run:
        inside = answer("inside")
    outside = answer("outside")
    assert [trace.info.trace_id for trace in search(experiment, f"run_id = '{run.info.run_id}'")] == [inside]
    client.link_traces_to_run([outside], run.info.run_id)
    assert {trace.info.trace_id for trace in search(experiment, f"run_id = '{run.info.run_id}'")} == {inside, outside}


def test_delete(experiment, client):
    ids = [answer(str(number)) for number in range(3)]
    assert client.delete_traces(experiment, trace_ids=ids[:1]) == 1
    assert client.delete_traces(experiment, max_timestamp_millis=int(time.time() * 1000) + 1000, max_traces=1) == 1
    assert [trace.info.trace_id for trace in search(experiment)] == ids[2:]
    assert mlflow.get_trace(ids[0]) is None


def test_assessments(experiment):
    one, two = answer("1"), answer("2")
    human = AssessmentSource(source_type="HUMAN", source_id="ann")
    first = mlflow.log_feedback(trace_id=one, name="good", value=True, rationale="because", source=human, metadata={"k": "v"})
    mlflow.log_feedback(trace_id=two, name="score", value=0.75)
    mlflow.log_expectation(trace_id=two, name="answer", value={"text": "42", "exact": True}, source=human)
    read = mlflow.get_assessment(one, first.assessment_id)
    assert (read.name, read.value, read.rationale, read.source, read.metadata) == ("good", True, "because", human, {"k": "v"})
    assert [a.value for a in mlflow.get_trace(two).info.assessments] == [0.75, {"text": "42", "exact": True}]
    found = lambda text: [trace.info.trace_id for trace in search(experiment, text)]  # noqa: E731
    assert found("feedback.good = 'true'") == [one]
    assert found("feedback.score >= 0.75") == [two]
    assert found("expectation.answer IS NOT NULL") == [two]
    changed = mlflow.update_assessment(one, first.assessment_id, mlflow.entities.Feedback(name="good", value=False, rationale="on second thoughts"))
    assert (changed.value, changed.rationale) == (False, "on second thoughts")
    over = mlflow.override_feedback(trace_id=one, assessment_id=first.assessment_id, value=True, source=human)
    assert over.overrides == first.assessment_id
    assert not mlflow.get_assessment(one, first.assessment_id).valid
    mlflow.delete_assessment(one, over.assessment_id)
    assert mlflow.get_assessment(one, first.assessment_id).valid
    with pytest.raises(MlflowException, match="not found"):
        mlflow.get_assessment(one, over.assessment_id)


def message(trace_id):
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    about = resource.resource.attributes.add()
    about.key, about.value.string_value = "service.name", "shop"
    span = resource.scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = trace_id, b"\1" * 8, "from elsewhere"
    span.start_time_unix_nano, span.end_time_unix_nano = 1_700_000_000_000_000_000, 1_700_000_001_500_000_000
    return request


def export(server, experiment, body, **headers):
    return requests.post(server.url + "/v1/traces", data=body, timeout=20,
                         headers={"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": experiment, **headers})


def test_opentelemetry_sends_spans(server, experiment):
    trace_id = os.urandom(16)
    body = message(trace_id).SerializeToString()
    sent = export(server, experiment, gzip.compress(body), **{"Content-Encoding": "gzip"})
    assert sent.status_code == 200 and sent.headers["content-type"] == "application/x-protobuf"
    ExportTraceServiceResponse().ParseFromString(sent.content)
    trace = mlflow.get_trace("tr-" + trace_id.hex())
    assert trace.info.tags["service.name"] == "shop"
    assert trace.info.execution_duration == 1500


def test_a_small_body_that_is_a_large_one_is_refused(server, experiment):
    bomb = gzip.compress(b"\0" * 300_000_000)
    assert len(bomb) < 400_000
    refused = export(server, experiment, bomb, **{"Content-Encoding": "gzip"})
    assert refused.status_code == 413 and "once it is inflated" in refused.json()["detail"]
    assert requests.get(server.url + "/health", timeout=5).text == "OK"


def test_too_many_parts_are_refused(server, experiment):
    crowded = message(os.urandom(16))
    for number in range(1_001):
        one = crowded.resource_spans[0].scope_spans[0].spans[0].attributes.add()
        one.key, one.value.int_value = f"k{number}", number
    assert export(server, experiment, crowded.SerializeToString()).status_code == 422
    location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
    info = {"trace_id": "tr-" + "a" * 32, "trace_location": location, "request_time": "2026-01-01T00:00:00Z", "state": "OK",
            "tags": {f"k{number}": "v" for number in range(1_001)}}
    refused = requests.post(server.url + "/api/3.0/mlflow/traces", json={"trace": {"trace_info": info}}, timeout=20)
    assert refused.status_code == 400 and "trace.trace_info.tags" in refused.json()["message"], refused.text


def test_traces_survive_a_kill(make_server):
    server = make_server()
    trace_id = os.urandom(16)
    assert export(server, "0", message(trace_id).SerializeToString()).status_code == 200
    server.kill()
    server.start(server.port)
    found = requests.get(f"{server.url}/ajax-api/2.0/mlflow/get-trace-artifact", params={"request_id": "tr-" + trace_id.hex()}, timeout=20)
    assert found.json()["spans"][0]["name"] == "from elsewhere"
