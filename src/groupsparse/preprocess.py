"""Preprocessing shared by training and evaluation of the clustering experiment."""

from torch import Tensor


def preprocess(train: Tensor, *others: Tensor, center: bool, unit_norm: bool) -> list[Tensor]:
    """Subtract the training mean and/or scale samples (N, n) to unit norm (zero stays zero)."""
    parts = [train, *others]
    if center:
        mean = train.mean(0)
        parts = [part - mean for part in parts]
    if unit_norm:
        parts = [part / part.norm(dim=1, keepdim=True).clamp_min(1e-12) for part in parts]
    return parts
