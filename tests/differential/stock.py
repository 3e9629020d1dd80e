# SPDX-License-Identifier: Apache-2.0
"""Starts a stock MLflow server of the locked version on an empty store, plays the corpus against it, and ends it.

    stock.py record      writes recorded/: after the corpus or the locked version changed (make record-mlflow)
    stock.py record FILE[,FILE]   these of the corpus alone
    stock.py check       says whether recorded/ is still what it answers (make differential)

It takes half a minute to start and some five minutes for the corpus.
"""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
READY_S = 240


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(url, process):
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"the stock server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url + "/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise SystemExit(f"the stock server did not answer in {READY_S} s")


def main(mode, only=""):
    arguments = {"record": ["--record"], "check": ["--stock"]}[mode] + (["--only", only] if only else [])
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "SLIPWAY_"))}
    environment = {**kept, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with tempfile.TemporaryDirectory(prefix="stock-") as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = [str(pathlib.Path(sys.executable).parent / "mlflow"), "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
                   "--artifacts-destination", f"{folder}/artifacts", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        with open(pathlib.Path(folder) / "log", "wb") as log:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True)
            try:
                wait_until_ready(url, process)
                return subprocess.run([sys.executable, str(HERE / "replay.py"), url, *arguments], env=environment).returncode
            finally:
                os.killpg(process.pid, signal.SIGTERM)  # its workers are its children, in a group of their own
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in ("record", "check"):
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
