"""The active groups of a shallow encoder: found by a product in 8 bits, decided in float32."""

import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.groups import active, columns_of
from groupsparse.prox import Prox

# Whether this processor multiplies int8 natively; elsewhere it would be slower.
FAST_INT8 = (
    torch.backends.mkldnn.is_available()
    and getattr(torch.cpu, "get_capabilities", dict)().get("avx512_vnni", False)
    and hasattr(torch, "_int_mm")
)
LEVELS = 127  # int8 holds whole numbers from -127 to 127
# Sums of so many products of int8 fit into int32, also where a processor shifts a factor by 128.
MOST_TERMS = 1 << 16
# Entries of codes computed at a time, so that they stay in cache; and samples at least, because a
# product reads the whole dictionary: with 12 samples of 16 384 atoms it took three times as long.
BLOCK, ROWS = 400_000, 256


def above(
    data: Tensor, dictionary: Tensor, prox: Prox, lambda_: float, group_size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The groups that an activation does not set to zero: sample, group, products Y A (K, d)."""
    samples, atoms = data.shape[0], dictionary.shape[1]
    scales = screen(data, dictionary, lambda_, group_size)
    # The same entry of all groups side by side: norms then need no strided reads.
    table = dictionary.unflatten(1, (-1, group_size)).transpose(1, 2).flatten(1)
    table = _rounded(table, scales.atom) if scales else table
    rows, groups, values = [], [], []
    step = max(ROWS, BLOCK // atoms)
    for start in range(0, samples, step):
        block = data[start : start + step]
        products = torch._int_mm(_rounded(block, scales.sample), table) if scales else block @ table
        entries = products.view(len(block), group_size, -1)
        long = _longer_than(entries, scales.reach if scales else lambda_, data.dtype)
        row, group = long.nonzero().T
        if not scales:
            values.append(entries[row, :, group])
        rows.append(row + start)
        groups.append(group)
    row, group = torch.cat(rows), torch.cat(groups)
    if scales:
        zeros = pattern(row, group, group_size, samples, atoms, data.dtype)
        values = [torch.sparse.sampled_addmm(zeros, data, dictionary).values()]
    values = torch.cat(values).view(-1, group_size)
    passed = active(prox(values, lambda_, group_size), group_size).squeeze(1)
    return row[passed], group[passed], values[passed]


class Screen(NamedTuple):
    """The steps of rounding of samples and of atoms, and the norm from which a group may be active.

    ``reach`` is a norm of the products of rounded numbers, in units of both steps.
    """

    sample: float
    atom: float
    reach: float


@torch.no_grad()
def screen(data: Tensor, dictionary: Tensor, lambda_: float, group_size: int) -> Screen | None:
    r"""How to round so that products in 8 bits find every group that is active in float32.

    A sample y becomes s times whole numbers, with s the largest entry of the data over 127. With
    h = s (1/2 + 2^-15) each entry moves by at most h (the division in float32 moves a quotient of
    up to 127 by 2^-23 of itself), and so for an atom a, with a step and h' of its own. The products
    of whole numbers are exact. The product of y and a moves by at most

    .. math:: e = \sqrt n h \|a\| + \sqrt n h' (\|y\| + \sqrt n h) + n 2^{-24} \|a\| \|y\|
              + n 2^{-126},

    where the last terms are the sum in float32 that decides and n numbers below 2^-126 that it may
    lose. The norm of a group of d products moves by sqrt(d) times that, and ``reach`` is
    lambda - sqrt(d) e.

    None where int8 is not faster or the margin is too wide to help.
    """
    n = data.shape[1]
    if not (FAST_INT8 and data.dtype == torch.float32 and n <= MOST_TERMS):
        return None
    steps, norms = [], []
    for table, axis in ((data, 1), (dictionary, 0)):
        steps.append(max(map(abs, map(float, torch.aminmax(table)))) / LEVELS)
        # The norms are float32 sums themselves.
        norm = float(torch.linalg.vector_norm(table, dim=axis).amax())
        norms.append(norm * (1 + n * 2.0**-23))
    (y, a), (own, atom) = norms, (n**0.5 * step * (0.5 + 2.0**-15) for step in steps)
    error = own * a + atom * (y + own) + n * (2.0**-24 * a * y + 2.0**-126)
    reach = lambda_ - group_size**0.5 * error
    # Not for NaN either, nor where a quotient by a step could overflow.
    if not (reach > lambda_ / 2 and min(steps) > 2.0**-100):
        return None
    return Screen(*steps, reach / steps[0] / steps[1])


def _rounded(table: Tensor, step: float) -> Tensor:
    return (table * (1 / step)).round_().to(torch.int8)


def _longer_than(products: Tensor, threshold: float, dtype: torch.dtype) -> Tensor:
    """Groups whose norm may exceed a threshold, all that can be active: (N, d, G) -> (N, G)."""
    first, *others = (entry.to(dtype) for entry in products.unbind(1))
    squares = first * first
    for other in others:
        squares.addcmul_(other, other)
    # A float32 sum of d squares moves by d 2^-24 of itself, here and where the norm is computed.
    # What is not a number passes, so that it shows.
    return ~(squares <= threshold**2 * (1 - (len(others) + 5) * 2.0**-22))


def pattern(row, group, group_size, samples, atoms, dtype) -> Tensor:
    """A sparse (samples, atoms) matrix of zeros where the groups of each row are active."""
    column = columns_of(group, group_size)
    counts = torch.bincount(row, minlength=samples) * group_size
    ends = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "beta state", once in every job
        return torch.sparse_csr_tensor(
            ends, column, column.new_zeros(len(column), dtype=dtype), (samples, atoms),
            check_invariants=False,
        )  # fmt: skip
