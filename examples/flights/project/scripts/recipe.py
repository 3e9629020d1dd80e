# SPDX-License-Identifier: Apache-2.0
"""How a model is made: which rows it may learn from, and the one call that fits it."""

import os

import numpy as np

from columns import DAY, LABEL, MONITORED

# Threads that wait for each other asleep, not spinning: on a machine that also serves, spinning costs four times the fit.
# Read when scikit-learn loads its OpenMP, hence here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def held_out(matrix, holdout_days):
    """Rows of the newest `holdout_days` days that came back from production: the gate compares on them, so nobody learns
    from them. None before production has labels."""
    monitored = matrix[:, MONITORED] == 1
    newest = np.unique(matrix[monitored, DAY])[-holdout_days:] if holdout_days else []
    return monitored & np.isin(matrix[:, DAY], newest)


def fit(rows, params):
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(max_iter=params["iterations"], learning_rate=params["learning_rate"],
                                           max_leaf_nodes=params["leaves"], random_state=params["seed"],
                                           early_stopping=False)
    return model.fit(rows[:, :LABEL], rows[:, LABEL].astype(np.int8))
