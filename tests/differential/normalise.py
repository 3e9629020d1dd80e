# SPDX-License-Identifier: Apache-2.0
"""Answers without what two servers cannot have in common: ids, times of now, tokens, invented names, and the order of sets.

What a request chose stays as it is: times before 2025, keys, values. A saved value reads as its name in angle brackets, so an answer
that speaks of the wrong run still differs.
"""

import json
import re

KEPT_HEADERS = ("allow", "content-disposition", "content-range", "www-authenticate", "access-control-allow-origin",
                "access-control-allow-methods", "access-control-allow-headers", "access-control-allow-credentials",
                "access-control-max-age")
KNOWN_EXPERIMENTS = ("0", "5", "987654")
ALWAYS = {"x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN"}
NAMED_SET = re.compile(r"\{((?:'[^']*'|\"[^\"]*\")(?:, (?:'[^']*'|\"[^\"]*\"))*)\}")
LONG_REPETITION = re.compile(r"(.)\1{99,}")
EXPERIMENT_IN_TEXT = re.compile(r"(mlflow-artifacts:/|experiment (?:with id )?|experiment_id=|id=|[Ee]xperiment ID '?|The experiment )(\d+)")


def sorted_set(match):
    """A Python set prints its members in an order of its own."""
    return "{" + ", ".join(sorted(re.findall(r"'[^']*'|\"[^\"]*\"", match[1]))) + "}"


class Normaliser:
    def __init__(self, context):
        self.values = sorted(((str(value), name) for name, value in context.items() if len(str(value)) > 5), key=lambda v: -len(v[0]))
        self.experiments = {str(value): name for name, value in context.items() if str(value).isdigit()}

    def text(self, text):
        for value, name in self.values:
            text = text.replace(value, f"<{name}>")
        text = re.sub(r"\bm-[0-9a-f]{32}\b", "<model>", text)
        text = re.sub(r"\b[0-9a-f]{32}\b", "<id>", text)
        text = re.sub(r"[A-Za-z0-9+/]{22}==", "<trace bytes>", text)
        text = re.sub(r"\b1[789]\d{11}\b", lambda m: "<now>" if int(m[0]) > 1_735_000_000_000 else m[0], text)
        text = re.sub(r"\b20(?:2[5-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "<now>", text)
        text = re.sub(r"(127\.0\.0\.1|localhost):\d+", "<host>", text)
        text = EXPERIMENT_IN_TEXT.sub(lambda m: m[1] + self.experiment(m[2]), text)
        text = re.sub(r"\b[a-z]+-[a-z]+-\d{1,3}\b", "<invented>", text)
        text = re.sub(r"/\S*/relative/x", "<working folder>/relative/x", text)
        text = re.sub(r"sqlite:/+\S*\.db", "sqlite://<store>", text)
        text = re.sub(r"\(sqlite3\.\w+\)[\s\S]*", "(sqlite3 …)", text)  # statements, values and times of the stock server's database
        text = re.sub(r"'\d+/(?=<|models/)", "'<experiment>/", text)
        text = LONG_REPETITION.sub(lambda m: f"<{m[1]} × {len(m[0])}>", text)
        return NAMED_SET.sub(sorted_set, text)

    def experiment(self, text):
        """A number that no request knows is one that the server gave; 987654 is what the corpus takes for an unknown one."""
        return f"<{self.experiments[text]}>" if text in self.experiments else text if text in KNOWN_EXPERIMENTS else "<experiment>"

    def value(self, value, field=""):
        if isinstance(value, dict):
            return {key: self.value(item, key) for key, item in sorted(value.items())}
        if isinstance(value, list):
            items = [self.value(item, field) for item in value]
            if items and all(isinstance(item, dict) and "key" in item for item in items) and field != "history":
                return sorted(items, key=lambda item: (item["key"], json.dumps(item, sort_keys=True)))
            return items
        if field == "experiment_id":
            return self.experiment(str(value))
        if field == "next_page_token" and value:
            return "<token>"
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool) and value > 1_735_000_000_000:
            return "<now>"
        if isinstance(value, float) and value != value:
            return "bare NaN"
        return value

    def answer(self, status, headers, body):
        """{"status", "type", "body", "headers", "printed"}; the body as JSON where it is JSON."""
        found = {"status": status, "type": headers.get("content-type", "")}
        text = body.decode("utf-8", errors="backslashreplace")
        if found["type"].startswith("application/json"):
            try:
                found["body"] = self.value(json.loads(text))
                if found["body"] and not text.startswith("{\n"):
                    found["printed"] = "on one line"
            except ValueError:
                found["body"] = self.text(text)
        else:
            found["body"] = self.text(text)
        kept = {}
        for name in KEPT_HEADERS:
            if name in headers:
                kept[name] = self.text(headers[name])
        if "allow" in kept:
            kept["allow"] = ", ".join(sorted(kept["allow"].replace(",", " ").split()))
        for name, usual in ALWAYS.items():
            if headers.get(name) != usual:
                kept[name] = headers.get(name, "absent")
        if kept:
            found["headers"] = kept
        return found
