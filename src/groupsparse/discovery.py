"""A group dictionary from data alone, with no start near the truth."""

from __future__ import annotations

import logging
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.alternating import alternate
from groupsparse.arrays import Array, as_tensor, check_count, require_finite
from groupsparse.dictionary import blocks, from_blocks, orthonormalize_groups
from groupsparse.group_size import estimate_group_size, gaps, noise_like
from groupsparse.groups import columns_of
from groupsparse.least_squares import Statistics
from groupsparse.pairwise import GAP, SAME, NoGroupsError, candidates, distinct, members, overlaps
from groupsparse.parting import parted
from groupsparse.pursuit import FALSE_ALARM, ROWS, noise_quantile, refit_codes, select_groups
from groupsparse.seeds import as_generator

log = logging.getLogger(__name__)

ROUNDS = 60
PATIENCE = 4  # rounds without a better dictionary, after which the best is looked at again
LOOKS = 4  # times that the best is looked at again
TOGETHER = 0.5, 0.05  # share of joint activity from which groups are entangled: first, and closest
DEAD = 0.2  # share of the median energy below which a group is replaced
GAIN = 1e-4  # relative fall of the score that counts as one
CLEARER = 1.3  # times the largest gap of 64 candidates in white noise, which varies by a fifth


def discover(
    data: Array,
    groups: int | None = None,
    group_size: int | None = None,
    seed: int = 0,
    *,
    start: Array | None = None,
    active_groups: int | None = None,
    basis: str = "orthonormal",
) -> Tensor:
    """Learn a dictionary (n, groups * group_size) from data (N, n), from no start at all.

    Each round adds missing groups, codes the data, and fits the dictionary to the codes:

    - A missing group is a span that pairs of samples share, in what the known groups leave over
      (:func:`groupsparse.pairwise.candidates`). After a search in vain, the next one waits while
      the fit of the known groups improves.
    - Codes are those of :func:`select_groups` and :func:`refit_codes`; the dictionary is that of
      least squares, as in :func:`alternate`.
    - A group is dropped if it has less than a fifth of the median energy, if its span overlaps a
      stronger one by more than a half, or if it is entangled: two groups that mix two true ones are
      active together far more often than chance would have it.

    The best dictionary is the one with the least ``||Y - A X||^2 / sigma^2 + t |S|``, where t is
    the price of an active group in the test of :func:`select_groups`. When no round improves on it,
    its groups are looked at again with a stricter notion of entangled, down to 3 % above chance.
    Pairs that are entangled to the end are taken apart (:func:`groupsparse.parting.parted`).

    Parameters
    ----------
    groups : how many to find; None: as many as show more clearly than white noise would
    group_size : atoms per group; None: :func:`estimate_group_size`
    seed : of the pairs; the same seed gives the same dictionary
    start : dictionary (n, m) whose groups are known at first, good or not, such as that of
        :func:`initialize`
    active_groups : groups in every sample, if they are known; by default a test decides
    basis : of a group, as in :func:`alternate`

    Raises
    ------
    ValueError for data that are not finite or too few, and for a start of another shape or of more
    groups than are to be found; NoGroupsError, one of them, for data in which no group shows.

    Examples
    --------
    >>> import groupsparse as gs
    >>> truth = gs.random_dictionary(40, 20, generator=0)
    >>> data = gs.sample(truth, 4, 1, (4.0, 5.0), samples=500, generator=1, snr_db=10.0).data
    >>> learnt = discover(data, groups=5, group_size=4)
    >>> gs.invariant_squared_error(learnt, truth, 4) < 0.2
    True
    """
    data = as_tensor(data)
    if data.ndim != 2:
        raise ValueError(f"data must have shape (N, n), not {tuple(data.shape)}")
    require_finite(data)
    if groups is not None:
        check_count(groups, "groups", least=1)
    d = estimate_group_size(data, seed) if group_size is None else group_size
    check_count(d, "group_size", least=1)
    if 2 * d > data.shape[1] or len(data) < 2 * d:
        raise ValueError(
            f"{len(data)} samples of {data.shape[1]} entries are too few for groups of {d}: need "
            "twice as many of either"
        )
    generator = as_generator(seed)
    known = data.new_zeros(0, data.shape[1], d)
    if start is not None:
        known = _started(as_tensor(start, "start", like=data), data.shape[1], groups, d)
    # Told how many groups there are, all but a mixture is welcome; else nothing that noise shows.
    noise = 0.0 if groups else float(gaps(noise_like(data, seed), d, seed).max())
    gap = max(GAP, CLEARER * noise)
    best = _best(data, known, groups, d, active_groups, gap, generator)
    if groups is None:  # without what the last rounds tried in vain
        best = best._replace(dictionary=best.dictionary[:, best.columns(best.kept(1.0))])
    found = best.dictionary.shape[1] // d
    if groups is not None and found < groups:
        log.warning("only %d of %d groups show in the data; the others are random", found, groups)
        noise = torch.randn(groups - found, data.shape[1], d, generator=generator).to(data)
        rest = from_blocks(torch.linalg.qr(noise).Q)
        best = best._replace(dictionary=torch.cat([best.dictionary, rest], -1))
    k = active_groups and min(active_groups, best.dictionary.shape[1] // d)
    for _ in range(2):  # a pass may show a pair that noise in the codes had hidden
        learnt = alternate(best.dictionary, data, d, passes=1, active_groups=k).dictionary
        best = _State.of(data, learnt, d, k).parted(k, generator)
    return alternate(best.dictionary, data, d, passes=1, active_groups=k, basis=basis).dictionary


def _started(start: Tensor, n: int, groups: int | None, d: int) -> Tensor:
    """Orthonormal bases (G, n, d) of the groups to start with; ValueError if they do not fit."""
    if start.ndim != 2 or len(start) != n:
        raise ValueError(f"start must have shape ({n}, m), not {tuple(start.shape)}")
    known = blocks(orthonormalize_groups(start, d), d)
    if groups is not None and len(known) > groups:
        raise ValueError(f"start has {len(known)} groups, which are more than the {groups} to find")
    return known


@torch.no_grad()
def _best(
    data: Tensor,
    known: Tensor,
    groups: int | None,
    d: int,
    active_groups: int | None,
    gap: float,
    generator: torch.Generator,
) -> _State:
    best, rest, together = None, data, TOGETHER[0]
    patience, looks, search = PATIENCE, LOOKS, True
    for number in range(1, ROUNDS + 1):
        before = len(known)
        if search:
            known = _completed(known, rest, groups, d, gap, generator)
        state = _State.of(data, from_blocks(known), d, active_groups)
        better = best is None or state.better(best)
        best, patience = (state, PATIENCE) if better else (best, patience - 1)
        kept = state.kept(together)
        log.info(
            "round %d: %d of %s groups kept, loss %.4g, %.3f active groups",
            number, len(kept), groups or len(known), state.loss, state.active,
        )  # fmt: skip
        # Where none showed and none went, the next search waits until the fit of these has ended,
        # and has its tries then. Without a number, one round in vain may be the last.
        same = before == len(known) == len(kept)
        search = groups is None or not (same and better)
        complete = len(kept) == (groups or len(known))
        if not better and (complete or not patience):
            state, patience, looks = best, PATIENCE, looks - 1
            wanted = groups or len(state.uses)
            while len(kept := state.kept(together)) == wanted and together > TOGETHER[1]:
                together /= 2
            if len(kept) == wanted or not looks:
                break
        known, rest = state.fitted()[kept], state.rest(kept)
    return best


def _completed(
    known: Tensor, rest: Tensor, groups: int | None, d: int, gap: float, generator: torch.Generator
) -> Tensor:
    """Known groups with those that show in what they leave over, as far as some are missing."""
    missing = max(len(known), 32) if groups is None else groups - len(known)
    if not missing:
        return known
    found = candidates(rest, 2 * missing + 32, d, members(rest, d), generator)
    new = distinct(found, known, missing, gap)
    if not len(known) and not len(new) and groups:
        new = distinct(found, known, missing, 0.0)
    if not len(known) and not len(new):
        clearer = "" if groups else " more clearly than in white noise: give their number"
        raise NoGroupsError(f"no group of {d} atoms shows in the data{clearer}")
    return torch.cat([known, new])


class _State(NamedTuple):
    """A dictionary of orthonormal groups, and what it makes of the data."""

    data: Tensor
    dictionary: Tensor
    codes: Tensor
    support: Tensor
    uses: Tensor
    residual: float

    @classmethod
    def of(cls, data: Tensor, dictionary: Tensor, d: int, active_groups: int | None) -> _State:
        k = active_groups and min(active_groups, dictionary.shape[1] // d)
        support = select_groups(data, dictionary, d, active_groups=k)
        codes = refit_codes(data, dictionary, support, d)
        parts = zip(data.split(ROWS), codes.split(ROWS), strict=True)
        residual = sum(float((y - x @ dictionary.mT).square().sum()) for y, x in parts)
        return cls(data, dictionary, codes, support, support.sum(0), residual)

    @property
    def group_size(self) -> int:
        return self.codes.shape[1] // len(self.uses)

    @property
    def loss(self) -> float:
        return self.residual / len(self.data) / 2

    @property
    def active(self) -> float:
        return float(self.uses.sum()) / len(self.data)

    def better(self, other: _State) -> bool:
        noise = max(min(self.residual, other.residual), 1e-30) / self.data.numel()
        return self.score(noise) < (1 - GAIN) * other.score(noise)

    def score(self, noise: float) -> float:
        return self.residual / noise + self._price * float(self.uses.sum())

    @property
    def _price(self) -> float:
        return noise_quantile(FALSE_ALARM / len(self.uses), self.group_size)

    def fitted(self) -> Tensor:
        """Orthonormal bases (G, n, d) of the dictionary that fits these codes best."""
        sums = Statistics.zeros(*self.dictionary.shape, self.group_size, self.data.device, False)
        parts = (t.split(ROWS) for t in (self.data, self.codes, self.support))
        for data, codes, support in zip(*parts, strict=True):
            sums.add_codes(data, codes.double(), support)
        fitted = sums.fit(self.dictionary).to(self.dictionary)
        return torch.linalg.qr(blocks(fitted, self.group_size)).Q

    def kept(self, together: float) -> Tensor:
        """Indices of the groups that are neither dead, nor there twice, nor entangled."""
        energy = self.codes.square().sum(0).view(-1, self.group_size).sum(1)
        spans = blocks(self.dictionary, self.group_size)
        order = energy.argsort(descending=True)
        twice = torch.tril(overlaps(spans[order], spans[order]) > SAME, -1).any(1)
        bad = self.entangled(together).any(1) | (energy < DEAD * energy.median())
        bad[order[twice]] = True
        return (~bad).nonzero().squeeze(1)

    def entangled(self, together: float) -> Tensor:
        """Pairs of groups (G, G) that are active together far more often than by chance."""
        active = self.support.to(self.codes)
        joint = (active.mT @ active).fill_diagonal_(0)
        rarer = torch.minimum(self.uses, self.uses.unsqueeze(1)).clamp_min(1)
        chance = active.mean(0).max()
        return joint > (chance + together * (1 - chance)) * rarer

    def parted(self, active_groups: int | None, generator: torch.Generator) -> _State:
        """The state with entangled pairs taken apart where that explains their samples better."""
        d, spans, done = self.group_size, blocks(self.dictionary, self.group_size).clone(), set()
        noise = max(self.residual, 1e-30) / self.data.numel()
        for pair in self.entangled(TOGETHER[1]).triu(1).nonzero().tolist():
            if not done.isdisjoint(pair):
                continue
            rows = self.support[:, pair].any(1)
            data, codes, support = self.data[rows], self.codes[rows], self.support[rows]
            residual = data - codes @ self.dictionary.mT
            columns = self.columns(torch.tensor(pair))
            rest = residual + codes[:, columns] @ self.dictionary[:, columns].mT
            changed = spans.clone()
            changed[pair] = parted(rest, spans[pair], generator)
            score = float(residual.square().sum()) / noise + self._price * float(support.sum())
            if _State.of(data, from_blocks(changed), d, active_groups).score(noise) < score:
                done.update(pair)
                spans = changed
        if not done:
            return self
        return _State.of(self.data, from_blocks(spans), d, active_groups)

    def columns(self, kept: Tensor) -> Tensor:
        """Columns of the atoms of the kept groups."""
        return columns_of(kept, self.group_size)

    def rest(self, kept: Tensor) -> Tensor:
        """What the kept groups leave over."""
        columns = self.columns(kept)
        return self.data - self.codes[:, columns] @ self.dictionary[:, columns].mT
