"""Tables of the discovery for the report."""

import pandas as pd

from discovery.conditions import COUNTS, STARTS, WHOLE
from discovery.names import method_words
from discovery.scores import of, study, successes
from evidence.section import number, spread, table


def whole(runs: pd.DataFrame, section: dict) -> dict:
    """Groups found, ratio to the oracle and seconds at every noise level."""
    rows = []
    for snr, here in study(runs, WHOLE).groupby("setting"):
        worst = f"{100 * here.found.min():.1f} %"
        rows.append([
            f"{snr:g} dB", f"{100 * here.found.mean():.1f} %", worst,
            spread(here.ratio.mean(), here.ratio.std()), number(here.ratio.max()),
            number(here.seconds.mean(), 1), number(here.seconds.max(), 1),
        ])  # fmt: skip
    model, part = section["whole"]["model"], section["whole"]
    caption = (
        f"From no start: n = {model['n']}, {model['groups']} groups of {model['group_size']}, "
        f"{model['active_groups']} active, {model['samples']} samples; {part['replicates']} seeds, "
        f"{part['threads']} threads. The number of active groups is not told."
    )
    head = ["SNR", "groups found", "fewest", "error / oracle's", "largest", "seconds", "longest"]
    return table([head], rows, caption=caption, name="discovery_whole")


def starts(runs: pd.DataFrame, section: dict) -> dict:
    """Successes on the small problem from every start, with alternation alone beside."""
    rows, factor = [], section["factor"]
    for (method, start), here in study(runs, STARTS).groupby(["method", "start"], sort=False):
        rows.append([
            method_words(method, start), of(successes(here, factor)), number(here.ratio.median()),
            number(here.ratio.max(), 2), number(here.seconds.mean(), 1),
        ])  # fmt: skip
    model = section["model"]
    caption = (
        f"The small problem: n = {model['n']}, {model['groups']} groups of {model['group_size']}, "
        f"{model['active_groups']} active, {model['samples']} samples, {model['snr_db']:g} dB. "
        f"Success: at most {factor:g} times the oracle's error; brackets: Wilson's 95 % interval. "
        "Seconds are those of a job beside others."
    )
    head = ["method", "success", "median error / oracle's", "largest", "seconds"]
    return table([head], rows, caption=caption, name="discovery_starts")


def confusion(runs: pd.DataFrame, metric: str, section: dict) -> dict:
    """How often each estimate was made, a row for each true size and number of active groups."""
    here = study(runs, COUNTS)
    made = sorted(here[metric].unique())
    rows = []
    for (d, k), cases in here.groupby(["setting", "active_groups"]):
        counts = cases[metric].value_counts()
        rows.append([f"{d:g}", f"{k:g}", *(f"{counts.get(x, 0) or ''}" for x in made)])
    size = metric == "estimated_size"
    what = "Size of groups" if size else f"Number of groups ({section['model']['groups']} true)"
    head = ["true size", "active groups", *(f"{x:g}" for x in made)]
    caption = f"{what}, as estimated: how often of {section['counts']['replicates']}"
    return table(
        [head], rows, caption=caption,
        name="discovery_size" if size else "discovery_number", folded=not size,
    )  # fmt: skip
