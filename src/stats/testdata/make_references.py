#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the reference values that src/calc/reference_test.cc compares with: one file a statistic, beside this script.

Needs scipy, statsmodels and mpmath (the versions used stand in each file). Every value comes from another implementation than ours:
a library function where there is one, else the definition evaluated with 40 digits by mpmath or by plain enumeration.

    python3 make_references.py [NAME...]
"""
import itertools
import json
import math
import pathlib
import random
import sys

import mpmath as mp
import numpy as np
import scipy
import scipy.stats as st
import statsmodels
import statsmodels.api as sm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

mp.mp.dps = 40
FOLDER = pathlib.Path(__file__).parent
SCIPY = "scipy " + scipy.__version__
STATSMODELS = "statsmodels " + statsmodels.__version__
MPMATH = "mpmath " + mp.__version__
LAMBDAS = [mp.mpf("0.9") * mp.mpf(2) ** (-mp.mpf(j) / 2) for j in range(20)]


def num(value):
    """A number as our outputs have it: null when undefined, texts for infinities."""
    value = float(value)
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def finite_exp(log):
    return "inf" if log > mp.log(mp.mpf(sys.float_info.max)) else float(mp.e ** log)


def normal_values(seed, n, mean=0.0, sd=1.0):
    rng = random.Random(seed)
    return [round(rng.gauss(mean, sd), 6) for _ in range(n)]


# ---- rates -------------------------------------------------------------------------------------------------------------------------

RATES = [(0, 20), (20, 20), (1, 20), (19, 20), (90, 100), (5, 10), (1, 1), (0, 1), (3, 7), (50, 1000), (999, 1000), (12, 345),
         (123456, 1000000), (1, 1000000), (7, 9), (499999999, 1000000000), (2, 3), (33, 47)]


def wilson():
    cases = []
    for i, (k, n) in enumerate(RATES):
        conf = [0.95, 0.9, 0.99][i % 3]
        lo, hi = proportion_confint(k, n, alpha=1 - conf, method="wilson")
        lo, hi = (0 if k == 0 else lo), (1 if k == n else hi)
        cases.append(({"k": k, "n": n, "conf": conf}, {"estimate": k / n, "lo": lo, "hi": hi}))
    return STATSMODELS + " proportion_confint(method='wilson')", cases


def clopper_pearson():
    cases = []
    for i, (k, n) in enumerate(RATES):
        conf = [0.95, 0.9, 0.99][i % 3]
        interval = st.binomtest(k, n).proportion_ci(conf, method="exact")
        cases.append(({"k": k, "n": n, "conf": conf}, {"estimate": k / n, "lo": interval.low, "hi": interval.high}))
    return SCIPY + " binomtest.proportion_ci('exact')", cases


def binomial_test():
    cases = []
    shapes = [(3, 10, .5), (0, 10, .5), (10, 10, .5), (5, 10, .5), (4, 10, .4), (51, 235, 1 / 6), (1, 20, .3), (12, 37, .5),
              (682, 925, .75), (7, 100, .02), (2, 100, .02), (0, 100, .02), (49, 100, .5), (500, 1000, .47), (3, 3, .9), (0, 1, .1),
              (5012, 10000, .5), (40, 1000, .05), (0, 5, 0), (1, 5, 0), (5, 5, 1), (4, 5, 1)]
    for k, n, p0 in shapes:
        for alternative in ("two-sided", "greater", "less"):
            result = st.binomtest(k, n, p0, alternative)
            cases.append(({"k": k, "n": n, "p0": p0, "alternative": alternative}, {"estimate": k / n, "p": result.pvalue}))
    return SCIPY + " binomtest", cases


def risk_upper_bound():
    cases = []
    for mean, n, sd, alpha, tolerance in [
            (.1, 1000, None, .01, .1), (.1, 1000, .3, .01, .1), (.02, 5000, .14, .01, .1), (.5, 60, .1, .05, 0), (.19, 60, .06, .01, .1),
            (.19, 60, .0, .01, .1), (0, 2, 0, .01, .1), (1, 2, 0, .01, .1), (.9, 10, None, .5, 1), (.3, 100000, .45, .001, .05),
            (.3, 100000, .0001, .001, .05), (.0001, 10000000, .01, .01, .1), (.25, 14, .02, .1, .2), (.25, 3, .5, .1, 0), (.6, 250, .2, .02, .5)]:
        log = lambda level: mp.log(1 / mp.mpf(level))
        m, size = mp.mpf(mean), mp.mpf(n)
        hoeffding = lambda level: m + mp.sqrt(log(level) / (2 * size))
        bernstein = lambda level: m + mp.sqrt(2 * mp.mpf(sd) ** 2 * log(mp.mpf(level) / 2) / size) + 7 * log(mp.mpf(level) / 2) / (3 * (size - 1))
        a = mp.mpf(alpha)
        bound = hoeffding(a) if sd is None else min(hoeffding(a / 2), bernstein(a / 2))
        given = {"mean": mean, "n": n, "alpha": alpha, "tolerance": tolerance}
        if sd is not None:
            given["sd"] = sd
        cases.append((given, {"hoeffding": num(hoeffding(a)), "empirical_bernstein": None if sd is None else num(bernstein(a)),
                              "bound": num(bound), "m": num(min(bound * (1 + mp.mpf(tolerance)), 1))}))
    return MPMATH + ", the bounds of Hoeffding 1963 and Maurer-Pontil 2009 as written", cases


# ---- two models --------------------------------------------------------------------------------------------------------------------

def mcnemar_table():
    cases = []
    for b, c in [(12, 25), (1, 9), (0, 6), (59, 121), (10, 2), (3, 4), (25, 24), (100, 140), (0, 1), (1, 0), (2, 3), (1000, 1100), (5000, 4000),
                 (13, 12), (0, 24), (0, 25), (17, 40)]:
        table = [[5, b], [c, 5]]
        exact = mcnemar(table, exact=True)
        plain = mcnemar(table, exact=False, correction=False)
        corrected = mcnemar(table, exact=False, correction=True)
        midp = exact.pvalue - st.binom.pmf(min(b, c), b + c, .5)
        n = b + c
        method = "exact" if n < 25 else "mid-p"
        cases.append(({"b": b, "c": c}, {
            "n": n, "p_exact": exact.pvalue, "p_midp": midp, "chi2": plain.statistic, "p_chi2": plain.pvalue, "chi2_cc": corrected.statistic,
            "p_chi2_cc": corrected.pvalue, "method": method, "p": exact.pvalue if method == "exact" else midp}))
    for b in (7, 3, 30):  # here statsmodels' corrected statistic is (0 - 1)^2 / n; the definition gives 0
        cases.append(({"b": b, "c": b}, {"n": 2 * b, "p_exact": 1, "p_midp": 1, "chi2": 0, "p_chi2": 1, "chi2_cc": 0, "p_chi2_cc": 1, "p": 1}))
    cases.append(({"b": 0, "c": 0}, {"n": 0, "p_exact": 1, "p_midp": 1, "chi2": 0, "p_chi2": 1, "chi2_cc": 0, "p_chi2_cc": 1, "method": "exact",
                                     "p": 1, "note": "models agree on every example"}))
    return STATSMODELS + " mcnemar; mid-p with " + SCIPY + " binom.pmf; b = c by definition", cases


DIFFERENCES = [.012, .004, -.003, .015, .009, .001, .007, .011, -.002, .006]
SAMPLES = [DIFFERENCES, [3, -1, 4, 1.5, 5, -9, 2, 6.5], [1, 2], [0, 1], normal_values(1, 5), normal_values(2, 30, .2), normal_values(3, 200, -.1, 3),
           normal_values(4, 3, 5, .001), [1e9 + v for v in normal_values(5, 12)], [1e-9 * v for v in normal_values(6, 12, .3)],
           [0, 0, 0, 1], normal_values(7, 1000, 0, 10), [-5, -6, -7, -9], normal_values(8, 17, 1), [0.1, 0.2, 0.4, 0.8, 1.6]]


def paired_t():
    cases = []
    for i, x in enumerate(SAMPLES):
        conf = [0.95, 0.9, 0.99][i % 3]
        for alternative in ("two-sided", "greater", "less"):
            result = st.ttest_1samp(x, 0, alternative=alternative)
            interval = st.ttest_1samp(x, 0).confidence_interval(conf)
            cases.append(({"x": x, "alternative": alternative, "conf": conf}, {
                "n": len(x), "mean": np.mean(x), "sd": np.std(x, ddof=1), "t": result.statistic, "df": len(x) - 1, "p": result.pvalue,
                "lo": interval.low, "hi": interval.high}))
    a, b = normal_values(20, 25, .7, .1), normal_values(21, 25, .68, .1)
    result = st.ttest_rel(a, b)
    interval = result.confidence_interval(.95)
    cases.append(({"a": a, "b": b}, {"t": result.statistic, "p": result.pvalue, "lo": interval.low, "hi": interval.high}))
    cases.append(({"x": [0, 0, 0]}, {"mean": 0, "sd": 0, "t": 0, "p": 1, "lo": 0, "hi": 0, "note": "no variation"}))
    cases.append(({"a": [.3, .3], "b": [.1, .1]}, {"sd": 0, "t": None, "p": None, "lo": .3 - .1, "hi": .3 - .1, "note": "no variation"}))
    return SCIPY + " ttest_1samp, ttest_rel; no variation by contract", cases


def cluster_se():
    cases = []
    examples = [([1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 0], [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])]
    for seed in range(16):
        rng = random.Random(100 + seed)
        clusters = 2 + seed
        x, cluster = [], []
        for key in range(clusters):
            shift = rng.gauss(.1, .5)
            for _ in range(rng.randint(1, 12)):
                x.append(round(shift + rng.gauss(0, 1), 6))
                cluster.append(key * 7 - 3)
        order = list(range(len(x)))
        rng.shuffle(order)
        examples.append(([x[i] for i in order], [cluster[i] for i in order]))
    for i, (x, cluster) in enumerate(examples):
        conf = [0.95, 0.9, 0.99][i % 3]
        groups = len(set(cluster))
        fit = sm.OLS(x, np.ones(len(x))).fit(
            cov_type="cluster", cov_kwds={"groups": np.unique(cluster, return_inverse=True)[1], "use_correction": False})
        mean, se = fit.params[0], fit.bse[0]
        naive = math.sqrt(np.sum((np.array(x) - np.mean(x)) ** 2)) / len(x)
        t = mean / se
        half = st.t.ppf(.5 + conf / 2, groups - 1) * se
        for alternative in ("two-sided", "greater", "less"):
            p = {"two-sided": 2 * st.t.sf(abs(t), groups - 1), "greater": st.t.sf(t, groups - 1), "less": st.t.cdf(t, groups - 1)}[alternative]
            keys = cluster if i % 2 else ["day " + str(key) for key in cluster]
            cases.append(({"x": x, "cluster": keys, "conf": conf, "alternative": alternative}, {
                "mean": mean, "se_naive": naive, "se_cluster": se, "design_effect": (se / naive) ** 2, "clusters": groups, "df": groups - 1,
                "t": t, "p": p, "lo": mean - half, "hi": mean + half}))
    cases.append(({"x": [0, 0, 0], "cluster": [1, 1, 2]}, {"mean": 0, "se_naive": 0, "se_cluster": 0, "design_effect": None, "clusters": 2, "t": 0,
                                                           "p": 1, "lo": 0, "hi": 0, "note": "no variation"}))
    cases.append(({"x": [1, -1, 1, -1], "cluster": ["a", "a", "b", "b"]}, {"mean": 0, "se_naive": .5, "se_cluster": 0, "design_effect": 0, "t": None,
                                                                           "p": None, "lo": 0, "hi": 0, "note": "no variation"}))
    return STATSMODELS + " OLS(cov_type='cluster', use_correction=False); t with clusters - 1 df from " + SCIPY, cases


# ---- resampling --------------------------------------------------------------------------------------------------------------------

def paired_permutation():
    cases = []
    samples = [x for x in SAMPLES if len(x) <= 12] + [[1], [0], [-2.5], [0, 0, 0], [1, -1], [5, 5, 5, 5], [.1, .2, -.3, .1, .1, .1, -.2]]
    for x in samples:
        for alternative in ("two-sided", "greater", "less"):
            if alternative == "two-sided":
                # scipy's two-sided p doubles the smaller tail; ours is the share with |T*| >= |T|
                size = max(abs(v) for v in x)
                sums = [sum(s * v for s, v in zip(signs, x)) for signs in itertools.product((1, -1), repeat=len(x))]
                p = sum(abs(s) >= abs(sum(x)) - 1e-12 * size * len(x) for s in sums) / len(sums)
            elif len(x) == 1:
                p = 1 if x[0] == 0 else (.5 if (x[0] > 0) == (alternative == "greater") else 1)
            else:
                p = st.permutation_test((x,), lambda d, axis: np.mean(d, axis=axis), permutation_type="samples", n_resamples=np.inf,
                                        alternative=alternative, vectorized=True).pvalue
            cases.append(({"x": x, "alternative": alternative}, {"statistic": np.mean(x), "p": p, "exact": True, "resamples": 2 ** len(x)}))
    return SCIPY + " permutation_test(permutation_type='samples', n_resamples=inf) one-sided; two-sided by enumeration", cases


def bootstrap_reference(units, statistic, conf, method, jackknife=None):
    """All resamples of `units`, by itertools; BCa as Efron 1987 writes it."""
    n = len(units)
    values = np.sort([statistic([units[i] for i in draw]) for draw in itertools.product(range(n), repeat=n)])
    estimate = statistic(units)
    size = max(abs(v) for unit in units for v in np.atleast_1d(unit))
    share = lambda t: (np.sum(values < t - 1e-12 * size) + .5 * np.sum(np.abs(values - t) <= 1e-12 * size)) / len(values)
    z = st.norm.ppf(.5 + conf / 2)
    q = st.norm.ppf(share(0))
    result = {"estimate": estimate, "resamples": n ** n, "exhaustive": True, "method": method}
    if method == "percentile":
        levels = ((1 - conf) / 2, (1 + conf) / 2)
        p = 2 * min(st.norm.cdf(q), st.norm.cdf(-q))
        result |= {"z0": None, "a": None}
    else:
        left_out = np.array([statistic(units[:i] + units[i + 1:]) for i in range(n)])
        d = left_out.mean() - left_out
        a = (d ** 3).sum() / (6 * (d ** 2).sum() ** 1.5)
        z0 = st.norm.ppf(share(estimate))
        levels = tuple(st.norm.cdf(z0 + (z0 + side) / (1 - a * (z0 + side))) for side in (-z, z))
        u = q - z0
        w = (1 / a if math.isinf(u) else u / (1 + a * u)) - z0
        p = 2 * min(st.norm.cdf(w), st.norm.cdf(-w)) if 1 + a * u > 0 else 2 * min(st.norm.cdf(q), st.norm.cdf(-q))
        result |= {"z0": z0, "a": a}
    lo, hi = np.quantile(values, levels)
    return result | {"alpha_lo": levels[0], "alpha_hi": levels[1], "lo": lo, "hi": hi, "p": min(1, max(1 / (n ** n + 1), p))}


def paired_bootstrap():
    cases = []
    samples = [[.012, .004, -.003, .015, .009, .001], [1, 2, 4], [3, -1, 4, 1.5, 5], [-.3, .1, .2, -.5, .4], normal_values(30, 6), normal_values(31, 6, .5),
               normal_values(32, 5, -1), [0, 1, 0, 1, 1], [1, 10, 100, 1000], normal_values(33, 6, 2, .1), normal_values(34, 4, 0, 100),
               [.5, -.5, .25, .75, -.1, .3], normal_values(35, 6, .3, .5), normal_values(36, 5, .8), [2, 3, 5, 7, 11, 13]]
    for i, x in enumerate(samples):
        conf = [0.95, 0.9, 0.8][i % 3]
        for method in ("bca", "percentile"):
            cases.append(({"x": x, "conf": conf, "method": method}, bootstrap_reference(x, lambda v: float(np.mean(v)), conf, method)))
    for x in (samples[0], samples[2], samples[4], samples[12]):
        cases.append(({"x": x, "statistic": "median", "method": "percentile"},
                      bootstrap_reference(x, lambda v: float(np.median(v)), .95, "percentile")))
    cases.append(({"x": [2, 2, 2]}, {"estimate": 2, "lo": 2, "hi": 2, "p": 1 / 28, "method": "degenerate", "z0": None, "a": None}))
    cases.append(({"a": [1, 2], "b": [1, 2]}, {"estimate": 0, "lo": 0, "hi": 0, "p": 1, "method": "degenerate"}))
    return "enumeration of all resamples with numpy " + np.__version__ + " and " + SCIPY + " norm", cases


def cluster_bootstrap():
    cases = []
    for seed in range(15):
        rng = random.Random(300 + seed)
        groups = 2 + seed % 5
        units = [tuple(round(rng.gauss(.3, 1), 6) for _ in range(rng.randint(1, 5))) for _ in range(groups)]
        if sum(len(unit) for unit in units) < 2:
            continue
        x = [v for unit in units for v in unit]
        cluster = [key for key, unit in enumerate(units) for _ in unit]
        statistic = lambda drawn: sum(sum(unit) for unit in drawn) / sum(len(unit) for unit in drawn)
        for method in ("percentile", "bca") if groups >= 4 else ("percentile",):
            expected = bootstrap_reference(units, statistic, .95, method)
            cases.append(({"x": x, "cluster": cluster, "method": method}, expected | {"clusters": groups}))
    return "enumeration of all draws of clusters with numpy " + np.__version__ + " and " + SCIPY + " norm", cases


# ---- multiplicity ------------------------------------------------------------------------------------------------------------------

FAMILIES = [[.01, .04, .03, .005], [.05], [1, 1, 1], [0, 0, .5], [.001, .008, .039, .041, .042, .06, .074, .205, .212, .216, .222, .251, .269, .275, .34, .341,
            .384, .569, .594, .696, .762, .94, .942, .975, .986], [.02, .02, .02], [.5, .01], [.049, .051]]
FAMILIES += [[round(random.Random(400 + s).random() ** (1 + s % 4), 6) for _ in range(2 + 3 * s)] for s in range(10)]


def correction(method, alpha=.05):
    def make():
        cases = [({"p": []}, {"adjusted": [], "reject": []})]
        for p in FAMILIES:
            reject, adjusted, _, _ = multipletests(p, alpha, method)
            adjusted = np.minimum(adjusted, 1)
            if any(abs(v - alpha) < 1e-9 for v in adjusted):
                cases.append(({"p": p}, {"adjusted": list(adjusted)}))
            else:
                cases.append(({"p": p}, {"adjusted": list(adjusted), "reject": [bool(v <= alpha) for v in adjusted]}))
        return STATSMODELS + f" multipletests('{method}')", cases
    return make


def e_bh():
    cases = []
    for s in range(17):
        rng = random.Random(500 + s)
        e = [round(math.exp(rng.gauss(1, 2)), 4) for _ in range(s)]
        alpha = [.05, .1, .2][s % 3]
        n = len(e)
        ranked = sorted(e, reverse=True)
        k = max([i + 1 for i in range(n) if ranked[i] >= n / ((i + 1) * alpha)], default=0)
        threshold = n / (k * alpha) if k else None
        cases.append(({"e": e, "alpha": alpha}, {"k": k, "threshold": threshold, "reject": [bool(k) and v >= threshold for v in e]}))
    return "definition of Wang-Ramdas 2022 in plain Python", cases


# ---- sequential --------------------------------------------------------------------------------------------------------------------

def log_mixture(payoffs):
    logs = [sum(count * mp.log(1 + lam * z) for z, count in payoffs) for lam in LAMBDAS]
    top = max(logs)
    return top + mp.log(sum(mp.e ** (v - top) for v in logs) / 20)


def canary_payoffs(w, c0, counts, delta):
    w, c0, delta = mp.mpf(w), mp.mpf(c0), mp.mpf(delta)
    small = min(w, 1 - w)
    worse, fine = [], []
    for count, canary, y in zip(counts, (1, 1, 0, 0), (1, 0, 1, 0)):
        x = (y - c0) / w if canary else -(y - c0) / (1 - w)
        worse.append((small * x, count))
        fine.append((small * (delta - x), count))
    return worse, fine


def srm_log(k, n, w):
    w = mp.mpf(w)
    return mp.loggamma(1 + k) + mp.loggamma(1 + n - k) - mp.loggamma(2 + n) - k * mp.log(w) - (n - k) * mp.log(1 - w)


def canary_e_process():
    cases = []
    runs = [([(.1, .02, 35, 965, 180, 8820)], .01), ([(.1, .02, 20, 980, 180, 8820)], .01), ([(.05, .02, 12, 488, 190, 9310), (.25, .02, 60, 2440, 150, 7350)], .01),
            ([(.5, .01, 0, 500, 0, 500)], .01), ([(.5, .02, 40, 1960, 40, 1960)], .01), ([(.25, .01, 10, 490, 20, 1480), (.5, .01, 12, 988, 11, 989)], .02),
            ([(.25, .0, 0, 0, 0, 0)], .02), ([(.05, .9, 450, 50, 8550, 950)], .05), ([(.9, .5, 4500, 4500, 500, 500)], .1), ([(.5, 1, 10, 0, 9, 1)], .3),
            ([(.01, 0, 3, 97, 10, 9890)], .02), ([(.25, .02, 400, 100, 30, 1470)], .02), ([(.1, .02, 60, 940, 18, 982)], .01), ([(.5, .02, 400000, 0, 0, 400000)], .5),
            ([(.001, .3, 1, 2, 900, 2100), (.999, .3, 900, 2100, 1, 2)], .25), ([(.25, .005, 5, 1995, 31, 5969), (.5, .006, 30, 5970, 33, 5967)], .02)]
    for i, (steps, delta) in enumerate(runs):
        worse, fine, srm = [], [], mp.mpf(0)
        for w, c0, *counts in steps:
            more_worse, more_fine = canary_payoffs(w, c0, counts, delta)
            worse += more_worse
            fine += more_fine
            srm += srm_log(counts[0] + counts[1], sum(counts), w)
        rollback, promote = log_mixture(worse), log_mixture(fine)
        alpha = [.05, .01, .1][i % 3]
        limit = -mp.log(mp.mpf(alpha))
        verdict = ("invalid" if srm >= mp.log(100) else "rollback" if rollback >= limit else "promote" if promote >= limit else "continue")
        given = {"steps": [{"w": w, "c0": c0, "canary": counts[:2], "stable": counts[2:]} for w, c0, *counts in steps], "delta": delta,
                 "alpha_rollback": alpha, "alpha_promote": alpha}
        cases.append((given, {"rollback_e": finite_exp(rollback), "promote_e": finite_exp(promote), "log_rollback_e": num(rollback),
                              "log_promote_e": num(promote), "srm_e": finite_exp(srm), "requests": sum(sum(step[2:]) for step in steps), "verdict": verdict}))
    return MPMATH + ", the mixtures as defined, 40 digits", cases


def canary_stream():
    cases = []
    streams = [([1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0], [1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0], .25, "running", .02, .01), ([], [], .5, .1, 0, .02)]
    for s in range(16):
        rng = random.Random(600 + s)
        n = [1, 7, 40, 150, 300][s % 5]
        w = [rng.choice([.05, .1, .25, .5]) for _ in range(n)] if s % 2 else rng.choice([.05, .25, .5, .8])
        arm = [int(rng.random() < (w[i] if s % 2 else w)) for i in range(n)]
        bad = [.02, .5, .9][s % 3]
        y = [round(rng.random(), 4) if s % 4 == 3 else int(rng.random() < (min(1, bad * 1.8) if a else bad)) for a in arm]
        c0 = ["running", bad, [round(rng.random(), 3) for _ in range(n)]][s % 3]
        streams.append((arm, y, w, c0, bad if c0 == "running" else 0, [.01, .05, .3][s % 3]))
    for i, (arm, y, w, c0, start, delta) in enumerate(streams):
        rollback, promote = [mp.mpf(1)] * 20, [mp.mpf(1)] * 20
        paths = [], []
        for j in range(len(arm)):
            wj = mp.mpf(w[j] if isinstance(w, list) else w)
            c = mp.mpf(start + sum(y[:j])) / (1 + j) if c0 == "running" else mp.mpf(c0[j] if isinstance(c0, list) else c0)
            x = (mp.mpf(y[j]) - c) / wj if arm[j] else -(mp.mpf(y[j]) - c) / (1 - wj)
            small = min(wj, 1 - wj)
            rollback = [v * (1 + lam * small * x) for v, lam in zip(rollback, LAMBDAS)]
            promote = [v * (1 + lam * small * (mp.mpf(delta) - x)) for v, lam in zip(promote, LAMBDAS)]
            paths[0].append(sum(rollback) / 20)
            paths[1].append(sum(promote) / 20)
        alpha = [.05, .2][i % 2]
        first = lambda path: next((k + 1 for k, v in enumerate(path) if v >= 1 / mp.mpf(alpha)), None)
        given = {"arm": arm, "y": y, "w": w, "c0": c0, "delta": delta, "alpha_rollback": alpha, "alpha_promote": alpha, "trace": True}
        if c0 == "running":
            given["c0_start"] = start
        cases.append((given, {"rollback_e": num(sum(rollback) / 20), "promote_e": num(sum(promote) / 20), "rollback_max": num(max(paths[0] + [1])),
                              "promote_max": num(max(paths[1] + [1])), "rollback_at": first(paths[0]), "promote_at": first(paths[1]),
                              "rollback_path": [num(v) for v in paths[0]], "promote_path": [num(v) for v in paths[1]]}))
    return MPMATH + ", request by request, 40 digits", cases


def shadow_e_process():
    cases = []
    streams = [[1, 0, 0, 1, 0, -1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1], [], [1], [-1], [0, 0, 0]]
    streams += [[round(max(-1, min(1, random.Random(700 + s * 1000 + i).gauss(.1 * (s - 4), .4))), 4) for i in range(10 * s + 5)] for s in range(9)]
    for i, z in enumerate(streams):
        alpha = [.05, .2][i % 2]
        path, products = [], [mp.mpf(1)] * 20
        for v in z:
            products = [p * (1 + lam * mp.mpf(v)) for p, lam in zip(products, LAMBDAS)]
            path.append(sum(products) / 20)
        at = next((k + 1 for k, v in enumerate(path) if v >= 1 / mp.mpf(alpha)), None)
        cases.append(({"z": z, "alpha": alpha, "trace": True}, {"e": num(path[-1]) if path else 1, "e_max": num(max(path + [1])), "at": at,
                                                               "e_path": [num(v) for v in path]}))
    for plus, minus in [(0, 0), (10, 1), (1, 10), (500, 400), (100000, 0), (0, 100000), (35, 20)]:
        cases.append(({"plus": plus, "minus": minus}, {"e": finite_exp(log_mixture([(1, plus), (-1, minus)])), "e_max": None, "at": None}))
    return MPMATH + ", value by value, 40 digits", cases


def slo_e_process():
    cases = []
    for bad, good, slo, alpha in [(0, 0, .01, .05), (10, 990, .01, .05), (30, 970, .01, .05), (5, 5, .5, .05), (100, 0, .5, .05), (0, 1000, .5, .05), (1, 0, .001, .05),
                                  (200, 9800, .01, .01), (150, 9850, .01, .01), (3, 97, .02, .1), (900, 100, .95, .05), (999, 1, .95, .05), (12, 988, .005, .05),
                                  (1000000, 0, .1, .05), (25, 975, .02, .2), (7, 13, .25, .5)]:
        log = log_mixture([(1 - mp.mpf(slo), bad), (-mp.mpf(slo), good)])
        cases.append(({"bad": bad, "good": good, "slo": slo, "alpha": alpha}, {"e": finite_exp(log), "violated": bool(log >= -mp.log(mp.mpf(alpha)))}))
    return MPMATH + ", the mixture as defined, 40 digits", cases


def guardrail_verdict():
    cases = []
    for rollback, promote, alpha_r, alpha_p in [
            ([1], [1], .05, .05), ([20], [1], .05, .05), ([19.99], [20], .05, .05), ([30, 10], [1, 1], .05, .05), ([39, 0], [1, 1], .05, .05), ([40, 0], [1, 1], .05, .05),
            ([1, 1], [25, 19], .05, .05), ([1, 1], [25, 20], .05, .05), ([60, 0, 0], [50, 50, 50], .05, .05), ([59.9, 0, 0], [50, 50, 50], .05, .05), ([0], [0], .05, .05),
            ([5, 5], [9, 9], .2, .2), ([5.1, 4.8], [4, 9], .2, .2), ([1e300, 1e300], [1, 1], .05, .05), ([2, 3, 4, 5], [100, 200, 300, 400], .01, .01), ([90, 110], [1, 1], .01, .1)]:
        k = len(rollback)
        mean = float(sum(mp.mpf(v) for v in rollback) / k)
        verdict = ("rollback" if mean >= 1 / alpha_r or max(rollback) >= k / alpha_r else "promote" if min(promote) >= 1 / alpha_p else "continue")
        cases.append(({"rollback_e": rollback, "promote_e": promote, "alpha_rollback": alpha_r, "alpha_promote": alpha_p},
                      {"verdict": verdict, "rollback_mean": mean, "rollback_max": max(rollback), "promote_min": min(promote)}))
    return "definition in plain Python", cases


def sample_ratio_mismatch():
    cases = []
    for k, n, w, alpha in [(60, 1000, .05, .01), (80, 1000, .05, .01), (560, 1000, .5, .01), (0, 0, .5, .01), (0, 1, .5, .01), (1, 1, .5, .01), (0, 100, .05, .01), (100, 100, .95, .01),
                           (500, 1000, .5, .05), (250, 1000, .25, .01), (300, 1000, .25, .01), (10, 10, .001, .01), (499500, 1000000, .5, .01), (250000000, 1000000000, .25, .01),
                           (250050000, 1000000000, .25, .01), (1, 1000000, .5, .01), (5, 20, .25, .1), (1000000000000, 4000000000000, .25, .01), (15, 16, .5, .01), (3, 15, .2, .01)]:
        with mp.workdps(60):
            log = srm_log(k, n, w)
        cases.append(({"k": k, "n": n, "w": w, "alpha": alpha}, {"e": finite_exp(log), "log_e": num(log), "mismatch": bool(log >= -mp.log(mp.mpf(alpha)))}))
    return MPMATH + " loggamma, 60 digits", cases


def t_test_e_value():
    def value(t, n, g):
        t, n, g = mp.mpf(t), mp.mpf(n), mp.mpf(g)
        v = n - 1
        return (1 + n * g) ** mp.mpf(-.5) * ((1 + t * t / ((1 + n * g) * v)) / (1 + t * t / v)) ** (-(v + 1) / 2)

    cases = []
    for t, n, g in [(3.15256249847, 10, 1), (2, 5, 1), (5, 5, 1), (0, 10, 1), (0, 2, 1), (-3, 12, 1), (1e6, 3, 1), (1e-6, 30, 1), (2.5, 1000, 1), (40, 100, 1), (2, 20, .1), (2, 20, 10),
                    (12, 4, .5), (-1, 2, 2), (3, 1000000, 1), (6, 50, .25)]:
        cases.append(({"t": t, "n": n, "g": g}, {"e": num(value(t, n, g))}))
    for i, x in enumerate(SAMPLES):
        if max(abs(v) for v in x) > 1e6:
            continue
        alpha = [.05, .2][i % 2]
        path = [None]
        for n in range(2, len(x) + 1):
            head = [mp.mpf(v) for v in x[:n]]
            mean = sum(head) / n
            squares = sum((v - mean) ** 2 for v in head)
            if max(head) - min(head) <= mp.mpf("1e-12") * max(abs(v) for v in head):
                path.append(num(value(0, n, 1)) if max(abs(v) for v in head) == 0 else None)
            else:
                path.append(num(value(mean / mp.sqrt(squares / (n - 1) / n), n, 1)))
        defined = [v for v in path if v is not None]
        top = max(defined + [1])
        at = next((k + 1 for k, v in enumerate(path) if v is not None and v >= 1 / alpha), None)
        cases.append(({"x": x, "alpha": alpha}, {"e": path, "e_max": top, "p_always": min(1, 1 / top), "reject_at": at}))
    cases.append(({"x": [2, 2, 3]}, {"e": [None, None, num(value(mp.mpf(7) / 3 / mp.sqrt(mp.mpf(2) / 3 / 2 / 3), 3, 1))]}))
    cases.append(({"x": [0, 0]}, {"e": [None, num(value(0, 2, 1))], "e_max": 1, "p_always": 1, "reject_at": None}))
    return MPMATH + ", the closed form as defined, 40 digits", cases


def always_valid_p():
    cases = []
    for e in [[1], [0], [.5, 2, 1, 40, 3], [20], [1e-300], [1e300, 1], [0, 0, 5], [3, 3, 3], [1, 1.5, 1.2, 8, 7, 100], [.1] * 5, [2.5], [19.999, 20.001], [7, 6, 5, 4], [.9, 1.1], [1e6] * 2]:
        top = list(itertools.accumulate(e, max))
        p = [min(1, 1 / v) if v > 0 else 1 for v in top]
        cases.append(({"e": e}, {"p": p, "p_last": p[-1]}))
    return "definition in plain Python", cases


def msprt_normal():
    cases = []
    for theta, v, tau2 in [(.01, 1e-5, 1e-4), (.005, 1e-5, 1e-4), (0, 1, 1), (1, 1, 1), (-2, .5, .25), (3, .1, 1), (.001, 1e-6, 1e-6), (10, 1, 100), (.5, 4, .01), (-.02, 1e-4, 1e-3),
                           (1e-8, 1e-16, 1e-15), (2, 1e-2, 1e-4), (4, 3, 2), (.3, .09, .01), (60, 1, 1)]:
        t, var, tau = mp.mpf(theta), mp.mpf(v), mp.mpf(tau2)
        log = mp.log(var / (var + tau)) / 2 + t * t * tau / (2 * var * (var + tau))
        e = finite_exp(log)
        cases.append(({"theta": theta, "v": v, "tau2": tau2}, {"e": e, "p": min(1.0, float(mp.e ** -log))}))
    return MPMATH + ", 40 digits", cases


def asymptotic_cs():
    cases = []
    for n, mean, sd, alpha, n_star, sides in [
            (1000, 0, 1, .05, 5000, 2), (5000, 0, 1, .05, 5000, 2), (50000, 0, 1, .05, 5000, 2), (1000, .2, 1, .05, 5000, 1), (1, 0, 1, .05, 5000, 2), (100, -3, 2.5, .01, 100, 2),
            (100, -3, 2.5, .01, 100, 1), (1000000, .5, .5, .1, 10000, 2), (7, 1, 0, .05, 5000, 2), (30, .1, .05, .2, 50, 1), (30, .1, .05, .2, 50, 2), (250, 4, 9, .001, 1e6, 2),
            (250, 4, 9, .49, 500, 1), (12345, 1e-3, 1e-2, .05, 20000, 2), (99, 0, 1, .5, 99, 2)]:
        a, size, s, m = mp.mpf(alpha), mp.mpf(n), mp.mpf(sd), mp.mpf(mean)
        level = -2 * mp.log(a if sides == 2 else 2 * a)
        rho = mp.sqrt((level + mp.log(level + 1)) / mp.mpf(n_star))
        spread = size * rho * rho
        log = mp.log(mp.sqrt(spread + 1) / a) if sides == 2 else mp.log(1 + mp.sqrt(spread + 1) / (2 * a))
        half = s * mp.sqrt(2 * (spread + 1) / (size * spread) * log)
        cases.append(({"n": n, "mean": mean, "sd": sd, "alpha": alpha, "n_star": n_star, "sides": sides},
                      {"rho": num(rho), "half_width": num(half), "lo": num(m - half), "hi": num(m + half) if sides == 2 else None}))
    return MPMATH + ", 40 digits", cases


def betting_root(groups, alpha):
    """The m at which the mixture over lambda of product ((1 - lambda) + lambda x/m) is 2/alpha. groups: (x, count)."""
    if all(x == 0 or count == 0 for x, count in groups):
        return mp.mpf(0)

    def excess(log_m):
        m = mp.e ** log_m
        logs = [sum(count * mp.log((1 - lam) + lam * mp.mpf(x) / m) for x, count in groups if count) for lam in LAMBDAS]
        top = max(logs)
        return top + mp.log(sum(mp.e ** (v - top) for v in logs) / 20) - mp.log(2 / mp.mpf(alpha))

    low, high = mp.mpf(-1), mp.mpf(0)
    while excess(low) < 0:
        low *= 2
    for _ in range(75):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return mp.e ** low


def betting_cs():
    cases = []
    with mp.workdps(25):
        for ones, zeros, alpha in [(0, 0, .05), (1, 0, .05), (0, 1, .05), (10, 0, .05), (0, 10, .05), (5, 5, .05), (700, 300, .05), (1, 49, .05), (20, 980, .01), (1, 999999, .05),
                                   (500000, 500000, .05), (3, 4, .5), (30, 40, .001), (2, 98, .1), (1000, 0, .05), (123, 456, .05)]:
            n = ones + zeros
            lo = betting_root([(1, ones), (0, zeros)], alpha)
            hi = 1 - betting_root([(1, zeros), (0, ones)], alpha)
            cases.append(({"ones": ones, "zeros": zeros, "alpha": alpha}, {"mean": ones / n if n else None, "lo": num(lo), "hi": num(hi)}))
        for s in range(8):
            rng = random.Random(800 + s)
            n = [0, 1, 3, 6, 10, 16, 20, 25][s]
            x = [round(rng.random() ** (1 + s % 3), 3) if s % 2 else float(rng.random() < .3) for _ in range(n)]
            alpha = [.05, .2, .01][s % 3]
            roots = [(betting_root([(v, 1) for v in x[:k]], alpha), 1 - betting_root([(1 - mp.mpf(v), 1) for v in x[:k]], alpha)) for k in range(n + 1)]
            cases.append(({"x": x, "alpha": alpha}, {"mean": float(np.mean(x)) if n else None, "lo": num(roots[-1][0]), "hi": num(roots[-1][1]),
                                                     "lo_running": num(max(r[0] for r in roots)), "hi_running": num(min(r[1] for r in roots))}))
    return MPMATH + ", bisection on the definition, 25 digits", cases


# ---- alarms ------------------------------------------------------------------------------------------------------------------------

def e_detector():
    cases = []
    streams = [([1], .1, 10), ([0], .1, 10), ([.5], .5, 10), ([1] * 400, .1, 10000), ([0] * 30 + [1] * 30, .2, 100), ([1] * 1200 + [0] * 40, .05, 1e6)]
    for s in range(12):
        rng = random.Random(900 + s)
        m = [.1, .02, .5, .19][s % 4]
        n = 20 + 15 * s
        rate = [m, 1.5 * m][s % 2]
        x = [round(min(1, rng.random() * 2 * rate), 4) if s % 3 == 0 else int(rng.random() < rate) for _ in range(n)]
        streams.append((x, m, [100, 30, 10000][s % 3]))
    for i, (x, m, n) in enumerate(streams):
        rule = ["sr", "cusum"][i % 2]
        bound = mp.mpf(m)
        bets = [mp.mpf("0.9") / bound * mp.mpf(2) ** (-mp.mpf(3) * j / 4) for j in range(12)]
        wealth, path = [mp.mpf(0)] * 12, []
        for v in x:
            factor = [1 + lam * (mp.mpf(v) - bound) for lam in bets]
            wealth = [((w + 1) if rule == "sr" else max(w, mp.mpf(1))) * f for w, f in zip(wealth, factor)]
            path.append(sum(wealth) / 12)
        text = lambda value: "inf" if value > mp.mpf("1e300") else num(value)
        alarm = next((k + 1 for k, v in enumerate(path) if v >= n), None)
        cases.append(({"x": x, "m": m, "n": n, "rule": rule, "trace": True},
                      {"value": text(path[-1]), "max": text(max(path)), "alarm_at": alarm, "path": [text(v) for v in path]}))
    return MPMATH + ", event by event, 40 digits", cases


def window_e_detector():
    cases = []
    streams = [[1], [0], [2, 2, 2, 2], [.5] * 10, [100, 0, 100], [1.0] * 20, [[1, 3], [2, 0], [10, 30]], [[.5], [4]], [1e200, 1e200], [3, 0, 5, 7]]
    streams += [[round(math.exp(random.Random(950 + 100 * s + i).gauss(0, 1)), 5) for i in range(20)] for s in range(6)]
    for i, e in enumerate(streams):
        windows = [1000, 5, 30][i % 3]
        total, path = mp.mpf(0), []
        for v in e:
            total = (total + 1) * (sum(mp.mpf(c) for c in v) / len(v) if isinstance(v, list) else mp.mpf(v))
            path.append(total)
        alarm = next((k + 1 for k, v in enumerate(path) if v >= windows), None)
        cases.append(({"e": e, "windows": windows}, {"s": ["inf" if v > sys.float_info.max else num(v) for v in path], "alarm_at": alarm}))
    return MPMATH + ", 40 digits", cases


# ---- two models, the rest ----------------------------------------------------------------------------------------------------------

def paired_proportion_ci():
    cases = []
    tables = [(36, 12, 2, 0), (900, 25, 12, 63), (1, 0, 0, 0), (0, 0, 0, 1), (0, 1, 0, 0), (0, 0, 1, 0), (10, 0, 0, 10), (0, 5, 5, 0), (50, 7, 7, 3), (3, 9, 0, 1), (3, 0, 9, 1),
              (80, 1, 0, 19), (99990, 6, 4, 0), (5, 40, 2, 1), (2, 1, 14, 3), (500, 30, 60, 10)]
    for i, (a, b, c, d) in enumerate(tables):
        conf = [.95, .9, .99][i % 3]
        n = mp.mpf(a + b + c + d)
        z = mp.sqrt(2) * mp.erfinv(mp.mpf(conf))
        diff = (b - c) / n
        clip = lambda lo, hi: [num(max(mp.mpf(-1), lo)), num(min(mp.mpf(1), hi))]
        half = z * mp.sqrt(b + c - (b - c) ** 2 / n) / n
        p12, p21 = (b + 1) / (n + 2), (c + 1) / (n + 2)
        center, width = p12 - p21, z * mp.sqrt((p12 + p21 - (p12 - p21) ** 2) / (n + 2))

        def score(delta):
            A, B, C = 2 * n, -b - c + (2 * n - b + c) * delta, -c * delta * (1 - delta)
            q = (mp.sqrt(B * B - 4 * A * C) - B) / (2 * A)
            v = n * (2 * q + delta * (1 - delta))
            return ((b - c) - n * delta) / mp.sqrt(v) if v > 0 else mp.inf * mp.sign((b - c) - n * delta)

        def edge(side):  # |score| is z between the estimate and -1 or 1
            inside, outside = diff, mp.mpf(side)
            if diff == side:
                return outside
            for _ in range(130):
                middle = (inside + outside) / 2
                inside, outside = (inside, middle) if abs(score(middle)) > z else (middle, outside)
            return inside
        cases.append(({"a": a, "b": b, "c": c, "d": d, "conf": conf}, {"diff": num(diff), "wald": clip(diff - half, diff + half), "bonett_price": clip(center - width, center + width),
                                                                      "tango": [num(edge(-1)), num(edge(1))]}))
    return MPMATH + ", formulas of Tango 1998 and Bonett-Price 2012, bisection with 40 digits", cases


def normal_point(p):
    return mp.sqrt(2) * mp.erfinv(2 * mp.mpf(p) - 1)


def mcnemar_sample_size():
    cases = []
    for psi, diff, alpha, power in [(.03, .01, .05, .8), (.06, .01, .05, .8), (.1, .02, .05, .8), (1, .5, .05, .8), (.5, -.1, .05, .9), (.2, .19, .01, .95), (.001, .0005, .05, .8), (.3, .05, .1, .5), (.3, .05, .5, .3),
                                    (.9, -.01, .05, .8), (.04, .02, .001, .99), (.25, .125, .05, .8), (.75, .25, .2, .7), (.15, .001, .05, .8), (.02, -.019, .05, .8)]:
        d, s = mp.mpf(diff), mp.mpf(psi)
        n = (-normal_point(mp.mpf(alpha) / 2) * mp.sqrt(s) + normal_point(power) * mp.sqrt(s - d * d)) ** 2 / d ** 2
        cases.append(({"psi": psi, "diff": diff, "alpha": alpha, "power": power}, {"n": num(n), "n_ceil": int(mp.ceil(n))}))
    return MPMATH + ", formula of Connor 1987", cases


def two_proportion_sample_size():
    cases = []
    for p1, p2, alpha, power in [(.9, .91, .05, .8), (.5, .6, .05, .8), (.1, .2, .05, .8), (.01, .02, .05, .9), (.02, .01, .05, .9), (.3, .7, .01, .95), (.001, .002, .05, .8), (.99, .5, .05, .8), (.25, .26, .1, .5),
                                 (.8, .85, .05, .8), (.05, .06, .001, .99), (.5, .501, .05, .8), (.6, .4, .2, .7), (.123, .321, .05, .8), (.7, .72, .5, .3)]:
        a, b = mp.mpf(p1), mp.mpf(p2)
        pooled = (a + b) / 2
        n = (-normal_point(mp.mpf(alpha) / 2) * mp.sqrt(2 * pooled * (1 - pooled)) + normal_point(power) * mp.sqrt(a * (1 - a) + b * (1 - b))) ** 2 / (a - b) ** 2
        cases.append(({"p1": p1, "p2": p2, "alpha": alpha, "power": power}, {"n": num(n), "n_ceil": int(mp.ceil(n))}))
    return MPMATH + ", formula of Fleiss, Levin and Paik 2003", cases


def wilcoxon():
    cases = []
    samples = [x for x in SAMPLES if max(abs(v) for v in x) < 1e6] + [[0, 0, 1, 2, -3], [1, 1, 2, -2, 3, 0], [0] * 3 + [1.5] * 9 + [-.5] * 4, [5], [-5], [0, 7],
                                                                     [round(random.Random(i).gauss(.3, 1), 1) for i in range(60)], normal_values(60, 50, .2), normal_values(61, 51, .2)]
    for x in samples:
        for zeros in ("wilcox", "pratt", "zsplit"):
            kept = [v for v in x if v != 0] if zeros == "wilcox" else x
            sizes = [abs(v) for v in x]
            clean = 0 not in x and len(set(sizes)) == len(sizes)
            exact = clean and len(kept) <= 50
            ranks = st.rankdata([abs(v) for v in kept])
            plus = sum(r for r, v in zip(ranks, kept) if v > 0)
            minus = sum(r for r, v in zip(ranks, kept) if v < 0)
            split = sum(r for r, v in zip(ranks, kept) if v == 0) / 2 if zeros == "zsplit" else 0
            for alternative in ("two-sided", "greater", "less"):
                result = st.wilcoxon(x, zero_method=zeros, method="exact" if exact else "asymptotic", alternative=alternative)
                expected = {"w_plus": plus + split, "w_minus": minus + split, "statistic": min(plus, minus) + split, "n": len(kept), "p": result.pvalue,
                            "method": "exact" if exact else "approx"}
                if not exact:  # scipy's two-sided z is that of the smaller sum; ours is always that of w_plus
                    expected["z"] = st.wilcoxon(x, zero_method=zeros, method="asymptotic", alternative="greater").zstatistic
                cases.append(({"x": x, "zeros": zeros, "alternative": alternative}, expected))
    cases.append(({"x": [0, 0]}, {"w_plus": 0, "w_minus": 0, "statistic": 0, "p": 1, "note": "every difference is 0"}))
    return SCIPY + " wilcoxon(correction=False); rank sums by scipy rankdata", cases


def tost():
    from statsmodels.stats.weightstats import DescrStatsW, CompareMeans, ttost_ind, ttost_paired
    cases = []
    for i in range(10):
        x = normal_values(70 + i, 6 + 7 * i, .02 * i, .3)
        low, high = -.1 - .01 * i, .15 + .02 * i
        alpha = [.05, .1, .01][i % 3]
        p, (t1, p1, df1), (t2, p2, df2) = ttost_paired(np.array(x), np.zeros(len(x)), low, high)
        mean, se = np.mean(x), st.sem(x)
        half = st.t.ppf(1 - alpha, len(x) - 1) * se
        given = {"x": x, "alpha": alpha} | ({"low": low, "high": high})
        cases.append((given, {"mean": mean, "se": se, "df": df1, "t_lower": t1, "t_upper": t2, "p_lower": p1, "p_upper": p2, "p": p, "lo": mean - half, "hi": mean + half,
                              "equivalent": bool(p <= alpha)}))
    for i in range(10):
        a, b = normal_values(90 + i, 5 + 3 * i, .1, .2), normal_values(190 + i, 8 + 2 * i, .1, .5)
        margin = .1 + .05 * i
        p, (t1, p1, df1), (t2, p2, df2) = ttost_ind(np.array(a), np.array(b), -margin, margin, usevar="unequal")
        se = math.sqrt(np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b))
        mean = np.mean(a) - np.mean(b)
        half = st.t.ppf(.95, df1) * se
        cases.append(({"a": a, "b": b, "paired": False, "margin": margin}, {"mean": mean, "se": se, "df": df1, "t_lower": t1, "t_upper": t2, "p_lower": p1, "p_upper": p2, "p": p,
                                                                            "lo": mean - half, "hi": mean + half, "equivalent": bool(p <= .05)}))
    cases.append(({"x": [.1, .1, .1], "margin": .2}, {"mean": .1, "se": 0, "p": None, "equivalent": True, "lo": .1, "hi": .1, "note": "no variation"}))
    cases.append(({"x": [.2, .2], "margin": .2}, {"p": None, "equivalent": False}))
    return STATSMODELS + " ttost_paired, ttost_ind(usevar='unequal'); no variation by contract", cases


def delong():
    def placements(y, s):
        pos, neg = [v for v, l in zip(s, y) if l], [v for v, l in zip(s, y) if not l]
        beats = lambda p, n: 1 if p > n else .5 if p == n else 0
        return np.array([np.mean([beats(p, n) for n in neg]) for p in pos]), np.array([np.mean([beats(p, n) for p in pos]) for n in neg])

    def cov(one, two):
        return sum(np.sum((u - u.mean()) * (v - v.mean())) / (len(u) - 1) / len(u) for u, v in zip(one, two))

    cases = []
    pairs = [([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1], [.9, .4, .7, .6, .5, .2, .8, .55, .35, .3, .1, .65], [.8, .45, .75, .4, .5, .3, .7, .6, .5, .2, .35, .55])]
    for i in range(16):
        rng = random.Random(1000 + i)
        n = 6 + 6 * i
        y = [1, 1, 0, 0] + [int(rng.random() < .4) for _ in range(n - 4)]
        digits = 1 if i % 3 == 0 else 6
        pairs.append((y, [round(rng.gauss(l, 1), digits) for l in y], [round(rng.gauss(.7 * l, 1), digits) for l in y]))
    for i, (y, a, b) in enumerate(pairs):
        conf = [.95, .9, .99][i % 3]
        z = st.norm.ppf(.5 + conf / 2)
        pa, pb = placements(y, a), placements(y, b)
        auc_a, auc_b, var_a, var_b, both = pa[0].mean(), pb[0].mean(), cov(pa, pa), cov(pb, pb), cov(pa, pb)
        se = math.sqrt(var_a + var_b - 2 * both)
        expected = {"auc_a": auc_a, "var_a": var_a, "lo_a": max(0, auc_a - z * math.sqrt(var_a)), "hi_a": min(1, auc_a + z * math.sqrt(var_a))}
        if i % 4 != 3:
            expected |= {"auc_b": auc_b, "var_b": var_b, "cov": both, "diff": auc_a - auc_b, "se": se, "z": (auc_a - auc_b) / se, "p": 2 * st.norm.sf(abs(auc_a - auc_b) / se),
                         "lo": auc_a - auc_b - z * se, "hi": auc_a - auc_b + z * se}
        given = {"y": [bool(l) for l in y] if i % 2 else y, "a": a, "conf": conf} | ({"b": b} if i % 4 != 3 else {})
        cases.append((given, expected))
    cases.append(({"y": [1, 1, 0, 0], "a": [.9, .8, .2, .1], "b": [.7, .6, .5, .4]}, {"auc_a": 1, "var_a": 0, "diff": 0, "se": 0, "p": 1, "note": "the difference has no variance: use a bootstrap"}))
    cases.append(({"y": [1, 1, 0, 0], "a": [.9, .8, .2, .1], "b": [.1, .2, .5, .4]}, {"diff": 1, "se": 0, "p": None}))
    cases.append(({"y": [1, 0, 0], "a": [.9, .8, .95]}, {"auc_a": .5, "var_a": None, "lo_a": None}))
    return "placement values by double loop with numpy " + np.__version__ + "; the first case agrees with R's pROC 1.18 (Z 0.6010587960, p 0.5478008259)", cases


# ---- seeds, folds, several runs ----------------------------------------------------------------------------------------------------

FOLD_SAMPLES = [DIFFERENCES] + [normal_values(1100 + i, 4 + 2 * i, .1 * (i % 5), 1 + i) for i in range(15)]


def corrected_resampled_t():
    cases = []
    for i, x in enumerate(FOLD_SAMPLES):
        J = len(x)
        conf = [.95, .9, .99][i % 3]
        ratio = 1 / (J - 1) if i % 2 == 0 else .25
        mean, s2 = np.mean(x), np.var(x, ddof=1)
        se = math.sqrt(s2 * (1 / J + ratio))
        half = st.t.ppf(.5 + conf / 2, J - 1) * se
        for alternative in ("two-sided", "greater", "less"):
            tail = {"two-sided": lambda t: 2 * st.t.sf(abs(t), J - 1), "greater": lambda t: st.t.sf(t, J - 1), "less": lambda t: st.t.cdf(t, J - 1)}[alternative]
            naive = st.ttest_1samp(x, 0, alternative=alternative)
            given = {"x": x, "conf": conf, "alternative": alternative} | ({"folds": J} if i % 2 == 0 else {"test_train_ratio": ratio})
            cases.append((given, {"mean": mean, "s2": s2, "t": mean / se, "df": J - 1, "p": tail(mean / se), "lo": mean - half, "hi": mean + half, "t_naive": naive.statistic, "p_naive": naive.pvalue}))
    cases.append(({"x": [.5, .5], "folds": 2}, {"mean": .5, "s2": 0, "t": None, "p": None, "lo": .5, "hi": .5, "note": "no variation"}))
    return SCIPY + " t with the variance of Nadeau-Bengio 2003", cases


def correlated_t_bayes():
    from baycomp import CorrelatedTTest
    cases = []
    for i, x in enumerate(FOLD_SAMPLES):
        rope = [0, .005, .1][i % 3]
        for runs in (1, 2):
            if len(x) % runs or len(x) // runs < 2:
                continue
            probs = CorrelatedTTest.probs(np.array(x), np.zeros(len(x)), rope=rope, runs=runs)
            left, middle, right = (probs[0], 0, probs[1]) if rope == 0 else probs
            # baycomp's x is the first classifier and "left" the side where it is better
            expected = st.t.cdf((-rope - np.mean(x)) / math.sqrt(np.var(x, ddof=1) * (1 / len(x) + 1 / (len(x) / runs - 1))), len(x) - 1)
            if abs(left - expected) > 1e-9:
                left, right = right, left
            cases.append(({"x": x, "rope": rope, "runs": runs}, {"p_left": left, "p_rope": middle, "p_right": right}))
    for x, rope, expected in [([1, 1], 0, (0, 0, 1)), ([-1, -1], .5, (1, 0, 0)), ([0, 0], 0, (.5, 0, .5)), ([.1, .1], .1, (0, 1, 0))]:
        cases.append(({"x": x, "rope": rope}, dict(zip(("p_left", "p_rope", "p_right"), expected))))
    return "baycomp " + __import__("importlib.metadata").metadata.version("baycomp") + " CorrelatedTTest.probs; no variation by contract", cases


def five_by_two_cv():
    cases = []
    samples = [[[.012, .008], [.004, .015], [-.003, .010], [.009, .002], [.011, .006]]]
    samples += [[[round(random.Random(1200 + 100 * s + 2 * i + j).gauss(.1 * s, 1 + s), 5) for j in range(2)] for i in range(5)] for s in range(16)]
    for pairs in samples:
        d = np.array(pairs)
        s2 = np.sum((d - d.mean(axis=1, keepdims=True)) ** 2, axis=1)
        t = d[0, 0] / math.sqrt(s2.sum() / 5)
        f = np.sum(d ** 2) / (2 * s2.sum())
        cases.append(({"pairs": pairs}, {"t": t, "p_t": 2 * st.t.sf(abs(t), 5), "f": f, "p_f": st.f.sf(f, 10, 5)}))
    cases.append(({"pairs": [[1, 1]] * 5}, {"t": None, "f": None, "note": "no variation"}))
    return SCIPY + " t and f with the statistics of Dietterich 1998 and Alpaydin 1999", cases


def crossed_design():
    cases = []
    tables = [[[.1, 0, .2, -.1, 0, .3], [0, .1, .2, 0, .1, .2], [.2, 0, .1, -.1, .1, .4], [.1, .1, .3, 0, -.1, .2]]]
    for s in range(16):
        rng = random.Random(1300 + s)
        seeds, examples = 2 + s % 4, 2 + s % 7
        effect_s, effect_e = [rng.gauss(0, s % 3) for _ in range(seeds)], [rng.gauss(.2, (s + 1) % 3) for _ in range(examples)]
        tables.append([[round(a + b + rng.gauss(0, .5), 5) for b in effect_e] for a in effect_s])
    for d in tables:
        d = np.array(d)
        S, N = d.shape
        m = d.mean()
        ms_s = N * np.sum((d.mean(axis=1) - m) ** 2) / (S - 1)
        ms_e = S * np.sum((d.mean(axis=0) - m) ** 2) / (N - 1)
        ms_r = np.sum((d - d.mean(axis=1, keepdims=True) - d.mean(axis=0) + m) ** 2) / ((S - 1) * (N - 1))
        total = ms_s + ms_e - ms_r
        larger = S - 1 if ms_s > ms_e else N - 1
        if total > 0:
            se0 = math.sqrt(total / (S * N))
            df0 = total ** 2 / (ms_s ** 2 / (S - 1) + ms_e ** 2 / (N - 1) + ms_r ** 2 / ((S - 1) * (N - 1)))
            plain_test = {"se_unfloored": se0, "df_unfloored": df0, "t_unfloored": m / se0, "p_unfloored": 2 * st.t.sf(abs(m / se0), df0)}
        else:
            df0, plain_test = math.inf, dict.fromkeys(("se_unfloored", "df_unfloored", "t_unfloored", "p_unfloored"))
        se, df = math.sqrt(max(total, ms_s, ms_e) / (S * N)), min(df0, larger)
        cases.append(({"d": d.tolist()}, {"mean": m, "ms_seed": ms_s, "ms_example": ms_e, "ms_residual": ms_r, "se": se, "df": df, "t": m / se, "p": 2 * st.t.sf(abs(m / se), df),
                                          "dominant": "seeds" if ms_s > ms_e else "examples"} | plain_test))
    cases.append(({"d": [[0, 0], [0, 0]]}, {"mean": 0, "se": 0, "t": 0, "p": 1}))
    cases.append(({"d": [[.3, .3], [.3, .3]]}, {"mean": .3, "se": 0, "t": None, "p": None}))
    return "two-way mean squares with numpy " + np.__version__ + ", t from " + SCIPY, cases


def independent_samples():
    return [(normal_values(1400 + i, 2 + i, .3, 1), normal_values(1500 + i, 3 + 2 * i, 0, 1 + .3 * i)) for i in range(14)] + [
        ([.81, .83, .79, .86, .84], [.78, .80, .82, .77, .76]), ([1, 1, 1], [0, 1, 2]), ([1, 2, 2, 3], [2, 2, 4])]


def welch_t():
    cases = []
    for i, (a, b) in enumerate(independent_samples()):
        conf = [.95, .9, .99][i % 3]
        for alternative in ("two-sided", "greater", "less"):
            result = st.ttest_ind(a, b, equal_var=False, alternative=alternative)
            interval = st.ttest_ind(a, b, equal_var=False).confidence_interval(conf)
            cases.append(({"a": a, "b": b, "conf": conf, "alternative": alternative}, {"diff": np.mean(a) - np.mean(b), "t": result.statistic, "df": result.df, "p": result.pvalue,
                                                                                      "lo": interval.low, "hi": interval.high}))
    cases.append(({"a": [0, 0], "b": [0, 0]}, {"diff": 0, "t": 0, "p": 1, "note": "no variation"}))
    cases.append(({"a": [1, 1], "b": [.5, .5, .5]}, {"diff": .5, "t": None, "p": None, "lo": .5, "hi": .5}))
    return SCIPY + " ttest_ind(equal_var=False)", cases


def mann_whitney():
    cases = []
    samples = independent_samples() + [([1], [2]), ([1, 1], [1, 1]), (normal_values(1600, 9), normal_values(1601, 9, .5)), (normal_values(1602, 8), normal_values(1603, 60, .5)),
                                       (normal_values(1604, 40, .2), normal_values(1605, 50))]
    for a, b in samples:
        ties = len(set(a + b)) < len(a) + len(b)
        exact = not ties and min(len(a), len(b)) <= 8
        for alternative in ("two-sided", "greater", "less"):
            if len(set(a + b)) == 1:
                cases.append(({"a": a, "b": b, "alternative": alternative}, {"u": len(a) * len(b) / 2, "p": 1, "method": "asymptotic"}))
                continue
            result = st.mannwhitneyu(a, b, alternative=alternative, method="exact" if exact else "asymptotic")
            cases.append(({"a": a, "b": b, "alternative": alternative}, {"u": result.statistic, "p_superiority": result.statistic / (len(a) * len(b)), "p": result.pvalue,
                                                                        "method": "exact" if exact else "asymptotic"}))
    for a, b in samples[-3:]:
        for alternative in ("two-sided", "greater"):
            cases.append(({"a": a, "b": b, "method": "exact", "alternative": alternative}, {"p": st.mannwhitneyu(a, b, alternative=alternative, method="exact").pvalue, "method": "exact"}))
    return SCIPY + " mannwhitneyu", cases


def noether_sample_size():
    cases = []
    for gamma, alpha, power in [(.75, .05, .95), (.75, .05, .8), (.9, .05, .95), (.25, .05, .8), (.6, .05, .8), (.51, .05, .8), (.99, .05, .8), (.7, .01, .9), (.4, .1, .5), (.8, .2, .7), (.55, .05, .99),
                                (.65, .001, .8), (.05, .05, .8), (.77, .03, .85), (.5001, .05, .8)]:
        n = ((normal_point(1 - mp.mpf(alpha)) + normal_point(power)) / (mp.sqrt(6) * (mp.mpf(1) / 2 - mp.mpf(gamma)))) ** 2
        cases.append(({"gamma": gamma, "alpha": alpha, "power": power}, {"n": num(n), "n_ceil": int(mp.ceil(n))}))
    return MPMATH + ", formula of Noether 1987", cases


def probability_of_outperforming():
    cases = []
    for x in [[1], [0], [-1], [0, 0, 1], [1, -1, 0, 2]] + [normal_values(1700 + i, 5 + i, .1 * i) for i in range(10)]:
        wins, losses = sum(v > 0 for v in x), sum(v < 0 for v in x)
        ties = len(x) - wins - losses
        cases.append(({"x": x}, {"estimate": (wins + ties / 2) / len(x), "wins": wins, "ties": ties, "losses": losses}))
    cases.append(({"a": [3, 1], "b": [2, 1]}, {"estimate": .75, "wins": 1, "ties": 1, "losses": 0}))
    return "counting in plain Python", cases


RUN_SCORES = [[.1, .9, .4], [.3, .7, .8], [.2, 1.2, .5], [.6, 1, .3], [.5, .8, .9]]
OTHER_SCORES = [[.2, .8, .3], [.1, .9, .7], [.4, 1.1, .2], [.3, .6, .1]]


def score_tables(seed):
    rng = random.Random(seed)
    tasks = 1 + seed % 4
    return ([[round(rng.gauss(.6, .3), 2) for _ in range(tasks)] for _ in range(1 + seed % 7)], [[round(rng.gauss(.5, .3), 2) for _ in range(tasks)] for _ in range(1 + seed % 5)])


def aggregate_scores():
    cases = []
    for i, s in enumerate([RUN_SCORES] + [score_tables(k)[0] for k in range(1800, 1816)]):
        gamma = [1, .8][i % 2]
        a = np.array(s)
        cases.append(({"s": s, "gamma": gamma}, {"mean": a.mean(axis=0).mean(), "median": np.median(a.mean(axis=0)), "iqm": st.trim_mean(a, .25, axis=None),
                                                 "optimality_gap": gamma - np.minimum(a, gamma).mean()}))
    return SCIPY + " trim_mean, as rliable's metrics use it", cases


def probability_of_improvement():
    cases = []
    for x, y in [(RUN_SCORES, OTHER_SCORES)] + [score_tables(k) for k in range(1850, 1866)]:
        per_task = [st.mannwhitneyu(np.array(x)[:, t], np.array(y)[:, t], method="asymptotic").statistic / (len(x) * len(y)) for t in range(len(x[0]))]
        cases.append(({"x": x, "y": y}, {"estimate": np.mean(per_task), "per_task": per_task}))
    return SCIPY + " mannwhitneyu, as rliable computes it", cases


def stochastic_order():
    from fractions import Fraction
    cases = []
    for a, b in independent_samples() + [([3, 4], [1, 2]), ([1, 2], [3, 4, 5]), ([2], [2])]:
        sa, sb = sorted(a), sorted(b)
        cuts = sorted({Fraction(i, len(a)) for i in range(len(a) + 1)} | {Fraction(i, len(b)) for i in range(len(b) + 1)})
        bad = whole = Fraction(0)
        for lo, hi in zip(cuts, cuts[1:]):
            middle = (lo + hi) / 2
            d = Fraction(sa[int(middle * len(a))]) - Fraction(sb[int(middle * len(b))])
            whole += d * d * (hi - lo)
            bad += d * d * (hi - lo) if d < 0 else 0
        cases.append(({"a": a, "b": b}, {"violation_ratio": float(bad / whole) if whole else .5}))
    return "exact fractions in plain Python", cases


# ---- many models -------------------------------------------------------------------------------------------------------------------

def friedman():
    cases = []
    for i in range(17):
        rng = random.Random(1900 + i)
        k, n = 3 + i % 5, 3 + i
        digits = 1 if i % 4 == 0 else 5
        scores = [[round(rng.gauss(.1 * j, 1), digits) for j in range(k)] for _ in range(n)]
        better = ["higher", "lower"][i % 2]
        a = np.array(scores) if better == "lower" else -np.array(scores)
        ranks = np.apply_along_axis(st.rankdata, 1, a).mean(axis=0)
        chi2 = 12 * n / (k * (k + 1)) * (np.sum(ranks ** 2) - k * (k + 1) ** 2 / 4)
        ties = st.friedmanchisquare(*a.T)
        f = (n - 1) * chi2 / (n * (k - 1) - chi2)
        cases.append(({"scores": scores, "better": better}, {"ranks": list(ranks), "chi2": chi2, "p_chi2": st.chi2.sf(chi2, k - 1), "chi2_ties": ties.statistic, "p_chi2_ties": ties.pvalue,
                                                             "f": f, "df1": k - 1, "df2": (k - 1) * (n - 1), "p_f": st.f.sf(f, k - 1, (k - 1) * (n - 1))}))
    cases.append(({"scores": [[1, 2], [3, 5], [0, 1]]}, {"ranks": [2, 1], "chi2": 3, "f": "inf", "p_f": 0}))
    cases.append(({"scores": [[1, 1], [2, 2]]}, {"ranks": [1.5, 1.5], "chi2": 0, "chi2_ties": None, "p_chi2_ties": None, "f": 0, "p_f": 1, "note": "every row is all ties"}))
    return SCIPY + " friedmanchisquare (chi2_ties), rankdata, chi2, f", cases


def range_sf(q, k):
    """1 - k * integral of phi (Phi(z) - Phi(z - q))^(k - 1), by mpmath's quadrature."""
    integrand = lambda z: mp.npdf(z) * (mp.ncdf(z) ** (k - 1) - (mp.ncdf(z) - mp.ncdf(z - q)) ** (k - 1))
    return k * mp.quad(integrand, [-12, -6, -3, 0, 3, 6, q + 6, q + 14] if q < 1 else sorted({mp.mpf(v) for v in (-12, -4, 0, 4, q / 2, q, q + 4, q + 12)}))


def nemenyi():
    cases = []
    published = {2: 1.959963984540, 3: 2.343700586, 4: 2.569031772546, 5: 2.727774371, 6: 2.849705420, 7: 2.948320018, 8: 3.030878450, 9: 3.101730341, 10: 3.163683577}
    with mp.workdps(22):
        for i, (k, n, alpha) in enumerate([(k, 5 + 3 * k, .05) for k in range(2, 11)] + [(3, 10, .01), (4, 14, .1), (5, 30, .001), (20, 100, .05), (12, 7, .5), (2, 2, .2)]):
            start = st.studentized_range.ppf(1 - alpha, k, np.inf)
            q = mp.findroot(lambda v: mp.log(range_sf(v, k) / mp.mpf(alpha)), (start, start * 1.001), solver="secant", tol=1e-17)
            if alpha == .05 and k in published:
                assert abs(q / mp.sqrt(2) - published[k]) < 1e-9
            expected = {"q": num(q / mp.sqrt(2)), "cd": num(q / mp.sqrt(2) * mp.sqrt(mp.mpf(k * (k + 1)) / (6 * n)))}
            given = {"k": k, "n": n, "alpha": alpha}
            if k <= 5:
                rng = random.Random(2000 + i)
                ranks = [round(1 + (k - 1) * rng.random(), 3) for _ in range(k)]
                unit = mp.sqrt(mp.mpf(k * (k + 1)) / (6 * n))
                distance = lambda a, b: abs(mp.mpf(ranks[a]) - mp.mpf(ranks[b]))
                expected["p"] = [[1.0 if a == b else num(range_sf(mp.sqrt(2) * distance(a, b) / unit, k)) for b in range(k)] for a in range(k)]
                expected["different"] = [[a, b] for a in range(k) for b in range(a + 1, k) if distance(a, b) >= expected["cd"]]
                given["ranks"] = ranks
            cases.append((given, expected))
    return MPMATH + " quadrature of the range distribution; quantiles agree with " + SCIPY + " studentized_range to its accuracy", cases


NAMES = {
    "paired-proportion-ci": paired_proportion_ci, "mcnemar-sample-size": mcnemar_sample_size, "two-proportion-sample-size": two_proportion_sample_size,
    "wilcoxon": wilcoxon, "tost": tost, "delong": delong, "corrected-resampled-t": corrected_resampled_t, "correlated-t-bayes": correlated_t_bayes,
    "5x2cv": five_by_two_cv, "crossed-design": crossed_design, "welch-t": welch_t, "mann-whitney": mann_whitney, "noether-sample-size": noether_sample_size,
    "probability-of-outperforming": probability_of_outperforming, "aggregate-scores": aggregate_scores, "probability-of-improvement": probability_of_improvement,
    "stochastic-order": stochastic_order, "friedman": friedman, "nemenyi": nemenyi,
    "wilson": wilson, "clopper-pearson": clopper_pearson, "binomial-test": binomial_test, "risk-upper-bound": risk_upper_bound,
    "mcnemar": mcnemar_table, "paired-t": paired_t, "cluster-se": cluster_se, "paired-permutation": paired_permutation,
    "paired-bootstrap": paired_bootstrap, "cluster-bootstrap": cluster_bootstrap,
    "bonferroni": correction("bonferroni"), "holm": correction("holm"), "hommel": correction("hommel"),
    "benjamini-hochberg": correction("fdr_bh"), "benjamini-yekutieli": correction("fdr_by"), "e-bh": e_bh,
    "canary-e-process": canary_e_process, "canary-e-process-stream": canary_stream, "shadow-e-process": shadow_e_process,
    "slo-e-process": slo_e_process, "guardrail-verdict": guardrail_verdict, "sample-ratio-mismatch": sample_ratio_mismatch,
    "t-test-e-value": t_test_e_value, "always-valid-p": always_valid_p, "msprt-normal": msprt_normal, "asymptotic-cs": asymptotic_cs,
    "betting-cs": betting_cs, "e-detector": e_detector, "window-e-detector": window_e_detector,
}


def plain(value):
    """numpy scalars as Python's; integers that are floats stay floats."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.bool_, bool)):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, (np.floating, float)):
        return num(value)
    return value


def write(name):
    tool, cases = NAMES[name]()
    lines = [json.dumps({"input": plain(given), "output": plain(expected)}) for given, expected in cases]
    head = json.dumps({"name": name, "tool": tool})[:-1]
    (FOLDER / (name + ".json")).write_text(head + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n")
    print(f"{name}: {len(cases)} cases, {tool}")


if __name__ == "__main__":
    for chosen in sys.argv[1:] or NAMES:
        write(chosen)
