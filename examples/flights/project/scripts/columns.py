# SPDX-License-Identifier: Apache-2.0
"""The twelve things known when a flight is scheduled to leave, in the order of the model's input."""

CATEGORIES = ["carrier", "origin", "dest"]
FEATURES = CATEGORIES + [
    "weekday", "minute_of_day", "distance", "temp", "wind_speed", "precip", "visib", "humid", "pressure"
]

# Columns of data/matrix.npy: the features, then these.
LABEL = len(FEATURES)  # 1: arrived more than 15 minutes late
DAY = LABEL + 1  # scheduled day, in days since 1970
MONITORED = LABEL + 2  # 1: came back from production through the monitor; 0: from data/flights.csv
WIDTH = LABEL + 3
