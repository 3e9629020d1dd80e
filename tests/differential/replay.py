# SPDX-License-Identifier: Apache-2.0
"""Plays the corpus against a server and compares the answers with recorded ones.

    replay.py URL                       compares with recorded/ and the allowed differences; exit 1 if they do not hold
    replay.py URL --stock               compares with recorded/ alone: for the stock server itself
    replay.py URL --record              writes recorded/
    replay.py URL --record-ours         writes ours.json: what Slipway answers where it may differ
    ... --only FILE[,FILE]  --show LABEL

Each file of corpus/ is a story of its own: it begins with an empty context, makes what it needs under names that hold {n} ({x} is its
hexadecimal part), and is
played under /api and under /ajax-api. An answer under /ajax-api is recorded only where it is another one.
"""

import argparse
import fnmatch
import http.client
import importlib
import json
import os
import pathlib
import sys
import urllib.parse

import yaml

HERE = pathlib.Path(__file__).resolve().parent
OURS = HERE / "ours.json"
sys.path.insert(0, str(HERE))

from normalise import Normaliser  # noqa: E402

PREFIXES = ("/api", "/ajax-api")
TIMEOUT_S = 60
AJAX = " @ajax"


def resources():
    return sorted(path.stem for path in (HERE / "corpus").glob("*.py") if path.stem != "__init__")


def requests_of(resource):
    found = importlib.import_module("corpus." + resource).REQUESTS
    labels = [request.label for request in found]
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    assert not repeated, f"{resource}: labels used twice: {repeated}"
    return found


def fill(value, context):
    if isinstance(value, str):
        for name, known in context.items():
            value = value.replace("{" + name + "}", str(known))
        return value
    if isinstance(value, dict):
        return {fill(key, context): fill(item, context) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill(item, context) for item in value]
    return value


def lookup(body, path):
    for part in path.split("."):
        body = body[int(part)] if part.isdigit() else body[part]
    return body


class Player:
    """One server, one connection."""

    def __init__(self, url):
        self.netloc = urllib.parse.urlsplit(url).netloc
        self.connection = http.client.HTTPConnection(self.netloc, timeout=TIMEOUT_S)

    def send(self, request, context):
        target = fill(request.path, context)
        if request.query:
            target += "?" + urllib.parse.urlencode(fill(request.query, context), doseq=True)
        headers = fill(request.headers, context)
        data = None
        if request.body is not None:
            data = json.dumps(fill(request.body, context)).encode()
        elif request.raw is not None:
            data = request.raw(context) if callable(request.raw) else request.raw
            data = data if isinstance(data, bytes) else fill(data, context).encode()
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        headers = {name: value for name, value in headers.items() if value is not None}
        for attempt in (1, 2):
            try:
                self.connection.request(request.method, target, body=data, headers=headers)
                answer = self.connection.getresponse()
                body = answer.read()
                break
            except (http.client.HTTPException, ConnectionError, OSError):
                self.connection.close()  # a server may close an idle connection, or one whose request it refused
                if attempt == 2:
                    raise
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body

    def play(self, resource, prefix):
        """{label: normalised answer}, in the corpus's order."""
        token = "n" + os.urandom(4).hex()
        context = {"api": prefix, "n": token, "N": token.upper(), "x": token[1:]}
        answers = {}
        for request in requests_of(resource):
            status, headers, body = self.send(request, context)
            if status == 200:
                for name, path in request.save.items():
                    try:
                        context[name] = lookup(json.loads(body), path)
                    except (KeyError, IndexError, ValueError, TypeError):
                        pass  # the answer shows it, and so does every request that needs the value
            known = {name: value for name, value in context.items() if name != "api"}
            answers[request.label] = Normaliser(known).answer(status, headers, body)
        return answers


def recorded_path(resource):
    return HERE / "recorded" / (resource + ".json")


def record(resource, plays):
    """One line an answer, so that a change of one shows as one line. An answer that was there before is named: "= label"."""
    plain, other = plays
    lines, first = [], {}

    def add(label, answer):
        text = json.dumps(answer, ensure_ascii=False, sort_keys=True)
        if text in first:
            text = json.dumps("= " + first[text], ensure_ascii=False)
        else:
            first[text] = label
        lines.append(json.dumps(label, ensure_ascii=False) + ": " + text)

    for label, answer in plain.items():
        add(label, answer)
        if other[label] != answer:
            add(label + AJAX, other[label])
    recorded_path(resource).parent.mkdir(exist_ok=True)
    recorded_path(resource).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def expected(resource, prefix):
    written = json.loads(recorded_path(resource).read_text())
    known = {label: written[answer[2:]] if isinstance(answer, str) else answer for label, answer in written.items()}
    tail = AJAX if prefix == "/ajax-api" else ""
    return {label: known.get(label + tail, answer) for label, answer in known.items() if not label.endswith(AJAX)}


def allowed_differences():
    """[{requests: [patterns], ours: status, reason}]"""
    return yaml.safe_load((HERE / "allowed.yaml").read_text())


def rule_for(rules, name):
    return next((rule for rule in rules if any(fnmatch.fnmatchcase(name, pattern) for pattern in rule["requests"])), None)


def text_of(answer):
    """Two answers are one if their texts are: in Python 1, 1.0 and True are equal."""
    return json.dumps(answer, ensure_ascii=False, sort_keys=True)


def own_answers():
    """{name: answer}: what Slipway answered where it may differ; under /ajax-api only where that is another one."""
    return json.loads(OURS.read_text())


def record_ours(own):
    """`own` is {(name, prefix): answer}."""
    lines = {}
    for (name, prefix), answer in sorted(own.items()):
        plain = own.get((name, PREFIXES[0]))
        if prefix == PREFIXES[0]:
            lines[name] = answer
        elif plain is None or text_of(plain) != text_of(answer):
            lines[name + AJAX] = answer
    OURS.write_text("{\n" + ",\n".join(f"{json.dumps(name, ensure_ascii=False)}: {text_of(answer)}" for name, answer in lines.items()) + "\n}\n")


def compare(resource, prefix, answers, rules=(), ours=None):
    """Faults as texts, the allowed patterns that were needed, and {(name, prefix): answer} of what differs as allowed.

    `ours` are the answers that these must be; None: any with the allowed status.
    """
    faults, used, own = [], set(), {}
    wanted = expected(resource, prefix)
    if list(wanted) != list(answers):
        faults.append(f"{resource}: recorded/ has other requests than the corpus: run `make record-mlflow`")
    for label, answer in answers.items():
        if label not in wanted:
            continue
        name = f"{resource}: {label}"
        same = text_of(answer) == text_of(wanted[label])
        rule = rule_for(rules, name)
        if same:
            continue
        if rule is None:
            faults.append(f"{name} ({prefix})\n{show(wanted[label], answer)}")
            continue
        used.update(pattern for pattern in rule["requests"] if fnmatch.fnmatchcase(name, pattern))
        if answer["status"] != rule["ours"]:
            faults.append(f"{name} ({prefix}): allowed to differ, but as {rule['ours']}, not {answer['status']}\n"
                          + show(wanted[label], answer))
            continue
        own[name, prefix] = answer
        if ours is None:
            continue
        before = ours.get(name + AJAX if prefix != PREFIXES[0] and name + AJAX in ours else name)
        if text_of(answer) != text_of(before):
            faults.append(f"{name} ({prefix}): allowed to differ, but not so:\n" + show(before, answer).replace("  stock ", "  ours.json ", 1))
    return faults, used, own


def stale_answers(ours, own):
    names = {name for name, _ in own} | {name + AJAX for name, prefix in own if prefix != PREFIXES[0]}
    return [f"ours.json: {name!r} does not differ" for name in ours if name not in names]


def show(wanted, found):
    """Stock's answer and ours, without what they share where both are long."""
    one, two = (json.dumps(answer, ensure_ascii=False, sort_keys=True) for answer in (wanted, found))
    if len(one) > 500 and len(two) > 500:
        begin = max(0, len(os.path.commonprefix([one, two])) - 60)
        one, two = "…" + one[begin:begin + 500], "…" + two[begin:begin + 500]
    return f"  stock {one}\n  ours  {two}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--record-ours", action="store_true")
    options = parser.parse_args()
    rules = [] if options.stock else allowed_differences()
    ours = None if options.stock or options.record or options.record_ours else own_answers()
    faults, used, own, count = [], set(), {}, 0
    for resource in options.only.split(",") if options.only else resources():
        plays = [Player(options.url).play(resource, prefix) for prefix in PREFIXES]
        count += sum(map(len, plays))
        if options.record:
            record(resource, plays)
            continue
        for prefix, answers in zip(PREFIXES, plays):
            found, needed, differing = compare(resource, prefix, answers, rules, ours)
            faults += found
            used |= needed
            own |= differing
    if rules and not options.only and not options.record:
        faults += [f"allowed.yaml: nothing differs as {pattern!r} says" for rule in rules for pattern in rule["requests"]
                   if pattern not in used]
        faults += stale_answers(ours or {}, own)
    if options.record_ours:
        record_ours(own)
    print("\n".join(faults))
    print(f"{count} answers, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
