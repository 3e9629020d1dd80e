# SPDX-License-Identifier: Apache-2.0
"""`dvc` and `slipway` do the same steps in two copies of a repository; what they leave behind must be the same byte for byte.

After each sequence the tools change sides: `dvc status` must find nothing to do where slipway worked, and `slipway status` where dvc did.
SLIPWAY_BIN is the program under test, SLIPWAY_DVC the real dvc (default: the one beside this Python).
"""

import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest

SLIPWAY = os.environ.get("SLIPWAY_BIN", "build/release/slipway")
DVC = os.environ.get("SLIPWAY_DVC", str(pathlib.Path(sys.executable).parent / "dvc"))
LONG = "echo " + " ".join(f"--option-{i}=value-{i}" for i in range(14)) + " > long.txt"

TRAIN = """\
stages:
  train:
    cmd: cat data.csv src.py > model.bin && echo '{"auc":' 0.$(wc -c < data.csv) '}' > metrics.json
    deps:
    - src.py
    - data.csv
    params:
    - lr
    - train.epochs
    outs:
    - model.bin
    metrics:
    - metrics.json:
        cache: false
"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    base = tmp_path_factory.mktemp("environment")
    env = dict(os.environ)
    env.update(
        DVC_NO_ANALYTICS="1", DVC_SITE_CACHE_DIR=str(base / "site"), HOME=str(base), SHELL="/bin/sh", LC_ALL="C.UTF-8",
        GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="t", GIT_AUTHOR_EMAIL="t@example.com", GIT_COMMITTER_NAME="t",
        GIT_COMMITTER_EMAIL="t@example.com", PYTHONDONTWRITEBYTECODE="1",
    )
    for name in ("DVC_ROOT", "DVC_STAGE", "MLFLOW_TRACKING_URI", "SLIPWAY_URL"):
        env.pop(name, None)
    return env


@pytest.fixture(scope="session")
def template(tmp_path_factory, environment):
    """A repository as `git init` and `dvc init` leave it: made once, copied for each test."""
    root = tmp_path_factory.mktemp("template") / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "."], cwd=root, env=environment, check=True)
    subprocess.run([DVC, "init", "-q"], cwd=root, env=environment, check=True)
    return root


class Side:
    """One copy of the repository and the tool that works in it."""

    def __init__(self, root, program, env):
        self.root, self.program, self.env = root, program, env

    def run(self, *arguments, program=None):
        done = subprocess.run([program or self.program, *arguments], cwd=self.root, env=self.env, capture_output=True, text=True,
                              timeout=120, check=False)
        return done.returncode, done.stdout, done.stderr


class Pair:
    def __init__(self, tmp_path, template, env):
        self.sides = []
        for name, program in (("by_dvc", DVC), ("by_slipway", SLIPWAY)):
            # The same length of path, since nothing may depend on it.
            shutil.copytree(template, tmp_path / name, symlinks=True)
            self.sides.append(Side(tmp_path / name, program, env))
        self.dvc, self.slipway = self.sides

    def write(self, path, text, mode=None):
        for side in self.sides:
            file = side.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.exists() or file.is_symlink():
                file.unlink()
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
            if mode:
                file.chmod(mode)

    def remove(self, path):
        for side in self.sides:
            file = side.root / path
            shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink()

    def run(self, *arguments, code=None):
        """The same command on both sides: same exit code. Returns both results, dvc's first."""
        results = [side.run(*arguments) for side in self.sides]
        assert results[0][0] == results[1][0], f"{arguments}: dvc {results[0]}\nslipway {results[1]}"
        if code is not None:
            assert results[1][0] == code, results[1]
        return results

    def same(self):
        """Everything that both tools promise to write alike."""
        left, right = (tracked_bytes(side.root) for side in self.sides)
        assert sorted(left) == sorted(right)
        for path in left:
            assert left[path] == right[path], f"{path} differs:\n--- dvc\n{left[path]}\n--- slipway\n{right[path]}"

    def up_to_date(self):
        """Each tool looks at what the other made."""
        code, out, err = self.slipway.run("status", program=DVC)
        assert (code, out.strip()) == (0, "Data and pipelines are up to date."), (out, err)
        code, out, err = self.dvc.run("status", program=SLIPWAY)
        assert (code, out.strip()) == (0, "Data and pipelines are up to date."), (out, err)


def tracked_bytes(root):
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith((".git/", ".dvc/tmp")) or path.is_dir() or name == ".git":
            continue
        if path.name.endswith(".tmp"):
            continue  # dvc leaves such files in caches at times
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
        in_cache = name.startswith(".dvc/cache/files")
        found[name] = (content, oct(mode) if in_cache or not name.startswith(".dvc") else "")
    return found


@pytest.fixture
def pair(tmp_path, template, environment):
    return Pair(tmp_path, template, environment)


def start_training(pair):
    pair.write("dvc.yaml", TRAIN)
    pair.write("src.py", "print('train')\n")
    pair.write("data.csv", "a,b\n1,2\n")
    pair.write("params.yaml", "lr: 1e-5\ntrain: {epochs: 10, size: 3}\n")


def test_a_pipeline_through_its_changes(pair):
    start_training(pair)
    dvc, slipway = pair.run("repro", code=0)
    for text in ("Running stage 'train':\n> cat data.csv", "Generating lock file 'dvc.lock'\nUpdating lock file 'dvc.lock'\n",
                 "Use `dvc push` to send your updates to remote storage."):
        assert text in dvc[1]
        assert text in slipway[1]
    pair.same()
    # Nothing to do.
    dvc, slipway = pair.run("repro", code=0)
    assert dvc[1] == slipway[1] == "Stage 'train' didn't change, skipping\nData and pipelines are up to date.\n"
    # A parameter, a dependency, the command; back to the first parameter: a run-cache hit.
    pair.write("params.yaml", "lr: 0.25\ntrain: {epochs: 10, size: 3}\n")
    dvc, slipway = pair.run("status", code=0)
    assert dvc[1] == slipway[1]
    pair.run("repro", code=0)
    pair.same()
    pair.write("data.csv", "a,b\n1,2\n3,4\n")
    dvc, slipway = pair.run("status", code=0)
    assert dvc[1] == slipway[1]
    pair.run("repro", code=0)
    pair.same()
    pair.write("data.csv", "a,b\n1,2\n")
    dvc, slipway = pair.run("repro", code=0)
    for side in (dvc, slipway):
        assert "Stage 'train' is cached - skipping run, checking out outputs" in side[1]
    pair.same()
    pair.up_to_date()


def test_outputs_that_went_missing_come_back_from_the_cache(pair):
    start_training(pair)
    pair.run("repro", code=0)
    pair.remove("model.bin")
    dvc, slipway = pair.run("status", code=0)
    assert dvc[1] == slipway[1]
    dvc, slipway = pair.run("repro", code=0)
    assert "is cached" in dvc[1] and "is cached" in slipway[1]
    pair.same()
    pair.write("model.bin", "somebody wrote here\n")
    pair.run("repro", code=0)
    pair.same()
    pair.run("repro", "-f", code=0)
    pair.same()


def test_directories_unicode_and_executables(pair):
    pair.write("dvc.yaml", """\
stages:
  ünïcode-1:
    cmd:
    - mkdir -p "out ü/sub" && cp run.sh "out ü/run.sh" && echo '"quoted"' > "out ü/ä 日本 😀.txt"
    - echo x > "out ü/sub/x" && touch "out ü/empty" && mkdir "out ü/nothing"
    - cp -p run.sh tool && chmod +x tool
    deps:
    - run.sh
    - in dir
    outs:
    - out ü
    - tool
""")
    pair.write("run.sh", "#!/bin/sh\n", 0o755)
    pair.write("in dir/b", "2\n")
    pair.write("in dir/a-b", "3\n")
    pair.write("in dir/a/c", "1\n")
    pair.run("repro", code=0)
    pair.same()
    pair.write("in dir/a/c", "changed\n")
    dvc, slipway = pair.run("status", code=0)
    assert dvc[1] == slipway[1]
    pair.run("repro", code=0)
    pair.same()
    pair.remove("out ü")
    pair.remove("tool")
    pair.run("checkout", code=0)
    pair.same()
    pair.up_to_date()


def test_values_and_folding_in_the_lock(pair):
    pair.write("dvc.yaml", f"""\
stages:
  long:
    cmd: {LONG}
    params: [a, text, list, nothing, "yes", number, nested, big, deep.er, seq.1]
    outs: [long.txt]
  lines:
    cmd: |
      echo one two three four five six seven eight nine ten eleven twelve thirteen \\ fourteen > lines.txt
      # a comment line, which is a command of its own \\
      echo "it's 'quoted'" >> lines.txt
    deps: [long.txt]
    params:
    - other.json:
      - x
    - whole.yaml:
    outs:
    - lines.txt:
        persist: true
""")
    pair.write("params.yaml", """\
a: 1e-5
text: "a rather long text, with: colon # and hash, that has to be folded somewhere near column eighty, yes"
list: [1, 1.0, "1", true, null, ~, 1e22, -0.0, .inf, 0x1F, 0o17, 1_000, "yes", yes, 1:30, 'x: y', '', "tab\\t"]
nothing:
yes: on
number: 100000000.0
nested: {b: [], c: {}, a: [[1, [2]], {x: 1}]}
big: 123456789012345678901234567890
deep: {er: "line\\nbreak"}
seq: [0, {k: v}]
""")
    pair.write("other.json", '{"x": {"f": 1.50, "u": "\\u00fc", "n": null}}')
    pair.write("whole.yaml", "z: 1\nb: {y: 2, x: 1}\na: [1]\n")
    pair.run("repro", code=0)
    pair.same()
    pair.run("repro", code=0)
    pair.write("whole.yaml", "z: 1\nb: {y: 2, x: 1}\na: [2]\n")
    dvc, slipway = pair.run("status", code=0)
    assert dvc[1] == slipway[1]
    pair.run("repro", code=0)
    pair.same()
    pair.up_to_date()


def test_shared_anchors_in_parameters(pair):
    pair.write("dvc.yaml", "stages:\n  s:\n    cmd: echo 1 > s\n    params: [a, b, c]\n    outs: [s]\n"
                           "  t:\n    cmd: echo 2 > t\n    params: [b, c]\n    outs: [t]\n")
    pair.write("params.yaml", "x: &x {k: 1}\ny: &y [1, 2]\na: *x\nb: {first: *x, second: *y}\nc: *y\n")
    pair.run("repro", code=0)
    pair.same()
    pair.up_to_date()


def test_a_failing_stage_leaves_the_lock_alone(pair):
    start_training(pair)
    pair.run("repro", code=0)
    before = (pair.slipway.root / "dvc.lock").read_bytes()
    pair.write("src.py", "broken\n")
    pair.write("dvc.yaml", TRAIN.replace("cmd: cat", "cmd: false && cat"))
    dvc, slipway = pair.run("repro", code=255)
    assert dvc[2] == slipway[2]
    assert slipway[2].startswith("ERROR: failed to reproduce 'train': failed to run: false && cat")
    assert (pair.slipway.root / "dvc.lock").read_bytes() == before
    pair.write("dvc.yaml", TRAIN)
    pair.run("repro", code=0)
    pair.same()


def test_a_diamond_runs_in_dvcs_order_and_stops_where_nothing_changes(pair):
    pair.write("dvc.yaml", """\
stages:
  last:
    cmd: cat left right > last
    deps: [right, left]
    outs: [last]
  left:
    cmd: head -c 1 first > left
    deps: [first]
    outs: [left]
  right:
    cmd: tail -c 2 first > right
    deps: [first]
    outs: [right]
  first:
    cmd: cp source first
    deps: [source]
    outs: [first]
  apart:
    cmd: echo apart > apart
    outs: [apart]
  always:
    cmd: echo always
""")
    pair.write("source", "abc\n")
    dvc, slipway = pair.run("repro", code=0)
    assert dvc[1].split("\nTo track")[0] == slipway[1].split("\nTo track")[0]
    pair.same()
    # `left` stays as it was, `right` changes.
    pair.write("source", "abd\n")
    dvc, slipway = pair.run("repro", code=0)
    assert dvc[1].split("\nTo track")[0] == slipway[1].split("\nTo track")[0]
    pair.same()
    pair.write("source", "xyz\n")
    pair.run("repro", "-s", "first", code=0)
    pair.same()
    pair.run("repro", "left", code=0)
    pair.same()
    # Where dvc --dry looks into its run cache with what the dependencies were, not with what they are, it says "is cached" wrongly.
    dvc, slipway = pair.run("repro", "--dry", code=0)
    assert [line for line in dvc[1].splitlines() if "is cached" not in line] == slipway[1].splitlines()
    pair.run("repro", "nope", code=255)
    pair.run("repro", code=0)
    pair.same()


def test_frozen_and_always_changed(pair):
    pair.write("dvc.yaml", "stages:\n  f:\n    cmd: cp a f\n    deps: [a]\n    outs: [f]\n    frozen: true\n"
                           "  g:\n    cmd: cat f > g\n    deps: [f]\n    outs: [g]\n    always_changed: true\n")
    pair.write("a", "1\n")
    pair.write("f", "made by hand\n")
    pair.run("repro", code=0)
    pair.same()
    pair.write("a", "2\n")
    dvc, slipway = pair.run("status", code=0)
    assert dvc[1] == slipway[1]
    pair.run("repro", code=0)
    pair.same()


def test_add_data_and_use_it(pair):
    pair.write("data/x.csv", "1\n")
    pair.write("data/sub/y.csv", "2\n")
    pair.write("one.bin", b"\x00\x01")
    pair.run("add", "data", "one.bin", code=0)
    pair.same()
    pair.write("dvc.yaml", "stages:\n  s:\n    cmd: cat data/x.csv > s\n    deps: [data/x.csv, one.bin]\n    outs: [s]\n")
    pair.run("repro", code=0)
    pair.same()
    pair.write("data/x.csv", "changed\n")
    dvc, slipway = pair.run("status", code=0)
    assert sorted(dvc[1].splitlines()) == sorted(slipway[1].splitlines())
    pair.run("repro", code=0)
    pair.same()
    pair.write("data/z.csv", "new\n")
    pair.remove("data/sub")
    pair.run("add", "data", code=0)
    pair.same()
    pair.run("add", "missing", code=1)
    pair.up_to_date()


def test_checkout_and_commit(pair):
    pair.write("data/x.csv", "1\n")
    pair.write("one.txt", "one\n")
    pair.run("add", "data", "one.txt", code=0)
    pair.remove("data")
    pair.remove("one.txt")
    dvc, slipway = pair.run("checkout", code=0)
    assert dvc[1] == slipway[1] == "A       data/\nA       one.txt\n"
    pair.write("one.txt", "unsaved\n")
    dvc, slipway = pair.run("checkout", code=255)
    assert dvc[2].replace("by_dvc", "X") == slipway[2].replace("by_slipway", "X")
    pair.run("checkout", "-f", code=0)
    pair.same()
    pair.write("one.txt", "two\n")
    dvc, slipway = pair.run("commit", code=1)
    assert dvc[2] == slipway[2]
    pair.run("commit", "-f", code=0)
    pair.same()
    pair.up_to_date()


@pytest.mark.parametrize("link", ["hardlink", "symlink", "copy"])
def test_link_types(pair, link):
    for side in pair.sides:
        (side.root / ".dvc" / "config").write_text(f"[cache]\n    type = {link}\n")
    start_training(pair)
    pair.run("repro", code=0)
    pair.same()
    model = [side.root / "model.bin" for side in pair.sides]
    assert [m.is_symlink() for m in model] == [link == "symlink"] * 2
    assert model[0].stat().st_nlink == model[1].stat().st_nlink
    pair.write("data.csv", "changed\n")
    pair.run("repro", code=0)
    pair.same()


def test_the_tools_take_turns(pair):
    start_training(pair)
    steps = [("lr: 1\ntrain: {epochs: 1}\n", DVC), ("lr: 2\ntrain: {epochs: 1}\n", SLIPWAY), ("lr: 1\ntrain: {epochs: 1}\n", SLIPWAY)]
    for params, program in steps:
        pair.write("params.yaml", params)
        code, out, err = pair.slipway.run("repro", program=program)
        assert code == 0, (out, err)
    # The last was dvc's first run: found in its run cache.
    assert "Stage 'train' is cached - skipping run, checking out outputs" in out
    code, out, err = pair.slipway.run("status", program=DVC)
    assert out.strip() == "Data and pipelines are up to date."


def test_a_parameter_named_size_is_no_reason_to_take_old_outputs(pair):
    """DVC issue 10296: its run cache ignores such parameters. Slipway compares them."""
    pair.write("dvc.yaml", "stages:\n  s:\n    cmd: cp params.yaml s\n    params: [size]\n    outs: [s]\n")
    pair.write("params.yaml", "size: 1\n")
    pair.run("repro", code=0)
    pair.write("params.yaml", "size: 2\n")
    assert pair.slipway.run("repro")[0] == 0
    assert (pair.slipway.root / "s").read_text() == "size: 2\n"


def test_kill_during_a_stage(pair):
    pair.write("dvc.yaml", "stages:\n  s:\n    cmd: echo half > s && sleep 30 && echo whole > s\n    deps: [a]\n    outs: [s]\n")
    pair.write("a", "1\n")
    side = pair.slipway
    process = subprocess.Popen([SLIPWAY, "repro"], cwd=side.root, env=side.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (side.root / "s").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (side.root / "dvc.lock").exists()
    pair.write("dvc.yaml", "stages:\n  s:\n    cmd: echo whole > s\n    deps: [a]\n    outs: [s]\n")
    code, out, err = side.run("status", program=DVC)
    assert code == 0 and "s:" in out, (out, err)
    code, out, err = side.run("repro")
    assert code == 0, (out, err)
    code, out, err = side.run("status", program=DVC)
    assert out.strip() == "Data and pipelines are up to date.", (out, err)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("stages:\n  s:\n    cmd: 'true'\n    dep: [a]\n", "dvc.yaml:4:5: unknown key `dep` in stage `s`, did you mean `deps`?"),
        ("stages:\n  s:\n    foreach: [1]\n    do: {cmd: x}\n", "dvc.yaml:3:5: `foreach` in stage `s` is not supported yet by slipway"),
        ("stages:\n  s:\n    cmd: echo ${x}\n", "dvc.yaml:3:10: templates (`${…}`) are not supported yet by slipway"),
        ("stages:\n  s: {deps: [a]}\n", "dvc.yaml:2:6: stage `s` needs `cmd`"),
        ("vars: [a]\n", "dvc.yaml:1:1: `vars` in dvc.yaml is not supported yet by slipway"),
        ("stages: [\n", "dvc.yaml:2:1: is not valid YAML: did not find expected node content"),
        ("stages:\n  a: {cmd: x, outs: [o]}\n  b: {cmd: x, outs: [o]}\n", "output 'o' is specified in:"),
        ("stages:\n  a: {cmd: x, deps: [b], outs: [a]}\n  b: {cmd: x, deps: [a], outs: [b]}\n", "Pipeline has a cycle involving: 'a', 'b'."),
        ("stages:\n  a: {cmd: x, outs: [o]}\n  b: {cmd: x, outs: [o/p]}\n", "overlap and are thus in the same tracked directory."),
    ],
)
def test_errors_name_the_place(tmp_path, template, environment, text, expected):
    root = tmp_path / "repo"
    shutil.copytree(template, root)
    (root / "dvc.yaml").write_text(text)
    done = subprocess.run([SLIPWAY, "repro"], cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 255
    assert expected in done.stderr
    assert done.stderr.startswith("ERROR: ")


def test_init(tmp_path, environment, template):
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "."], cwd=root, env=environment, check=True)
    done = subprocess.run([SLIPWAY, "init"], cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Initialized DVC repository." in done.stdout
    for name in (".dvc/config", ".dvc/.gitignore", ".dvcignore"):
        assert (root / name).read_bytes() == (template / name).read_bytes()
    staged = subprocess.run(["git", "status", "--short"], cwd=root, env=environment, capture_output=True, text=True, check=True).stdout
    assert staged == "A  .dvc/.gitignore\nA  .dvc/config\nA  .dvcignore\n"
    again = subprocess.run([SLIPWAY, "init"], cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (1, "ERROR: failed to initiate DVC - '.dvc' exists. Use `-f` to force.\n")
    outside = subprocess.run([SLIPWAY, "status"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert outside.returncode == 253


def test_status_as_json(pair):
    start_training(pair)
    pair.run("repro", code=0)
    pair.write("params.yaml", "lr: 3\ntrain: {epochs: 10}\n")
    pair.write("data.csv", "x\n")
    pair.remove("model.bin")
    dvc, slipway = pair.run("status", "--json", code=0)
    assert json.loads(dvc[1]) == json.loads(slipway[1])
