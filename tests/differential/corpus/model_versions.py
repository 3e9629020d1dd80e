# SPDX-License-Identifier: Apache-2.0
"""Versions of registered models: create, get, update, stages, search, tags, files, delete."""

from request import ask, get, post

BASE = "model-versions/"
SEARCH, CREATE, STAGE = BASE + "search", BASE + "create", BASE + "transition-stage"


def filtered(text):
    return get("filter " + text, SEARCH, filter=text, max_results=5, order_by="version_number")


def ordered(*terms):
    return get("order " + " | ".join(terms), SEARCH, filter="name = '{n}'", order_by=list(terms))


def of_source(label, source, **fields):
    return post("source " + label, CREATE, {"name": "{n}-s", "source": source, **fields})


FILTERS = [
    "name = '{n}'", "name LIKE '{n}'", "name ILIKE '{N}'", "name != '{n}' AND name LIKE '{n}'", "run_id = '{r}'", "run_id IN ('{r}', 'x')",
    "run_id IN ('x')", "run_id NOT IN ('{r}') AND name = '{n}'", "run_id != '{r}' AND name = '{n}'", "version_number > 1 AND name = '{n}'",
    "version_number = 1 AND name = '{n}'", "version_number <= 1 AND name = '{n}'", "source_path = 'x'", "source_path LIKE 's3%' AND name = '{n}'", "tags.q = 'w' AND name = '{n}'",
    "tags.q != 'w' AND name = '{n}'", "foo = 'x'", "foo.bar = 'x'", "version_number = 'x'", "version_number = '1' AND name = '{n}'", "version_number = 1.5",
    "version_number LIKE 1", "run_id LIKE 'x'", "run_id > 'x'", "current_stage = 'x'", "name IN ('{n}')", "version_number IN (1)", "name = 5",
    "run_id IN ()", "run_id IN (1)", "name = 'x' OR name = 'y'", "(name = '{n}')", "name = '{n}' AND", "name", "name = 'x", "tags.q IS NULL",
    "tags.q = 5", "tags.q > 'x'", "name == '{n}'", "name='{n}' and version_number = 1", "tags.`q` = 'w' AND name = '{n}'", "source_path = 5",
    "source_path IN ('x')", "creation_timestamp > 5", "version_number > -1 AND name = '{n}'",
]

REQUESTS = [
    post("experiment", "experiments/create", {"name": "{n}"}, save={"e": "experiment_id"}),
    post("run", "runs/create", {"experiment_id": "{e}", "start_time": 1, "run_name": "r"}, save={"r": "run.info.run_id"}),
    post("logged model", "logged-models", {"experiment_id": "{e}", "name": "lm", "source_run_id": "{r}"}, save={"m": "model.info.model_id"}),
    post("model", "registered-models/create", {"name": "{n}"}),
    post("model for sources", "registered-models/create", {"name": "{n}-s"}),
    post("create", CREATE, {"name": "{n}", "source": "runs:/{r}/model", "run_id": "{r}", "tags": [{"key": "q", "value": "w"}],
                            "description": "dd", "run_link": "rl"}),
    post("create of s3", CREATE, {"name": "{n}", "source": "s3://b/x"}),
    post("create of a logged model", CREATE, {"name": "{n}", "source": "models:/{m}", "model_id": "{m}"}),
    post("create without source", CREATE, {"name": "{n}"}),
    post("create source empty", CREATE, {"name": "{n}", "source": ""}),
    post("create without name", CREATE, {"source": "s3://b/x"}),
    post("create of an unknown model", CREATE, {"name": "nope", "source": "s3://b/x"}),
    post("create source int", CREATE, {"name": "{n}", "source": 5}),
    post("create run int", CREATE, {"name": "{n}", "source": "s3://b/x", "run_id": 5}),
    post("create tags text", CREATE, {"name": "{n}", "source": "s3://b/x", "tags": "x"}),
    post("create tag without key", CREATE, {"name": "{n}-s", "source": "s3://b/x", "tags": [{"value": "x"}]}),
    post("create both spellings", CREATE, {"name": "{n}-s", "source": "s3://b/x", "run_id": "a", "runId": "b"}),
    of_source("absolute", "/etc/passwd", run_id="{r}"),
    of_source("file:", "file:///etc/passwd", run_id="{r}"),
    of_source("relative", "x/y"),
    of_source("..", "s3://b/../x"),
    of_source("with a fragment", "s3://b/x#y"),
    of_source("http", "http://evil/x"),
    of_source("of another run", "runs:/" + "0" * 32 + "/m", run_id="{r}"),
    of_source("of a run without run_id", "runs:/{r}/model"),
    of_source("proxied inside the run", "mlflow-artifacts:/{e}/{r}/artifacts/m", run_id="{r}"),
    of_source("proxied outside the run", "mlflow-artifacts:/{e}/x", run_id="{r}"),
    of_source("proxied without run", "mlflow-artifacts:/{e}/{r}/artifacts/m"),
    of_source("of an unknown logged model", "models:/m-x", model_id="m-x"),
    of_source("of a logged model without id", "models:/{m}"),
    of_source("of a version", "models:/{n}/1"),
    of_source("of an unknown version", "models:/{n}/99"),
    of_source("of an alias", "models:/{n}@nope"),
    get("get", BASE + "get", name="{n}", version="1"),
    get("get version letters", BASE + "get", name="{n}", version="x"),
    get("get version 1.5", BASE + "get", name="{n}", version="1.5"),
    get("get version unknown", BASE + "get", name="{n}", version="99"),
    get("get version 0", BASE + "get", name="{n}", version="0"),
    get("get version negative", BASE + "get", name="{n}", version="-1"),
    get("get without version", BASE + "get", name="{n}"),
    get("get without name", BASE + "get", version="1"),
    get("get of unknown", BASE + "get", name="nope", version="1"),
    ask("update", "PATCH", BASE + "update", {"name": "{n}", "version": "1", "description": "x"}),
    ask("update without description", "PATCH", BASE + "update", {"name": "{n}-s", "version": "1"}),
    ask("update version int", "PATCH", BASE + "update", {"name": "{n}", "version": 1, "description": "x"}),
    ask("update version letters", "PATCH", BASE + "update", {"name": "{n}", "version": "x", "description": "y"}),
    ask("update without version", "PATCH", BASE + "update", {"name": "{n}", "description": "y"}),
    ask("update unknown", "PATCH", BASE + "update", {"name": "{n}", "version": "99", "description": "y"}),
    post("stage", STAGE, {"name": "{n}", "version": "1", "stage": "staging", "archive_existing_versions": False}),
    post("stage without archive", STAGE, {"name": "{n}", "version": "1", "stage": "Staging"}),
    post("stage unknown", STAGE, {"name": "{n}", "version": "1", "stage": "Foo", "archive_existing_versions": False}),
    post("stage archive text", STAGE, {"name": "{n}", "version": "1", "stage": "staging", "archive_existing_versions": "true"}),
    post("stage archive number", STAGE, {"name": "{n}", "version": "1", "stage": "staging", "archive_existing_versions": 1}),
    post("stage of 2, archiving", STAGE, {"name": "{n}", "version": "2", "stage": "Staging", "archive_existing_versions": True}),
    get("get archived", BASE + "get", name="{n}", version="1"),
    post("stage None, archiving", STAGE, {"name": "{n}", "version": "2", "stage": "None", "archive_existing_versions": True}),
    post("stage Archived, archiving", STAGE, {"name": "{n}", "version": "2", "stage": "Archived", "archive_existing_versions": True}),
    post("stage without stage", STAGE, {"name": "{n}", "version": "2"}),
    post("stage version letters", STAGE, {"name": "{n}", "version": "x", "stage": "Staging"}),
    post("stage of unknown", STAGE, {"name": "{n}", "version": "99", "stage": "Staging"}),
    get("uri of a run", BASE + "get-download-uri", name="{n}", version="1"),
    get("uri of s3", BASE + "get-download-uri", name="{n}", version="2"),
    get("uri of a logged model", BASE + "get-download-uri", name="{n}", version="3"),
    get("uri of unknown", BASE + "get-download-uri", name="{n}", version="99"),
    get("uri without version", BASE + "get-download-uri", name="{n}"),
    get("uri without name", BASE + "get-download-uri", version="1"),
    post("set tag", BASE + "set-tag", {"name": "{n}", "version": "1", "key": "k", "value": "v"}),
    post("set tag without value", BASE + "set-tag", {"name": "{n}", "version": "1", "key": "k2"}),
    post("set tag without key", BASE + "set-tag", {"name": "{n}", "version": "1"}),
    post("set tag version letters", BASE + "set-tag", {"name": "{n}", "version": "x", "key": "k", "value": "v"}),
    post("set tag of unknown", BASE + "set-tag", {"name": "{n}", "version": "99", "key": "k", "value": "v"}),
    post("set tag value int", BASE + "set-tag", {"name": "{n}", "version": "1", "key": "k", "value": 5}),
    ask("delete tag", "DELETE", BASE + "delete-tag", {"name": "{n}", "version": "1", "key": "k"}),
    ask("delete tag again", "DELETE", BASE + "delete-tag", {"name": "{n}", "version": "1", "key": "k"}),
    ask("delete tag without key", "DELETE", BASE + "delete-tag", {"name": "{n}", "version": "1"}),
    *map(filtered, FILTERS),
    ordered("name"), ordered("version_number DESC"), ordered("version_number ASC"), ordered("creation_timestamp", "version_number"), ordered("foo"),
    ordered("version_number blah"), ordered("version_number", "version_number"), ordered(""), ordered("tags.q"), ordered("run_id"),
    get("search max 200001", SEARCH, max_results=200001),
    get("search max 0", SEARCH, max_results=0, filter="name = '{n}'"),
    get("search max -1", SEARCH, max_results=-1, filter="name = '{n}'"),
    get("search max letters", SEARCH, max_results="x", filter="name = '{n}'"),
    ask("search page one", "GET", SEARCH, query={"max_results": 2, "filter": "name = '{n}'", "order_by": "version_number"}, save={"token": "next_page_token"}),
    get("search page two", SEARCH, max_results=2, filter="name = '{n}'", order_by="version_number", page_token="{token}"),
    get("search bad token", SEARCH, max_results=1, page_token="abc"),
    ask("upload a model's file", "PUT", "{api}/2.0/mlflow-artifacts/artifacts/{e}/{r}/artifacts/model/MLmodel", raw="x"),
    get("file", "/model-versions/get-artifact", name="{n}", version="1", path="MLmodel"),
    get("file by two slashes", "//model-versions/get-artifact", name="{n}", version="1", path="MLmodel"),
    get("file missing", "/model-versions/get-artifact", name="{n}", version="1", path="nope"),
    get("file above", "/model-versions/get-artifact", name="{n}", version="1", path="../x"),
    get("file without path", "/model-versions/get-artifact", name="{n}", version="1"),
    get("file without name", "/model-versions/get-artifact", version="1", path="x"),
    get("file of an unknown version", "/model-versions/get-artifact", name="{n}", version="99", path="x"),
    ask("delete", "DELETE", BASE + "delete", {"name": "{n}", "version": "2"}),
    ask("delete again", "DELETE", BASE + "delete", {"name": "{n}", "version": "2"}),
    ask("delete version letters", "DELETE", BASE + "delete", {"name": "{n}", "version": "x"}),
    ask("delete without version", "DELETE", BASE + "delete", {"name": "{n}"}),
    get("get deleted", BASE + "get", name="{n}", version="2"),
    post("create after deletion", CREATE, {"name": "{n}", "source": "s3://b/y"}),
]
