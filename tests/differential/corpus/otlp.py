# SPDX-License-Identifier: Apache-2.0
"""Spans over OTLP/HTTP: protobuf and JSON, compression, refusals; full traces, trace artifacts."""

import gzip
import json
import struct
import zlib

from request import ask, get, post

OTLP = "/v1/traces"
V3 = "{api}/3.0/mlflow/traces"
E = {"x-mlflow-experiment-id": "{e}"}
START, END = 1714979289123456789, 1714979290623456789


def text(value):
    return {"stringValue": value}


def span(trace, number, name="s", parent=None, attributes=(), **more):
    ids = {"traceId": "{x}" + trace * 24, "spanId": "000000000000000" + number}
    if parent:
        ids["parentSpanId"] = "000000000000000" + parent
    return {**ids, "name": name, "startTimeUnixNano": str(START), "endTimeUnixNano": str(END),
            "attributes": [{"key": key, "value": value} for key, value in dict(attributes).items()], **more}


def body(*spans, **resource):
    about = {"resource": {"attributes": [{"key": key.replace("_", "."), "value": value} for key, value in resource.items()]}} if resource else {}
    return {"resourceSpans": [{**about, "scopeSpans": [{"spans": list(spans)}]}]}


def sent(label, *spans, headers=None, **resource):
    return post(label, OTLP, body(*spans, **resource), headers={**E, **(headers or {})})


def raw(label, data, kind="application/x-protobuf", headers=None, **more):
    return ask(label, "POST", OTLP, raw=data, headers={**E, "Content-Type": kind, **(headers or {})}, **more)


# A protobuf message by hand: field, wire type, value.
def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fixed(number, value):
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def pair(key, value):
    return field(1, key) + field(2, value)


def proto(trace, *attributes, name="p", more=b"", resource=b""):
    """A function of the context, as the trace's id holds {x}."""
    def make(context):
        one = field(1, bytes.fromhex(context["x"] + trace * 24)) + field(2, b"\0" * 7 + b"\1") + field(5, name)
        one += fixed(7, START) + fixed(8, END) + b"".join(field(9, attribute) for attribute in attributes) + more
        return field(1, resource + field(2, field(2, one)))
    return make


def packed(trace, how):
    return lambda context: how(proto(trace)(context))


def raw_deflate(data):
    one = zlib.compressobj(wbits=-15)
    return one.compress(data) + one.flush()


LIST = field(5, field(1, field(1, "a")) + field(1, field(3, 2)) + field(1, b""))
KINDS = [pair("text", field(1, "é\"\n")), pair("yes", field(2, 1)), pair("no", field(2, 0)), pair("int", field(3, 5)),
         pair("negative", field(3, 2**64 - 5)), pair("real", field(4, 0.25)), pair("small", field(4, 1e-7)), pair("whole", field(4, 3.0)),
         pair("nan", field(4, float("nan"))), pair("list", LIST), pair("map", field(6, field(1, pair("k", field(1, "v"))) + field(1, pair("l", LIST)))),
         pair("bytes", field(7, b"\0a'\xff")), pair("none", b""), field(1, "no value"), pair("json", field(1, "{\"a\": 1}")),
         pair("digits", field(1, "12")), pair("quoted", field(1, "\"q\"")), pair("twice", field(1, "first")), pair("twice", field(1, "second")),
         pair("mlflow.traceRequestId", field(1, "tr-other"))]
EVENT = field(11, fixed(1, START) + field(2, "ev") + field(3, pair("a", field(3, 1))) + field(3, pair("b", field(7, b"x"))))
LINK = field(13, field(1, b"\1" * 16) + field(2, b"\2" * 8) + field(4, pair("why", field(1, "because"))) + field(4, pair("raw", field(7, b"\0\1"))))
STATUS = field(15, field(2, "went wrong") + field(3, 2))
CHAT = {"mlflow.spanInputs": text(json.dumps({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "hello"}]})),
        "mlflow.spanOutputs": text(json.dumps({"choices": [{"message": {"role": "assistant", "content": "hi"}}]}))}


def usage(*counts):
    return {"mlflow.chat.tokenUsage": text(json.dumps(dict(zip(("input_tokens", "output_tokens", "total_tokens"), counts))))}


def read(label, trace):
    """The trace and its spans."""
    return [get(label + " read", V3 + "/tr-{x}" + trace * 24), get(label + " read in full", V3 + "/get", trace_id="tr-{x}" + trace * 24),
            get(label + " read as a file", "/ajax-api/2.0/mlflow/get-trace-artifact", request_id="tr-{x}" + trace * 24)]


REQUESTS = [
    post("experiment", "experiments/create", {"name": "{n}"}, save={"e": "experiment_id"}),
    post("run", "runs/create", {"experiment_id": "{e}", "start_time": 1, "run_name": "r"}, save={"r": "run.info.run_id"}),
    # refusals, in their order
    ask("without header", "POST", OTLP, raw=b"", headers={"Content-Type": "text/plain"}),
    raw("content type", b"x", "text/plain"),
    ask("content type absent", "POST", OTLP, raw=b"", headers={**E, "Content-Type": ""}),
    raw("encoding unknown", b"x", headers={"Content-Encoding": "br"}),
    raw("gzip broken", b"nonsense", headers={"Content-Encoding": "gzip"}),
    raw("gzip cut off", gzip.compress(b"x" * 1000, mtime=0)[:-9], headers={"Content-Encoding": "gzip"}),
    raw("deflate broken", b"nonsense", headers={"Content-Encoding": "deflate"}),
    raw("protobuf broken", b"\xff\xff\xff"),
    raw("protobuf of nothing", b""),
    raw("protobuf cut off", lambda context: proto("1")(context)[:-3]),
    raw("json broken", b"{", "application/json"),
    raw("json list", b"[]", "application/json"),
    raw("json of nothing", b"{}", "application/json"),
    post("no resources", OTLP, {"resourceSpans": []}, headers=E),
    post("no scopes", OTLP, {"resourceSpans": [{"scopeSpans": []}]}, headers=E),
    post("no spans", OTLP, {"resourceSpans": [{"scopeSpans": [{"spans": []}]}]}, headers=E),
    post("trace id empty", OTLP, body({**span("1", "1"), "traceId": ""}), headers=E),
    post("span id empty", OTLP, body({**span("1", "1"), "spanId": ""}), headers=E),
    post("trace id no hex", OTLP, body({**span("1", "1"), "traceId": "xyz"}), headers=E),
    post("name int", OTLP, body({**span("1", "1"), "name": 5}), headers=E),
    post("time letters", OTLP, body({**span("1", "1"), "startTimeUnixNano": "x"}), headers=E),
    post("experiment letters", OTLP, body(span("1", "1")), headers={"x-mlflow-experiment-id": "abc"}),
    post("experiment unknown", OTLP, body(span("1", "1")), headers={"x-mlflow-experiment-id": "987654"}),
    get("get", OTLP),
    # values
    raw("every kind of value", proto("2", *KINDS, name="kinds", more=EVENT + LINK + STATUS)),
    *read("kinds", "2"),
    sent("json", span("3", "1", "root", attributes={
        "text": text("t"), "int": {"intValue": "7"}, "int number": {"intValue": 8}, "real": {"doubleValue": 0.5}, "yes": {"boolValue": True},
        "list": {"arrayValue": {"values": [text("a"), {"intValue": "1"}]}}, "map": {"kvlistValue": {"values": [{"key": "k", "value": text("v")}]}},
        "bytes": {"bytesValue": "AAE="}, "none": {}}, status={"code": "STATUS_CODE_OK", "message": "ignored"},
        events=[{"timeUnixNano": str(START), "name": "ev", "attributes": [{"key": "a", "value": {"intValue": "1"}}]}])),
    *read("json", "3"),
    raw("gzip", packed("4", lambda data: gzip.compress(data, mtime=0)), headers={"Content-Encoding": "gzip"}),
    raw("deflate", packed("5", zlib.compress), headers={"Content-Encoding": "deflate"}),
    raw("deflate raw", packed("6", raw_deflate), headers={"Content-Encoding": "DEFLATE"}),
    raw("type with charset", lambda context: json.dumps(body(span("7", "1"))).replace("{x}", context["x"]), "application/json; charset=utf-8"),
    get("of gzip", V3 + "/tr-{x}" + "4" * 24),
    get("of deflate", V3 + "/tr-{x}" + "6" * 24),
    # what spans say of their trace
    sent("resource", span("8", "1", "root"), service_name=text("shop"), telemetry_sdk_name=text("otel"), mlflow_secret=text("x"),
         host_count={"intValue": "2"}, bad=text("y" * 9000)),
    *read("resource", "8"),
    sent("known service", span("9", "1", "root"), span("9", "2", parent="1"), service_name=text("claude-code")),
    *read("known service", "9"),
    sent("chat", span("a", "1", "root", attributes=CHAT)),
    *read("chat", "a"),
    sent("long inputs", span("b", "1", "root", attributes={"mlflow.spanInputs": text("x" * 2000), "mlflow.spanOutputs": text("{\"a\": 1}")})),
    get("long inputs read", V3 + "/tr-{x}" + "b" * 24),
    sent("tokens", span("c", "1", "root"), span("c", "2", parent="1", attributes=usage(3, 4, 7)), span("c", "3", parent="2", attributes=usage(1, 1, 2)),
         span("c", "4", parent="1", attributes={**usage(10, 20, 30), "mlflow.llm.cost": text("{\"input_cost\": 0.1, \"output_cost\": 0.2, \"total_cost\": 0.3}")})),
    *read("tokens", "c"),
    sent("tokens above", span("c", "1", "root", attributes=usage(100, 200, 300))),
    get("tokens above read", V3 + "/tr-{x}" + "c" * 24),
    sent("session", span("d", "1", "root", attributes={"session.id": text("s1"), "user.id": text("u1"), "mlflow.traceTag.color": text("red"),
                                                       "mlflow.traceTag.mlflow.traceName": text("named")})),
    *read("session", "d"),
    sent("session too long", span("0", "1", "root", attributes={"session.id": text("s" * 300)})),
    sent("child first", span("e", "2", "child", parent="1")),
    get("child first read", V3 + "/tr-{x}" + "e" * 24),
    sent("then its root", span("e", "1", "root", status={"code": 2, "message": "bad"}, startTimeUnixNano=str(START - 10**9), endTimeUnixNano=str(END + 10**9))),
    *read("then its root", "e"),
    sent("unfinished", {**span("f", "1", "root"), "endTimeUnixNano": "0", "startTimeUnixNano": str(START)}),
    get("unfinished in full", V3 + "/get", trace_id="tr-{x}" + "f" * 24),
    post("stays in its experiment", OTLP, body(span("e", "3", "late", parent="1")), headers={"x-mlflow-experiment-id": "nonsense"}),
    sent("gen_ai", span("1", "1", "root", attributes={
        "gen_ai.operation.name": text("chat"), "gen_ai.request.model": text("made-up-model"), "gen_ai.provider.name": text("nobody"),
        "gen_ai.usage.input_tokens": {"intValue": "11"}, "gen_ai.usage.output_tokens": {"intValue": "5"},
        "gen_ai.input.messages": text("[{\"role\": \"user\"}]"), "gen_ai.output.messages": text("[{\"role\": \"assistant\"}]"),
        "gen_ai.tool.definitions": text("[{\"name\": \"t\"}]"), "gen_ai.conversation.id": text("conv")})),
    *read("gen_ai", "1"),
    sent("openinference", {**span("0", "1", "root", attributes={
        "openinference.span.kind": text("LLM"), "input.value": text("in"), "output.value": text("out"), "llm.model_name": text("made-up-model"),
        "llm.provider": text("nobody"), "llm.token_count.prompt": {"intValue": "1"}, "llm.token_count.completion": {"intValue": "2"},
        "llm.token_count.total": {"intValue": "3"}}), "traceId": "{x}" + "01" * 12}),
    get("openinference read", "/ajax-api/2.0/mlflow/get-trace-artifact", request_id="tr-{x}" + "01" * 12),
    sent("traceloop", {**span("0", "1", "root", attributes={
        "traceloop.span.kind": text("tool"), "traceloop.entity.input": text("in"), "gen_ai.completion.0.content": text("out"),
        "gen_ai.usage.prompt_tokens": {"intValue": "1"}, "gen_ai.usage.completion_tokens": {"intValue": "2"}, "gen_ai.system": text("nobody")}),
        "traceId": "{x}" + "02" * 12}),
    get("traceloop read", "/ajax-api/2.0/mlflow/get-trace-artifact", request_id="tr-{x}" + "02" * 12),
    sent("vercel", {**span("0", "1", "root", attributes={
        "ai.operationId": text("ai.generateText.doGenerate"), "ai.prompt.messages": text("[{\"role\": \"user\"}]"), "ai.response.text": text("out")}),
        "traceId": "{x}" + "03" * 12}),
    get("vercel read", "/ajax-api/2.0/mlflow/get-trace-artifact", request_id="tr-{x}" + "03" * 12),
    # after start_trace
    post("start", V3, {"trace": {"trace_info": {
        "trace_id": "tr-{x}" + "04" * 12, "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e}"}},
        "request_time": "2024-05-06T07:08:00Z", "execution_duration": "1s", "state": "OK", "request_preview": "mine",
        "trace_metadata": {"mlflow.trace.tokenUsage": "{\"input_tokens\": 1, \"output_tokens\": 1, \"total_tokens\": 2}",
                           "mlflow.trace.sizeStats": "{\"num_spans\": 2}"}}}}),
    sent("spans of it", {**span("0", "1", "root", attributes={**usage(5, 5, 10), **CHAT}), "traceId": "{x}" + "04" * 12}),
    get("as started", V3 + "/tr-{x}" + "04" * 12),
    get("not all there", V3 + "/batchGet", trace_ids=["tr-{x}" + "04" * 12]),
    get("not all there but partial", V3 + "/get", trace_id="tr-{x}" + "04" * 12, allow_partial="true"),
    sent("the other span", {**span("0", "2", "child", parent="1"), "traceId": "{x}" + "04" * 12}),
    get("all there", V3 + "/batchGet", trace_ids=["tr-{x}" + "04" * 12, "tr-unknown", "tr-{x}" + "7" * 24]),
    get("all there of experiment", V3 + "/batchGet", trace_ids=["tr-{x}" + "04" * 12], experiment_ids=["987654"]),
    sent("with a run", {**span("0", "1", "root"), "traceId": "{x}" + "05" * 12}, headers={"x-mlflow-run-id": "{r}"}),
    post("found by the run", V3 + "/search", {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e}"}}],
                                              "filter": "run_id = '{r}'"}),
    # files of traces
    get("artifact without id", "/ajax-api/2.0/mlflow/get-trace-artifact"),
    get("artifact of unknown", "/ajax-api/2.0/mlflow/get-trace-artifact", request_id="tr-unknown"),
    post("start without spans", V3, {"trace": {"trace_info": {
        "trace_id": "tr-{n}", "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e}"}},
        "request_time": "2024-05-06T07:08:00Z", "state": "OK"}}}),
    get("artifact without spans", "/ajax-api/2.0/mlflow/get-trace-artifact", request_id="tr-{n}"),
    ask("upload", "PUT", "/api/2.0/mlflow-artifacts/artifacts/{e}/traces/tr-{n}/artifacts/traces.json", raw="{\"spans\": []}"),
    get("artifact uploaded", "/ajax-api/2.0/mlflow/get-trace-artifact", request_id="tr-{n}"),
    get("attachment unsafe", "/ajax-api/2.0/mlflow/get-trace-artifact", request_id="tr-{n}", path="../x"),
    get("attachment absent", "/ajax-api/2.0/mlflow/get-trace-artifact", request_id="tr-{n}", path="a.png"),
]
