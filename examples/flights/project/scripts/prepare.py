# SPDX-License-Identifier: Apache-2.0
"""data/flights.csv and data/labelled.csv -> data/matrix.npy (float32; columns.py says what stands where).

flights.csv has names of carriers and airports; they become codes by categories.json, and a name that is not in there
becomes NaN, as any missing value. labelled.csv is what the monitor exports: predictions with their labels, whose inputs
are codes already. Flights without a label are left out. A code never changes its meaning: models old and new are
compared on the same requests.
"""

import json

import numpy as np
import pandas as pd

from columns import CATEGORIES, DAY, FEATURES, LABEL, MONITORED, WIDTH


def days(event_time):
    return event_time.str.slice(0, 10).to_numpy(dtype="datetime64[D]").astype(np.int64)


def read(path, numeric):
    types = {name: np.float32 for name in numeric + ["label"]}
    types.update({name: str for name in ["event_time"] + [c for c in CATEGORIES if c not in numeric]})
    table = pd.read_csv(path, usecols=["event_time", "label"] + FEATURES, dtype=types)
    return table[table["label"].notna()]


def fill(matrix, table, monitored):
    for place, name in enumerate(FEATURES):
        matrix[:, place] = table[name]
    matrix[:, LABEL] = table["label"]
    matrix[:, DAY] = days(table["event_time"])
    matrix[:, MONITORED] = monitored


def main():
    with open("categories.json", encoding="ascii") as file:
        categories = json.load(file)
    known = read("data/flights.csv", [name for name in FEATURES if name not in CATEGORIES])
    for name in CATEGORIES:
        known[name] = known[name].map({text: code for code, text in enumerate(categories[name])})
    labelled = read("data/labelled.csv", FEATURES)

    matrix = np.empty((len(known) + len(labelled), WIDTH), dtype=np.float32)
    fill(matrix[:len(known)], known, 0)
    fill(matrix[len(known):], labelled, 1)
    np.save("data/matrix.npy", matrix)
    print(f"{len(known)} flights known at the start, {len(labelled)} labelled in production")


if __name__ == "__main__":
    main()
