"""The jobs of the study, read off the config; imports nothing heavy."""

from collections.abc import Iterable
from typing import NamedTuple

FIXED, FRESH = "fixed", "fresh"  # one data set for all epochs; new samples in every epoch
SAMPLINGS = (FIXED, FRESH)
ORACLE, CHANCE = "oracle", "chance"
SHARED = ("model", "correlation", "replicates")  # what all jobs read
WHERE = (*SAMPLINGS, "replicates")  # of a method: the noise levels and replicates it runs at


class Run(NamedTuple):
    """A method at one noise level, from ``replicates`` starts. No noise is ``snr`` infinity."""

    sampling: str
    method: str
    snr: float
    replicates: int
    epochs: int


def level(snr_db: float | None) -> float:
    """A noise level of the config as a number: null, no noise, is infinity."""
    return float("inf") if snr_db is None else float(snr_db)


def is_network(settings: dict) -> bool:
    """Whether a method is an autoencoder; else it is alternating least squares."""
    return "prox" in settings


def told(section: dict, sampling: str, methods: Iterable[str]) -> dict:
    """What a job of these methods with one sampling reads, and nothing else."""
    chosen = {name: section["methods"][name] for name in methods}
    found = {key: section[key] for key in SHARED}
    found |= {"epochs": {}, "passes": {}, "training": None, "every": None}
    if any(map(is_network, chosen.values())):
        found |= {key: section[key] for key in ("training", "every")}
        found["epochs"] = {sampling: section["epochs"][sampling]}
    if not all(map(is_network, chosen.values())):
        found["passes"] = {sampling: section["passes"][sampling]}
    settings = {name: {k: v for k, v in m.items() if k not in WHERE} for name, m in chosen.items()}
    where = {name: _where(chosen[name], [sampling]) for name in chosen}
    return found | {"methods": {name: settings[name] | where[name] for name in chosen}}


def told_bounds(section: dict) -> dict:
    """What the job of the bounds reads: where methods run, and for how long on new samples."""
    found = {key: section[key] for key in SHARED}
    for key in ("epochs", "passes"):
        found[key] = {FIXED: 1, FRESH: section[key][FRESH]}  # one data set is seen after one
    kinds = {name: {"prox": ""} if is_network(m) else {} for name, m in section["methods"].items()}
    where = {name: _where(m, SAMPLINGS) for name, m in section["methods"].items()}
    return found | {"methods": {name: kinds[name] | where[name] for name in kinds}}


def _where(settings: dict, samplings: Iterable[str]) -> dict:
    """The noise levels and replicates of a method with these samplings."""
    fewer = settings.get("replicates", {})
    found = {s: settings[s] for s in samplings if s in settings}
    return found | {"replicates": {s: fewer[s] for s in samplings if s in fewer}}


def runs(section: dict, sampling: str) -> list[Run]:
    """All runs of a sampling, method by method."""
    every = section["replicates"]
    return [
        Run(
            sampling, name, level(snr),
            min(settings.get("replicates", {}).get(sampling, every), every),
            section["epochs" if is_network(settings) else "passes"][sampling],
        )
        for name, settings in section["methods"].items()
        for snr in settings.get(sampling, [])
    ]  # fmt: skip


def jobs(section: dict) -> list[tuple[str, str]]:
    """(sampling, method) that run beside others; those that are raced have a job together."""
    raced = section["race"]["methods"]
    found = [(s, run.method) for s in SAMPLINGS for run in runs(section, s)]
    return [job for job in dict.fromkeys(found) if job[0] != FIXED or job[1] not in raced]


def races(section: dict) -> bool:
    """Whether a method that is raced runs on fixed data."""
    return any(run.method in section["race"]["methods"] for run in runs(section, FIXED))


def oracle_epochs(section: dict, sampling: str) -> dict[float, dict[int, int]]:
    """Noise level -> epochs after which the oracle is needed -> replicates that need it.

    The oracle has the samples of those epochs; on fixed data it has all of them after one.
    """
    needed: dict[float, dict[int, int]] = {}
    for run in runs(section, sampling):
        at = needed.setdefault(run.snr, {})
        epochs = 1 if sampling == FIXED else run.epochs
        at[epochs] = max(at.get(epochs, 0), run.replicates)
    return needed
