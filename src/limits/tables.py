"""Tables of the limits for the report."""

import pandas as pd

from evidence.section import number, replicates, spread, table
from limits.conditions import CHANCE, FIXED, ORACLE, SAMPLINGS, is_network
from limits.names import described, noise, ordered
from limits.scores import METRICS, NO_NOISE, curve, last, over_oracle, removed, times


def recovery(scores: pd.DataFrame, section: dict) -> dict:
    """Final errors of every method and their ratios to the oracle's, at every noise level."""
    levels = sorted(scores.snr.unique())
    head = ["samples", "method", "error", *(noise(snr) for snr in levels)]
    rows = []
    for sampling in SAMPLINGS:
        for method in [*ordered(section["methods"]), ORACLE, CHANCE]:
            for metric, words in METRICS.items():
                cells = [_cell(scores, sampling, method, metric, snr) for snr in levels]
                if any(cells):
                    name = described(method, section["methods"].get(method, {}))
                    rows.append([sampling, name, words, *cells])
    return table(
        [head], rows, name="limits_recovery",
        caption=(
            "Errors at the end, in brackets over that of the oracle with the same samples "
            f"({replicates(section['replicates'])}; one run where there is no ±). With new samples "
            "in every epoch the oracle has those of as many epochs as a method."
        ),
    )  # fmt: skip


def _cell(scores: pd.DataFrame, sampling: str, method: str, metric: str, snr: float) -> str:
    values = curve(scores, sampling, method, metric)
    values = values[values.index.get_level_values("snr") == snr]
    errors = last(values)
    if errors.empty:
        return ""
    by_epoch = values.groupby("epoch").mean()
    if method == ORACLE and len(by_epoch) > 1:
        return "; ".join(f"{value:.3g} ({epoch} epochs)" for epoch, value in by_epoch.items())
    text = f"{errors.mean():.3g}"
    if method in (ORACLE, CHANCE) or snr == NO_NOISE:
        return text
    ratio = over_oracle(scores, sampling, method, metric).xs(snr, level="snr")
    return f"{text} ({spread(ratio.mean(), ratio.std())})"


def ablation(scores: pd.DataFrame, section: dict) -> dict:
    """What each option of the network removes of its excess over the oracle."""
    published = section["shown"]["network"]
    head = ["samples", "network", "subspace", "aligned", *(f"removed: {p}" for p in PARTS.values())]
    rows = []
    for sampling in SAMPLINGS:
        for method in ordered(section["methods"]):
            settings = section["methods"][method]
            if not is_network(settings) or curve(scores, sampling, method, "aligned").empty:
                continue
            ratios = {m: _ablated(scores, sampling, method, m, section) for m in METRICS}
            shares = removed(scores, sampling, method, published)
            rows.append(
                [
                    sampling, described(method, settings),
                    *(number(ratio, 2) for ratio in ratios.values()),
                    *(
                        "" if method == published or part not in shares
                        else f"{100 * shares[part]:.0f} %"
                        for part in PARTS
                    ),
                ]
            )  # fmt: skip
    return table(
        [head], rows, name="limits_ablation",
        caption=(
            "The network with one option each, and with all that are named. Errors over the "
            "oracle's; then the share of the published network's excess over the oracle that is "
            "gone: in the spans of the groups, inside the groups (aligned less subspace error), "
            "and in all. Levels and runs that a variant shares with the published network."
        ),
    )  # fmt: skip


PARTS = {"invariant": "spans", "inside": "inside groups", "aligned": "in all"}


def _ablated(scores: pd.DataFrame, sampling: str, method: str, metric: str, section: dict) -> float:
    """Mean ratio at the noise levels that all variants ran on."""
    variants = [m for m, s in section["methods"].items() if is_network(s)]
    found = {m: over_oracle(scores, sampling, m, metric) for m in variants}
    shared = set.intersection(*(set(f.index) for f in found.values() if len(f)))
    ratio = found[method]
    return float(ratio[ratio.index.isin(shared)].mean())


def speed(scores: pd.DataFrame, section: dict) -> dict:
    """Seconds to the error at which the published network ends."""
    shown = section["shown"]
    found = times(scores, shown["method"], shown["network"])
    rows = [
        [
            noise(snr), f"{part.target.mean():.3g}",
            spread(part.network.mean(), part.network.std(), 1),
            spread(part.method.mean(), part.method.std(), 2),
            spread(part.factor.mean(), part.factor.std(), 0),
        ]
        for snr, part in found.groupby(level="snr")
    ]  # fmt: skip
    head = ["noise", "subspace error", "network, s", "alternating, s", "factor"]
    return table(
        [head], rows, name="limits_times",
        caption=(
            "Seconds until the subspace error is that at which the published network ends, on one "
            f"data set, in one job alone on the machine with {section['race']['threads']} threads "
            f"({replicates(section['replicates'])})."
        ),
    )  # fmt: skip


def raced(scores: pd.DataFrame, section: dict) -> bool:
    """Whether there is a race of the two methods that are shown."""
    return all(
        not curve(scores, FIXED, section["shown"][role], "seconds").empty
        for role in ("method", "network")
    )
