"""What the phase diagrams show, as tables and sentences with computed numbers."""

import pandas as pd

from evidence.section import number, table
from phases.conditions import ACROSS, UP, axis
from phases.names import in_words, panel_name, plane_name
from phases.success import AT_LIMIT, CRITERIA, FOUND, share


def base(run: pd.DataFrame, section: dict) -> pd.DataFrame:
    """Runs at the base problem, once for each method and start, whatever plane they are from."""
    here = pd.Series(False, index=run.index)
    for name, plane in section["planes"].items():
        inside = run.plane == name
        for direction in (ACROSS, UP):
            # The base problem has random groups, of no set coherence.
            inside &= run[direction] == section["model"].get(axis(plane, direction)[0])
        here |= inside
    return run[here].drop_duplicates(["method", "start", "replicate"])


def base_table(run: pd.DataFrame, section: dict) -> dict:
    """Successes at the base problem with their intervals, and the error beside the oracle's."""
    rows = []
    for (method, start), here in base(run, section).groupby(["method", "start"], sort=False):
        ratio = (here.error / here.oracle_error).median()
        rows.append([panel_name(method, start), share(here, FOUND), share(here, AT_LIMIT),
                     number(here.error.median(), 2), number(ratio, 2)])  # fmt: skip
    model = section["model"]
    caption = (
        f"The base problem: n = {model['n']}, {model['groups']} groups of {model['group_size']}, "
        f"{model['active_groups']} active, {model['samples']} samples, SNR {model['snr_db']} dB. "
        "Brackets: Wilson's 95 % interval; errors: medians of the subspace error."
    )
    head = ["method", *CRITERIA.values(), "error", "error / oracle's"]
    return table([head], rows, caption=caption, name="phases_base")


def findings(run: pd.DataFrame, section: dict) -> list[str]:
    """How often each method finds the groups, over the planes on which all were run."""
    sentences = []
    kinds = {"From a near start": ["near"], "Without a near start": ["random", "discover"]}
    for words, starts in kinds.items():
        here = run[run.start.isin(starts)]
        ran = here.groupby(["method", "start"]).plane.unique()
        planes = [name for name in section["planes"] if all(name in each for each in ran)]
        here = here[here.plane.isin(planes)]
        parts = [
            _found(of, in_words(method, start), first=not number)
            for number, ((method, start), of) in enumerate(
                here.groupby(["method", "start"], sort=False)
            )
        ]
        if parts:
            places = ", ".join(plane_name(section["planes"][name]) for name in planes)
            sentences.append(f"{words} ({places}), all groups are found {', '.join(parts)}.")
    return sentences


def _found(of: pd.DataFrame, method: str, first: bool) -> str:
    """The shares of a method, of which the first one says what they are."""
    found, good = (f"{100 * of[each].mean():.0f} %" for each in (FOUND, AT_LIMIT))
    if first:
        return f"in {found} of {len(of)} runs by {method} ({good} as well as by the oracle)"
    return f"in {found} ({good}) by {method}"
