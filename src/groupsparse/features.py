"""Features of images in which clusters lie nearer to subspaces than pixels do."""

from __future__ import annotations

import logging
import time

import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count, require_finite

log = logging.getLogger(__name__)


@torch.no_grad()
def scattering_features(
    images: Array, scales: int = 3, angles: int = 8, batch_size: int = 64
) -> Tensor:
    r"""Scattering coefficients, every path scaled by its largest modulus: (N, h, w) -> (N, k).

    Wavelets psi of scale 2^j (j < J) and angle pi l / L, a Gaussian phi of scale 2^J, and the paths

    .. math:: y * \phi, \; |y * \psi_1| * \phi, \; ||y * \psi_1| * \psi_2| * \phi

    with psi_2 coarser than psi_1. There are 1 + J L + L^2 J (J - 1) / 2 of them, each of
    floor(h / 2^J) floor(w / 2^J) numbers: k = 217 * 9 for images of 28 x 28 pixels. Each is divided
    by its infinity norm, so that fine paths count as much as coarse ones; zero stays zero.

    Parameters
    ----------
    scales, angles : J and L
    batch_size : images that are transformed at a time; on a CPU small batches stay in cache

    Raises
    ------
    ImportError without kymatio (``pip install ".[features]"``); ValueError for images that
    are smaller than 2^J, of another shape or not finite.

    References
    ----------
    J. Bruna, S. Mallat, "Invariant scattering convolution networks", IEEE TPAMI 35 (2013).

    Examples
    --------
    >>> scattering_features(torch.rand(2, 28, 28)).shape  # doctest: +SKIP
    torch.Size([2, 1953])
    """
    try:
        # Not kymatio.torch, which needs a function that SciPy 1.17 has dropped.
        from kymatio.scattering2d.frontend.torch_frontend import ScatteringTorch2D
    except ImportError as error:
        raise ImportError(
            f"scattering features need kymatio ({error}): pip install '.[features]'"
        ) from error
    images = as_tensor(images, "images").to(torch.float32).contiguous()
    scales, angles = check_count(scales, "scales", least=1), check_count(angles, "angles", least=1)
    if images.ndim != 3 or min(images.shape[1:]) < 2**scales:
        shape = tuple(images.shape)
        raise ValueError(f"images must have shape (N, h, w) of at least {2**scales}, not {shape}")
    require_finite(images.flatten(1), "images")
    transform = ScatteringTorch2D(scales, images.shape[1:], angles)
    parts, reported = [], time.monotonic()
    for start in range(0, len(images), check_count(batch_size, "batch_size", least=1)):
        paths = transform(images[start : start + batch_size])
        largest = paths.abs().amax((-2, -1), keepdim=True)
        parts.append((paths / torch.where(largest > 0, largest, 1)).flatten(1))
        if time.monotonic() - reported > 5:
            reported = time.monotonic()
            log.info("scattering: %d of %d images", start + len(paths), len(images))
    return torch.cat(parts)


def principal_components(
    features: Array, components: int, fitted_to: Array | None = None
) -> Tensor:
    """Coordinates along the top eigenvectors of X^T X, not centred: (N, k) -> (N, components).

    The eigenvectors are those of the features themselves, or of others that they are
    ``fitted_to`` (M, k). ValueError if there are fewer features than components.
    """
    features = as_tensor(features, "features")
    source = features if fitted_to is None else as_tensor(fitted_to, "fitted_to", like=features)
    if not 0 < components <= features.shape[1]:
        raise ValueError(f"{features.shape[1]} features have no {components} components")
    gram = sum((part.mT @ part).double() for part in source.split(10_000))
    vectors = torch.linalg.eigh(gram).eigenvectors.flip(-1)[:, :components]
    return features @ vectors.to(features)
