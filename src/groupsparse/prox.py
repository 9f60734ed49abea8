"""Proximal operators: the activations of group-sparse and sparse autoencoders.

Every operator has the signature ``prox(v, threshold, group_size)`` and acts on the last
dimension of ``v`` (shape ``(..., m)``). A new activation is one function under
:func:`activation`, which gives it the name that configs and :class:`Autoencoder` know.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from groupsparse.arrays import as_tensor, check_lambda
from groupsparse.groups import split_groups
from groupsparse.penalties import MCP_GAMMA, active_groups, l1_norm, l21_norm, mcp

# Below this share of active groups it pays to pick them out.
FEW = 0.1

Prox = Callable[[Tensor, float | Tensor, int], Tensor]
Penalty = Callable[[Tensor, int], Tensor]
Value = Callable[[Tensor, float | Tensor, int], Tensor]
PROX: dict[str, Prox] = {}  # name -> activation


def activation(
    name: str,
    *,
    grouped: bool,
    convex: bool = True,
    penalty: Penalty | None = None,
    value: Value | None = None,
) -> Callable[[Prox], Prox]:
    """Register a function ``f(v, threshold, group_size)`` as an activation in :data:`PROX`.

    It must act on every group of ``group_size`` entries (or every entry) by itself, give exactly
    zero where the norm of the group is at most the threshold, and be differentiable almost
    everywhere, with zero gradients where its output is zero. The contract tests check this.

    Parameters
    ----------
    grouped : whether whole groups become zero, so that the active group can name a cluster
    convex : whether it is the proximal operator of a convex function; the tests of nonexpansiveness
        and of the minimum apply to those alone
    penalty : Omega(x, group_size) -> (...), if the activation is the proximal operator of
        threshold * Omega (on the values that it can give); energies of a mixture need it
    value : h(x, threshold, group_size) -> (...), if it is the proximal operator of another h; with
        a ``penalty``, h is threshold * Omega. The attribute ``value`` is h in either case, or None

    Examples
    --------
    >>> @activation("hard", grouped=False, convex=False)  # doctest: +SKIP
    ... def hard_threshold(v, threshold, group_size):
    ...     return v * (v.abs() > threshold)
    """

    def register(prox: Prox) -> Prox:
        if name in PROX:
            raise ValueError(f"there is an activation {name!r} already")
        prox.grouped, prox.convex, prox.penalty, prox.value = grouped, convex, penalty, value
        if penalty is not None:
            prox.value = lambda x, threshold, size: threshold * penalty(x, size)
        PROX[name] = prox
        return prox

    return register


@activation("group_soft", grouped=True, penalty=l21_norm)
def group_soft_threshold(v: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    r"""Group-sparse ReLU, the proximal operator of ``threshold * sum_g ||v_g||_2``.

    .. math:: \sigma(v_g) = (1 - threshold / ||v_g||_2)_+ \, v_g   (eq. 7)

    Parameters
    ----------
    v : Tensor, shape (..., m)
    threshold : nonnegative float, or Tensor broadcastable to (..., m / group_size); constant to
        differentiation
    group_size : number of consecutive entries in a group; divides m

    Returns
    -------
    Tensor, shape (..., m)

    Raises
    ------
    ValueError if ``group_size`` does not divide m, or for a negative or NaN threshold.

    Examples
    --------
    >>> group_soft_threshold(torch.tensor([3.0, 4.0, 0.3, 0.4]), 1.0, 2)
    tensor([2.4000, 3.2000, 0.0000, 0.0000])
    """
    groups = split_groups(v, group_size)
    _check(threshold)
    if not isinstance(threshold, Tensor):
        threshold = groups.new_full((), threshold)
    return _GroupSoftThreshold.apply(groups, threshold.detach()).flatten(-2)


@activation("group_soft_nonnegative", grouped=True, penalty=l21_norm)
def nonnegative_group_soft_threshold(
    v: Tensor, threshold: float | Tensor, group_size: int
) -> Tensor:
    r"""Proximal operator of ``threshold * sum_g ||v_g||_2`` plus the constraint v >= 0.

    .. math:: (1 - threshold / ||v_g^+||_2)_+ \, v_g^+ ,   v^+ = max(v, 0)

    Shapes and errors as in :func:`group_soft_threshold`. The norm is that of the positive part:
    thresholding ``||v_g||`` instead is not a proximal operator.
    """
    return group_soft_threshold(as_tensor(v, "v").clamp_min(0), threshold, group_size)


@activation(
    "group_hard",
    grouped=True,
    convex=False,
    value=lambda x, threshold, size: threshold**2 / 2 * active_groups(x, size),
)
def group_hard_threshold(v: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    r"""Group hard threshold, the proximal operator of ``threshold^2 / 2`` times the active groups.

    .. math:: \sigma(v_g) = v_g \text{ if } ||v_g||_2 > threshold, \text{ else } 0

    It minimises :math:`\tfrac12 ||x - v||^2 + \tfrac12 threshold^2 ||x||_{2,0}`, where
    :math:`||x||_{2,0}` counts the nonzero groups. An active group is not shrunk. An unfolded layer
    thresholds at step * lambda like every other activation, so its penalty is
    :math:`\tfrac12 step \, \lambda^2 ||x||_{2,0}`.

    Shapes and errors as in :func:`group_soft_threshold`.

    Examples
    --------
    >>> group_hard_threshold(torch.tensor([3.0, 4.0, 0.3, 0.4]), 1.0, 2)
    tensor([3., 4., 0., 0.])
    """
    groups = split_groups(v, group_size)
    _check(threshold)
    keep = _norms(groups.detach()) > threshold
    return (groups * keep.unsqueeze(-1)).flatten(-2)


@activation("group_mcp", grouped=True, convex=False, value=mcp)
def group_firm_threshold(v: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    r"""Group firm threshold, the proximal operator of the minimax concave penalty :func:`mcp`.

    .. math:: \sigma(v_g) = \min\left(1, \tfrac{\gamma}{\gamma - 1} (1 - threshold / ||v_g||_2)_+
              \right) v_g

    It shrinks groups just above the threshold and leaves those from gamma times the threshold on as
    they are. The penalty's slope is that of the group lasso at 0 and 0 from there on: between
    :func:`group_soft_threshold` and :func:`group_hard_threshold`, and continuous unlike the latter.
    Gamma counts in units of what an unfolded layer is given, step * lambda.

    Shapes and errors as in :func:`group_soft_threshold`.

    References
    ----------
    C.-H. Zhang, "Nearly unbiased variable selection under minimax concave penalty", Ann. Statist.
    38 (2010); for groups P. Breheny, J. Huang, Stat. Comput. 25 (2015).

    Examples
    --------
    >>> group_firm_threshold(torch.tensor([3.0, 4.0, 1.2, 1.6, 0.3, 0.4]), 1.0, 2)
    tensor([3.0000, 4.0000, 0.9000, 1.2000, 0.0000, 0.0000])
    """
    groups = split_groups(v, group_size)
    _check(threshold)
    active = _norms(groups.detach()) > threshold
    # An inactive group may be zero, where its norm has no derivative.
    norms = torch.linalg.vector_norm(torch.where(active.unsqueeze(-1), groups, 1), dim=-1)
    scale = (MCP_GAMMA / (MCP_GAMMA - 1) * (1 - threshold / norms)).clamp_max(1)
    return (groups * (scale * active).unsqueeze(-1)).flatten(-2)


@activation("soft", grouped=False, penalty=l1_norm)
def soft_threshold(v: Tensor, threshold: float | Tensor, group_size: int = 1) -> Tensor:
    r"""Proximal operator of ``threshold * ||v||_1``: ``sign(v) (|v| - threshold)_+``.

    ``group_size`` is accepted so that all operators share one signature, and ignored.
    """
    _check(threshold)
    return shrink(as_tensor(v, "v"), -threshold, threshold)


@activation("relu", grouped=False, penalty=l1_norm)
def relu_with_bias(v: Tensor, threshold: float | Tensor, group_size: int = 1) -> Tensor:
    r"""One-sided ReLU ``(v - threshold)_+``: prox of ``threshold * sum(v)`` subject to v >= 0.

    ``group_size`` is accepted so that all operators share one signature, and ignored.
    """
    _check(threshold)
    return shrink(as_tensor(v, "v"), -math.inf, threshold)


def shrink(v: Tensor, low: float | Tensor, high: float | Tensor) -> Tensor:
    """v less its projection onto [low, high], entry by entry: zero where it lies in between.

    The proximal operator of high * v for v > 0 and low * v for v < 0. The bounds are numbers, or
    Tensors broadcastable to v; they are constant to differentiation.

    Examples
    --------
    >>> shrink(torch.tensor([-3.0, 0.5, 3.0]), -1.0, 2.0)
    tensor([-2.,  0.,  1.])
    """
    return _Shrink.apply(v, low, high)


def name_of(prox: Prox) -> str:
    """Module and name of an activation that is a function or an instance of a class."""
    named = prox if hasattr(prox, "__qualname__") else type(prox)
    return f"{named.__module__}.{named.__qualname__}"


def _check(threshold: float | Tensor) -> None:
    # Tensors are made by the encoders; to look at them would make the host wait for a GPU.
    if not isinstance(threshold, Tensor):
        check_lambda(threshold, "threshold")


def _number(bound: float | Tensor) -> float | Tensor:
    # To clamp by a number is several times faster than by a Tensor that holds one; a GPU would have
    # to be waited for.
    single = isinstance(bound, Tensor) and bound.is_cpu and bound.numel() == 1
    return bound.item() if single else bound


def _norms(groups: Tensor) -> Tensor:
    if groups.shape[-1] > 4:
        return torch.linalg.vector_norm(groups, dim=-1)
    # Summing entry by entry is several times faster than a reduction over a short last axis.
    return sum(entry * entry for entry in groups.unbind(-1)).sqrt()


class _Shrink(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v: Tensor, low: float | Tensor, high: float | Tensor) -> Tensor:
        low, high = _number(low), _number(high)
        if isinstance(low, Tensor) != isinstance(high, Tensor):
            low, high = (torch.as_tensor(bound).to(v) for bound in (low, high))
        result = v - torch.clamp(v, low, high)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        # One pass, several times as fast as to select by a comparison.
        (result,) = ctx.saved_tensors
        return torch.ops.aten.softshrink_backward(gradient, result, 0.0), None, None


class _GroupSoftThreshold(torch.autograd.Function):
    """The group soft threshold of groups (..., G, d), touching only what is active.

    With few active groups this costs little more than finding them, forward and backward; with
    many, picking them out would cost more than it saves, and on a GPU the host would have to wait.
    """

    @staticmethod
    def forward(ctx, groups: Tensor, threshold: Tensor) -> Tensor:
        norms = _norms(groups)
        mask = norms > threshold
        ctx.sparse = groups.is_cpu and int(mask.sum()) < FEW * mask.numel()
        if ctx.sparse:
            active = mask.flatten().nonzero().squeeze(1)
            values = groups.reshape(-1, groups.shape[-1])[active]
            norm = values.norm(dim=-1, keepdim=True)
            threshold = threshold.expand_as(norms).reshape(-1)[active].unsqueeze(1)
        else:
            active, values = mask.unsqueeze(-1), groups
            # Scale 0 on an inactive group; the number 1 only avoids 0 / 0.
            threshold = threshold.unsqueeze(-1)
            norm = torch.where(mask, norms, 1).unsqueeze(-1)
        scale = (1 - threshold / norm).clamp_min(0)
        if not ctx.sparse:
            scale = scale * active
        ctx.save_for_backward(active, values, norm, scale)
        if not ctx.sparse:
            return values * scale
        result = torch.zeros_like(groups, memory_format=torch.contiguous_format)
        result.view(-1, groups.shape[-1])[active] = values * scale
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        # On an active group the Jacobian is scale I + (1 - scale) u u^T with u = v/||v||.
        active, values, norm, scale = ctx.saved_tensors
        part = gradient.reshape(-1, gradient.shape[-1])[active] if ctx.sparse else gradient
        along = (values * part).sum(-1, keepdim=True) * ((1 - scale) / norm.square())
        if not ctx.sparse:
            return torch.addcmul(scale * part, along * active, values), None
        result = torch.zeros_like(gradient, memory_format=torch.contiguous_format)
        result.view(-1, gradient.shape[-1])[active] = scale * part + along * values
        return result, None
