"""Claims about the limit of recovery. None is the paper's: each is an aim set beforehand.

A statistic has a value for every noise level and seed.
"""

from functools import partial

from evidence.claims import Evidence, claim
from evidence.verdict import at_least, at_most
from limits.conditions import FIXED, FRESH
from limits.scores import METRICS, NO_NOISE, curve, last, over_oracle, times

stated = partial(claim, source="not in the paper", needs=("limits",), paper=False)


def shown(tables, choices):
    """The method and the network of the config."""
    yield dict(choices)


def metrics(tables, choices):
    """Both errors."""
    for metric, words in METRICS.items():
        yield {**choices, "metric": metric, "words": words}


def ratio(tables, sampling, method, metric):
    """Ratios to the oracle's error, or None if there are none."""
    values = over_oracle(tables["limits"], sampling, method, metric)
    return values if len(values) else None


# The oracle's error grows with the power of the noise: 2 % are 0.09 dB of it, and 5 % 0.2 dB.
@stated(
    "Alternating least squares ends at the oracle's error on one data set",
    statistic="{words} error / that of least squares on the true codes",
    reference="1",
    rule=at_most(1.02, partly=1.05),
    cases=metrics,
    table="limits_recovery",
)
def fixed(tables, case):
    return ratio(tables, FIXED, case.method, case.metric)


# Codes of early passes are those of a poor dictionary, so more is left than on one data set.
@stated(
    "Alternating least squares stays near the oracle that has all new samples",
    statistic="{words} error / that of least squares on the true codes of all samples",
    reference="1",
    rule=at_most(1.1, partly=1.5),
    cases=metrics,
    table="limits_recovery",
)
def fresh(tables, case):
    return ratio(tables, FRESH, case.method, case.metric)


# In float32 three passes end near 1e-7 of the start.
@stated(
    "Without noise alternating least squares finds the spans of the groups",
    statistic="final / initial subspace error",
    reference="0",
    rule=at_most(1e-6, partly=1e-3),
    cases=shown,
    table="limits_recovery",
)
def without_noise(tables, case):
    errors = curve(tables["limits"], FIXED, case.method, "invariant")
    errors = errors[errors.index.get_level_values("snr") == NO_NOISE]
    if errors.empty:
        return None
    return last(errors) / errors.xs(0, level="epoch")


@stated(
    "Alternating least squares is faster than the network to the error at which that ends",
    statistic="seconds of the network / seconds of the alternation, to the network's final "
    "subspace error, in one job on one data set",
    reference="20",
    rule=at_least(20, partly=5),
    cases=shown,
    figure="limits_race",
    table="limits_times",
)
def speed(tables, case):
    found = times(tables["limits"], case.method, case.network)
    if found.empty:
        return None
    slow, fast = found.network.mean(), found.method.mean()
    return Evidence(found.factor, f"on average {slow:.3g} s and {fast:.3g} s")
