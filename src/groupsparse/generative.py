"""The group-sparse generative model of Experiment 1 (Sec. 4.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.activity import draw_groups
from groupsparse.arrays import Array, as_tensor, check_count, check_groups
from groupsparse.dictionary import block_coherence, from_blocks, normalize_columns
from groupsparse.groups import columns_of
from groupsparse.noise import unit_noise
from groupsparse.seeds import as_generator


class Codes(NamedTuple):
    """Group-sparse codes: active ``groups`` (N, k) int64, their ``values`` (N, k, d)."""

    groups: Tensor
    values: Tensor


class Sample(NamedTuple):
    """``data`` (N, n) with its ``codes`` and the standard deviation of its noise."""

    data: Tensor
    codes: Codes
    noise_std: float


def random_dictionary(n: int, atoms: int, generator: torch.Generator | int) -> Tensor:
    """A* (n, atoms): i.i.d. Gaussian columns, normalised to unit norm.

    ``generator`` may be a seed.

    Examples
    --------
    >>> random_dictionary(5, 8, generator=0).norm(dim=0).allclose(torch.ones(8))
    True
    """
    return normalize_columns(torch.randn(n, atoms, generator=as_generator(generator)))


def coherent_dictionary(
    n: int, groups: int, group_size: int, coherence: float, generator: torch.Generator | int
) -> Tensor:
    r"""Orthonormal groups (n, groups * group_size) of a given block coherence mu_B (eq. 3).

    The spans of all groups lean towards one common direction c. The first atom of group g is

    .. math:: \cos\theta \, c + \sin\theta \, w_g

    with w_g random and orthogonal to c, the other atoms are random and orthogonal to c too, and
    theta is found by bisection so that max ||A_g^T A_h||_2 / d is ``coherence``.

    Parameters
    ----------
    coherence : between that of random groups (the value at theta = 90 degrees) and 1 / group_size
    generator : random numbers, or a seed

    Raises
    ------
    ValueError if no theta has that coherence, or for groups that do not fit into n dimensions.

    Examples
    --------
    >>> from groupsparse.dictionary import block_coherence
    >>> dictionary = coherent_dictionary(40, 6, 2, coherence=0.4, generator=0)
    >>> round(float(block_coherence(dictionary, 2)), 3)
    0.4
    """
    if not 1 <= group_size < n:
        raise ValueError(f"group_size must be at least 1 and below n = {n}, not {group_size}")
    check_count(groups, "groups", least=2)
    generator = as_generator(generator)
    common = torch.nn.functional.normalize(torch.randn(n, 1, generator=generator), dim=0)
    random = torch.randn(groups, n, group_size, generator=generator)
    away = torch.linalg.qr(random - common @ (common.mT @ random)).Q

    def leaning(cosine: float) -> Tensor:
        first = cosine * common + math.sqrt(1 - cosine**2) * away[..., :1]
        return from_blocks(torch.cat([first, away[..., 1:]], dim=-1))

    def reached(cosine: float) -> float:
        return float(block_coherence(leaning(cosine), group_size))

    low, high = 0.0, 1.0
    if not reached(low) <= coherence <= 1 / group_size:
        raise ValueError(
            f"coherence must be between {reached(low):.3g}, that of random groups here, and "
            f"1 / group_size, not {coherence}"
        )
    for _ in range(24):  # to the last bits of float32
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) < coherence else (low, middle)
    return leaning(high)


def sample_codes(
    samples: int,
    groups: int,
    group_size: int,
    active_groups: int,
    amplitude: tuple[float, float],
    generator: torch.Generator | int,
    *,
    nonnegative: bool = False,
    sizes: Sequence[int] | None = None,
    correlation: float = 0.0,
    frequencies: Sequence[float] | None = None,
) -> Codes:
    """Codes with exactly ``active_groups`` distinct groups, by default uniform at random.

    The code of an active group is a Gaussian direction (uniform on the sphere) times
    c ~ U(amplitude), so its norm is c. ValueError for numbers that do not fit.

    Parameters
    ----------
    nonnegative : directions are uniform on the positive orthant of the sphere
    sizes : atoms that a group uses, one number for each group; codes of its other atoms are zero
    correlation, frequencies : groups that fire together, and weights of the groups, as in
        :func:`groupsparse.activity.draw_groups`
    """
    generator = as_generator(generator)
    check_count(samples, "samples", least=1)
    if not 0 < active_groups <= groups:
        raise ValueError(f"need 0 < active_groups <= {groups}, not {active_groups}")
    low, high = amplitude
    if not 0 <= low <= high < math.inf:
        raise ValueError(f"amplitude must be 0 <= low <= high, both finite, not {amplitude}")
    if correlation or frequencies is not None:
        support = draw_groups(samples, groups, active_groups, generator, correlation, frequencies)
    else:
        support = _uniform_groups(samples, groups, active_groups, generator)
    direction = torch.randn(samples, active_groups, group_size, generator=generator)
    if nonnegative:
        direction.abs_()
    if sizes is not None:
        used = torch.as_tensor(sizes)
        if used.shape != (groups,) or not ((used >= 1) & (used <= group_size)).all():
            raise ValueError(f"sizes must be {groups} numbers of atoms from 1 to {group_size}")
        direction *= torch.arange(group_size) < used[support].unsqueeze(-1)
    norm = low + (high - low) * torch.rand(samples, active_groups, 1, generator=generator)
    return Codes(support, torch.nn.functional.normalize(direction, dim=-1) * norm)


def _uniform_groups(
    samples: int, groups: int, active_groups: int, generator: torch.Generator
) -> Tensor:
    # Where k groups do not all differ, the k largest of random weights: uniform over k-subsets.
    support = torch.randint(groups, (samples, active_groups), generator=generator)
    ordered = support.sort(-1).values
    clash = (ordered[:, 1:] == ordered[:, :-1]).any(-1)
    if clash.any():
        weights = torch.rand(int(clash.sum()), groups, generator=generator)
        support[clash] = weights.topk(active_groups, -1).indices
    return support


def balance_signs(codes: Codes) -> Codes:
    r"""Repeat every sample under 2^ceil(log2 k) sign patterns of its k active groups.

    The patterns are orthogonal (columns of a Hadamard matrix): x_g x_h^T averages to exactly zero
    over the repeats of a sample for g != h. Where directions are symmetric, as in
    :func:`sample_codes`, means stay unbiased and lose the sampling error of such products.
    """
    from scipy.linalg import hadamard  # here: slow to import

    groups, values = codes
    order = 1 << (groups.shape[-1] - 1).bit_length()
    signs = torch.as_tensor(hadamard(order)[:, : groups.shape[-1]]).to(values)
    repeated = values.unsqueeze(-3) * signs.unsqueeze(-1)
    return Codes(groups.repeat_interleave(order, -2), repeated.flatten(-4, -3))


def dense_codes(codes: Codes, groups: int) -> Tensor:
    """Codes (..., N, k) groups and (..., N, k, d) values as one tensor (..., N, groups * d).

    Examples
    --------
    >>> dense_codes(Codes(torch.tensor([[1]]), torch.tensor([[[3.0, 4.0]]])), groups=3)
    tensor([[0., 0., 3., 4., 0., 0.]])
    """
    index, values = codes
    dense = values.new_zeros(*index.shape[:-1], groups, values.shape[-1])
    dense.scatter_(-2, index.unsqueeze(-1).expand_as(values), values)
    return dense.flatten(-2)


def entries(codes: Codes) -> tuple[Tensor, Tensor]:
    """Columns (N, k * d) of the active entries and their values (N, k * d)."""
    groups, values = codes
    return columns_of(groups, values.shape[-1]), values.flatten(-2)


def decode(dictionary: Tensor, codes: Codes) -> Tensor:
    """A x for codes of N samples, summing active atoms only: (n, m) -> (N, n)."""
    columns, values = entries(codes)
    return torch.nn.functional.embedding_bag(
        columns, dictionary.T.contiguous(), mode="sum", per_sample_weights=values.to(dictionary)
    )


def code_power(probability: float, amplitude: tuple[float, float], group_size: int) -> float:
    """E[x_i^2] of a code entry, for groups active with ``probability`` and norm U(amplitude)."""
    low, high = amplitude
    return probability * (low * low + low * high + high * high) / 3 / group_size


def noise_std(signal: Tensor, snr_db: float) -> float:
    """sigma with sigma^2 = mean signal power per entry / 10^(SNR / 10)."""
    return float((signal.square().mean() / 10 ** (snr_db / 10)).sqrt())


def sample(
    dictionary: Array,
    group_size: int,
    active_groups: int,
    amplitude: tuple[float, float],
    samples: int,
    generator: torch.Generator | int,
    *,
    snr_db: float | None = None,
    std: float | None = None,
    noise: str = "gaussian",
    color: float = 0.0,
    **codes: object,
) -> Sample:
    """Draw y = A* x* + noise (eq. 2), by default white Gaussian, of the given SNR or of ``std``.

    One active group is a union of subspaces, ``group_size`` 1 ordinary sparse coding, which is
    nonnegative with ``nonnegative=True``. With one active group, ``group_size`` 1,
    ``nonnegative=True`` and amplitude (c, c), samples are a Gaussian mixture with means c a_g.

    Parameters
    ----------
    dictionary : A* (n, m); group_size divides m
    active_groups : groups with a nonzero code in every sample, uniform at random
    amplitude : ends of the uniform distribution of the norm of their codes
    generator : random numbers, or a seed
    snr_db : noise variance relative to the power of this sample's signal
    std : noise standard deviation, instead of ``snr_db``
    noise, color : distribution of the noise and its correlation along the n entries of a sample,
        as in :func:`groupsparse.noise.unit_noise`
    codes : ``nonnegative``, ``sizes``, ``correlation``, ``frequencies`` of :func:`sample_codes`

    Raises
    ------
    ValueError unless exactly one of ``snr_db`` and ``std`` is given, or for sizes or options that
    do not fit.

    Examples
    --------
    >>> truth = random_dictionary(10, 12, generator=0)
    >>> drawn = sample(truth, 3, 1, (4.0, 5.0), samples=100, generator=1, snr_db=10.0)
    >>> drawn.data.shape, drawn.codes.groups.shape, drawn.codes.values.shape
    (torch.Size([100, 10]), torch.Size([100, 1]), torch.Size([100, 1, 3]))
    """
    dictionary = as_tensor(dictionary, "dictionary")
    if dictionary.ndim != 2:
        raise ValueError(f"dictionary must have shape (n, m), not {tuple(dictionary.shape)}")
    check_groups(dictionary.shape[1], group_size)
    if std is not None and not 0 <= std < math.inf:
        raise ValueError(f"std must be finite and at least 0, not {std}")
    generator = as_generator(generator)
    if (snr_db is None) == (std is None):
        raise ValueError("give exactly one of snr_db and std")
    groups = dictionary.shape[1] // group_size
    drawn = sample_codes(samples, groups, group_size, active_groups, amplitude, generator, **codes)
    drawn = drawn._replace(values=drawn.values.to(dictionary.dtype))
    signal = decode(dictionary, drawn)
    std = noise_std(signal, snr_db) if std is None else std
    disturbance = unit_noise(*signal.shape, generator, noise, color).to(signal)
    return Sample(signal.add_(disturbance, alpha=std), drawn, std)
