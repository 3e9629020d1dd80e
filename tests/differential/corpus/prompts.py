# SPDX-License-Identifier: Apache-2.0
"""Prompts: registered models with a tag."""

from request import get, post

IS_PROMPT = {"key": "mlflow.prompt.is_prompt", "value": "true"}


def version(label, source, text="hi", name="{n}"):
    return post(label, "model-versions/create", {"name": name, "source": source,
                                                 "tags": [IS_PROMPT, {"key": "mlflow.prompt.text", "value": text}]})


REQUESTS = [
    post("create", "registered-models/create", {"name": "{n}", "tags": [IS_PROMPT]}),
    post("create again", "registered-models/create", {"name": "{n}", "tags": [IS_PROMPT]}),
    post("create a model of that name", "registered-models/create", {"name": "{n}"}),
    post("create a model", "registered-models/create", {"name": "{n}-m"}),
    post("create a prompt of that name", "registered-models/create", {"name": "{n}-m", "tags": [IS_PROMPT]}),
    version("version", "prompt-template"),
    version("version of dummy-source", "dummy-source"),  # the client's own word for a prompt without files
    version("version of a path", "/etc"),
    version("version of a relative path", "x"),
    version("version of s3", "s3://b/x"),
    version("version of a long text", "prompt-template", "h" * 100_001),
    version("version of a text of 100000", "prompt-template", "h" * 100_000),
    post("plain version of a prompt", "model-versions/create", {"name": "{n}", "source": "s3://b/x"}),
    post("plain version of a model", "model-versions/create", {"name": "{n}-m", "source": "s3://b/x"}),
    version("prompt version of a model", "prompt-template", name="{n}-m"),
    get("get", "registered-models/get", name="{n}"),
    get("latest", "registered-models/alias", name="{n}", alias="latest"),
    get("search models", "registered-models/search", filter="name LIKE '{n}%'"),
    get("search prompts", "registered-models/search", filter="name LIKE '{n}%' AND tags.`mlflow.prompt.is_prompt` = 'true'"),
    get("search no prompts", "registered-models/search", filter="name LIKE '{n}%' AND tags.`mlflow.prompt.is_prompt` != 'true'"),
    get("search versions", "model-versions/search", filter="name LIKE '{n}%'", order_by="version_number"),
    get("search versions of the model", "model-versions/search", filter="name = '{n}-m'", order_by="version_number"),
    get("search prompt versions", "model-versions/search", filter="name = '{n}' AND tags.`mlflow.prompt.is_prompt` = 'true'", order_by="version_number DESC",
        max_results=1),
]
