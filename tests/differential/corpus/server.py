# SPDX-License-Identifier: Apache-2.0
"""What is not a resource's: health, version, bodies, methods, unknown paths, other origins."""

from request import ask, get, post

JSON = {"Content-Type": "application/json"}
FOREIGN, LOCAL = {"Origin": "http://evil.example"}, {"Origin": "http://localhost:3000"}

REQUESTS = [
    get("health", "/health"),
    get("version", "/version"),
    get("server-info", "{api}/3.0/mlflow/server-info"),
    get("unknown", "nope"),
    get("unknown of 3.0", "{api}/3.0/mlflow/nope"),
    get("unknown at the root", "/nope"),
    get("wrong method", "runs/create"),
    ask("PATCH where POST is", "PATCH", "runs/search", {}),
    ask("DELETE where POST is", "DELETE", "experiments/create", {}),
    ask("POST where GET is", "POST", "experiments/get-by-name", {}),
    ask("POST health", "POST", "/health", {}),
    ask("head", "HEAD", "experiments/get", query={"experiment_id": "0"}),
    ask("options", "OPTIONS", "runs/create"),
    ask("preflight of a foreign origin", "OPTIONS", "runs/create", headers={**FOREIGN, "Access-Control-Request-Method": "POST"}),
    ask("preflight of a local origin", "OPTIONS", "runs/create", headers={**LOCAL, "Access-Control-Request-Method": "POST",
                                                                        "Access-Control-Request-Headers": "content-type"}),
    ask("read by a foreign origin", "GET", "experiments/get", query={"experiment_id": "987654"}, headers=FOREIGN),
    ask("write by a foreign origin", "POST", "experiments/search", {"max_results": 0}, headers=FOREIGN),
    ask("read by a local origin", "GET", "experiments/get", query={"experiment_id": "987654"}, headers=LOCAL),
    ask("write by a local origin", "POST", "experiments/search", {"max_results": 0}, headers=LOCAL),
    ask("by a foreign host", "GET", "experiments/get", query={"experiment_id": "987654"}, headers={"Host": "evil.example"}),
    ask("health by a foreign host", "GET", "/health", headers={"Host": "evil.example"}),
    ask("by a host of the local network", "GET", "experiments/get", query={"experiment_id": "987654"}, headers={"Host": "192.168.1.4:5000"}),
    get("workspaces", "{api}/3.0/mlflow/workspaces"),
    get("a workspace", "{api}/3.0/mlflow/workspaces/default"),
    post("broken body", "experiments/create", raw='{"name":'),
    post("no body", "experiments/create", raw=""),
    post("body null", "experiments/create", raw="null"),
    post("body list", "experiments/create", raw="[1]"),
    post("body number", "experiments/create", raw="5"),
    post("body not UTF-8", "experiments/create", raw=b'{"name": "\xff\xfe"}'),
    post("body encoded twice", "experiments/get-by-name", raw='"{\\"experiment_name\\": \\"nope\\"}"'),
    post("search encoded twice", "experiments/search", raw='"{\\"max_results\\": 0}"'),
    post("key twice", "runs/log-parameter", raw='{"run_id":"x","run_id":"!!","key":"k"}'),
    post("deep body", "experiments/search", raw='{"max_results": 0, "x": ' + "[" * 90 + "]" * 90 + "}"),
    post("text/plain", "experiments/create", raw="{}", headers={"Content-Type": "text/plain"}),
    post("a form", "experiments/create", raw="a=b", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    post("json with charset", "experiments/search", raw='{"max_results": 0}', headers={"Content-Type": "application/json; charset=utf-8"}),
    post("json in capitals", "experiments/search", raw='{"max_results": 0}', headers={"Content-Type": "APPLICATION/JSON"}),
    post("bare NaN", "runs/log-metric", raw='{"run_id": "!!", "key": "k", "value": NaN, "timestamp": 1}'),
    get("path with a slash behind", "experiments/get/", experiment_id="987654"),
    get("two slashes", "//api/2.0/mlflow/experiments/get", experiment_id="987654"),
    get("parameter twice", "experiments/get", experiment_id=["987654", "2"]),
]
