"""Alternating updates of codes and dictionary, both in closed form."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse import checkpoints, history
from groupsparse.arrays import Array, as_dictionary, check_count, check_groups
from groupsparse.artifacts import tensor_digest
from groupsparse.batches import Batches, FixedData, fit_batch
from groupsparse.dictionary import (
    blocks,
    from_blocks,
    full_blocks,
    normalize_columns,
    positive_qr,
)
from groupsparse.least_squares import Statistics
from groupsparse.prox import Prox, name_of
from groupsparse.pursuit import Selection
from groupsparse.topk import activation_of

log = logging.getLogger(__name__)

BASES = ("orthonormal", "oblique", "isotropic")


class Alternated(NamedTuple):
    """What :func:`alternate` returns: dictionary (n, m) or (R, n, m), history by name."""

    dictionary: Tensor
    history: dict[str, Tensor]


def alternate(
    dictionary: Array,
    data: Array | Batches,
    group_size: int,
    *,
    passes: int = 3,
    active_groups: int | None = None,
    lambda_: float | None = None,
    prox: str | Prox = "group_soft",
    basis: str = "orthonormal",
    memory: float = 0.0,
    every_batch: bool = False,
    metrics: Callable[[Tensor], dict[str, float | Tensor]] | None = None,
    callback: Callable[[int, Tensor], object] | None = None,
    checkpoint: str | Path | None = None,
    fingerprint: object = None,
) -> Alternated:
    r"""Learn a dictionary by alternating least squares, from a start that is near enough.

    A pass finds the active groups of every sample (:func:`select_groups`), fits their codes by
    least squares (:func:`refit_codes`), and then fits the dictionary to these codes:

    .. math:: A = \arg\min_A \sum_i \tfrac12 ||y_i - A x_i||^2
              = \left[(X^T X)^{-1} X^T Y\right]^T

    from the sums X^T X and X^T Y, so data need not fit in memory. Reconstruction determines the
    span of a group and leaves its basis open; ``basis`` says which to return.

    Parameters
    ----------
    dictionary : start (n, m), or (R, n, m) for independent replicates; a group counts by its span
    data : (N, n) or (R, N, n), or batches as in :func:`train`, asked for once a pass
    group_size : atoms per group, divides m
    passes : over the data; from a start within the reach of the paper's three are enough
    active_groups, lambda_, prox : rule for the active groups, as in :func:`select_groups`. With
        neither number a test decides, and nothing has to be tuned
    basis : of a group. ``orthonormal``: A_g^T A_g = I. ``oblique``: unit atoms; the basis of the
        start is carried along. ``isotropic``: the codes of an active group are as round as
        the samples can tell (the paper's assumption 3), ||A_g||_F^2 = d; this fixes the group up
        to a rotation. An ellipsoid is fitted to the codes; where samples are too few to tell, the
        basis stays as it is
    memory : weight in [0, 1] of the sums of earlier passes. 0: each pass by itself. 1 with new
        samples in every pass: all samples seen, the earlier ones with the codes they had then
    every_batch : update after every batch instead of every pass: for streams, with ``memory``
    metrics : maps the dictionary (n, m) or (R, n, m) to named values, recorded at the start and
        after every pass
    callback : called as ``callback(pass, dictionary)``; the passes stop if it returns True
    checkpoint : file written after every pass; as in :func:`train`
    fingerprint : as in :func:`train`

    Returns
    -------
    dictionary : shape, dtype and device of the start. The order of the groups is that of the start
    history : name -> (passes + 1, R) or (passes + 1,). ``loss`` is the mean of 1/2 ||y - A x||^2 in
        a pass before its update (NaN in row 0)

    Raises
    ------
    ValueError for arguments that do not fit, or if a sample has more active atoms than dimensions.

    Examples
    --------
    >>> import groupsparse as gs
    >>> truth = gs.orthonormalize_groups(gs.random_dictionary(30, 20, generator=0), 2)
    >>> data = gs.sample(truth, 2, 2, (4.0, 5.0), samples=500, generator=1, snr_db=20.0).data
    >>> start = gs.perturb(truth, correlation=0.9, generator=2)
    >>> learnt = alternate(start, data, group_size=2).dictionary
    >>> error = gs.invariant_squared_error
    >>> error(learnt, truth, 2) < 0.1 < error(start, truth, 2)
    True
    """
    dictionary = as_dictionary(dictionary).detach()
    replicates, m = dictionary.shape[:-2], dictionary.shape[-1]
    if len(replicates) > 1:
        shape = tuple(dictionary.shape)
        raise ValueError(f"alternate needs a dictionary (n, m) or (R, n, m), not {shape}")
    check_groups(m, group_size)
    passes = check_count(passes, "passes")
    if basis not in BASES:
        raise ValueError(f"unknown basis {basis!r}; known are {', '.join(BASES)}")
    if not 0 <= memory <= 1:
        raise ValueError(f"memory must be in [0, 1], not {memory}")
    rule = Selection(active_groups, lambda_, prox)
    rule.check(m // group_size)
    batches = data if callable(data) else FixedData(data)
    flat = dictionary.reshape(-1, *dictionary.shape[-2:])
    states = [State(a, group_size, basis) for a in flat]

    def current() -> Tensor:
        return torch.stack([state.dictionary() for state in states]).view_as(dictionary)

    rows = [history.row(dictionary, metrics, torch.full(replicates, torch.nan))]
    identity, last = {}, passes
    if checkpoint:
        settings = {
            "rule": rule._asdict() | {"prox": prox if isinstance(prox, str) else name_of(prox)},
            "activation": checkpoints.program(activation_of(prox)),
        }
        settings |= {"group_size": group_size, "basis": basis, "memory": memory}
        settings |= {"every_batch": every_batch, "start": tensor_digest(dictionary)}
        identity = checkpoints.described(settings, batches, fingerprint, dictionary.device)
        checkpoints.refuse_other_files(checkpoint)
    made = checkpoint and checkpoints.read(checkpoint, identity, passes, rows)
    if made:
        rows, last = made.rows, passes if made.header["stopped"] < passes else 0
        for number, state in enumerate(states):
            state.restore({name: value[number] for name, value in made.tensors.items()})
    reported = time.monotonic()
    for number in range(len(rows), last + 1):
        loss = _pass(states, batches(number), dictionary, rule, memory, every_batch)
        learnt = current()
        rows.append(history.row(learnt, metrics, loss.view(replicates)))
        if number == passes or time.monotonic() - reported > 5:
            reported = time.monotonic()
            log.info("pass %d/%d: %s", number, passes, history.described(rows[-1]))
        stop = bool(callback and callback(number, learnt))
        if checkpoint:
            tensors = [state.tensors() for state in states]
            stacked = {name: torch.stack([t[name] for t in tensors]) for name in tensors[0]}
            checkpoints.write(checkpoint, identity, passes if stop else 0, stacked, rows)
        if stop:
            log.info("stopped by the callback after pass %d", number)
            break
    return Alternated(current() if len(rows) > 1 else dictionary.clone(), history.stacked(rows))


def _pass(
    states: list[State],
    batches: Iterator[Tensor],
    like: Tensor,
    rule: Selection,
    memory: float,
    every_batch: bool,
) -> Tensor:
    """One pass over the data: the mean loss (R,)."""
    loss, count = torch.zeros(len(states), dtype=torch.float64), 0
    for batch in batches:
        batch = fit_batch(batch, like)
        for number, (state, data) in enumerate(
            zip(states, batch.reshape(-1, *batch.shape[-2:]), strict=True)
        ):
            if every_batch or not count:
                state.sums.forget(memory)
            loss[number] += state.add(data, rule) / 2
            if every_batch:
                state.update()
        count += batch.shape[-2]
    if not count:
        raise ValueError("there are no samples in a pass")
    if not every_batch:
        for state in states:
            state.update()
    return (loss / count).to(like.dtype)


class State:
    """One replicate: orthonormal bases (n, m), their ``mixing`` (G, d, d) and the sums so far.

    Codes are those of the bases. An oblique group is its basis times its mixing.
    """

    def __init__(self, dictionary: Tensor, group_size: int, wanted: str) -> None:
        self.group_size, self.wanted = group_size, wanted
        basis, self.mixing = positive_qr(full_blocks(normalize_columns(dictionary), group_size))
        self.basis, isotropic = from_blocks(basis), wanted == "isotropic"
        self.sums = Statistics.zeros(*dictionary.shape, group_size, dictionary.device, isotropic)

    def tensors(self) -> dict[str, Tensor]:
        return {"basis": self.basis, "mixing": self.mixing, **vars(self.sums)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        here = {name: value.to(self.basis.device).clone() for name, value in tensors.items()}
        self.basis, self.mixing = here.pop("basis"), here.pop("mixing")
        self.sums = Statistics(**here)

    def add(self, data: Tensor, rule: Selection) -> float:
        return self.sums.add(data, self.basis, self.group_size, rule)

    def update(self) -> None:
        """Fit the dictionary to the codes, and express the codes in its orthonormal bases."""
        fitted = self.sums.fit(self.basis)
        basis, turns = positive_qr(blocks(fitted, self.group_size))
        self.basis = from_blocks(basis).to(self.basis)
        self.sums.turn(turns)
        mixed = turns @ self.mixing.double()
        self.mixing = torch.nn.functional.normalize(mixed, dim=-2).to(self.basis)

    def dictionary(self) -> Tensor:
        if self.wanted == "orthonormal":
            return self.basis
        mixing = self.mixing
        if self.wanted == "isotropic":
            values, vectors = torch.linalg.eigh(self.sums.shapes())
            # The inverse root, of squared norm d; a shape that is no ellipsoid is made a flat one.
            scales = values.clamp_min(1e-3).reciprocal()
            scales = self.group_size * scales / scales.sum(-1, keepdim=True)
            mixing = (vectors * scales.sqrt().unsqueeze(-2)) @ vectors.mT
        return from_blocks(blocks(self.basis, self.group_size) @ mixing.to(self.basis))
