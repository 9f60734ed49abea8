"""Tables of the deconvolution for the report: one for each recording."""

import pandas as pd

from deconvolution.conditions import Job
from deconvolution.names import called, data_name
from deconvolution.results import of, wide
from evidence.section import number, percent, replicates, spread, table

NEAR = 1  # tolerance of the columns of a table, in bins
HEAD = [
    "method", "kernel error", "after shifts", "events found", "false events",
    "correlation of amplitudes", "R² of the rate", "held out", "seconds",
]  # fmt: skip


def recordings(table_: pd.DataFrame, section: dict) -> list[dict]:
    """A table for each recording that has runs."""
    runs = wide(table_)
    return [_recording(runs, data, names, section) for data, names in section["runs"].items()]


def _recording(runs: pd.DataFrame, data: str, names: list[str], section: dict) -> dict:
    rows = [[called(name), *_cells(runs, Job(data, name))] for name in names]
    seeds = max(len(of(runs, Job(data, name), "seconds")) for name in names)
    kind = "draws" if data in section["simulations"] else "seeds of the search"
    caption = (
        f"{data_name(data)} ({replicates(seeds)}; replicates are {kind}). Kernel error: mean over "
        "kernels of sqrt(1 - <h, h'>²), 0 to 1. Events in %, found within "
        f"{NEAR} bin of a true one, each counted once. Held out: nats per hidden bin above the "
        "baseline."
    )
    return table([HEAD], rows, caption=caption, name=f"deconvolution_{data}")


def _cells(runs: pd.DataFrame, job: Job) -> list[str]:
    def cell(metric: str, digits: int = 3) -> str:
        found = of(runs, job, metric)
        return spread(found.mean(), found.std(), digits)

    shares = [of(runs, job, f"{metric}_{NEAR}") for metric in ("hit", "false")]
    return [
        cell("kernel_error"), cell("shifted_error"),
        *(percent(x.mean(), x.std()) for x in shares),
        cell("amplitude_correlation", 2), cell("rate_r2"), cell("held_out"),
        number(of(runs, job, "seconds").mean(), 1),
    ]  # fmt: skip
