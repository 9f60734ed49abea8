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
LEAST = 2.0**-100  # an entry that has a step
# Entries of codes computed at a time, so that they stay in cache; and samples at least, because a
# product reads the whole dictionary: with 12 samples of 16 384 atoms it took three times as long.
BLOCK, ROWS = 400_000, 256


def above(
    data: Tensor, dictionary: Tensor, prox: Prox, lambda_: float, group_size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The groups that an activation does not set to zero: sample, group, products Y A (K, d)."""
    samples, atoms = data.shape[0], dictionary.shape[1]
    found = screen(data, dictionary, lambda_, group_size)
    table = found.atoms if found else _side_by_side(dictionary.T.contiguous(), group_size)
    rows, groups, values = [], [], []
    step = max(ROWS, BLOCK // atoms)
    for start in range(0, samples, step):
        part = slice(start, start + step)
        products = torch._int_mm(found.samples[part], table) if found else data[part] @ table
        entries = products.view(len(products), group_size, -1)
        long = _longer_than(entries, found.reach[part] if found else lambda_, data.dtype)
        row, group = long.nonzero().T
        if not found:
            values.append(entries[row, :, group])
        rows.append(row + start)
        groups.append(group)
    row, group = torch.cat(rows), torch.cat(groups)
    if found:
        zeros = pattern(row, group, group_size, samples, atoms, data.dtype)
        values = [torch.sparse.sampled_addmm(zeros, data, dictionary).values()]
    values = torch.cat(values).view(-1, group_size)
    passed = active(prox(values, lambda_, group_size), group_size).squeeze(1)
    return row[passed], group[passed], values[passed]


class Screen(NamedTuple):
    """Samples (N, n) and atoms (n, m) in whole numbers, and what decides on their products.

    ``atoms`` has the same entry of all groups side by side. A group may be active in a sample if
    the norm of its products of whole numbers exceeds ``reach`` (N, 1).
    """

    samples: Tensor
    atoms: Tensor
    reach: Tensor


@torch.no_grad()
def screen(data: Tensor, dictionary: Tensor, lambda_: float, group_size: int) -> Screen | None:
    r"""Round so that products in 8 bits find every group that is active in float32.

    A sample y becomes s times whole numbers, with s its largest entry over 127, and the dictionary
    A becomes s' times whole numbers, with one s' for all atoms. The products of whole numbers are
    exact. Let r be what rounding takes from y, each entry at most h = s (1/2 + 2^-15), for the
    division in float32 moves a quotient of up to 127 by 2^-23 of itself; and let R be what it takes
    from A, which is computed. The products of y and a group move by

    .. math:: \|A_g^T r + R_g^T (y - r)\| \le \|A_g\| \|r\| + \|R_g\| (\|y\| + \|r\|),
              \quad \|r\| \le \sqrt n h,

    with spectral norms of the groups, of which the largest count. ``reach`` is lambda less that, in
    units of both steps. The margin also covers the sum in float32 that decides on a group, which
    may be off by n 2^-24 ||A_g||_F ||y||.

    None where int8 is not faster or the margin is too wide to help.
    """
    n = data.shape[1]
    if not (FAST_INT8 and data.dtype == torch.float32 and n <= MOST_TERMS):
        return None
    atoms = dictionary.T.contiguous()
    step = max(*map(abs, map(float, torch.aminmax(atoms))), LEAST) / LEVELS
    whole = (atoms * (1 / step)).round_()
    lost = _largest_norm(torch.sub(atoms, whole, alpha=step), group_size)
    largest = _largest_norm(atoms, group_size)
    # What R is computed with: its own rounding is 2^-23 of A.
    lost += group_size**0.5 * 2.0**-23 * largest
    samples = torch.empty_like(data, dtype=torch.int8)
    steps, margins = [], []
    for block, place in zip(data.split(ROWS), samples.split(ROWS), strict=True):
        own = block.abs().amax(1, keepdim=True).clamp_min_(LEAST) / LEVELS
        place.copy_((block / own).round_())
        norm = _norms(block)
        moved = n**0.5 * (0.5 + 2.0**-15) * own
        decided = group_size**0.5 * n * 2.0**-24 * norm
        margins.append(largest * (moved + decided) + lost * (norm + moved))
        steps.append(own)
    reach = lambda_ - torch.cat(margins)
    if not (reach > lambda_ / 2).all():  # not for NaN either
        return None
    table = _side_by_side(whole.to(torch.int8), group_size)
    return Screen(samples, table, reach / torch.cat(steps) / step)


def _side_by_side(atoms: Tensor, group_size: int) -> Tensor:
    """Atoms (m, n) as a dictionary (n, m) with the same entry of all groups side by side.

    Norms of its products need no strided reads.
    """
    return atoms.unflatten(0, (-1, group_size)).transpose(0, 1).flatten(0, 1).T


def _norms(rows: Tensor) -> Tensor:
    """Norms (N, 1), rounded upwards: a sum of n squares loses n 2^-24, and what is below 2^-126."""
    n = rows.shape[1]
    norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return norms * (1 + n * 2.0**-23) + n**0.5 * 2.0**-62


def _largest_norm(atoms: Tensor, group_size: int) -> float:
    r"""A bound of the largest spectral norm of a group; atoms are rows (m, n).

    .. math:: \|A_g\|^2 \le \max_i \sum_j |a_i^T a_j| \quad \textrm{and} \quad
              \|A_g\|^2 \le \sum_i \|a_i\|^2
    """
    n = atoms.shape[1]
    blocks = atoms.view(-1, group_size, n)
    gram = blocks @ blocks.mT
    by_row = gram.abs().sum(-1).amax(-1)
    bound = torch.minimum(by_row, gram.diagonal(dim1=-2, dim2=-1).sum(-1)).amax()
    # Products may be set to run in bfloat16, which has 8 bits.
    rounding = 1 + 2.0**-6 + group_size * n * 2.0**-22
    return float(bound.sqrt()) * rounding + (group_size * n) ** 0.5 * 2.0**-62


def _longer_than(products: Tensor, threshold: Tensor | float, dtype: torch.dtype) -> Tensor:
    """Groups whose norm may exceed a threshold, a number or one per sample (N, 1), all that can be
    active: (N, d, G) -> (N, G)."""
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
