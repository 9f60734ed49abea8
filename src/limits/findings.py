"""What was found about the limits, for the top of the page."""

import math

import pandas as pd

from limits.conditions import FIXED, FRESH, is_network
from limits.names import described, noise, ordered
from limits.scores import over_oracle, removed, times


def findings(scores: pd.DataFrame, section: dict) -> list[str]:
    """Sentences with computed numbers: the ratio to the oracle, and the time to get there."""
    method, network = section["shown"]["method"], section["shown"]["network"]
    sentences = []
    if text := _levels(over_oracle(scores, FIXED, method, "invariant")):
        passes, epochs = section["passes"][FIXED], section["epochs"][FIXED]
        against = _levels(over_oracle(scores, FIXED, network, "invariant"))
        sentences.append(
            f"Limits: on one data set, {passes} passes of alternating least squares end with "
            f"{text} times the subspace error of least squares on the true codes"
            + (f"; {epochs} epochs of the published network with {against} times." if against
               else ".")
        )  # fmt: skip
    found = times(scores, method, network)
    if len(found):
        seconds = _levels(found.factor, 3)
        sentences.append(
            f"They reach the error at which the network ends {seconds} times faster "
            f"({section['race']['threads']} threads, one job)."
        )
    sentences += [_ablation(scores, sampling, section) for sampling in (FIXED, FRESH)]
    if text := _levels(over_oracle(scores, FRESH, method, "invariant")):
        sentences.append(
            f"With new samples in each of {section['passes'][FRESH]} passes they end with {text} "
            "times the error of the oracle that has all samples."
        )
    return [sentence for sentence in sentences if sentence]


def _ablation(scores: pd.DataFrame, sampling: str, section: dict) -> str:
    """Which option of the network removes most of its excess over the oracle; may be empty."""
    network, methods = section["shown"]["network"], section["methods"]
    shares = {
        method: removed(scores, sampling, method, network).get("invariant", math.nan)
        for method in ordered(methods)
        if is_network(methods[method]) and method != network
    }
    shares = {method: share for method, share in shares.items() if not math.isnan(share)}
    if not shares:
        return ""
    words = {"fixed": "one data set", "fresh": "new samples in every epoch"}[sampling]
    options = (f"{described(m, methods[m])} {100 * share:.0f} %" for m, share in shares.items())
    return (
        f"With {words}, the network's options remove of its excess over the oracle's subspace "
        f"error: {'; '.join(options)}."
    )


def _levels(values: pd.Series, digits: int = 4) -> str:
    """Means over replicates at every noise level; empty without a value."""
    means = values.groupby(level="snr").mean()
    return ", ".join(f"{mean:.{digits}g} ({noise(snr)})" for snr, mean in means.items())
