# SPDX-License-Identifier: Apache-2.0
"""What the server promises whoever runs it: admission, metrics, the API document, every command's --json."""
import json
import os
import pathlib
import re

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_api_document_is_the_route_table(server):
    document = requests.get(server.url + "/api/slipway/v1/openapi.json", timeout=10).json()
    kept = ROOT / "docs/formats/openapi.json"
    text = json.dumps(document, indent=1, sort_keys=False) + "\n"
    if os.environ.get("SLIPWAY_UPDATE_GOLDEN"):
        kept.write_text(text)
    assert kept.read_text() == text, "SLIPWAY_UPDATE_GOLDEN=1 rewrites docs/formats/openapi.json"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            # Whoever may apply may run commands: nothing under /api/slipway changes anything without the token.
            if method != "get":
                assert operation.get("security"), (path, method)


def test_writing_needs_the_token_on_loopback_too(server):
    url = server.url + "/api/slipway/v1/apply"
    assert requests.post(url, json={}, timeout=10).status_code == 401
    refused = requests.post(url, json={}, headers={"Authorization": "Bearer slp_" + "0" * 64}, timeout=10)
    assert refused.status_code == 401
    assert refused.json()["error"]["message"] == "this token is not known here"
    assert server.token not in refused.text


def test_pages_of_other_sites_are_kept_out(server):
    evil = requests.get(server.url + "/api/2.0/mlflow/experiments/search?max_results=1", headers={"Host": "evil.example.org"}, timeout=10)
    assert evil.status_code == 403
    assert "--allow-host evil.example.org" in evil.text
    forged = requests.post(server.url + "/api/2.0/mlflow/experiments/create", json={"name": "x"}, headers={"Origin": "http://evil.example.org"}, timeout=10)
    assert forged.status_code == 403
    assert requests.get(server.url + "/health", headers={"Host": "evil.example.org"}, timeout=10).text == "OK"


def test_metrics_are_prometheus_text(server):
    requests.get(server.url + "/health", timeout=10)
    answer = requests.get(server.url + "/metrics", timeout=10)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert re.search(r'^slipway_http_requests_total\{.*code="200".*\} [1-9]', answer.text, re.M)


def test_the_page_is_embedded_and_strict(server):
    page = requests.get(server.url + "/", timeout=10)
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for name in re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css))"', page.text):
        asset = requests.get(server.url + name, timeout=10)
        assert asset.status_code == 200 and "immutable" in asset.headers["Cache-Control"], name
    again = requests.get(server.url + "/", headers={"If-None-Match": page.headers["ETag"]}, timeout=10)
    assert again.status_code == 304 and not again.content


# Each command with words that let it run on an empty store, and the exit code that is then right.
COMMANDS = [
    (["platform", "status"], 0), (["doctor"], 0), (["experiment", "list"], 0), (["run", "list"], 0), (["run", "show", "0" * 32], 5),
    (["model", "list"], 0), (["model", "show", "none"], 5), (["model", "history", "none"], 5), (["model", "promote", "none/1"], 5), (["gate", "list"], 0),
    (["gate", "evaluate", "none", "--challenger", "1"], 5), (["endpoint", "list"], 0), (["endpoint", "show", "none"], 5),
    (["rollback", "none", "--reason", "x"], 5), (["endpoint", "release", "none"], 5), (["rollout", "list"], 0), (["rollout", "show", "none"], 5),
    (["rollout", "pause", "none"], 5), (["rollout", "resume", "none"], 5), (["rollout", "promote", "none", "--reason", "x"], 5), (["rollout", "abort", "none", "--reason", "x"], 5),
    (["explain", "00000001-1"], 5), (["monitor", "list"], 0), (["monitor", "show", "none"], 5), (["alarm", "list"], 0), (["trigger", "list"], 0),
    (["trigger", "show", "none"], 5), (["trigger", "pause", "none", "--reason", "x"], 5), (["trigger", "resume", "none"], 5), (["trigger", "fire", "none"], 5),
    (["event", "list"], 0), (["event", "show", "none"], 5), (["evidence", "show", "0" * 64], 5), (["story"], 0), (["plan"], 5), (["apply"], 5),
    (["endpoint", "replay", "none.jsonl", "--endpoint", "none"], 5), (["label", "add", "none.jsonl", "--endpoint", "none"], 5),
]


def test_every_command_speaks_json_in_success_and_failure(server, tmp_path):
    wrong = []
    for words, code in COMMANDS:
        done = server.cli(*words, "--json", cwd=tmp_path, check=False)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            wrong.append((words, done.returncode, done.stdout[:200], done.stderr[:200]))
            continue
        expected = "data" if code == 0 else "error"
        if done.returncode != code or answer.get("v") != 1 or expected not in answer:
            wrong.append((words, done.returncode, done.stdout[:300]))
    assert not wrong, "\n".join(map(str, wrong))
