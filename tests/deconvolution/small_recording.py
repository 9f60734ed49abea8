"""A small recording, a section of the config, and tables of made-up scores."""

import pandas as pd
import torch

from deconvolution.measure import task_of
from deconvolution.simulation import signal
from deconvolution.task import Task
from groupsparse.likelihood import law_of

LAWS = {
    "gaussian": {"std": 0.5}, "binomial": {"trials": 20}, "poisson": {"largest": 50.0},
}  # fmt: skip
SEARCH = {"sweeps": 4, "chains": 1, "starts": 1}
KERNELS = torch.nn.functional.normalize(
    torch.tensor([[4.0, 3.0, 2.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, -1.0, 2.0, 3.0]]), dim=1
)
TRIALS, NEURONS, TIMES = 16, 2, 40


def tensors(law: str = "binomial", neurons: int = NEURONS, seed: int = 0) -> dict:
    """An event of each of two kernels in every trial, of all neurons, at random times."""
    draw = torch.Generator().manual_seed(seed)
    trial = torch.arange(TRIALS).repeat_interleave(2)
    made = {
        "baseline": torch.full((TRIALS, neurons), -1.5),
        "event_trial": trial,
        "event_kernel": torch.arange(2).repeat(TRIALS),
        "event_time": torch.randint(TIMES - 6 + 1, (len(trial),), generator=draw),
        "event_amplitude": 5 + 0.5 * torch.randn(len(trial), neurons, generator=draw),
        "kernels": KERNELS,
    }
    y = law_of(law, **LAWS[law]).draw(signal(made, TIMES), draw)
    return {"y": y, **made}


def task(
    law: str = "binomial", recorded: dict | None = None, told: dict | None = None, **changes
) -> Task:
    """The task of such a recording, or of the one that is given."""
    about = {"law": law, "law_options": LAWS[law], "length": 6}
    recorded = tensors(law) if recorded is None else recorded
    told = {"spacing": 1, "most": 2, "count": 1} | (told or {})
    return task_of(recorded, about, told, 0)._replace(**changes)


SECTION = {
    "simulations": {
        "long": {
            "kernels": "local", "neurons": 1, "trials": 6, "ms": 3000, "bin_ms": 25,
            "events": [1, 1], "spacing_ms": 200, "rate_hz": 8, "shared_events": True,
            "amplitude": {"mean": 50, "std": 2, "shared": "event"},
        },
    },
    "recordings": {
        "mine": {"file": "mine.npz", "law": "binomial", "law_options": {"trials": 5},
                 "bin_ms": 5, "length": 80},
        "bold": {"package": "nitime", "name": "bold", "law": "gaussian", "bin_ms": 2000,
                 "length": 15, "spacing_ms": 5000, "most": 9, "replicates": 5},
    },
    "replicates": 3,
    "search": SEARCH,
    "tolerances": [0, 1],
    "methods": {
        "known_times": {"kind": "known_times"},
        "known_kernels": {"kind": "known_kernels"},
        "search": {"kind": "search"},
        "apart": {"kind": "search", "apart": True},
        "gaussian": {"kind": "search", "law": "gaussian"},
        "network": {"kind": "network", "lambda": 0.1, "layers": 5, "epochs": 2, "lr": 0.01,
                    "batch_size": 8},
        "average": {"kind": "peer", "peer": "averages"},
        "chance": {"kind": "chance"},
        "search_hidden": {"kind": "search", "hidden": 0.1},
        "smooth_hidden": {"kind": "smooth", "hidden": 0.1},
        "known_times_hidden": {"kind": "known_times", "hidden": 0.1},
        "average_hidden": {"kind": "peer", "peer": "averages", "known": True, "hidden": 0.1},
    },
    "runs": {
        "long": ["known_times", "known_kernels", "search", "apart", "gaussian", "network",
                 "average", "chance", "search_hidden", "smooth_hidden", "known_times_hidden",
                 "average_hidden"],
        "mine": ["search"],
    },
    "sweeps": {
        "trials": {"of": "long", "key": "trials", "values": [6, 25],
                   "methods": ["known_times", "search"]},
        "rate": {"of": "long", "key": "rate_hz", "values": [0.5, 8], "methods": ["search"]},
        "assumed": {"of": "long", "key": "assumed", "values": [2, 3], "methods": ["search"]},
    },
    "shown": {"long": "search"},
}  # fmt: skip
# Scores of every method on `long`, the same in all replicates, at which every claim holds.
SCORES = {
    "known_times": {"kernel_error": 0.03, "shifted_error": 0.02},
    "known_kernels": {"hit_0": 0.9, "hit_1": 0.98, "false_0": 0.1, "false_1": 0.02},
    "search": {
        "kernel_error": 0.05, "shifted_error": 0.04, "hit_0": 0.9, "hit_1": 0.98, "false_0": 0.1,
        "false_1": 0.02, "amplitude_correlation": 0.9, "rate_r2": 0.8,
    },
    "apart": {"kernel_error": 0.2, "hit_1": 0.5},
    "gaussian": {"kernel_error": 0.1, "hit_1": 0.9},
    "network": {"kernel_error": 0.2, "hit_1": 0.7},
    "average": {"kernel_error": 0.2},
    "chance": {"kernel_error": 0.9, "hit_0": 0.01, "hit_1": 0.05, "false_0": 0.99, "false_1": 0.95},
    "search_hidden": {"kernel_error": 0.05, "held_out": 0.02},
    "smooth_hidden": {"held_out": 0.01},
    "known_times_hidden": {"held_out": 0.03},
    "average_hidden": {"held_out": 0.02},
    "search_assumed_3": {"kernel_error": 0.06},
}  # fmt: skip


def table(changes=(), replicates: int = 3, data: str = "long") -> pd.DataFrame:
    """The long-form table. ``changes`` maps (method, metric) to a value, one for each replicate,
    or None, which leaves it out."""
    scores = {name: dict(values) for name, values in SCORES.items()}
    for (method, metric), value in dict(changes).items():
        scores[method][metric] = value
    rows = [
        {
            "experiment": "deconvolution", "data": data, "method": method, "replicate": i,
            "metric": metric, "value": value[i] if isinstance(value, list) else value,
        }
        for method, values in scores.items()
        for metric, value in (values | {"seconds": 1.5}).items()
        for i in range(replicates)
        if value is not None
    ]  # fmt: skip
    return pd.DataFrame(rows)
