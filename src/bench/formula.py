"""What an epoch costs: operations and bytes from the sizes, seconds from four rates of a machine.

The counts follow the library line by line; the number of times that an array is read or written
was fitted to measurements once. docs/cost.md explains the terms.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from groupsparse.encoder import SEGMENT
from groupsparse.loss import PROBE
from groupsparse.pursuit import ROWS as TOGETHER
from groupsparse.screening import ROWS as SCREENED

FLOAT, DOUBLE = 4, 8  # bytes
COPIED = 5  # copies of a block while it is read, shuffled and joined to what is left of the last
LOADED = {"shallow": 8e6, "unfolded": 5e6, "alternating": 5e7}  # bytes: the last one imports scipy
FACTORED = 0.13  # rate of factorisations in float64, of that of products in float32
CACHED = 8e6  # bytes of a dictionary up to which what a step does to it costs nothing
# Bytes as if all were read once and written once as fast as an array is multiplied by a number.
FETCHED = 22  # for an entry of an active atom, in a sample
SORTED = 2000  # for an active atom in a sample
SCANNED = 86  # for an entry of Y A
READ = 80  # for an entry of the data
STEPPED = {"shallow": 220, "unfolded": 670}  # for an entry of the dictionary, in a step
LAYERED = 34  # for an entry of a layer's codes; twice that where the layer is differentiated
PURSUED = {"atoms": 115, "gram": 60}  # for an entry of an active atom in a sample; of A^T A, A^T Y
# Of a step whose work is nothing: the calls of a layer, and of a group that a pursuit adds.
CALLED, ADDED = 0.14, 1.0


class Machine(NamedTuple):
    """Operations a second of products in float32 and as the search for active groups multiplies,
    bytes a second, and seconds of a step whose work is nothing."""

    product: float
    screen: float
    memory: float
    step: float


class Run(NamedTuple):
    """N samples (n,) in batches, m atoms in groups of d, k of them active; the network's layers.

    ``kind``: shallow, unfolded or alternating. ``held``: samples in memory at a time, N unless they
    are streamed. ``backprop``: last layers that are differentiated.
    """

    kind: str
    samples: int
    n: int
    atoms: int
    group_size: int
    active_groups: float
    batch_size: int
    held: int
    layers: int = 1
    backprop: int = 1


def run_of(spec: dict) -> Run:
    """The run that an entry of `bench.settings.cost.runs` describes."""
    model = spec["model"]
    return Run(
        spec["kind"], model["samples"], model["n"], model["groups"] * model["group_size"],
        model["group_size"], model["active_groups"], spec["batch_size"],
        COPIED * spec["block"] or model["samples"], spec["layers"], spec["backprop"],
    )  # fmt: skip


class Work(NamedTuple):
    """Operations in float32, of the search, and of factorisations; bytes; and steps."""

    product: float
    screen: float
    factor: float
    memory: float
    steps: float


def seconds(run: Run, machine: Machine) -> float:
    """Predicted seconds of an epoch, or of a pass."""
    work = WORK[run.kind](run)
    return (
        work.product / machine.product
        + work.screen / machine.screen
        + work.factor / (FACTORED * machine.product)
        + work.memory / machine.memory
        + work.steps * machine.step
    )


def shallow(run: Run) -> Work:
    """Y A to find the active groups; everything else touches active atoms alone."""
    samples, n, m, active, steps = sizes(run)
    of_samples = FETCHED * n * active + SORTED * active + SCANNED * m + READ * n
    of_steps = STEPPED["shallow"] * n * m if FLOAT * n * m > CACHED else 0.0
    return Work(
        product=steps * 2 * min(PROBE, run.batch_size) * n * m,
        screen=samples * 2 * n * m,
        factor=0.0,
        memory=samples * of_samples + steps * of_steps,
        steps=steps,
    )


def unfolded(run: Run) -> Work:
    """A product with the Gram matrix in every layer, and two more where it is differentiated.

    The loss takes it too where that is cheaper.
    """
    samples, n, m, _, steps = sizes(run)
    layers, deep = run.layers, min(run.backprop, run.layers)
    again = (deep - 1) // SEGMENT * SEGMENT if deep else 0  # layers that run a second time
    first = deep == layers  # before the first layer there is no product
    of_layers = layers - 1 + max(again - first, 0) + max(deep - first, 0) + max(deep - 1, 0)
    by_gram = m <= n
    of_layers += 2 * by_gram
    of_atoms = 2 if by_gram else 5 if deep else 3
    gram = 1 + (by_gram or deep > 0)
    passes = layers + again + 2 * deep
    return Work(
        product=samples * 2 * (of_atoms * n * m + of_layers * m * m)
        + steps * 2 * (gram * n * m * m + (n * n * m if n < m else 0)),
        screen=0.0,
        factor=steps * 4 / 3 * min(n, m) ** 3,
        memory=samples * LAYERED * passes * m + steps * STEPPED["unfolded"] * n * m,
        steps=steps * (1 + CALLED * passes),
    )


def alternating(run: Run) -> Work:
    """Y A, a pursuit that reads rows of the Gram matrix, sums in float64, and one fit of A."""
    samples, n, m, active, steps = sizes(run)
    parts = steps * ceil(run.batch_size / TOGETHER)
    return Work(
        product=samples * 2 * n * m + parts * 2 * n * m * m,
        screen=0.0,
        factor=m**3 / 3 + 2 * n * m * m,
        memory=samples * PURSUED["atoms"] * n * active + parts * PURSUED["gram"] * m * (m + n),
        steps=parts * (1 + ADDED * (run.active_groups + 1)),
    )


WORK = {"shallow": shallow, "unfolded": unfolded, "alternating": alternating}


def sizes(run: Run) -> tuple[float, int, int, float, float]:
    """N, n, m, active atoms of a sample, and steps of an epoch."""
    active = run.active_groups * run.group_size
    return run.samples, run.n, run.atoms, active, ceil(run.samples / run.batch_size)


def peak_bytes(run: Run) -> float:
    """Predicted peak of the memory that training adds to its process, the data included."""
    _, n, m, active, _ = sizes(run)
    held = LOADED[run.kind] + FLOAT * n * run.held
    if run.kind == "alternating":
        part = min(TOGETHER, run.batch_size)
        return held + DOUBLE * (3.5 * m * m + 4 * n * m + 4 * part * m)
    batch = run.batch_size
    held += 3 * FLOAT * n * batch
    if run.kind == "shallow":
        rows = min(SCREENED, batch)
        return held + 8 * FLOAT * n * m + batch * active * 100 + rows * m * 10
    taped = 4 * min(SEGMENT, run.backprop) + 8
    return held + FLOAT * (6 * n * m + 6 * m * m + taped * batch * m)
