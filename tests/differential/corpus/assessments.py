# SPDX-License-Identifier: Apache-2.0
"""Assessments of traces: create, get, update, delete, overrides."""

from request import ask, get, post

V3 = "{api}/3.0/mlflow/traces"
T = V3 + "/tr-{n}/assessments"
G = V3 + "/tr-{n}g/assessments"  # of what a server keeps otherwise than it was sent
HUMAN = {"source_type": "HUMAN", "source_id": "me"}
TIMES = {"create_time": "2024-05-06T07:08:09.123Z", "last_update_time": "2024-05-06T07:08:10Z"}


def feedback(label, value, **more):
    return post(label, T, {"assessment": {"assessment_name": "f", "source": HUMAN, **TIMES, "feedback": {"value": value}, **more}})


def expectation(label, value, **more):
    return post(label, T, {"assessment": {"assessment_name": "x", "source": HUMAN, **TIMES, "expectation": value, **more}})


def patch(label, name, body):
    return ask(label, "PATCH", T + "/" + name, body)


def garbled(label, body):
    return ask(label, "PATCH", G + "/a-{n}g", body)


REQUESTS = [
    post("experiment", "experiments/create", {"name": "{n}"}, save={"e": "experiment_id"}),
    post("trace", V3, {"trace": {"trace_info": {
        "trace_id": "tr-{n}", "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e}"}},
        "request_time": "2024-05-06T07:08:09.123Z", "execution_duration": "1.5s", "state": "OK"}}}),
    post("trace for garble", V3, {"trace": {"trace_info": {
        "trace_id": "tr-{n}g", "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e}"}}}}}),
    post("create", T, {"assessment": {"assessment_name": "good", "source": HUMAN, **TIMES, "feedback": {"value": True}, "rationale": "why",
                                      "span_id": "abc", "metadata": {"k": "v"}}}, save={"a": "assessment.assessment_id"}),
    get("get", T + "/{a}"),
    get("get unknown", T + "/a-unknown"),
    get("get of unknown trace", V3 + "/tr-unknown/assessments/a-1"),
    feedback("feedback int", 1),
    feedback("feedback float", 0.5),
    feedback("feedback large", 1e20),
    feedback("feedback text", "yes"),
    feedback("feedback null", None),
    feedback("feedback list", [1, "a", True, None]),
    feedback("feedback object", {"b": 1, "a": {"c": 2.5}}),
    feedback("feedback unicode", "né — 🚀"),
    post("feedback without value", T, {"assessment": {"assessment_name": "f", "source": HUMAN, **TIMES, "feedback": {}}}),
    post("feedback error", T, {"assessment": {"assessment_name": "f", "source": HUMAN, **TIMES, "feedback": {
        "error": {"error_code": "E", "error_message": "m", "stack_trace": "s"}}}}),
    post("feedback error bare", T, {"assessment": {"assessment_name": "f", "source": HUMAN, **TIMES, "feedback": {
        "value": 1, "error": {"error_code": "E"}}}}),
    expectation("expectation text", {"value": "Paris"}),
    expectation("expectation int", {"value": 3}),
    expectation("expectation list", {"value": [1, 2]}),
    expectation("expectation object", {"value": {"a": 1}}),
    expectation("expectation serialized", {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": "{\"a\": 1}"}}),
    expectation("expectation serialized text", {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": "\"b\""}}),
    expectation("expectation serialized broken", {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": "{"}}),
    expectation("expectation serialized otherwise", {"serialized_value": {"serialization_format": "PICKLE", "value": "x"}}),
    expectation("expectation null", {"value": None}),
    expectation("expectation empty", {}),
    post("issue", T, {"assessment": {"assessment_name": "iss-1", "source": {"source_type": "LLM_JUDGE"}, **TIMES, "issue": {"issue_name": "slow"}}}),
    post("judge", T, {"assessment": {"assessment_name": "j", "source": {"source_type": "LLM_JUDGE", "source_id": "gpt"}, **TIMES,
                                     "feedback": {"value": "no"}, "metadata": {"mlflow.assessment.sourceRunId": "r1", "b": "2"}}}),
    post("code", T, {"assessment": {"assessment_name": "c", "source": {"source_type": "CODE"}, **TIMES, "feedback": {"value": 2}}}),
    post("source number", T, {"assessment": {"assessment_name": "c", "source": {"source_type": 2}, **TIMES, "feedback": {"value": 2}}}),
    post("source unknown", G, {"assessment": {"assessment_name": "c", "source": {"source_type": "DOG"}, **TIMES, "feedback": {"value": 2}}}),
    post("source old judge", G, {"assessment": {"assessment_name": "c", "source": {"source_type": "AI_JUDGE"}, **TIMES, "feedback": {"value": 2}}}),
    post("without source", T, {"assessment": {"assessment_name": "c", **TIMES, "feedback": {"value": 2}}}),
    post("without times", T, {"assessment": {"assessment_name": "c", "source": HUMAN, "feedback": {"value": 2}}}),
    post("time letters", G, {"assessment": {"assessment_name": "c", "source": HUMAN, "create_time": "x", "feedback": {"value": 2}}}),
    post("without name", T, {"assessment": {"source": HUMAN, **TIMES, "feedback": {"value": 2}}}),
    post("name long", G, {"assessment": {"assessment_name": "n" * 251, "source": HUMAN, **TIMES, "feedback": {"value": 2}}}),
    post("name int", G, {"assessment": {"assessment_name": 5, "source": HUMAN, **TIMES, "feedback": {"value": 2}}}),
    post("metadata list", G, {"assessment": {"assessment_name": "c", "source": HUMAN, **TIMES, "feedback": {"value": 2}, "metadata": [1]}}),
    post("without kind", T, {"assessment": {"assessment_name": "c", "source": HUMAN, **TIMES}}),
    post("two kinds", G, {"assessment": {"assessment_name": "c", "source": HUMAN, **TIMES, "feedback": {"value": 2}, "expectation": {"value": 3}}}),
    post("nothing", T, {}),
    post("empty", T, {"assessment": {}}),
    post("text", T, {"assessment": "x"}),
    post("of unknown trace", V3 + "/tr-unknown/assessments", {"assessment": {"assessment_name": "c", "source": HUMAN, **TIMES, "feedback": {"value": 2}}}),
    post("with a trace id of its own", T, {"assessment": {"trace_id": "tr-other", "assessment_name": "c", "source": HUMAN, **TIMES, "feedback": {"value": 2}}}),
    post("with an id of its own", T, {"assessment": {"assessment_id": "a-{n}", "assessment_name": "own", "source": HUMAN, **TIMES, "feedback": {"value": 2}}}),
    post("with that id again", T, {"assessment": {"assessment_id": "a-{n}", "assessment_name": "own", "source": HUMAN, **TIMES, "feedback": {"value": 2}}}),
    # overrides
    post("override", T, {"assessment": {"assessment_name": "good", "source": HUMAN, **TIMES, "feedback": {"value": False}, "overrides": "{a}"}},
         save={"b": "assessment.assessment_id"}),
    get("overridden", T + "/{a}"),
    post("override unknown", T, {"assessment": {"assessment_name": "good", "source": HUMAN, **TIMES, "feedback": {"value": False}, "overrides": "a-no"}}),
    ask("delete override", "DELETE", T + "/{b}"),
    get("valid again", T + "/{a}"),
    post("valid given", T, {"assessment": {"assessment_name": "v", "source": HUMAN, **TIMES, "feedback": {"value": 1}, "valid": False}}),
    # update
    post("for garbled changes", G, {"assessment": {"assessment_id": "a-{n}g", "assessment_name": "g", "source": HUMAN, **TIMES, "feedback": {"value": 2}}}),
    patch("update name", "{a}", {"assessment": {"assessmentName": "better"}, "update_mask": "assessmentName"}),
    patch("update value", "{a}", {"assessment": {"feedback": {"value": "other"}}, "update_mask": "feedback"}),
    patch("update several", "{a}", {"assessment": {"rationale": "because", "metadata": {"k": "w", "m": "n"}}, "update_mask": "rationale,metadata"}),
    patch("update camel", "{a}", {"assessment": {"assessmentName": "camel"}, "update_mask": "assessmentName"}),
    patch("update wrong kind", "{a}", {"assessment": {"expectation": {"value": 1}}, "update_mask": "expectation"}),
    patch("update both kinds", "{a}", {"assessment": {"expectation": {"value": 1}}, "update_mask": "expectation,feedback"}),
    garbled("update valid", {"assessment": {"valid": False}, "update_mask": "valid"}),
    garbled("update unknown path", {"assessment": {"rationale": "x"}, "update_mask": "foo"}),
    garbled("update source", {"assessment": {"source": {"source_type": "CODE"}}, "update_mask": "source"}),
    patch("update without mask", "{a}", {"assessment": {"rationale": "x"}}),
    patch("update mask empty", "{a}", {"assessment": {"rationale": "x"}, "update_mask": ""}),
    garbled("update mask list", {"assessment": {"rationale": "x"}, "update_mask": ["rationale"]}),
    garbled("update mask object", {"assessment": {"rationale": "x"}, "update_mask": {"paths": ["rationale"]}}),
    patch("update without assessment", "{a}", {"update_mask": "rationale"}),
    patch("update unknown", "a-unknown", {"assessment": {"rationale": "x"}, "update_mask": "rationale"}),
    patch("update rationale away", "{a}", {"assessment": {}, "update_mask": "rationale"}),
    get("updated", T + "/{a}"),
    get("trace with them", V3 + "/tr-{n}"),
    garbled("update name in snake", {"assessment": {"assessment_name": "better"}, "update_mask": "assessment_name"}),
    # delete
    ask("delete", "DELETE", T + "/{a}"),
    ask("delete again", "DELETE", T + "/{a}"),
    get("deleted", T + "/{a}"),
    ask("delete of unknown trace", "DELETE", V3 + "/tr-unknown/assessments/a-1"),
    post("trace with assessments", V3, {"trace": {"trace_info": {
        "trace_id": "tr-{n}w", "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e}"}},
        "request_time": "2024-05-06T07:08:09.123Z", "state": "OK",
        "assessments": [{"assessment_name": "g", "source": HUMAN, **TIMES, "feedback": {"value": 3}},
                        {"assessment_name": "h", "source": HUMAN, **TIMES, "expectation": {"value": "x"}}]}}}),
]
