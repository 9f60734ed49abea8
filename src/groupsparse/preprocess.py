"""Preprocessing shared by training and evaluation of the clustering experiment."""

import torch
from torch import Tensor


def preprocess(train: Tensor, *others: Tensor, center: bool, unit_norm: bool) -> list[Tensor]:
    """Subtract the training mean and/or scale samples (N, n) to unit norm (zero stays zero).

    ValueError for data that are not finite.
    """
    parts = [train, *others]
    for part in parts:
        require_finite(part)
    if center:
        mean = train.mean(0)
        parts = [part - mean for part in parts]
    if unit_norm:
        parts = [part / part.norm(dim=1, keepdim=True).clamp_min(1e-12) for part in parts]
    return parts


def require_finite(data: Tensor, what: str = "samples") -> None:
    """ValueError naming the first rows of data (..., N, n) with NaN or infinite values."""
    bad = ~torch.isfinite(data).all(-1)
    if bad.any():
        first = bad.nonzero()[:3].squeeze(-1).tolist()
        raise ValueError(f"{int(bad.sum())} {what} have NaN or infinite values, the first {first}")
