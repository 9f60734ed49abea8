"""Scores of what was learnt, and measurements that say why it is not better."""

from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.clustering import accuracy, active_group
from groupsparse.dictionary import blocks
from groupsparse.groups import split_groups
from groupsparse.matching import best_matching
from groupsparse.pursuit import refit_codes
from groupsparse.recovery import support_scores
from models.methods import Learnt
from models.problem import Problem

FOUND = 0.5  # overlap from which a group counts as found: nearer to the truth than to nothing


class Match(NamedTuple):
    """The learnt group ``order`` (G,) of every true one, and their ``overlaps`` (G,) in [0, 1]."""

    order: Tensor
    overlaps: Tensor
    error: float  # sum of squared sines over the used dimensions of the true groups


def match(dictionary: Tensor, problem: Problem, known: bool = False) -> Match:
    r"""Match learnt groups to true ones by how much of a true span they contain.

    .. math:: \min_\pi \sum_g \left(s_g - ||U_{\pi(g)}^T V_g||_F^2\right)

    V_g is an orthonormal basis of the s_g atoms that group g uses, U of all d learnt ones. For
    s_g = d it is :func:`groupsparse.recovery.invariant_squared_error`.

    Parameters
    ----------
    known : whether the estimate knows s_g and has no other atoms, as the oracle
    """
    d, sizes = problem.group_size, problem.sizes
    used = torch.arange(d) < sizes.unsqueeze(-1)
    # The first s columns of Q span the first s atoms.
    true = torch.linalg.qr(blocks(problem.truth.double(), d)).Q * used.unsqueeze(-2)
    own = torch.linalg.qr(blocks(dictionary.double(), d)).Q
    if known:
        own = own * used.unsqueeze(-2)
    products = torch.einsum("gni,hnj->ghij", true, own).square().sum((-2, -1))
    rows, order = best_matching(products.numpy())
    explained = products[rows, order]
    order = torch.as_tensor(order)
    return Match(order, explained / sizes, max(0.0, float((sizes - explained).sum())))


def measure(learnt: Learnt, problem: Problem, clusters: bool, known: bool = False) -> dict:
    """Metric -> value for one dictionary.

    ``error`` and ``found`` groups as in :func:`match`; ``recall``, ``precision`` and ``f1`` of the
    active groups; ``accuracy`` of the group with the largest code as a cluster, where a sample has
    one; ``shrunk`` and ``cross`` as in :func:`one_step`.
    """
    found = match(learnt.dictionary, problem, known)
    support = learnt.support(problem.group_size)[:, found.order]
    scores = support_scores(support, problem.support)
    values = {
        "error": found.error,
        "found": int((found.overlaps > FOUND).sum()),
        "worst": float(found.overlaps.min()),
        **{key: scores[key] for key in ("recall", "precision", "f1")},
        **one_step(learnt, problem),
    }
    if clusters:
        labels = problem.sample.codes.groups.squeeze(1).numpy()
        values["accuracy"] = accuracy(labels, active_group(learnt.codes, problem.group_size))
    return values


def one_step(learnt: Learnt, problem: Problem) -> dict[str, float]:
    r"""How far codes x are from least squares z on their own active groups.

    .. math:: shrunk = 1 - \frac{\sum x^T z}{\sum z^T z}, \quad
        cross = \frac{||x - (1 - shrunk) z||_F}{||z||_F}

    ``shrunk`` is the bias of a threshold, ``cross`` what one step leaves of other active groups.
    """
    d, data = problem.group_size, problem.sample.data
    support = learnt.support(d)
    # Samples with more active atoms than dimensions have no least squares.
    fits = (support.sum(-1) * d <= data.shape[1]) & support.any(-1)
    if not fits.any():
        return {"shrunk": float("nan"), "cross": float("nan")}
    own = learnt.codes[fits]
    best = refit_codes(data[fits], learnt.dictionary, support[fits], d)
    share = float((own * best).sum() / best.square().sum())
    cross = float((own - share * best).norm() / best.norm())
    return {"shrunk": 1 - share, "cross": cross}


def traits(problem: Problem) -> dict[str, float]:
    """What the true codes and the noise are like.

    ``negative``: share of their energy in negative entries. ``one_direction``: share of a group's
    energy along the mean of its active codes, as a mean over groups. ``together``: how often the
    most frequent companion of a group is active with it, as a mean over groups.
    ``fewest_samples``: of the rarest group. ``outliers``: share of the noise's energy in the 1 % of
    samples that have the most. ``neighbours``: correlation of the noise in neighbouring entries.
    """
    codes = problem.codes
    groups = split_groups(codes, problem.group_size)
    counts = problem.support.sum(0).clamp_min(1)
    along = (groups.sum(0) / counts.unsqueeze(-1)).square().sum(-1)
    energy = groups.square().sum((0, -1)) / counts
    active = problem.support.double()
    joint = (active.T @ active).fill_diagonal_(0).amax(-1) / counts
    noise = problem.sample.data - codes @ problem.truth.T
    loudest = noise.square().sum(-1).sort(descending=True).values
    beside = (noise[:, 1:] * noise[:, :-1]).mean() / noise.square().mean()
    return {
        "neighbours": float(beside),
        "outliers": float(loudest[: -(-len(loudest) // 100)].sum() / loudest.sum()),
        "negative": float(codes.clamp(max=0).square().sum() / codes.square().sum()),
        "one_direction": float((along / energy.clamp_min(1e-12)).mean()),
        "together": float(joint.mean()),
        "fewest_samples": int(problem.support.sum(0).min()),
    }
