# SPDX-License-Identifier: Apache-2.0
"""Reads what a Slipway server wrote down about the year, over HTTP, as anybody may."""

import io
import json
import re
import time
import urllib.error
import urllib.request

import numpy as np
import pandas as pd

from columns import FEATURES

ENDPOINT = MODEL = MONITOR = "late-arrival"


class Server:

    def __init__(self, url, token):
        self.base, self.token = url.rstrip("/"), token

    def get(self, path):
        """The body of a GET; waits out a server that says it is busy (503), at most three times."""
        for attempt in range(4):
            try:
                asked = urllib.request.Request(self.base + path, headers={"Authorization": f"Bearer {self.token}"})
                with urllib.request.urlopen(asked, timeout=60) as answer:
                    return answer.read()
            except urllib.error.HTTPError as error:
                if error.code != 503 or attempt == 3:
                    raise RuntimeError(f"GET {path}: {error.code} {error.read(300).decode(errors='replace')}") from error
                time.sleep(0.5)
        raise AssertionError("unreachable")

    def json(self, path):
        return json.loads(self.get(path))

    def events(self):
        found, after = [], 0
        while True:
            page = self.json(f"/api/slipway/v1/events?after={after}&limit=1000")["events"]
            if not page:
                return found
            found += page
            after = page[-1]["seq"]

    def rollouts(self):
        answer = self.json(f"/api/slipway/v1/rollouts?endpoint={ENDPOINT}")["rollouts"]
        return sorted(answer, key=lambda rollout: rollout["started_event_time"] or "")

    def served(self):
        """Labelled predictions, as the monitor exports them."""
        text = self.get(f"/api/slipway/v1/monitors/{MONITOR}/export?format=csv")
        table = pd.read_csv(io.BytesIO(text), dtype={"prediction_id": str})
        table["day"] = days(table["event_time"])
        return table


def days(event_time):
    """Days since 1970 of ISO texts."""
    return event_time.str.slice(0, 10).to_numpy(dtype="datetime64[D]").astype(np.int64)


def day_of(text):
    return int(np.datetime64(text[:10], "D").astype(np.int64))


def date(day):
    return str(np.datetime64(int(day), "D"))


def read_replay(path):
    """The flights as they were sent: day, label (NaN: never known), month, and the feature matrix."""
    pattern = re.compile(r'"event_time":"([^"]+)","inputs":\{([^}]*)\},"label":(\w+)')
    when, labels = [], []
    values = []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            found = pattern.search(line)
            when.append(found[1])
            inputs = json.loads("{" + found[2] + "}")
            values.append([inputs[name] for name in FEATURES])
            labels.append(None if found[3] == "null" else int(found[3]))
    features = np.array(values, dtype=np.float32)
    day = np.array([text[:10] for text in when], dtype="datetime64[D]")
    return {
        "time": np.array([text.rstrip("Z") for text in when], dtype="datetime64[s]"),
        "day": day.astype(np.int64),
        "month": day.astype("datetime64[M]").astype(np.int64) % 12 + 1,
        "label": np.array(labels, dtype=float),
        "features": features,
    }


class Versions:
    """The registered models themselves, loaded by ONNX Runtime, and what each would have said about every flight."""

    def __init__(self, url, features):
        self.url, self.features, self.known = url, features, {}

    def probability(self, version):
        if version not in self.known:
            self.known[version] = self.score(version)
        return self.known[version]

    def score(self, version):
        import mlflow
        import onnxruntime

        mlflow.set_tracking_uri(self.url)
        folder = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{MODEL}/{version}")
        session = onnxruntime.InferenceSession(f"{folder}/model.onnx", providers=["CPUExecutionProvider"])
        return session.run(["late_probability"], {"features": self.features})[0][:, 0].astype(np.float64)
