#!/usr/bin/env python3
"""Measures searches over a store that bench/search_store.py made.
    bench/search.py FOLDER [--binary build/release/slipway] [--calls 20] [--only TEXT]
For each search: results, wall milliseconds p50 and p95 as the client sees them (JSON of 100 runs included, not parsed), and the server's CPU
milliseconds a call. A search is asked for its first page, unless it says `deep`: then for a page behind half of the rows, by an offset token of older
servers (`offset`) or by the token that the page before it answered (`token`)."""
import argparse
import base64
import http.client
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time
import urllib.parse

RUNS = [
    # name, filter, order_by, page
    ("no filter, default order", "", [], ""),
    ("many match, ordered by it", "metrics.m05 > 0.99", ["metrics.m05"], ""),
    ("many match, ordered by another metric", "metrics.m05 > 0.9", ["metrics.m07 DESC"], ""),
    ("few match, ordered by another metric", "metrics.m05 > 0.9999", ["metrics.m07 DESC"], ""),
    ("none match, ordered by another metric", "metrics.m05 > 2", ["metrics.m07 DESC"], ""),
    ("3 % match, ordered by another metric", "metrics.m05 > 0.97", ["metrics.m07 DESC"], ""),
    ("half match, default order", "metrics.m05 > 0.5", [], ""),
    ("4 % match, default order", "metrics.m05 > 0.96", [], ""),
    ("two metric filters, a quarter match", "metrics.m05 > 0.5 AND metrics.m06 > 0.5", [], ""),
    ("two metric filters, .04 % match", "metrics.m05 > 0.98 AND metrics.m06 > 0.98", [], ""),
    ("metric with missing values, DESC", "", ["metrics.m19 DESC"], ""),
    ("parameter that a third has", "params.p01 = 'v1'", [], ""),
    ("parameter that a third has, by metric", "params.p01 = 'v1'", ["metrics.m07"], ""),
    ("parameter that .1 % has, by metric", "params.p10 = 'v7'", ["metrics.m07"], ""),
    ("parameter that none has", "params.p01 = 'zz'", [], ""),
    ("tag prefix, 1,000 runs", "tags.batch LIKE 'b42%'", ["metrics.m07"], ""),
    ("tag without match, LIKE '%x%'", "tags.batch LIKE '%x%'", [], ""),
    ("run name", "run_name = 'run-4242'", [], ""),
    ("status of .1 %", "status = 'FAILED'", [], ""),
    ("status of the rest, by metric", "status = 'FINISHED'", ["metrics.m07"], ""),
    ("ordered by name", "", ["run_name"], ""),
    ("ordered by a parameter of 3 values", "", ["params.p01 DESC"], ""),
    ("ordered by a parameter of 1,000 values", "", ["params.p10"], ""),
    ("ordered by a parameter different everywhere", "", ["params.p18 DESC"], ""),
    ("ordered by user, then metric", "", ["user_id", "metrics.m03 DESC"], ""),
    ("ordered by end time", "", ["end_time DESC"], ""),
    ("deep, default order, offset", "", [], "offset"),
    ("deep, default order, token", "", [], "token"),
    ("deep, ordered by metric, token", "", ["metrics.m07 DESC"], "token"),
    ("deep, ordered by name, token", "", ["run_name"], "token"),
]
VERSIONS = [
    ("no filter", "", [], ""),
    ("name of 100,000 versions", "name = 'model-0000'", [], ""),
    ("name of 100 versions", "name = 'model-0500'", [], ""),
    ("name of 100 versions, by number", "name = 'model-0500'", ["version_number DESC"], ""),
    ("name that is not there", "name = 'none'", [], ""),
    ("name prefix", "name LIKE 'model-00%'", [], ""),
    ("run id", "run_id = '{run}'", [], ""),
    ("run id that is not there", "run_id = 'none'", [], ""),
    ("tag of 2 %", "tags.team = 't7'", [], ""),
    ("tag of one", "tags.digest = '{digest}'", [], ""),
    ("tag that nobody has", "tags.none = 'x'", [], ""),
    ("source", "source_path = 's3://bucket/4242'", [], ""),
    ("ordered by name", "", ["name", "version_number DESC"], ""),
    ("ordered by number", "", ["version_number DESC"], ""),
    ("deep, token", "", [], "token"),
]
MODELS = [("no filter", "", [], ""), ("name prefix", "name LIKE 'model-05%'", [], ""), ("tag", "tags.team = 't7'", [], ""), ("by change", "", ["timestamp DESC"], "")]


class Server:
    def __init__(self, binary, folder):
        self.process = subprocess.Popen([binary, "server", "--listen", "127.0.0.1:0"], cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        live = folder / ".slipway/server.json"
        for _ in range(1200):
            time.sleep(0.1)
            if self.process.poll() is not None:
                sys.exit(f"the server ended with {self.process.returncode}")
            if live.exists() and json.loads(live.read_text()).get("pid") == self.process.pid:
                break
        self.url = urllib.parse.urlparse(json.loads(live.read_text())["url"])
        self.connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=300)

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def call(self, method, path, body):
        target = path if method == "POST" else path + "?" + urllib.parse.urlencode(body, doseq=True)
        headers = {"Content-Type": "application/json"} if method == "POST" else {}
        self.connection.request(method, target, json.dumps(body) if method == "POST" else None, headers)
        response = self.connection.getresponse()
        text = response.read()
        if response.status != 200:
            sys.exit(f"{path} {body}: {response.status} {text[:300]!r}")
        return text

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def deep_body(server, method, path, body, how, rows):
    if how == "offset":
        return dict(body, page_token=base64.b64encode(json.dumps({"offset": rows // 2}).encode()).decode())
    # One row behind half of them by its offset; its token is what the search is asked with.
    start = base64.b64encode(json.dumps({"offset": rows // 2}).encode()).decode()
    return dict(body, page_token=json.loads(server.call(method, path, dict(body, max_results=1, page_token=start)))["next_page_token"])


def measure(server, method, path, base, key, searches, rows, arguments):
    print(f"\n{path}\n{'search':46} {'rows':>5} {'p50 ms':>8} {'p95 ms':>8} {'CPU ms':>8}")
    for name, text, order, how in searches:
        if arguments.only not in name:
            continue
        body = dict(base, filter=text, order_by=order, max_results=100)
        if how:
            body = deep_body(server, method, path, body, how, rows)
        found = len(json.loads(server.call(method, path, body)).get(key, []))
        walls, before = [], server.cpu_s()
        for _ in range(arguments.calls):
            started = time.perf_counter()
            server.call(method, path, body)
            walls.append((time.perf_counter() - started) * 1000)
        cpu = (server.cpu_s() - before) * 1000 / arguments.calls
        walls.sort()
        print(f"{name:46} {found:5} {statistics.median(walls):8.1f} {walls[max(0, -(-len(walls) * 95 // 100) - 1)]:8.1f} {cpu:8.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--binary", default="build/release/slipway")
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    folder = arguments.folder.parent if arguments.folder.name == ".slipway" else arguments.folder
    started = time.monotonic()
    server = Server(str(pathlib.Path(arguments.binary).resolve()), folder)
    print(f"ready after {time.monotonic() - started:.1f} s")
    try:
        runs = "/api/2.0/mlflow/runs/"
        newest = json.loads(server.call("POST", runs + "search", {"experiment_ids": ["1"], "max_results": 1}))["runs"][0]
        rows = int(newest["info"]["run_name"].split("-")[1])
        measure(server, "POST", runs + "search", {"experiment_ids": ["1"]}, "runs", RUNS, rows, arguments)
        path = "/api/2.0/mlflow/model-versions/search"
        last = json.loads(server.call("GET", path, {"max_results": 1}))["model_versions"][0]
        known = {"run": last["run_id"], "digest": next(tag["value"] for tag in last["tags"] if tag["key"] == "digest")}
        versions = [(name, text.format(**known), order, how) for name, text, order, how in VERSIONS]
        measure(server, "GET", path, {}, "model_versions", versions, 20_000, arguments)
        measure(server, "GET", "/api/2.0/mlflow/registered-models/search", {}, "registered_models", MODELS, 1_000, arguments)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
