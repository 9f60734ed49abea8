"""Sentences for the top of the page, computed from the table."""

import pandas as pd

from deconvolution.conditions import KNOWN_TIMES, NEAR, SEARCH, Job
from deconvolution.names import data_name
from deconvolution.results import of
from evidence.section import number


def findings(runs: pd.DataFrame, section: dict) -> list[str]:
    """What the search finds in every recording that is shown, beside the oracle of times."""
    lines = [_finding(runs, section, data) for data in section["shown"]]
    return [line for line in lines if line]


def _finding(runs: pd.DataFrame, section: dict, data: str) -> str:
    names: dict[str, str] = {}
    for name in section["runs"].get(data, []):
        spec = section["methods"][name]
        if not spec.keys() & {"law", "apart", "hidden"}:
            names.setdefault(spec["kind"], name)
    search = Job(data, names.get(SEARCH, ""))
    error, hits = (of(runs, search, metric) for metric in ("kernel_error", f"hit_{NEAR}"))
    if not len(error) or not len(hits):
        return ""
    line = (
        f"Deconvolution ({data_name(data)}): with unknown times the kernel error is "
        f"{number(error.mean())}"
    )
    oracle = of(runs, Job(data, names.get(KNOWN_TIMES, "")), "kernel_error")
    if len(oracle):
        line += f" ({number(oracle.mean())} with known times)"
    return f"{line}, and {100 * hits.mean():.1f} % of the events are found within one bin."
