"""Tables of the deconvolution for the report: one for each recording."""

import pandas as pd

from deconvolution.conditions import NEAR, Job
from deconvolution.names import called, data_name
from deconvolution.results import of, wide
from evidence.section import percent, replicates, spread, table

# Column -> metric and decimals; a share is in per cent. A column that has no value is left out.
COLUMNS: dict[str, tuple[str, int | None]] = {
    "kernel error": ("kernel_error", 3), "after shifts": ("shifted_error", 3),
    "events in a trial": ("events_per_trial", 1), "events found": (f"hit_{NEAR}", None),
    "false events": (f"false_{NEAR}", None),
    "correlation of amplitudes": ("amplitude_correlation", 2),
    "R² of the rate": ("rate_r2", 3), "R² of the trace": ("explained", 3),
    "held out": ("held_out", 3), "seconds": ("seconds", 1),
}  # fmt: skip


def recordings(table_: pd.DataFrame, section: dict) -> list[dict]:
    """A table for each recording that has runs."""
    runs = wide(table_)
    return [_recording(runs, data, names, section) for data, names in section["runs"].items()]


def _recording(runs: pd.DataFrame, data: str, names: list[str], section: dict) -> dict:
    found = {
        column: [of(runs, Job(data, name), metric) for name in names]
        for column, (metric, _) in COLUMNS.items()
    }
    shown = [column for column, values in found.items() if any(map(len, values))]
    rows = [
        [called(name), *(_cell(found[column][number], COLUMNS[column][1]) for column in shown)]
        for number, name in enumerate(names)
    ]
    seeds = max(map(len, found["seconds"]))
    kind = "draws" if data in section["simulations"] else "seeds of the search"
    caption = f"{data_name(data)} ({replicates(seeds)}; replicates are {kind})"
    return table([["method", *shown]], rows, caption=caption, name=f"deconvolution_{data}")


def _cell(values: pd.Series, digits: int | None) -> str:
    if digits is None:
        return percent(values.mean(), values.std())
    return spread(values.mean(), values.std(), digits)
