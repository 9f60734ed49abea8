"""Preprocessing shared by training and evaluation of the clustering experiment."""

from torch import Tensor

from groupsparse.arrays import require_finite


def preprocess(
    train: Tensor, *others: Tensor, center: bool, unit_norm: bool, mean_norm: float | None = None
) -> list[Tensor]:
    """Scale and center samples (N, n), all by what the training samples say.

    In this order: all are multiplied by one number that gives the training samples the mean norm
    ``mean_norm``; the training mean is subtracted (``center``); every sample is scaled to
    ``unit_norm`` (zero stays zero). ValueError for data that are not finite, and for
    training samples of zeros with a ``mean_norm``.
    """
    parts = [train, *others]
    for part in parts:
        require_finite(part)
    if mean_norm is not None:
        if not train.any():
            raise ValueError("no factor gives training samples of zeros a mean norm")
        scale = mean_norm / train.norm(dim=1).mean().clamp_min(1e-12)
        parts = [scale * part for part in parts]
    if center:
        mean = parts[0].mean(0)
        parts = [part - mean for part in parts]
    if unit_norm:
        parts = [part / part.norm(dim=1, keepdim=True).clamp_min(1e-12) for part in parts]
    return parts
