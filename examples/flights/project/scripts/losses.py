# SPDX-License-Identifier: Apache-2.0
"""Losses of probabilities, in numpy alone: evaluate.py need not wait for scikit-learn to load."""

import numpy as np


def log_loss(label, probability):
    p = np.clip(np.asarray(probability, dtype=np.float64), 1e-7, 1 - 1e-7)
    return float(-np.mean(np.where(label == 1, np.log(p), np.log1p(-p))))


def brier(label, probability):
    return float(np.mean((np.asarray(probability, dtype=np.float64) - label)**2))


def auc(label, probability):
    """Chance that a late flight has the higher probability; ties count one half."""
    values, place, count = np.unique(probability, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2
    late = label == 1
    n, m = int(late.sum()), int((~late).sum())
    if n == 0 or m == 0:
        return float("nan")
    return float((rank[place][late].sum() - n * (n + 1) / 2) / (n * m))
