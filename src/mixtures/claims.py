"""Claims about clustering by mixtures. None is of arXiv 2102.07003: some are MixMate's, some ours.

Differences are between runs of the same seed, from the same kind of start, without labels. Seeds
share the images, so no difference below one point counts.
"""

from functools import partial
from itertools import permutations

import pandas as pd

from evidence.claims import Claim, Evidence, claim
from evidence.paper import paper_table
from evidence.verdict import at_least
from mixtures.conditions import (
    ENERGIES,
    JOINED,
    PRINTED_START,
    SUBSPACES,
    VOTE_OF_STARTS,
    Job,
    without_labels,
)
from mixtures.names import PROTOCOLS, called, start_name
from mixtures.pairs import DEFAULTS, beside, differing
from mixtures.scores import jobs_of, last, untrained

POINT = 0.01
PRINTED = paper_table("mixmate").set_index(["dataset", "method"]).acc
# Data set, role in the config's `shown`, aim, weaker aim, what it is compared with.
AIMS = (
    ("mnist", "method", 0.95, 0.92, "MixMate prints 92 %"),
    ("mnist", "subspaces", 0.97, 0.95, "an elastic net on all images: 97.6 %"),
    ("fashion_mnist", "method", 0.63, 0.60, "MixMate prints 63 %"),
    ("fashion_mnist", "subspaces", 0.63, 0.60, "MixMate prints 63 %"),
)
stated = partial(
    claim, needs=("mixtures",), paper=False, figure="mixtures-{dataset}",
    table="mixtures_{dataset}_{protocol}",
)  # fmt: skip
ours = partial(stated, source="not in the paper")


def fields(job: Job, **more: object) -> dict:
    """The case of one training, with its names in words."""
    names = {"named": called(job.method), "origin": start_name(job.start)}
    return {**job._asdict(), **names, "images": PROTOCOLS[job.protocol], "job": job, **more}


def pair(job: Job, other: Job, **more: object) -> dict:
    """The case of a method beside another one; ``words`` are added to its reason."""
    return fields(job, **{"other": other, "against": called(other.method), "words": ""} | more)


def difference(tables, first: Job, second: Job) -> Evidence | None:
    """Gain in accuracy, seed by seed; no test where either was not measured."""
    gain = last(tables["mixtures"], first, "acc"), last(tables["mixtures"], second, "acc")
    return compared(*gain)


def compared(better: pd.Series, worse: pd.Series) -> Evidence | None:
    gain = (better - worse).dropna()
    if gain.empty:
        return None
    return Evidence(gain, f"{better[gain.index].mean():.3f} against {worse[gain.index].mean():.3f}")


def as_published(tables, choices):
    """The published setting on the data sets of MixMate's Table 1."""
    for job in jobs_of(tables["mixtures"]):
        here = (choices["method"], PRINTED_START, JOINED)
        if (job.method, job.start, job.protocol) == here and (job.dataset, "mixmate") in PRINTED:
            yield fields(job)


@stated(
    "MixMate reaches its printed accuracy",
    source="MixMate, Table 1",
    statistic="{dataset}: ACC of {named} from {origin}, minus the printed one",
    reference=lambda case: f"{100 * PRINTED[case.dataset, 'mixmate']:.0f} %",
    rule=at_least(-0.03, partly=-0.06),
    cases=as_published,
)
def printed(tables, case):
    found = last(tables["mixtures"], case.job, "acc")
    return Evidence(found - PRINTED[case.dataset, "mixmate"], f"{found.mean():.3f}")


def trainings(tables, choices):
    """Every training that does not use labels; MixMate prints that of the published setting."""
    for job in jobs_of(tables["mixtures"], labelled=False):
        theirs = (job.method, job.start) == (choices["method"], PRINTED_START)
        yield fields(job, source="MixMate, Table 1" if theirs else "not in the paper")


@stated(
    "Training improves on its start",
    source="{source}",
    statistic="{dataset}, {images}: ACC of {named} from {origin}, after minus before training",
    reference="more than 0",
    rule=at_least(POINT),
    cases=trainings,
)
def improves(tables, case):
    scores = tables["mixtures"]
    return compared(last(scores, case.job, "acc"), untrained(scores, case.job, "acc"))


def better(title: str, cases) -> Claim:
    """A claim that a method gains on another from the same start."""

    @ours(
        title,
        statistic="{dataset}, {images}: ACC of {named} minus {against}, from {origin}",
        reference="more than 0",
        rule=at_least(POINT),
        cases=cases,
    )
    def gains(tables, case):
        found = difference(tables, case.job, case.other)
        return found and found._replace(note=f"{found.note}{case.words}")

    return gains


def mixtures_beside(alike: str, first: object, second: object):
    """Mixtures with the ``first`` value of an option beside those with the ``second`` one.

    ``alike``, the other option of the 2 x 2 design, is equal; in what else they differ, if they do,
    is in the reason.
    """
    option = "objective" if alike == "weight" else "weight"

    def cases(tables, choices):
        methods = {n: DEFAULTS | e for n, e in choices["methods"].items() if e["kind"] == "mixture"}
        for (name, mine), (other, theirs) in permutations(methods.items(), 2):
            differ = mine[option] == first and theirs[option] == second
            if differ and mine[alike] == theirs[alike]:
                words = f"; {differing(mine, theirs)}"
                for job, partner in beside(tables["mixtures"], name, other):
                    yield pair(job, partner, words=words)

    return cases


def roles(first: str, second: str, told: bool = False):
    """Cases of one role of the config's ``shown`` beside another; ``told`` in what they differ."""

    def cases(tables, choices):
        mine, theirs = (choices["methods"][choices[role]] for role in (first, second))
        words = f"; {differing(mine, theirs)}" if told else ""
        for job, other in beside(tables["mixtures"], choices[first], choices[second]):
            yield pair(job, other, words=words)

    return cases


def energies_beside(tables, choices):
    """Clusters of the energies of a mixture beside those of its least energy."""
    for job, other in beside(tables["mixtures"], ENERGIES, choices["method"]):
        yield pair(job, other)


def votes(tables, choices):
    """The vote of the subspaces from several starts beside each of the starts."""
    jobs = jobs_of(tables["mixtures"], labelled=False)
    for job in (job for job in jobs if job.method == VOTE_OF_STARTS):
        for other in jobs:
            if other[:3] == (job.dataset, job.protocol, choices["subspaces"]):
                yield pair(job, other, against=f"subspaces from {start_name(other.start)}")


consistent = better(
    "An energy that the encoder minimises (weight 1/2) clusters better than the published one",
    mixtures_beside("objective", 0.5, 1.0),
)
likelihood = better(
    "The likelihood clusters better than the expected energy",
    mixtures_beside("weight", "likelihood", "expected"),
)
changed = better(
    "The changed MixMate clusters better than the published one",
    roles("changed", "method", told=True),
)
components = better(
    "One network for each cluster clusters better than one with a group for each",
    roles("method", "network"),
)
features = better(
    "Subspaces of features cluster better than networks of pixels", roles("subspaces", "method")
)
similarity = better(
    "Energies, taken as features, cluster better than the least energy", energies_beside
)
voted = better("Subspaces from several starts vote better than each of them", votes)


def aims(tables, choices):
    """The accuracies that were aimed at; subspaces from the start that others begin with."""
    there = set(jobs_of(tables["mixtures"], labelled=False))
    first = without_labels(choices["methods"][choices["subspaces"]])[:1]
    starts = {"method": SUBSPACES, "subspaces": first[0] if first else None}
    for dataset, role, aim, partly, reference in AIMS:
        job = Job(dataset, JOINED, choices[role], starts[role])
        if job in there:
            yield fields(job, rule=at_least(aim, partly=partly), reference=reference)


@ours(
    "The accuracy that was aimed at is reached",
    statistic="{dataset}: ACC of {named} from {origin}",
    reference="{reference}",
    rule=lambda case: case.rule,
    cases=aims,
)
def aimed_at(tables, case):
    return last(tables["mixtures"], case.job, "acc")


def several_starts(role: str):
    """Cases of a method that runs from several starts without labels."""

    def cases(tables, choices):
        starts: dict[tuple, list[Job]] = {}
        for job in jobs_of(tables["mixtures"], labelled=False):
            if job.method == choices[role]:
                starts.setdefault((job.dataset, job.protocol), []).append(job)
        for jobs in starts.values():
            if len(jobs) > 1:
                yield fields(jobs[0], jobs=jobs)

    return cases


def chosen(tables, jobs: list[Job], metric: str) -> Evidence | None:
    """ACC from the start with the least value of a metric, minus that from the best start."""
    scores = tables["mixtures"]
    accuracy, values = (
        pd.DataFrame({job.start: last(scores, job, name) for job in jobs}).dropna()
        for name in ("acc", metric)
    )
    if values.empty:
        return None
    least = values.idxmin(axis=1)
    reached = pd.Series({r: accuracy.loc[r, start] for r, start in least.items()}, dtype=float)
    counts = ", ".join(f"{start_name(s)} {n}" for s, n in least.value_counts(sort=False).items())
    gap = (reached - accuracy.max(axis=1)).rename_axis("replicate")
    return Evidence(gap, f"least from: {counts}")


ranks = partial(
    ours, reference="0 if it is the best start", rule=at_least(-POINT, always=True)
)  # fmt: skip


@ranks(
    "The residual tells which start of the subspaces clusters best",
    statistic="{dataset}, {images}: ACC of {named} from the start with the least residual, minus "
    "that from the best one",
    cases=several_starts("subspaces"),
)
def residual_ranks(tables, case):
    return chosen(tables, case.jobs, "residual")


@ranks(
    "The free energy tells which start of a mixture clusters best",
    statistic="{dataset}, {images}: ACC of {named} from the start with the least free energy, "
    "minus that from the best one",
    cases=several_starts("method"),
)
def free_energy_ranks(tables, case):
    return chosen(tables, case.jobs, "free_energy")
