"""What an epoch costs: operations and bytes from the sizes, seconds from four rates of a machine.

The counts follow the library line by line; the number of times that an array is read or written
was fitted to measurements once. docs/cost.md explains the terms.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from groupsparse.encoder import SEGMENT
from groupsparse.loss import PROBE
from groupsparse.pursuit import ROWS as PURSUED
from groupsparse.screening import ROWS as SCREENED

FLOAT, DOUBLE = 4, 8  # bytes
COPIED = 5  # copies of a block while it is read, shuffled and joined to what is left of the last
LOADED = {"shallow": 5e6, "unfolded": 5e6, "alternating": 5e7}  # bytes: the last one imports scipy
FACTORED = 0.3  # rate of factorisations in float64, of that of products in float32
FETCHED = 3  # times that the rows of an active atom are fetched for a sample
SCANNED = 30  # bytes that the search for active groups moves for an entry of Y A
STEPPED = 32  # arrays of the size of the dictionary that a step reads or writes, with Adam
CALLED = 0.02  # of a step: the calls of a layer
LAYERED = {"forward": 6, "backward": 12}  # arrays (B, m) that a layer reads or writes


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
    fetched = FETCHED * FLOAT * n * active
    return Work(
        product=steps * 2 * min(PROBE, run.batch_size) * n * m,
        screen=samples * 2 * n * m,
        factor=0.0,
        memory=samples * (fetched + SCANNED * m + 6 * FLOAT * n) + steps * STEPPED * FLOAT * n * m,
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
    arrays = LAYERED["forward"] * (layers + again) + LAYERED["backward"] * deep
    return Work(
        product=samples * 2 * (of_atoms * n * m + of_layers * m * m)
        + steps * 2 * (gram * n * m * m + (n * n * m if n < m else 0)),
        screen=0.0,
        factor=steps * 4 / 3 * min(n, m) ** 3,
        memory=samples * FLOAT * (arrays * m + 6 * n) + steps * STEPPED * FLOAT * n * m,
        steps=steps * (1 + CALLED * (layers + again + 2 * deep)),
    )


def alternating(run: Run) -> Work:
    """Y A, a pursuit that reads rows of the Gram matrix, sums in float64, and one fit of A."""
    samples, n, m, active, steps = sizes(run)
    parts = steps * ceil(run.batch_size / PURSUED)
    rounds = run.active_groups + 1
    pursued = FLOAT * m * (active * rounds / 2 + 12 * rounds)
    summed = DOUBLE * (m * (2 * active + 8) + 2 * n * active)
    return Work(
        product=samples * 2 * n * m + parts * 2 * n * m * m,
        screen=0.0,
        factor=m**3 / 3 + 2 * n * m * m,
        memory=samples * (pursued + summed) + parts * DOUBLE * 2 * m * (m + n),
        steps=parts,
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
        part = min(PURSUED, run.batch_size)
        return held + DOUBLE * (3.5 * m * m + 4 * n * m + 4 * part * m)
    batch = run.batch_size
    held += 6 * FLOAT * n * m + 3 * FLOAT * n * batch
    if run.kind == "shallow":
        return held + batch * active * 100 + min(SCREENED, batch) * m * 10
    taped = 3 * min(SEGMENT, run.backprop) + 8
    return held + FLOAT * (6 * m * m + taped * batch * m)
