"""Initial dictionaries, computed from data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from groupsparse.arrays import Array, as_tensor, check_count, check_groups, require_finite
from groupsparse.dictionary import normalize_columns
from groupsparse.pairwise import candidates, distinct, members
from groupsparse.supervision import SUPERVISED_INITS


def initialize(
    name: str,
    data: Array,
    groups: int,
    group_size: int,
    seed: int = 0,
    labels: Array | None = None,
) -> Tensor:
    """Unit-norm initial dictionary (n, groups * group_size) for data (N, n), on the CPU.

    Samples that are zero are left out, because they give no direction.

    ``random``: Gaussian atoms. ``data``: random samples. ``kmeans`` and ``spectral``: up to
    10,000 random samples are clustered into ``groups`` clusters and the atoms of a group are
    random samples of its cluster. ``class``: the same with the true ``labels`` of all samples, in
    sorted order, whatever their names (not unsupervised).

    ``pca``: groups mixed from the first principal directions. Group g is V P_g, where V (n, d) has
    the first d right singular vectors of the data as they are (center them beforehand if that is
    meant) and the d x d matrices P_g are random, orthonormal to each other in the Frobenius inner
    product (as far as there are at most d^2 of them). With groups of one atom there is nothing to
    mix: the atoms are the first ``groups`` singular vectors, whatever the seed.

    ``pairwise``: spans that pairs of samples share (:mod:`groupsparse.pairwise`), with random
    samples in the place of groups that do not show; :func:`discover` goes on from there.

    Raises
    ------
    ValueError for an unknown name, for ``class`` without labels, with too few samples, for ``pca``
    with more directions than the data have dimensions, or for data of another shape or not finite.

    Examples
    --------
    >>> data = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    >>> initialize("kmeans", data, groups=2, group_size=3).shape
    torch.Size([6, 6])
    """
    if name not in INITS:
        raise ValueError(f"unknown init {name!r}; known are {', '.join(INITS)}")
    if name in SUPERVISED_INITS and labels is None:
        raise ValueError(f"init {name!r} needs labels")
    data = as_tensor(data).cpu()
    if data.ndim != 2:
        raise ValueError(f"data must have shape (N, n), not {tuple(data.shape)}")
    check_groups(check_count(groups, "groups", least=1) * group_size, group_size)
    require_finite(data)
    if labels is not None:
        labels = np.asarray(labels.cpu() if isinstance(labels, Tensor) else labels)
        if labels.shape != tuple(data.shape[:1]):
            raise ValueError(f"{len(data)} samples need as many labels, not {labels.shape}")
    check_count(seed, "seed")
    used = data.any(1)
    if not used.all():
        data, labels = data[used], labels if labels is None else labels[used.numpy()]
    if len(data) < groups * group_size:
        zeros = "" if used.all() else ": those of zeros do not count"
        raise ValueError(
            f"{len(data)} samples cannot initialise {groups * group_size} atoms{zeros}"
        )
    atoms = INITS[name](data, groups, group_size, np.random.default_rng(seed), labels)
    return normalize_columns(torch.as_tensor(atoms, dtype=data.dtype).T)


def _random(data, groups, group_size, rng, labels):
    return rng.standard_normal((groups * group_size, data.shape[1]))


def _data(data, groups, group_size, rng, labels):
    return data.numpy()[rng.choice(len(data), groups * group_size, replace=False)]


def _kmeans(data, groups, group_size, rng, labels):
    from groupsparse.clustering import kmeans_clusters  # here: slow to import

    data = _some(data, rng)
    clusters = kmeans_clusters(data.numpy(), groups, int(rng.integers(2**31)))
    return _per_cluster(data, clusters, groups, group_size, rng)


def _spectral(data, groups, group_size, rng, labels):
    from groupsparse.clustering import spectral_clusters  # here: slow to import

    data = _some(data, rng)
    clusters = spectral_clusters(data.numpy(), groups, 10, int(rng.integers(2**31)))
    return _per_cluster(data, clusters, groups, group_size, rng)


def _class(data, groups, group_size, rng, labels):
    classes, labels = np.unique(labels, return_inverse=True)
    if len(classes) > groups:
        raise ValueError(f"labels of {len(classes)} classes do not fit {groups} groups")
    return _per_cluster(data, labels, groups, group_size, rng)


def _pca(data, groups, group_size, rng, labels):
    wanted, n = group_size if group_size > 1 else groups, data.shape[1]
    if wanted > n:
        raise ValueError(f"pca needs {wanted} directions, and the data have {n} dimensions")
    gram = sum((part.mT @ part).double() for part in data.split(10_000))
    directions = torch.linalg.eigh(gram).eigenvectors.flip(-1)[:, :wanted].numpy()
    if group_size == 1:
        return directions.T
    shape = groups, group_size**2
    mixing, upper = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    # With the signs of R, Q is uniformly distributed.
    mixing = mixing * np.sign(np.diag(upper))
    mixing = mixing.T if groups <= group_size**2 else mixing
    mixed = directions @ mixing.reshape(groups, group_size, group_size)
    return mixed.transpose(0, 2, 1).reshape(-1, n)


def _pairwise(data, groups, group_size, rng, labels):
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    wanted = members(data, group_size)
    found = candidates(data, 4 * groups, group_size, wanted, generator)
    spans = distinct(found, found.spans[:0], groups, gap=0.0)
    atoms = spans.mT.flatten(0, 1).numpy()
    others = rng.choice(len(data), groups * group_size - len(atoms), replace=False)
    return np.concatenate([atoms, data.numpy()[others]])


def _some(data, rng, most=10_000):
    return data[rng.permutation(len(data))[:most]]


def _per_cluster(data, clusters, groups, group_size, rng):
    members = [np.flatnonzero(clusters == g) for g in range(groups)]
    # A cluster smaller than a group repeats its samples; an empty one takes any sample.
    members = [i if len(i) else np.arange(len(data)) for i in members]
    chosen = [rng.choice(i, group_size, replace=len(i) < group_size) for i in members]
    return data.numpy()[np.concatenate(chosen)]


INITS: dict[str, Callable] = {
    "random": _random,
    "data": _data,
    "kmeans": _kmeans,
    "spectral": _spectral,
    "pca": _pca,
    "class": _class,
    "pairwise": _pairwise,
}
