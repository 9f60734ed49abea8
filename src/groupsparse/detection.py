"""How near learnt kernels and found events are to the true ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count
from groupsparse.events import Events
from groupsparse.matching import best_matching


class KernelErrors(NamedTuple):
    """For every true kernel: its error, the learnt kernel it is matched to, and that one's lag."""

    errors: Tensor
    order: Tensor
    lags: Tensor


def kernel_errors(learnt: Array, truth: Array, lags: int = 0) -> KernelErrors:
    r"""Error of each true kernel (K, L) against the learnt one (K', L) that it is matched to.

    .. math:: e = \sqrt{1 - \max_{|l| \le \text{lags}} \langle h, h'(\cdot + l) \rangle^2}

    of kernels at unit norm, from 0 to 1; K' >= K. A shift drops what leaves the
    window. The matching has the largest sum of squared correlations. Sign is free. With lag l the
    learnt kernel is later than the true one by l.

    Raises
    ------
    ValueError for shapes that do not fit.

    Examples
    --------
    >>> found = kernel_errors([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]], lags=1)
    >>> found.errors.tolist(), found.order.tolist(), found.lags.tolist()
    ([0.0], [0], [-1])
    """
    truth = as_tensor(truth, "truth").double()
    learnt = as_tensor(learnt, "learnt").to(truth)
    if truth.ndim != 2 or learnt.ndim != 2 or learnt.shape[-1] != truth.shape[-1]:
        shapes = tuple(learnt.shape), tuple(truth.shape)
        raise ValueError(f"kernels must have shapes (K', L) and (K, L), not {shapes}")
    if len(learnt) < len(truth):
        raise ValueError(f"{len(learnt)} learnt kernels cannot be matched to {len(truth)}")
    learnt, truth = (torch.nn.functional.normalize(h, dim=-1) for h in (learnt, truth))
    length = truth.shape[-1]
    lags = min(check_count(lags, "lags"), length - 1)
    shifts = sorted(range(-lags, lags + 1), key=abs)  # of equal ones the least shift counts
    products = torch.stack([_correlation(learnt, truth, lag) for lag in shifts])
    best, which = products.square().max(0)
    order = match(best)
    rows = torch.arange(len(truth))
    # 1 - c^2 of kernels that agree is rounding, whose root would not be small.
    errors = (1 - best[rows, order]).clamp_min(0).sqrt()
    return KernelErrors(errors, order, torch.tensor(shifts)[which[rows, order]])


def _correlation(learnt: Tensor, truth: Tensor, lag: int) -> Tensor:
    """<h(t), h'(t + lag)> of all pairs, (K, K')."""
    length = truth.shape[-1]
    first, last = max(0, -lag), min(length, length - lag)
    return truth[:, first:last] @ learnt[:, first + lag : last + lag].T


def match(gains: Tensor) -> Tensor:
    """The column (K,) of every row of gains (K, K'), each used once, with the largest sum."""
    return torch.from_numpy(best_matching(gains.cpu().numpy())[1])


def match_events(found: Events, truth: Events, tolerance: int) -> tuple[Tensor, Tensor]:
    """Pairs of found and true events of the same trial and kernel, at most ``tolerance`` apart.

    No event is in two pairs, and there are as many pairs as there can be. Returns indices into both
    (M,).

    Examples
    --------
    >>> def at(*times):
    ...     zeros = torch.zeros(len(times), dtype=torch.int64)
    ...     return Events(zeros, zeros, torch.tensor(times), torch.ones(len(times), 1))
    >>> match_events(at(3, 4, 9), at(2, 8), tolerance=1)
    (tensor([0, 2]), tensor([0, 1]))
    """
    tolerance = check_count(tolerance, "tolerance")
    pairs = []
    theirs, mine = _by_place(truth), _by_place(found)
    for place, true in theirs.items():
        here, i, j = mine.get(place, []), 0, 0
        while i < len(here) and j < len(true):
            gap = here[i][0] - true[j][0]
            if abs(gap) <= tolerance:
                pairs.append((here[i][1], true[j][1]))
                i, j = i + 1, j + 1
            elif gap < 0:
                i += 1
            else:
                j += 1
    pairs = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _by_place(events: Events) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """(time, index) in order, by trial and kernel."""
    places: dict[tuple[int, int], list[tuple[int, int]]] = {}
    order = np.argsort(events.time.cpu().numpy(), kind="stable")
    trial, kernel, time = (part.tolist() for part in events[:3])
    for index in order.tolist():
        places.setdefault((trial[index], kernel[index]), []).append((time[index], index))
    return places


def event_scores(found: Events, truth: Events, tolerance: int) -> dict[str, float]:
    """``hit_rate``, the share of true events that are found, and ``false_discovery``, the share of
    found events that match no true one: each in [0, 1], NaN without events. They match as in
    :func:`match_events`.
    """
    hits = len(match_events(found, truth, tolerance)[0])
    return {
        "hit_rate": hits / truth.size if truth.size else float("nan"),
        "false_discovery": 1 - hits / found.size if found.size else float("nan"),
    }


def renamed(events: Events, order: Tensor) -> Events:
    """Events whose kernels are those that learnt ones are matched to; without those of others.

    ``order`` (K,) is that of :func:`kernel_errors`.
    """
    names = torch.full((int(torch.cat([order, events.kernel]).max()) + 1,), -1)
    names[order] = torch.arange(len(order))
    kernel = names[events.kernel]
    return events._replace(kernel=kernel).take(kernel >= 0).ordered()
