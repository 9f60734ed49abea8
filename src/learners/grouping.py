"""Groups for the atoms of a learner that knows none, so that it can be scored like the others."""

import torch
from torch import Tensor

from groupsparse.dictionary import blocks, normalize_columns, orthonormalize_groups
from groupsparse.matching import best_matching


def grouped(atoms: Tensor, truth: Tensor, group_size: int) -> Tensor:
    r"""Atoms in the order of the true groups that hold most of them: (n, m), twice -> (n, m).

    .. math:: \max_\pi \sum_g \sum_{i \le d} ||V_g^T a_{\pi(g, i)}||^2

    V_g is an orthonormal basis of a true group, which gets d atoms of unit norm. The truth is used
    in favour of the learner: no rule that sees the atoms alone could do better by this measure.
    """
    spans = blocks(orthonormalize_groups(truth, group_size), group_size)
    inside = (spans.mT @ normalize_columns(atoms)).square().sum(-2)  # (G, m)
    places = inside.repeat_interleave(group_size, 0)
    _, chosen = best_matching(places.numpy())
    return atoms[:, torch.from_numpy(chosen)]
