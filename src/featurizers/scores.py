"""What a dictionary and its codes know of the concepts. The truth is used here and only here."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from groupsparse.groups import Size
from groupsparse.metrics import active_per_sample, dead_groups, explained_variance


def shares(bases: list[Tensor], groups: Sequence[Tensor]) -> Tensor:
    r"""Share of every concept that lies in the span of every group: (G, H), in [0, 1].

    .. math:: ||U_h^T V_g||_F^2 / d_g

    with orthonormal bases V (n, d_g) of the concepts, and U of the groups of atoms (n, d_h). One
    atom has at most 1 / d_g, and a random group of d atoms about d / n.
    """
    spans = torch.cat([torch.linalg.qr(atoms).Q for atoms in groups], dim=1)
    owner = torch.tensor([h for h, atoms in enumerate(groups) for _ in range(atoms.shape[1])])
    squares = torch.stack([(v.T @ spans).square().sum(0) / v.shape[1] for v in bases])
    return squares.new_zeros(len(bases), len(groups)).index_add_(1, owner, squares)


def f1(concepts: Tensor, active: Tensor) -> Tensor:
    r"""Agreement of every concept with every feature: bool (N, G), bool (N, H) -> (G, H).

    .. math:: F_1 = 2 |c \cap a| / (|c| + |a|)

    over the samples in which they are active; 0 where neither ever is.
    """
    concepts, active = concepts.float(), active.float()
    both, either = concepts.T @ active, concepts.sum(0)[:, None] + active.sum(0)
    return 2 * both / either.clamp(min=1)


def by_concept(
    bases: list[Tensor], concepts: Tensor, groups: Sequence[Tensor], active: Tensor, several: int
) -> dict[str, Tensor]:
    """Scores (G,) of the best feature of every concept, and of the best set of features.

    A set is chosen for each concept by the truth, which helps dictionaries of single atoms: the
    groups of largest share, as many as have ``several`` atoms together. It spans what they span,
    and is active where any of the first j is, for the best j.

    Parameters
    ----------
    bases, concepts : of every concept a basis (n, d_g), and the samples that have it, bool (N, G)
    groups, active : of every learnt group its atoms (n, d_h), and where it is active, bool (N, H)
    """
    share, agreement = shares(bases, groups), f1(concepts, active)
    count = max(1, several // groups[0].shape[1])
    best = share.topk(count, dim=1).indices  # (G, count)
    spanned, detected = [], []
    for g, (chosen, basis) in enumerate(zip(best.tolist(), bases, strict=True)):
        span = torch.linalg.qr(torch.cat([groups[h] for h in chosen], dim=1)).Q
        spanned.append((span.T @ basis).square().sum() / basis.shape[1])
        any_of = active[:, chosen].cummax(1).values
        detected.append(f1(concepts[:, g : g + 1], any_of).max())
    return {
        "captured": share.amax(1),
        "f1": agreement.amax(1),
        "captured_set": torch.stack(spanned),
        "f1_set": torch.maximum(torch.stack(detected), agreement.amax(1)),
    }


def overall(data: Tensor, reconstruction: Tensor, codes: Tensor, group_size: Size) -> dict:
    """What needs no truth: explained variance, active atoms and groups, dead groups."""
    return {
        "explained": explained_variance(data, reconstruction),
        "active_atoms": active_per_sample(codes, 1),
        "active_groups": active_per_sample(codes, group_size),
        "dead": len(dead_groups(codes, group_size)),
    }
