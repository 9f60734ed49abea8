"""Reconstruction loss (eq. 13); for shallow encoders at a cost that scales with active groups.

Of the five dense products in loss and gradient of the shallow autoencoder only Y A is needed to
find the active groups; the other four touch active entries alone. Where the processor multiplies
bfloat16 faster, Y A only screens: what passes is computed again in float32.
"""

import warnings

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding_bag

from groupsparse.normal_equations import solve_normal, systems_at_a_time
from groupsparse.prox import Prox
from groupsparse.pursuit import refitted
from groupsparse.shrinkage import norms_of

# Above this share of active entries four sparse products cost more than four dense ones.
DENSE_FROM = 0.12
# Whether this processor multiplies bfloat16 natively; elsewhere it would be slower.
FAST_BFLOAT16 = getattr(torch.cpu, "get_capabilities", dict)().get("avx512_bf16", False)
# Number of samples from which the share of active entries is estimated.
PROBE = 100
# Entries of codes computed at a time, so that they stay in cache; and samples at least, because a
# product reads the whole dictionary: with 12 samples of 16 384 atoms it took three times as long.
BLOCK, ROWS = 200_000, 256


def reconstruction_loss(data: Tensor, reconstruction: Tensor) -> Tensor:
    """1/2 ||y - yhat||^2 averaged over samples (eq. 13): (..., N, n) -> (...)."""
    return (data - reconstruction).square().sum((-2, -1)) / (2 * data.shape[-2])


def shallow_loss(
    data: Tensor,
    dictionary: Tensor,
    prox: Prox,
    lambda_: float | Tensor,
    group_size: int,
    refit: bool = False,
) -> Tensor:
    r"""Loss of the shallow autoencoder, 1/2 ||y - A sigma(A^T y)||^2 averaged over samples.

    With C = Y A, X = sigma(C) and R = X A^T - Y (samples are rows) its gradient is

    .. math:: \nabla_A = \tfrac1N (R^T X + Y^T D), \quad D = J_\sigma(C)^T (R A)

    D is zero outside the active groups, so R A is needed there only. Value and gradient are those
    of the dense computation; which one runs is decided by the share of active entries. On a GPU it
    is the dense one: to look for what is active would make the host wait for the device.

    Parameters
    ----------
    data : (..., N, n)
    dictionary : (..., n, m), same leading dimensions
    prox, lambda_, group_size : an activation that acts on each group by itself and is exactly zero
        on a group of norm at most ``lambda_``, as all in :data:`groupsparse.prox.PROX` are, or one
        whose ``kept`` tells by all norms which groups stay as they are
        (:class:`groupsparse.topk.GroupTopK`); ``lambda_`` is a number or one per problem (...)
    refit : X is instead least squares on the groups in which sigma(C) is not zero. The gradient is
        then R^T X / N, by the envelope theorem: at a minimum over the codes, a change of the codes
        changes the loss in second order only

    Returns
    -------
    Tensor (...), differentiable once with respect to the dictionary
    """
    shape = torch.broadcast_shapes(data.shape[:-2], dictionary.shape[:-2])
    if data.device.type != "cpu":
        return dense_loss(data, dictionary, prox, lambda_, group_size, refit)
    data = data.expand(*shape, *data.shape[-2:]).reshape(-1, *data.shape[-2:])
    atoms = dictionary.expand(*shape, *dictionary.shape[-2:]).reshape(-1, *dictionary.shape[-2:])
    thresholds = torch.as_tensor(lambda_, dtype=torch.float64).expand(shape).reshape(-1).tolist()
    losses = [
        _ShallowLoss.apply(y, a, prox, threshold, group_size, refit)
        if _few_active(y[:PROBE], a, prox, threshold, group_size)
        else dense_loss(y, a, prox, threshold, group_size, refit)
        for y, a, threshold in zip(data, atoms, thresholds, strict=True)
    ]
    return torch.stack(losses).reshape(shape)


def dense_loss(
    data: Tensor,
    dictionary: Tensor,
    prox: Prox,
    lambda_: float | Tensor,
    group_size: int,
    refit: bool = False,
) -> Tensor:
    """The same as :func:`shallow_loss` by autograd, all problems in one program."""
    with torch.set_grad_enabled(torch.is_grad_enabled() and not refit):
        codes = prox(data @ dictionary, per_sample(lambda_), group_size)
        if refit:
            codes = refitted(data, dictionary, active(codes, group_size), group_size)
    return reconstruction_loss(data, codes @ dictionary.mT)


def per_sample(lambda_: float | Tensor) -> float | Tensor:
    """Thresholds of shape (...) made to fit codes (..., N, m)."""
    return lambda_[..., None, None] if isinstance(lambda_, Tensor) else lambda_


@torch.no_grad()
def _few_active(data, dictionary, prox, lambda_, group_size) -> bool:
    codes = prox(data @ dictionary, lambda_, group_size)
    return int(active(codes, group_size).sum()) * group_size <= DENSE_FROM * codes.numel()


def active(codes: Tensor, group_size: int) -> Tensor:
    """Groups with a nonzero entry: (..., m) -> bool (..., m / group_size)."""
    # Entry by entry: a reduction over a short last axis is several times slower.
    first, *others = (codes != 0).unflatten(-1, (-1, group_size)).unbind(-1)
    for other in others:
        first = first | other
    return first


def _longer_than(products: Tensor, threshold: float, group_size: int) -> Tensor:
    """Groups whose norm may exceed a threshold, all that can be active: (N, m) -> (N, m / d).

    The products are in the order of :func:`_by_place`, in which a sum over a group is vectorised.
    """
    first, *others = products.unflatten(-1, (group_size, -1)).unbind(-2)
    squares = first * first
    for other in others:
        squares.addcmul_(other, other)
    return squares > threshold**2 * (1 - 1e-5)


def _by_place(dictionary: Tensor, group_size: int) -> Tensor:
    """The first atoms of all groups, then the second ones, and so on: (n, m) -> same."""
    return dictionary.unflatten(-1, (-1, group_size)).mT.flatten(-2)


class _ShallowLoss(torch.autograd.Function):
    """Loss of one problem, data (N, n) and dictionary (n, m), computed with its gradient."""

    @staticmethod
    def forward(ctx, data, dictionary, prox, lambda_, group_size, refit) -> Tensor:
        samples, atoms = data.shape[0], dictionary.shape[1]
        chosen = _kept if hasattr(prox, "kept") else _above
        row, group, values = chosen(data, dictionary, prox, lambda_, group_size)
        if refit:
            codes = _refit_rows(dictionary, row, group, values)
        else:
            with torch.enable_grad():
                products = values.requires_grad_()
                codes = products if chosen is _kept else prox(products, lambda_, group_size)
        column = _columns(group, group_size)
        if not refit:
            pattern = _pattern(row, group, group_size, samples, atoms, data.dtype)
        row = row.repeat_interleave(group_size)
        by_row = _offsets(row, samples)
        weights = codes.detach().flatten()
        residual = _weighted_sums(dictionary.T.contiguous(), column, by_row, weights).sub_(data)
        # Row by row: one float32 sum over all entries would lose four digits.
        norms = torch.linalg.vector_norm(residual, dim=1).double()
        loss = (norms.square().sum() / (2 * samples)).to(data.dtype)

        order = torch.argsort(column, stable=True)
        by_column = _offsets(column, atoms)
        gradient = _weighted_sums(residual, row[order], by_column, weights[order])
        if not refit:
            through = torch.sparse.sampled_addmm(pattern, residual, dictionary).values()
            slope = through.view_as(codes)
            if codes is not products:
                (slope,) = torch.autograd.grad(codes, products, slope)
            gradient += _weighted_sums(data, row[order], by_column, slope.flatten()[order])
        ctx.save_for_backward(gradient.div_(samples).T)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_output: Tensor) -> tuple:
        (gradient,) = ctx.saved_tensors
        return None, grad_output * gradient, None, None, None, None


def _above(data, dictionary, prox, lambda_, group_size) -> tuple[Tensor, Tensor, Tensor]:
    """The groups that an activation does not set to zero: sample, group, products Y A (K, d)."""
    samples, atoms = data.shape[0], dictionary.shape[1]
    reach = _screening_threshold(data, dictionary, lambda_, group_size)
    ordered = _by_place(dictionary, group_size)
    low = ordered.bfloat16() if reach else None
    rows, groups, values = [], [], []
    step = max(ROWS, BLOCK // atoms)
    for start in range(0, samples, step):
        block = data[start : start + step]
        products = (block.bfloat16() @ low).to(data.dtype) if reach else block @ ordered
        row, group = _longer_than(products, reach or lambda_, group_size).nonzero().T
        if not reach:
            values.append(products.unflatten(-1, (group_size, -1))[row, :, group])
        rows.append(row + start)
        groups.append(group)
    row, group = torch.cat(rows), torch.cat(groups)
    if reach:
        pattern = _pattern(row, group, group_size, samples, atoms, data.dtype)
        values = [torch.sparse.sampled_addmm(pattern, data, dictionary).values()]
    values = torch.cat(values).view(-1, group_size)
    passed = active(prox(values, lambda_, group_size), group_size).squeeze(1)
    return row[passed], group[passed], values[passed]


def _kept(data, dictionary, prox, lambda_, group_size) -> tuple[Tensor, Tensor, Tensor]:
    """The same of an activation that compares the groups of a sample, or of a batch."""
    products = (data @ dictionary).unflatten(-1, (-1, group_size))
    row, group = prox.kept(norms_of(products), lambda_).nonzero().T
    return row, group, products[row, group]


def _refit_rows(dictionary: Tensor, row: Tensor, group: Tensor, products: Tensor) -> Tensor:
    """Codes (K, d) by least squares on the active groups (K,), in the order of their samples."""
    n, d = dictionary.shape[0], products.shape[1]
    gram, entries = dictionary.T @ dictionary, torch.arange(d, device=group.device)
    codes, counts = torch.empty_like(products), torch.bincount(row)[row]
    for k in counts.unique().tolist():
        for part in (counts == k).nonzero().squeeze(1).split(k * systems_at_a_time(k, d, n)):
            columns = (group[part].view(-1, k, 1) * d + entries).flatten(1)
            values = solve_normal(gram, columns, products[part].view_as(columns))
            codes[part] = values.view(-1, d)
    return codes


@torch.no_grad()
def _screening_threshold(
    data: Tensor, dictionary: Tensor, lambda_: float, group_size: int
) -> float | None:
    r"""Threshold at which products in bfloat16 find every group that is active in float32.

    A factor keeps 8 significant bits, so it moves by up to u = 2^-8 of itself, and a product of two
    by up to 2u + u^2. A sum of n products in float32 moves by n 2^-24 sum_i |a_i y_i| (once here,
    once in the product that decides) and may lose n numbers below 2^-126. The result is rounded by
    u of itself. The norm of a group of d products moves by sqrt(d) times that:

    .. math:: (\lambda - \sqrt d \, e) (1 - u),
              e = (2u + u^2 + (1 + 3u) n 2^{-23}) \max ||a|| \max ||y|| + n 2^{-126}

    None where bfloat16 is not faster or the margin is too wide to help.
    """
    if not (FAST_BFLOAT16 and data.device.type == "cpu" and data.dtype == torch.float32):
        return None
    n, u = data.shape[1], 2.0**-8
    largest = float(
        torch.linalg.vector_norm(data, dim=1).amax() * dictionary.square().sum(0).amax().sqrt()
    )
    error = (2 * u + u * u + (1 + 3 * u) * n * 2.0**-23) * largest + n * 2.0**-126
    # The norms are float32 sums themselves.
    reach = (lambda_ - group_size**0.5 * error * (1 + n * 2.0**-23)) * (1 - u)
    return reach if reach > lambda_ / 2 else None


def _columns(group: Tensor, group_size: int) -> Tensor:
    """The atoms of groups (K,), group by group: (K d,)."""
    return (group.unsqueeze(1) * group_size + torch.arange(group_size)).flatten()


def _pattern(row, group, group_size, samples, atoms, dtype) -> Tensor:
    """A sparse (samples, atoms) matrix of zeros where the groups of each row are active."""
    column = _columns(group, group_size)
    counts = torch.bincount(row, minlength=samples) * group_size
    ends = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "beta state", once in every job
        return torch.sparse_csr_tensor(
            ends, column, column.new_zeros(len(column), dtype=dtype), (samples, atoms),
            check_invariants=False,
        )  # fmt: skip


def _offsets(index: Tensor, size: int) -> Tensor:
    """Where the entries of each value in 0..size-1 start in the sorted index."""
    counts = torch.bincount(index, minlength=size)
    return counts.cumsum(0) - counts


def _weighted_sums(table: Tensor, index: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of rows of a table, one for each offset: a sparse times a dense matrix."""
    return embedding_bag(index, table, offsets, mode="sum", per_sample_weights=weights)
