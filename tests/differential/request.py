# SPDX-License-Identifier: Apache-2.0
"""A request of the corpus, as data."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Request:
    label: str  # within its file; the recorded answer and the allowed differences name it "file: label"
    method: str
    path: str  # "{api}" is /api or /ajax-api
    body: object = None  # sent as JSON
    raw: object = None  # sent as it stands (text or bytes), or a function that makes it of the context
    query: object = None  # a dict; a list as value repeats the key
    headers: dict = dataclasses.field(default_factory=dict)  # a value None leaves a field out that is sent else
    save: dict = dataclasses.field(default_factory=dict)  # {name: "path.in.0.answer"}; {name} then stands for it in later requests


def ask(label, method, path, body=None, **more):
    """A request of MLflow's API 2.0: "runs/get"; or of any path: "/version", "{api}/3.0/mlflow/server-info"."""
    if not path.startswith(("/", "{")):
        path = "{api}/2.0/mlflow/" + path
    return Request(label, method, path, body, **more)


def get(label, path, /, **query):
    return ask(label, "GET", path, query=query or None)


def post(label, path, body=None, **more):
    return ask(label, "POST", path, body, **more)
