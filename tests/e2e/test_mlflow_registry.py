# SPDX-License-Identifier: Apache-2.0
"""The model registry as the real MLflow client uses it, against the real binary: one server for the file, models of their own for each
test. And what MLflow does not have: an alias that a gate guards."""

import json
import os
import time
import uuid

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # a wrong 5xx must show at once, not after minutes
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException


@pytest.fixture(scope="module")
def server(shared_server):
    mlflow.set_tracking_uri(shared_server.url)
    mlflow.set_registry_uri(shared_server.url)
    return shared_server


@pytest.fixture
def client(server):
    return MlflowClient(server.url)


@pytest.fixture
def name():
    return "model-" + uuid.uuid4().hex[:12]


@pytest.fixture
def run_id(client):
    run = client.create_run("0")
    client.set_terminated(run.info.run_id)
    return run.info.run_id


def version_of(client, name, run_id, **more):
    return client.create_model_version(name, f"runs:/{run_id}/model", run_id=run_id, **more)


def refused(call, code, text):
    with pytest.raises(MlflowException) as caught:
        call()
    assert caught.value.error_code == code, caught.value
    assert text in str(caught.value)


def test_a_model_from_create_to_delete(client, name):
    made = client.create_registered_model(name, tags={"team": "blue"}, description="first words")
    assert (made.name, made.description, made.tags) == (name, "first words", {"team": "blue"})
    assert made.creation_timestamp == made.last_updated_timestamp
    assert client.get_registered_model(name).latest_versions == []
    refused(lambda: client.create_registered_model(name), "RESOURCE_ALREADY_EXISTS", f"Registered Model (name={name}) already exists")
    assert client.update_registered_model(name, "other words").description == "other words"
    client.set_registered_model_tag(name, "team", "red")
    client.set_registered_model_tag(name, "stage", "beta")
    assert client.get_registered_model(name).tags == {"team": "red", "stage": "beta"}
    client.delete_registered_model_tag(name, "stage")
    client.delete_registered_model_tag(name, "never there")
    assert client.get_registered_model(name).tags == {"team": "red"}
    client.delete_registered_model(name)
    refused(lambda: client.get_registered_model(name), "RESOURCE_DOES_NOT_EXIST", f"Registered Model with name={name} not found")


def test_names_are_checked_as_mlflow_does(client):
    refused(lambda: client.create_registered_model("a/b"), "INVALID_PARAMETER_VALUE", "Names cannot contain '/' or ':'")
    refused(lambda: client.create_registered_model("a:b"), "INVALID_PARAMETER_VALUE", "Names cannot contain '/' or ':'")
    refused(lambda: client.create_registered_model(" "), "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'name'")


def test_versions_are_numbered_and_a_deleted_number_stays_taken(client, name, run_id):
    client.create_registered_model(name)
    first = version_of(client, name, run_id, tags={"k": "v"}, description="one")
    assert (first.version, first.status, first.current_stage) == ("1", "READY", "None")
    assert (first.run_id, first.source, first.tags, first.description) == (run_id, f"runs:/{run_id}/model", {"k": "v"}, "one")
    assert version_of(client, name, run_id).version == "2"
    client.delete_model_version(name, "2")
    refused(lambda: client.get_model_version(name, "2"), "RESOURCE_DOES_NOT_EXIST", f"Model Version (name={name}, version=2) not found")
    assert version_of(client, name, run_id).version == "3"
    assert client.get_model_version_download_uri(name, "1") == f"runs:/{run_id}/model"
    assert client.update_model_version(name, "1", "uno").description == "uno"
    client.set_model_version_tag(name, "1", "x", "y")
    assert client.get_model_version(name, "1").tags == {"k": "v", "x": "y"}
    client.delete_model_version_tag(name, "1", "k")
    assert client.get_model_version(name, "1").tags == {"x": "y"}


def test_renaming_takes_everything_along(client, name, run_id):
    client.create_registered_model(name)
    version_of(client, name, run_id)
    client.set_registered_model_alias(name, "best", "1")
    renamed = name + "-new"
    client.rename_registered_model(name, renamed)
    assert client.get_registered_model(renamed).aliases == {"best": "1"}
    assert client.get_model_version_by_alias(renamed, "best").version == "1"
    refused(lambda: client.get_model_version(name, "1"), "RESOURCE_DOES_NOT_EXIST", "not found")
    client.create_registered_model(name)
    refused(lambda: client.rename_registered_model(name, renamed), "RESOURCE_ALREADY_EXISTS", "already exists")


def test_aliases_one_path_three_methods(client, name, run_id):
    client.create_registered_model(name)
    version_of(client, name, run_id)
    version_of(client, name, run_id)
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "champion", "2")
    client.set_registered_model_alias(name, "challenger", "2")
    assert client.get_model_version_by_alias(name, "champion").version == "2"
    assert sorted(client.get_model_version(name, "2").aliases) == ["challenger", "champion"]
    assert client.get_registered_model(name).aliases == {"challenger": "2", "champion": "2"}
    assert client.get_model_version_by_alias(name, "latest").version == "2"
    client.delete_registered_model_alias(name, "challenger")
    client.delete_registered_model_alias(name, "challenger")
    refused(lambda: client.get_model_version_by_alias(name, "challenger"), "INVALID_PARAMETER_VALUE", "Registered model alias challenger not found")
    refused(lambda: client.set_registered_model_alias(name, "champion", "9"), "RESOURCE_DOES_NOT_EXIST", "version=9")
    refused(lambda: client.set_registered_model_alias(name, "latest", "1"), "INVALID_PARAMETER_VALUE", "reserved")
    refused(lambda: client.set_registered_model_alias(name, "v1", "1"), "INVALID_PARAMETER_VALUE", "reserved")
    client.delete_model_version(name, "2")
    assert client.get_registered_model(name).aliases == {}


def test_stages_and_latest_versions(client, name, run_id):
    client.create_registered_model(name)
    for _ in range(3):
        version_of(client, name, run_id)
    client.transition_model_version_stage(name, "1", "production")
    client.transition_model_version_stage(name, "2", "Production", archive_existing_versions=True)
    assert client.get_model_version(name, "1").current_stage == "Archived"
    latest = {version.current_stage: version.version for version in client.get_latest_versions(name)}
    assert latest == {"None": "3", "Archived": "1", "Production": "2"}
    assert [version.version for version in client.get_latest_versions(name, ["Production"])] == ["2"]
    refused(lambda: client.transition_model_version_stage(name, "1", "Live"), "INVALID_PARAMETER_VALUE", "Invalid Model Version stage")


def test_searches_filter_order_and_page(client, name, run_id):
    names = [f"{name}-{letter}" for letter in "abcde"]
    for one in names:
        client.create_registered_model(one, tags={"family": name})
        version_of(client, one, run_id, tags={"family": name})
    version_of(client, names[0], run_id, tags={"family": name})

    found = client.search_registered_models(f"tags.family = '{name}'", order_by=["name DESC"])
    assert [model.name for model in found] == names[::-1]
    assert [model.name for model in client.search_registered_models(f"name LIKE '{name}-%'")] == names
    assert [model.name for model in client.search_registered_models(f"name ILIKE '{name.upper()}-B'")] == [names[1]]
    page = client.search_registered_models(f"tags.family = '{name}'", max_results=2)
    seen = []
    while True:
        seen += [model.name for model in page]
        if not page.token:
            break
        page = client.search_registered_models(f"tags.family = '{name}'", max_results=2, page_token=page.token)
    assert seen == names

    versions = client.search_model_versions(f"name = '{names[0]}'", order_by=["version_number ASC"])
    assert [version.version for version in versions] == ["1", "2"]
    versions = client.search_model_versions(f"run_id = '{run_id}' AND version_number > 1")
    assert [(version.name, version.version) for version in versions] == [(names[0], "2")]
    assert len(client.search_model_versions(f"tags.family = '{name}'")) == 6
    refused(lambda: client.search_model_versions("flavour = 'x'"), "INVALID_PARAMETER_VALUE", "Invalid attribute key")
    refused(lambda: client.search_registered_models("name = 'a' OR name = 'b'"), "INVALID_PARAMETER_VALUE", "Invalid")
    refused(lambda: client.search_registered_models(max_results=1001), "INVALID_PARAMETER_VALUE", "max_results")


def test_sources_must_belong_to_the_request(client, name, run_id):
    client.create_registered_model(name)
    other = client.create_run("0").info.run_id
    for source, more in [("/etc/passwd", {}), ("file:///etc/passwd", {"run_id": run_id}), ("http://example.org/model", {}),
                         (f"runs:/{run_id}/model", {"run_id": other}), ("s3://bucket/%2e%2e/x", {}),
                         (f"mlflow-artifacts:/0/{run_id}/artifacts/model", {"run_id": other})]:
        refused(lambda: client.create_model_version(name, source, **more), "INVALID_PARAMETER_VALUE", "Invalid model version source")
    assert client.create_model_version(name, "s3://bucket/model").source == "s3://bucket/model"


def test_log_model_registers_loads_and_tells_where_it_came_from(server, client, name):
    sklearn_linear = pytest.importorskip("sklearn.linear_model")
    model = sklearn_linear.LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    experiment = mlflow.set_experiment(name)
    with mlflow.start_run(experiment_id=experiment.experiment_id) as run:
        info = mlflow.sklearn.log_model(model, name="model", registered_model_name=name, pip_requirements=["scikit-learn"])
    version = client.get_model_version(name, "1")
    assert version.run_id == run.info.run_id
    client.set_registered_model_alias(name, "champion", "1")
    loaded = mlflow.sklearn.load_model(f"models:/{name}@champion")
    assert list(loaded.predict([[0.0], [3.0]])) == [0, 1]
    assert list(mlflow.sklearn.load_model(f"models:/{name}/1").predict([[3.0]])) == [1]
    logged = client.get_logged_model(info.model_id)
    # As with MLflow 3.17.2's own server: it notes the number, and then the client appends what it got, a text.
    assert json.loads(logged.tags["mlflow.modelVersions"]) == [{"name": name, "version": 1}, {"name": name, "version": "1"}]
    copy = client.copy_model_version(f"models:/{name}@champion", name + "-copy")
    assert (copy.name, copy.run_id) == (name + "-copy", run.info.run_id)

    created = server.get("v1/events", params={"type": "model.version_created", "subject": f"model:{name}"}).json()["events"]
    assert len(created) == 1
    document = server.get("v1/evidence/" + created[0]["evidence"][0]).json()
    body = document.get("body", document)
    assert body["run"]["run_id"] == run.info.run_id
    assert body["version"] == 1


def test_prompts_stay_out_of_the_way(client, name):
    made = client.register_prompt(name, "Hello {{who}}")
    assert (made.name, made.version, made.template) == (name, 1, "Hello {{who}}")
    assert client.get_prompt_version(name, 1).template == "Hello {{who}}"
    assert client.search_model_versions(f"name = '{name}'") == []
    assert [model.name for model in client.search_registered_models(f"name = '{name}'")] == []
    found = client.search_registered_models(f"name = '{name}' AND tags.`mlflow.prompt.is_prompt` = 'true'")
    assert [model.name for model in found] == [name]


def test_a_guarded_alias_refuses_any_client_with_the_reason(server, client, name, run_id):
    objects = [
        {"kind": "Gate", "name": name, "spec": {"model": name, "monitor": name}},
        {"kind": "Model", "name": name, "spec": {"aliases": {"champion": {"gate": name}}}},
        {"kind": "Endpoint", "name": name, "spec": {"model": name, "alias": "champion"}},
        {"kind": "Monitor", "name": name, "spec": {"endpoint": name, "bound": 0.6}},
    ]
    source = {"repo": "test", "path": name, "folder": "", "commit": "", "dirty": False}
    applied = server.post("v1/apply", json={"objects": objects, "source": source})
    assert applied.status_code == 200, applied.text
    version_of(client, name, run_id)
    started = time.monotonic()
    with pytest.raises(RestException) as caught:
        client.set_registered_model_alias(name, "champion", "1")
    assert time.monotonic() - started < 10, "a refusal must not be retried"
    assert caught.value.error_code == "PERMISSION_DENIED"
    assert caught.value.get_http_status_code() == 403
    assert f"needs passing evidence of gate `{name}` for version 1 over no version" in str(caught.value)
    events = server.get("v1/events", params={"type": "alias.refused", "subject": f"model:{name}"}).json()["events"]
    assert [event["body"]["to"] for event in events] == [1]
    assert client.get_registered_model(name).aliases == {}
    client.set_registered_model_alias(name, "candidate", "1")
    refused(lambda: client.delete_registered_model(name), "PERMISSION_DENIED", "guarded by gate")
    refused(lambda: client.rename_registered_model(name, name + "-x"), "PERMISSION_DENIED", "can be renamed")


def test_the_registry_survives_a_kill(make_server, name):
    server = make_server()
    client = MlflowClient(server.url)
    client.create_registered_model(name)
    for number in range(1, 6):
        client.create_model_version(name, f"s3://bucket/{number}")
        client.set_registered_model_alias(name, "best", str(number))
    server.kill()
    server.start(server.port)
    assert client.get_model_version_by_alias(name, "best").version == "5"
    assert client.create_model_version(name, "s3://bucket/6").version == "6"
