# SPDX-License-Identifier: Apache-2.0
"""The classes of holes that MLflow's server had, each tried here: one class of tests for each answer of the design."""

import os
import pathlib
import re
import socket
import subprocess
import time

import pytest
import requests

from conftest import ROOT, program
from test_access import ADMIN, ANN, API2, API3, Closed, cli, is_forbidden

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


def raw(server, request):
    """Sends bytes as they are: clients tidy paths up before they send them. Returns the answer's head and body."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def ask_raw(server, method, target, body=b""):
    head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    answer = raw(server, head.encode("latin-1") + body)
    return int(answer.split(b" ", 2)[1]), answer


def files_of(folder):
    return sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*") if path.is_file())


@pytest.fixture
def planted(server):
    """A run with one file, and a secret beside the artifact store."""
    run = server.post(API2 + "runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    assert server.request("PUT", f"{PROXY}/0/{run}/artifacts/a.txt", data=b"a").status_code == 200
    (server.data / "secret.txt").write_text("the secret")
    return server, run


# CVE-2023-1177, -2780, -6909, -6977, 2024-1483, -1558, -2928, -3848, -8859: reading through paths.
ESCAPES = ["../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "%2e%2e%2fsecret.txt", "%252e%252e%252fsecret.txt",
           "0/../../secret.txt", "..\\secret.txt", "..%5csecret.txt", "/etc/hostname", "//etc/hostname", "%2fetc%2fhostname",
           "./secret.txt", "0/./x", "file:///etc/hostname", "a/..;/secret.txt", "secret.txt%00.png", "C:%5cwindows%5cwin.ini",
           "../slipway.db", "../token"]


class Test1ArtifactsAreHandlesAndCheckedPaths:
    @pytest.mark.parametrize("path", ESCAPES)
    def test_no_path_leads_out_of_the_store(self, planted, path):
        server, run = planted
        before = files_of(server.data / "artifacts")
        for target in (f"{PROXY}/{path}", f"{PROXY}/0/{run}/artifacts/{path}", f"{PROXY}?path={path}",
                       f"/get-artifact?run_id={run}&path={path}", f"/model-versions/get-artifact?name=m&version=1&path={path}",
                       f"{API2}artifacts/list?run_id={run}&path={path}"):
            status, answer = ask_raw(server, "GET", target)
            assert status < 500 and b"the secret" not in answer and b"SQLite format" not in answer, target
            assert server.token.encode() not in answer
        # CVE-2023-6018, -6831, -6976, 2026-2033: writing and deleting through them.
        for method in ("PUT", "DELETE"):
            ask_raw(server, method, f"{PROXY}/{path}", b"" if method == "DELETE" else b"overwritten")
        assert (server.data / "secret.txt").read_text() == "the secret"
        assert (server.data / "slipway.db").exists() and server.token
        new = set(files_of(server.data / "artifacts")) - set(before)
        assert all(".." not in name for name in new)
        assert server.get("/health").status_code == 200

    def test_a_link_in_the_store_is_not_followed(self, planted):
        server, run = planted
        folder = server.data / "artifacts" / "0" / run / "artifacts"
        os.symlink(server.data / "secret.txt", folder / "link.txt")
        os.symlink(server.data, folder / "up")
        for path in ("link.txt", "up/secret.txt", "up/token"):
            for target in (f"{PROXY}/0/{run}/artifacts/{path}", f"/get-artifact?run_id={run}&path={path}"):
                status, answer = ask_raw(server, "GET", target)
                assert status in (400, 403, 404) and b"the secret" not in answer, target
        assert ask_raw(server, "PUT", f"{PROXY}/0/{run}/artifacts/up/new.txt", b"x")[0] >= 400
        assert not (server.data / "new.txt").exists()


class Test2EscapesAreDecodedOnce:
    @pytest.mark.parametrize("path", ["a%0ab", "a%00b", "a%1fb", "a%7fb", "a%5cb", "a//b", "a/", "", ".", "..", "a/./b", "a/../b"])
    def test_odd_components_are_refused(self, planted, path):
        server, run = planted
        base = f"{PROXY}/0/{run}/artifacts/odd"
        status, _ = ask_raw(server, "PUT", f"{base}/{path}", b"x")
        kept = [name for name in files_of(server.data / "artifacts") if "odd" in name]
        assert status in (200, 400, 404) and all(re.fullmatch(rf"0/{run}/artifacts/odd(/[\w]+)+", name) for name in kept), (status, kept)

    def test_a_name_that_looks_escaped_is_a_name(self, planted):
        server, run = planted
        status, _ = ask_raw(server, "PUT", f"{PROXY}/0/{run}/artifacts/a%252e%252e%252fb", b"x")
        assert status == 200
        assert f"0/{run}/artifacts/a%2e%2e%2fb" in files_of(server.data / "artifacts")


# CVE-2023-6014, 2024-1560, -4263, 2026-0545, -2651, -2652: routes that stood in no table.
class Test3DenyByDefault:
    def test_no_route_lets_a_stranger_or_a_user_without_grants_do_anything(self, server):
        closed = Closed(server)
        routes = every_route()
        assert len(routes) > 150
        public = {"/health", "/metrics", "/version", "/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info",
                  "/api/slipway/v1/openapi.json", "/v2/health/live", "/v2/health/ready"}
        before = [closed.server.get(API2 + "experiments/get", params={"experiment_id": "0"}).json(),
                  closed.server.get("v1/users").json()]
        refused = 0
        for method, pattern in routes:
            if pattern in public:
                continue
            path = re.sub(r"\{[^}]+\}", "0", pattern)
            answer = closed.ask(None, method, path, json={} if method != "GET" else None)
            assert answer.status_code in {401, 404, 405}, (method, path, answer.status_code, answer.text[:200])
            if answer.status_code != 401:  # there is no such route, or not by this method
                assert "was not found" in answer.text or answer.status_code == 405 or "no such path" in answer.text, (method, path)
                continue
            refused += 1
            answer = closed.ask(ANN, method, path, json={} if method != "GET" else None)
            if any(pattern.endswith(end) for end in FOR_EVERY_ACCOUNT):
                assert answer.status_code in {200, 400, 403}, (method, path, answer.text[:200])
            else:
                assert answer.status_code in {400, 403, 404, 503}, (method, path, answer.status_code, answer.text[:200])
        assert refused > 130, refused
        assert before == [closed.server.get(API2 + "experiments/get", params={"experiment_id": "0"}).json(),
                          closed.server.get("v1/users").json()]

    def test_the_permission_is_asked_whatever_way_the_path_is_written(self, server):
        closed = Closed(server)
        for path in ("/api/2.0/mlflow/experiments/get", "//api/2.0/mlflow/experiments/get", "/api//2.0/mlflow/experiments/get",
                     "/api/2.0/mlflow/experiments/%67et", "/ajax-api/2.0/mlflow/experiments/get",
                     "/%61pi/2.0/mlflow/experiments/get", "/api/2.0/mlflow/experiments/get/", "/api/2.0/./mlflow/experiments/get"):
            status, answer = ask_raw(closed.server, "GET", path + "?experiment_id=0")
            assert status in (400, 401, 404), (path, status)
        status, _ = ask_raw(closed.server, "HEAD", "/api/2.0/mlflow/experiments/get?experiment_id=0")
        assert status == 401

    def test_one_thing_is_checked_and_the_same_is_done(self, server):
        closed = Closed(server)
        secret, mine = closed.experiment(ADMIN, "secret"), closed.experiment(ANN, "mine")
        run, own = closed.run(ADMIN, secret), closed.run(ANN, mine)
        # Two names for one field, two values of one field, the same in query and body.
        for body in ({"run_id": own, "run_uuid": run}, {"run_uuid": own, "run_id": run}, {"runId": own, "run_id": run},
                     {"run_id": own, "runId": run}):
            closed.post(ANN, API2 + "runs/set-tag", **body, key="taken", value="over")
        for text in (f'{{"run_id": "{own}", "run_id": "{run}", "key": "taken", "value": "over"}}',
                     f'{{"run_id": "{run}", "run_id": "{own}", "key": "taken", "value": "over"}}'):
            closed.ask(ANN, "POST", API2 + "runs/set-tag", data=text, headers={"Content-Type": "application/json"})
            closed.ask(ANN, "POST", API2 + "runs/log-batch", headers={"Content-Type": "application/json"},
                       data=text.replace('"key": "taken", "value": "over"', '"tags": [{"key": "taken", "value": "over"}]'))
        closed.ask(ANN, "POST", API2 + f"runs/set-tag?run_id={own}", json={"run_id": run, "key": "taken", "value": "over"})
        kept = closed.get(ADMIN, API2 + "runs/get", run_id=run).json()["run"]["data"]
        assert "taken" not in str(kept), kept
        for query in (f"run_id={own}&run_id={run}", f"run_id={own}&run_uuid={run}"):
            shown = closed.ask(ANN, "GET", API2 + "runs/get?" + query)
            assert shown.status_code != 200 or run not in shown.text, query
        assert is_forbidden(closed.ask(ANN, "GET", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id={own}&run_id={run}&metric_key=k"))
        assert is_forbidden(closed.post(ANN, API2 + "experiments/delete", experiment_id="0" + secret))


# Routes that tell an account about itself, or find what it may read.
FOR_EVERY_ACCOUNT = ("/experiments/search", "/experiments/search-datasets", "/runs/search", "/registered-models/search",
                     "/model-versions/search", "/logged-models/search", "/users/current", "/users/current/permissions", "/users/list",
                     "/get-history-bulk", "/v2")


def every_route():
    """(method, pattern) of MLflow's API and ours, from the tables in the sources and from the API's own document."""
    routes = set()
    for path in sorted((ROOT / "src/api").rglob("*.cc")):
        if path.name.endswith("_test.cc"):
            continue
        for pattern in re.findall(r'"((?:/mlflow|/mlflow-artifacts|/model-versions|/get-artifact|/v2|/endpoints)[^"\s]*)"', path.read_text()):
            for method in ("GET", "POST", "PATCH", "DELETE"):
                if pattern.startswith("/mlflow"):
                    routes |= {(method, f"{prefix}/{version}{pattern}") for prefix in ("/api", "/ajax-api") for version in ("2.0", "3.0")}
                else:
                    routes.add((method, pattern))
    return sorted(routes)


# CVE-2026-2635, 2025-1474, 2025-11200: admin/password1234, empty and weak passwords.
class Test4NoDefaultPassword:
    def test_nobody_gets_in_before_the_first_account_is_made(self, server):
        for pair in (("admin", "password1234"), ("admin", "password"), ("admin", ""), ("", "")):
            answer = requests.post(server.url + "/api/slipway/v1/users", auth=pair, timeout=20,
                                   json={"username": "eve", "password": "a-password-of-eve"})
            assert answer.status_code == 401, pair
        assert server.get("v1/users").json()["users"] == []

    def test_weak_passwords_are_refused(self, server):
        for password in ("", "short", "password1234", "12345678901"):
            made = server.post("v1/users", {"username": "ann", "password": password})
            assert made.status_code == 400, password
        assert cli(server, "user", "create", "ann", typed="password1234\n").returncode == 2

    def test_the_first_accounts_maker_holds_the_servers_token(self, server):
        assert oct((server.data / "token").stat().st_mode & 0o777) == "0o600"
        assert re.fullmatch(r"slp_[0-9a-f]{64}", server.token)
        assert server.token not in server.log()


# CVE-2025-11201, 2026-2614, 2026-116690: a local path as a version's source; the prompt tag that switched the check off.
class Test5LocalSourcesStayInside:
    @pytest.mark.parametrize("source", ["/etc/passwd", "file:///etc/passwd", "../../etc/passwd", "etc/passwd", "./x", "file:../x", "\\\\host\\x",
                                        "mlflow-artifacts:/../../secret.txt", "mlflow-artifacts:/0/%2e%2e/x", "runs:/../x"])
    def test_whatever_tags_say(self, planted, source):
        server, run = planted
        server.post(API2 + "registered-models/create", {"name": "m"})
        server.post(API2 + "registered-models/create", {"name": "p", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]})
        prompt = [{"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.text", "value": "hello"}]
        for name, tags in (("m", []), ("m", prompt), ("p", prompt), ("p", [])):
            for run_id in ("", run):
                made = server.post(API2 + "model-versions/create", {"name": name, "source": source, "run_id": run_id, "tags": tags})
                if made.status_code == 200:  # kept as a text at best: nothing is served from there
                    version = made.json()["model_version"]["version"]
                    for path in ("passwd", "../passwd", "x", ""):
                        got = server.get("/model-versions/get-artifact", params={"name": name, "version": version, "path": path})
                        assert got.status_code >= 400 and "root:" not in got.text
                else:
                    assert made.status_code == 400, made.text


# CVE-2026-64849: a webhook that is led inside.
class Test6WebhooksGoWhereTheyWereSent:
    def test_a_redirect_is_not_followed(self):
        source = (ROOT / "src/net").rglob("*.cc")
        text = "".join(path.read_text() for path in source)
        assert re.search(r"CURLOPT_FOLLOWLOCATION,\s*0", text) or "CURLOPT_FOLLOWLOCATION" not in text


# CVE-2025-14279: DNS rebinding.
class Test7Hosts:
    @pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.evil.example.org", "localhost.evil.example.org", "evil.example.org:5000",
                                      "127.1.evil", "[::1].evil.example.org"])
    def test_a_foreign_name_is_refused_and_the_flag_is_named(self, server, host):
        answer = requests.get(server.url + API2 + "experiments/get", params={"experiment_id": "0"}, headers={"Host": host}, timeout=20)
        assert answer.status_code == 403 and "--allow-host" in answer.text and "Invalid Host header" in answer.text

    def test_a_page_of_another_site_changes_nothing(self, server):
        for origin in ("http://evil.example.org", "null", "http://127.0.0.1:1"):
            answer = requests.post(server.url + API2 + "experiments/create", json={"name": "forged"}, headers={"Origin": origin}, timeout=20)
            assert answer.status_code == 403, origin
        assert "forged" not in server.get(API2 + "experiments/search", params={"max_results": 10}).text


# CVE-2026-116692, 2026-0596, 2025-10279: pickle, shell, shared temporary folders.
class Test8NothingIsUnpickledOrGivenToAShell:
    def test_names_are_no_commands(self, planted):
        server, run = planted
        mark = server.data / "owned"
        for name in (f"$(touch {mark})", f"`touch {mark}`", f"; touch {mark};", f"| touch {mark}"):
            server.post(API2 + "registered-models/create", {"name": name.replace("/", "")})
            server.post(API2 + "runs/set-tag", {"run_id": run, "key": "mlflow.source.name", "value": name})
            server.post(API2 + "experiments/create", {"name": name})
        time.sleep(0.2)
        assert not mark.exists()

    def test_no_shell_and_no_pickle_in_what_requests_reach(self):
        # A pipeline's stages are commands for a shell, as its owner wrote them; they come from files, not from requests.
        for folder in ("access", "api", "http", "registry", "serving", "server", "tracking"):
            for path in sorted((ROOT / "src" / folder).rglob("*.cc")):
                assert not re.search(r"\bsystem\(\"|\bpopen\(|/bin/sh|\bexec[lv]p?\(", path.read_text()), path
        libraries = subprocess.run(["ldd", str(program())], capture_output=True, text=True, check=True).stdout
        assert "python" not in libraries


# 48 ms of hashing for every request, and unbounded queries.
class Test9CredentialsCostMicroseconds:
    def test_wrong_passwords_do_not_stop_the_others(self, server):
        closed = Closed(server)
        url = closed.url + API2 + "experiments/get?experiment_id=0"
        with requests.Session() as good:
            good.auth = ADMIN
            assert good.get(url, timeout=20).status_code == 200
            attackers = [subprocess.Popen(["curl", "-s", "-o", "/dev/null", "--max-time", "20", "-u", f"ada:guess-number-{i:04}", url])
                         for i in range(30)]
            slowest = 0.0
            for _ in range(50):
                begin = time.monotonic()
                assert good.get(url, timeout=20).status_code == 200
                slowest = max(slowest, time.monotonic() - begin)
            for attacker in attackers:
                attacker.wait(30)
        assert slowest < 2.0

    def test_a_refusal_does_not_tell_whether_the_name_exists(self, server):
        closed = Closed(server)
        known = closed.get(("ada", "not-her-password"), API2 + "users/current")
        unknown = closed.get(("nobody", "not-her-password"), API2 + "users/current")
        assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
        assert {k: v for k, v in known.headers.items() if k != "Date"} == {k: v for k, v in unknown.headers.items() if k != "Date"}
