"""The first benchmarks: start and memory, tracking, repro, inference, and with --build the build itself.

Every line prints our figure, the peer's of the same run, and the ratio; with runs, median and spread. The load comes from bench/load, a
native program, on the same machine: what it uses of the two cores is missing from both sides alike.
"""
import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
SLIPWAY = ROOT / "build/release/slipway"
VENV = ROOT / "build/venv/bin"
LOAD = ROOT / "build/release/load"
results: list[dict] = []


def report(name, ours, peer=None, peer_name="", unit="", goal="", better="higher"):
    """ours and peer are lists of figures, one a run."""
    row = {"name": name, "unit": unit, "goal": goal, "ours": ours, "peer": peer, "peer_name": peer_name}
    text = f"{name}: {statistics.median(ours):,.4g} {unit} (min {min(ours):,.4g}, max {max(ours):,.4g}, {len(ours)} runs)"
    if peer:
        ratio = statistics.median(ours) / statistics.median(peer) if better == "higher" else statistics.median(peer) / statistics.median(ours)
        row["ratio"] = ratio
        text += f" | {peer_name}: {statistics.median(peer):,.4g} (min {min(peer):,.4g}, max {max(peer):,.4g}, {len(peer)} runs) | ratio {ratio:,.1f}x"
    if goal:
        text += f" | goal {goal}"
    results.append(row)
    print(text, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url, timeout=5):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read()


def post(url, body, timeout=60, headers=None):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.loads(answer.read() or b"{}")


def tree_rss_mb(pid):
    """Resident memory of a process and its children, in MB."""
    total, waiting = 0, [pid]
    while waiting:
        p = waiting.pop()
        try:
            for line in open(f"/proc/{p}/status"):
                if line.startswith("VmRSS"):
                    total += int(line.split()[1]) / 1024
            for task in os.listdir(f"/proc/{p}/task"):
                waiting += [int(c) for c in open(f"/proc/{p}/task/{task}/children").read().split()]
        except FileNotFoundError:
            pass
    return total


class Server:
    """A slipway server on a folder; ready when it printed its line."""

    def __init__(self, folder, *arguments):
        started = time.perf_counter()
        self.process = subprocess.Popen([SLIPWAY, "server", "--data", folder, "--listen", "127.0.0.1:0", *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        self.url = line.strip().removeprefix("listening on ")
        get(self.url + "/health")
        self.ready_ms = (time.perf_counter() - started) * 1000

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Mlflow:
    """A stock `mlflow server` with its default workers on SQLite."""

    def __init__(self, folder):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [VENV / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
             "--artifacts-destination", f"{folder}/artifacts"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, start_new_session=True)
        while time.perf_counter() - started < 120:
            try:
                get(self.url + "/health", 1)
                break
            except OSError:
                time.sleep(0.05)
        self.ready_ms = (time.perf_counter() - started) * 1000

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)


def load(url, work, seconds, clients, *options):
    """One run of the driver: its JSON, with rate in units a second and latencies in ms."""
    done = subprocess.run([LOAD, url, work, "--clients", str(clients), "--seconds", str(seconds), *options], capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(f"bench: {done.stderr.strip()}")
    result = json.loads(done.stdout)
    if result["errors"]:
        print(f"  ({result['errors']} errors of {result['calls']}: {done.stderr.strip()})", file=sys.stderr)
    return result


def post_load(url, path, body, seconds, clients, folder):
    """The same body again and again: calls a second and p99 in ms."""
    file = pathlib.Path(folder) / "body.json"
    file.write_text(body)
    result = load(url, "post", seconds, clients, "--path", path, "--body", file)
    return result["rate"], result["p99_ms"]


def tree_cpu_s(pid):
    """CPU seconds that a process and its living children have used, user and system."""
    total, waiting = 0, [pid]
    while waiting:
        p = waiting.pop()
        try:
            fields = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            for task in os.listdir(f"/proc/{p}/task"):
                waiting += [int(c) for c in open(f"/proc/{p}/task/{task}/children").read().split()]
        except FileNotFoundError:
            pass
    return total


def start_and_memory(runs, folder):
    times = []
    for _ in range(max(20, runs)):
        started = time.perf_counter()
        subprocess.run([SLIPWAY, "--version"], stdout=subprocess.DEVNULL, check=True)
        times.append((time.perf_counter() - started) * 1000)
    report("slipway --version", times, unit="ms", goal="<= 5", better="lower")
    ready, memory = [], []
    for i in range(max(5, runs)):
        server = Server(f"{folder}/empty-{i}")
        ready.append(server.ready_ms)
        time.sleep(0.5)
        memory.append(tree_rss_mb(server.process.pid))
        server.stop()
    stock = Mlflow(pathlib.Path(tempfile.mkdtemp(dir=folder)))
    time.sleep(1)
    stock_memory = [tree_rss_mb(stock.process.pid)]
    stock.stop()
    report("server ready on an empty folder", ready, [stock.ready_ms], "mlflow server", "ms", "<= 50", "lower")
    report("idle memory without a model", memory, stock_memory, "mlflow server", "MB", "<= 30", "lower")


def many_runs(folder, count=100_000):
    """A store with that many runs, and how long a server takes to be ready on it."""
    data = f"{folder}/many"
    server = Server(data)
    body = json.dumps({"experiment_id": "0", "run_name": "r", "tags": [{"key": "k", "value": "v"}]})
    made = 0
    while made < count:
        rate, _ = post_load(server.url, "/api/2.0/mlflow/runs/create", body, 10, 16, folder)
        made += int(rate * 10)
        if rate < 50:
            raise SystemExit("bench: the server makes fewer than 50 runs a second")
    server.stop()
    ready = []
    for _ in range(5):
        server = Server(data)
        ready.append(server.ready_ms)
        server.stop()
    report(f"server ready on {made:,} runs", ready, unit="ms", goal="<= 200", better="lower")


def tracking(runs, folder):
    works = (("log-metric", 16, "one point a call"), ("log-batch", 8, "10 keys x 100 steps a call, fresh runs"), ("run", 8, "create + 20 params + 20 metrics + finish"))
    units = {"log-metric": "calls/s", "log-batch": "points/s", "run": "runs/s"}
    fresh = {"slipway": "300", "mlflow": "20"}  # runs a client: enough for its rate, and soon made at its rate
    figures = {}
    for name, make in (("slipway", lambda: Server(tempfile.mkdtemp(dir=folder))), ("mlflow", lambda: Mlflow(pathlib.Path(tempfile.mkdtemp(dir=folder))))):
        server = make()
        for work, clients, _ in works:
            for _ in range(runs):
                before = tree_cpu_s(server.process.pid)
                result = load(server.url, work, 5, clients, "--runs", fresh[name])
                result["server_us"] = (tree_cpu_s(server.process.pid) - before) / max(1, result["units"]) * 1e6
                figures.setdefault((name, work), []).append(result)
        server.stop()
    for work, clients, what in works:
        column = lambda key: ([r[key] for r in figures["slipway", work]], [r[key] for r in figures["mlflow", work]])
        report(f"{work}, {what}, {clients} clients (durability: kill)", *column("rate"), "mlflow server", units[work])
        report(f"{work} p99 of a call", *column("p99_ms"), "mlflow server", "ms", better="lower")
        report(f"{work}, the server's CPU for one", *column("server_us"), "mlflow server", "us", better="lower")


def postgresql(runs, folder):
    """The store in a PostgreSQL of this machine, as its settings come: every commit waits for the disk."""
    private = ROOT / "tests" / "engines" / "postgres"
    place = tempfile.mkdtemp(prefix="slipway-bench-", dir="/tmp")  # a socket's path must be short
    try:
        started = subprocess.run([private, "start", "--sync", place], capture_output=True, text=True)
        if started.returncode == 77:
            print(f"  no row for PostgreSQL: {started.stderr.strip()}", file=sys.stderr)
            return
        server = Server(tempfile.mkdtemp(dir=folder), "--store", started.stdout.strip())
        for work, clients, what, unit, goal in (
                ("log-batch", 8, "10 keys x 100 steps a call, fresh runs", "points/s", ">= 150,000"), ("log-metric", 16, "one point a call", "calls/s", "")):
            done = [load(server.url, work, 5, clients) for _ in range(runs)]
            report(f"{work}, {what}, {clients} clients, store in PostgreSQL (synchronous_commit: on)", [r["rate"] for r in done], unit=unit, goal=goal)
            report(f"{work} p99 of a call, store in PostgreSQL", [r["p99_ms"] for r in done], unit="ms", better="lower")
        server.stop()
        subprocess.run([private, "stop", place], check=True)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def repro(runs, folder, stages=50):
    def repository(name):
        path = pathlib.Path(folder) / name
        path.mkdir()
        (path / "in.txt").write_text("0\n")
        lines = ["stages:"]
        for i in range(stages):
            source = "in.txt" if i == 0 else f"out{i - 1}.txt"
            lines += [f"  s{i:03d}:", f"    cmd: cp {source} out{i}.txt", "    deps:", f"    - {source}", "    outs:", f"    - out{i}.txt"]
        (path / "dvc.yaml").write_text("\n".join(lines) + "\n")
        return path

    env = {**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": f"{folder}/dvc-site"}
    env.pop("SLIPWAY_URL", None)
    env.pop("MLFLOW_TRACKING_URI", None)
    figures = {}
    for name, tool in (("slipway", [SLIPWAY]), ("dvc", [VENV / "dvc"])):
        path = repository(name)
        subprocess.run([*tool, "init", "--no-scm", "-q"], cwd=path, env=env, check=True)
        noop, change = [], []
        for i in range(runs):
            (path / "in.txt").write_text(f"{i}\n")
            started = time.perf_counter()
            subprocess.run([*tool, "repro", "-q"], cwd=path, env=env, check=True)
            change.append(time.perf_counter() - started)
            started = time.perf_counter()
            subprocess.run([*tool, "repro", "-q"], cwd=path, env=env, check=True)
            noop.append(time.perf_counter() - started)
        figures[name] = (noop, change)
    report(f"repro of {stages} unchanged stages", figures["slipway"][0], figures["dvc"][0], "dvc", "s", better="lower")
    report(f"repro of {stages} stages that all run `cp`", figures["slipway"][1], figures["dvc"][1], "dvc", "s", better="lower")


MAKE_MODEL = """
import sys, numpy as np, mlflow, onnx
from sklearn.ensemble import HistGradientBoostingClassifier
from skl2onnx import to_onnx
rng = np.random.default_rng(0)
x = rng.normal(size=(5000, 12)).astype(np.float32); y = (x[:, 0] + x[:, 1] > 0).astype(int)
m = HistGradientBoostingClassifier(max_iter=100, learning_rate=.1, max_leaf_nodes=15, random_state=0, early_stopping=False).fit(x, y)
o = to_onnx(m, x[:1], options={id(m): {"zipmap": False}})
mlflow.set_tracking_uri(sys.argv[1])
with mlflow.start_run():
    mlflow.onnx.log_model(o, name="model", registered_model_name="bench", pip_requirements=["onnx", "onnxruntime"])
mlflow.onnx.save_model(o, sys.argv[2], pip_requirements=["onnx", "onnxruntime"])
c = mlflow.MlflowClient(); c.set_registered_model_alias("bench", "champion", 1)
"""


def inference(runs, folder):
    server = Server(f"{folder}/serve")
    env = {**os.environ, "SLIPWAY_URL": server.url, "SLIPWAY_TOKEN": pathlib.Path(f"{folder}/serve/token").read_text().strip()}
    subprocess.run([VENV / "python", "-c", MAKE_MODEL, server.url, f"{folder}/saved"], env=env, check=True, capture_output=True)
    (pathlib.Path(folder) / "slipway.yaml").write_text("kind: Model\nname: bench\nspec: {}\n---\nkind: Endpoint\nname: bench\nspec: {model: bench, alias: champion}\n")
    subprocess.run([SLIPWAY, "apply"], cwd=folder, env=env, check=True, capture_output=True)
    row = [0.1 * i for i in range(12)]
    oip = json.dumps({"inputs": [{"name": "X", "shape": [1, 12], "datatype": "FP32", "data": row}]})
    for _ in range(100):
        try:
            post(server.url + "/v2/models/bench/infer", json.loads(oip))
            break
        except OSError:
            time.sleep(0.1)
    ours = [post_load(server.url, "/v2/models/bench/infer", oip, 5, 16, folder) for _ in range(runs)]
    split = json.dumps({"inputs": [row]})
    scoring = [post_load(server.url, "/endpoints/bench/invocations", split, 5, 16, folder) for _ in range(runs)]
    server.stop()
    port = free_port()
    process = subprocess.Popen([VENV / "mlflow", "models", "serve", "-m", f"{folder}/saved", "--env-manager", "local", "-h", "127.0.0.1", "-p", str(port)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                               env={**os.environ, "PATH": f"{VENV}:{os.environ['PATH']}"})
    try:
        for _ in range(600):
            try:
                get(f"http://127.0.0.1:{port}/ping", 1)
                break
            except OSError:
                time.sleep(0.1)
        peer = [post_load(f"http://127.0.0.1:{port}", "/invocations", split, 5, 16, folder) for _ in range(runs)]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
    report("inference of one row, 100 trees, Open Inference Protocol JSON, 16 connections, logged", [o[0] for o in ours], [p[0] for p in peer], "mlflow models serve", "requests/s")
    report("inference of one row, MLflow /invocations, 16 connections, logged", [o[0] for o in scoring], [p[0] for p in peer], "mlflow models serve", "requests/s")
    report("inference p99 at saturation", [o[1] for o in ours], [p[1] for p in peer], "mlflow models serve", "ms", better="lower")


def build_times(folder):
    tree = pathlib.Path(folder) / "tree"
    subprocess.run(["git", "clone", "-q", ROOT, tree], check=True)
    (tree / "build").mkdir(exist_ok=True)
    (tree / "build/parts").symlink_to(ROOT / "build/parts")
    (tree / "web/node_modules").symlink_to(ROOT / "web/node_modules")
    env = {**os.environ, "CCACHE_DISABLE": "1"}
    subprocess.run(["cmake", "--preset", "release"], cwd=tree, env=env, check=True, capture_output=True)
    started = time.perf_counter()
    subprocess.run(["ninja", "-C", "build/release", "--quiet"], cwd=tree, env=env, check=True)
    largest_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    report("memory of the largest process below the build (a compiler)", [largest_mb], unit="MB", goal="<= 2000", better="lower")
    report("clean Release build with tests, no cache", [time.perf_counter() - started], unit="s", goal="<= 480", better="lower")
    sources = sorted(p for p in (tree / "src").rglob("*.cc"))
    deps = subprocess.run(["ninja", "-C", "build/release", "-t", "deps"], cwd=tree, check=True, capture_output=True, text=True).stdout
    beast = [p for p in sources if any(f"/{p.relative_to(tree)}.o:" in d and "boost/beast" in d for d in deps.split("\n\n"))]
    picked = random.Random(20).sample([p for p in sources if p not in beast], 20)

    def touch(path):
        path.touch()
        begun = time.perf_counter()
        subprocess.run(["ninja", "-C", "build/release", "--quiet"], cwd=tree, env=env, check=True)
        return time.perf_counter() - begun

    report("rebuild after touching one .cc (20 files, seed 20)", [touch(p) for p in picked], unit="s", goal="median <= 20", better="lower")
    for path in beast:
        report(f"rebuild after touching {path.relative_to(tree)} (Beast)", [touch(path)], unit="s", better="lower")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--only", help="one of: start, many, tracking, postgresql, repro, inference")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="slipway-bench-")
    versions = subprocess.run([VENV / "python", "-c", "import mlflow, importlib.metadata as m; print(mlflow.__version__, m.version('dvc'))"], capture_output=True, text=True).stdout.split()
    print(f"slipway {subprocess.run([SLIPWAY, '--version'], capture_output=True, text=True).stdout.split()[-1]}, mlflow {versions[0]}, dvc {versions[1]}, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, {time.strftime('%Y-%m-%d')}")
    parts = {"start": lambda: start_and_memory(arguments.runs, folder), "tracking": lambda: tracking(arguments.runs, folder), "postgresql": lambda: postgresql(arguments.runs, folder),
             "repro": lambda: repro(arguments.runs, folder), "inference": lambda: inference(arguments.runs, folder), "many": lambda: many_runs(folder)}
    try:
        for name, part in parts.items():
            if arguments.only in (None, name):
                part()
        if arguments.build:
            build_times(folder)
            started = time.perf_counter()
            subprocess.run(["make", "--no-print-directory", "check", "unit", "e2e", "page-test"], cwd=ROOT, check=True, capture_output=True)
            report("all tests", [time.perf_counter() - started], unit="s", goal="<= 600", better="lower")
        (ROOT / "build/bench.json").write_text(json.dumps(results, indent=1))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
