"""Reconstruction loss (eq. 13); for shallow encoders at a cost that scales with active groups.

Of the five dense products in loss and gradient of the shallow autoencoder only Y A is needed to
find the active groups (:mod:`groupsparse.screening`); the other four touch active entries alone.
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding_bag

from groupsparse.groups import active, columns_of
from groupsparse.normal_equations import solve_normal, systems_at_a_time
from groupsparse.prox import Prox
from groupsparse.pursuit import refitted
from groupsparse.screening import above, pattern
from groupsparse.shapes import leading, require_samples
from groupsparse.shrinkage import norms_of

# Number of samples from which the share of active entries is estimated.
PROBE = 100


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
    is the dense one: to look for what is active would make the host wait for the device. So it is
    for data that require a gradient.

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
    Tensor (...), differentiable once with respect to dictionary and data. ValueError without
    samples, and for leading dimensions that do not fit.
    """
    require_samples(data)
    shape = leading(data, dictionary)
    if data.device.type != "cpu" or data.requires_grad:
        return dense_loss(data, dictionary, prox, lambda_, group_size, refit)
    data = data.expand(*shape, *data.shape[-2:]).reshape(-1, *data.shape[-2:])
    atoms = dictionary.expand(*shape, *dictionary.shape[-2:]).reshape(-1, *dictionary.shape[-2:])
    thresholds = torch.as_tensor(lambda_, dtype=torch.float64).expand(shape).reshape(-1).tolist()
    losses = [
        _ShallowLoss.apply(y, a, prox, threshold, group_size, refit)
        if _few_active(y[:PROBE], a, prox, threshold, group_size, refit)
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
def _few_active(data, dictionary, prox, lambda_, group_size, refit) -> bool:
    share = dense_from(data.shape[1], refit)
    if share <= 0:
        return False
    codes = prox(data @ dictionary, lambda_, group_size)
    return int(active(codes, group_size).sum()) * group_size <= share * codes.numel()


def dense_from(n: int, refit: bool) -> float:
    """Share of active entries above which four dense products cost less than four sparse ones.

    An active entry has a cost of its own, whatever n is. Measured for groups of 1 to 8: no share
    pays in 50 dimensions, 4 % do in 100, 10 % in 190 and a fifth from 350 on. The systems of a
    refit cost more than the products.
    """
    return 0.12 if refit else min(0.2, (n - 50) / 1500)


class _ShallowLoss(torch.autograd.Function):
    """Loss of one problem, data (N, n) and dictionary (n, m), computed with its gradient."""

    @staticmethod
    def forward(ctx, data, dictionary, prox, lambda_, group_size, refit) -> Tensor:
        samples, atoms = data.shape[0], dictionary.shape[1]
        # Products of few entries read atoms one by one, so these are contiguous.
        dictionary = dictionary.T.contiguous().T
        chosen = _kept if hasattr(prox, "kept") else above
        row, group, values = chosen(data, dictionary, prox, lambda_, group_size)
        if refit:
            codes = _refit_rows(dictionary, row, group, values)
        else:
            with torch.enable_grad():
                products = values.requires_grad_()
                codes = products if chosen is _kept else prox(products, lambda_, group_size)
        column = columns_of(group, group_size)
        if not refit:
            zeros = pattern(row, group, group_size, samples, atoms, data.dtype)
        row = row.repeat_interleave(group_size)
        by_row = _offsets(row, samples)
        weights = codes.detach().flatten()
        residual = _weighted_sums(dictionary.T, column, by_row, weights).sub_(data)
        # Row by row: one float32 sum over all entries would lose four digits.
        norms = torch.linalg.vector_norm(residual, dim=1).double()
        loss = (norms.square().sum() / (2 * samples)).to(data.dtype)

        order = torch.argsort(column, stable=True)
        by_column = _offsets(column, atoms)
        gradient = _weighted_sums(residual, row[order], by_column, weights[order])
        if not refit:
            through = torch.sparse.sampled_addmm(zeros, residual, dictionary).values()
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


def _kept(data, dictionary, prox, lambda_, group_size) -> tuple[Tensor, Tensor, Tensor]:
    """The same of an activation that compares the groups of a sample, or of a batch."""
    products = (data @ dictionary).unflatten(-1, (-1, group_size))
    row, group = prox.kept(norms_of(products), lambda_).nonzero().T
    return row, group, products[row, group]


def _refit_rows(dictionary: Tensor, row: Tensor, group: Tensor, products: Tensor) -> Tensor:
    """Codes (K, d) by least squares on the active groups (K,), in the order of their samples."""
    n, d = dictionary.shape[0], products.shape[1]
    gram, codes = dictionary.T @ dictionary, torch.empty_like(products)
    counts = torch.bincount(row)[row]
    for k in counts.unique().tolist():
        for part in (counts == k).nonzero().squeeze(1).split(k * systems_at_a_time(k, d, n)):
            columns = columns_of(group[part].view(-1, k), d)
            values = solve_normal(gram, columns, products[part].view_as(columns))
            codes[part] = values.view(-1, d)
    return codes


def _offsets(index: Tensor, size: int) -> Tensor:
    """Where the entries of each value in 0..size-1 start in the sorted index."""
    counts = torch.bincount(index, minlength=size)
    return counts.cumsum(0) - counts


def _weighted_sums(table: Tensor, index: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of rows of a table, one for each offset: a sparse times a dense matrix."""
    return embedding_bag(index, table, offsets, mode="sum", per_sample_weights=weights)
