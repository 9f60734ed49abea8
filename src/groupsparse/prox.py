"""Proximal operators: the activations of group-sparse and sparse autoencoders.

Every operator has the signature ``prox(v, threshold, group_size)`` and acts on the last
dimension of ``v`` (shape ``(..., m)``). A new activation is one function under
:func:`activation`, which gives it the name that configs and :class:`Autoencoder` know.
"""

import math
from collections.abc import Callable
from functools import wraps

import torch
from torch import Tensor

from groupsparse.arrays import as_tensor, check_lambda
from groupsparse.groups import Groups, Size, as_groups, split_groups
from groupsparse.penalties import MCP_GAMMA, l1_norm, l20_norm, l21_norm, mcp
from groupsparse.shrinkage import GroupSoftThreshold, Shrink, norms_of

Prox = Callable[[Tensor, float | Tensor, Size], Tensor]
Penalty = Callable[[Tensor, Size], Tensor]
Value = Callable[[Tensor, float | Tensor, Size], Tensor]
PROX: dict[str, Prox] = {}  # name -> activation


def _for_any_groups(prox: Prox) -> Prox:
    """The same activation for :class:`Groups` too: a row of zeros and entries for each."""

    @wraps(prox)
    def activated(v: Tensor, threshold: float | Tensor, group_size: Size) -> Tensor:
        v = as_tensor(v, "v")
        group_size = as_groups(group_size, v.shape[-1])
        if not isinstance(group_size, Groups):
            return prox(v, threshold, group_size)
        rows = group_size.split(v)
        out = prox(rows.flatten(-2), group_size.weighted(threshold, v), group_size.largest)
        return group_size.merge(out.view_as(rows))

    return activated


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
        if grouped:
            prox = _for_any_groups(prox)
        PROX[name] = prox
        return prox

    return register


@activation("group_soft", grouped=True, penalty=l21_norm)
def group_soft_threshold(v: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    r"""Group-sparse ReLU, the proximal operator of ``threshold * sum_g ||v_g||_2``.

    .. math:: \sigma(v_g) = (1 - \text{threshold} / ||v_g||_2)_+ \, v_g \quad \text{(eq. 7)}

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
    ValueError if ``group_size`` does not divide m, or for a number as a threshold that is negative
    or not finite. Thresholds of a tensor are not looked at.

    Examples
    --------
    >>> group_soft_threshold(torch.tensor([3.0, 4.0, 0.3, 0.4]), 1.0, 2)
    tensor([2.4000, 3.2000, 0.0000, 0.0000])
    """
    groups = split_groups(v, group_size)
    threshold = _checked(threshold, groups)
    if not isinstance(threshold, Tensor):
        threshold = groups.new_full((), threshold)
    return GroupSoftThreshold.apply(groups, threshold).flatten(-2)


@activation("group_soft_nonnegative", grouped=True, penalty=l21_norm)
def nonnegative_group_soft_threshold(
    v: Tensor, threshold: float | Tensor, group_size: int
) -> Tensor:
    r"""Proximal operator of ``threshold * sum_g ||v_g||_2`` plus the constraint v >= 0.

    .. math:: (1 - \text{threshold} / ||v_g^+||_2)_+ \, v_g^+ , \quad v^+ = \max(v, 0)

    Shapes and errors as in :func:`group_soft_threshold`. The norm is that of the positive part:
    thresholding ``||v_g||`` instead is not a proximal operator.
    """
    return group_soft_threshold(as_tensor(v, "v").clamp_min(0), threshold, group_size)


@activation("group_hard", grouped=True, convex=False, value=l20_norm)
def group_hard_threshold(v: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    r"""Group hard threshold, the proximal operator of ``threshold^2 / 2`` times the active groups.

    .. math:: \sigma(v_g) = v_g \text{ if } ||v_g||_2 > \text{threshold}, \text{ else } 0

    It minimises :math:`\tfrac12 ||x - v||^2 + \tfrac12 \text{threshold}^2 ||x||_{2,0}`, where
    :math:`||x||_{2,0}` counts the nonzero groups. An active group is not shrunk. An unfolded layer
    thresholds at step * lambda like every other activation, so its penalty is
    :math:`\tfrac12 \text{step} \, \lambda^2 ||x||_{2,0}`.

    Shapes and errors as in :func:`group_soft_threshold`.

    Examples
    --------
    >>> group_hard_threshold(torch.tensor([3.0, 4.0, 0.3, 0.4]), 1.0, 2)
    tensor([3., 4., 0., 0.])
    """
    groups = split_groups(v, group_size)
    threshold = _checked(threshold, groups)
    keep = norms_of(groups.detach()) > threshold
    return (groups * keep.unsqueeze(-1)).flatten(-2)


@activation("group_mcp", grouped=True, convex=False, value=mcp)
def group_firm_threshold(v: Tensor, threshold: float | Tensor, group_size: int) -> Tensor:
    r"""Group firm threshold, the proximal operator of the minimax concave penalty :func:`mcp`.

    .. math:: \sigma(v_g) = \min\left(1, \tfrac{\gamma}{\gamma - 1} (1 - \text{threshold} /
              ||v_g||_2)_+ \right) v_g

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
    threshold = _checked(threshold, groups)
    active = norms_of(groups.detach()) > threshold
    # An inactive group may be zero, where its norm has no derivative.
    norms = torch.linalg.vector_norm(torch.where(active.unsqueeze(-1), groups, 1), dim=-1)
    scale = (MCP_GAMMA / (MCP_GAMMA - 1) * (1 - threshold / norms)).clamp_max(1)
    return (groups * (scale * active).unsqueeze(-1)).flatten(-2)


@activation("soft", grouped=False, penalty=l1_norm)
def soft_threshold(v: Tensor, threshold: float | Tensor, group_size: int = 1) -> Tensor:
    r"""Proximal operator of ``threshold * ||v||_1``: ``sign(v) (|v| - threshold)_+``.

    ``group_size`` is accepted so that all operators share one signature, and ignored.

    Examples
    --------
    >>> soft_threshold(torch.tensor([-3.0, 0.5, 2.0]), 1.0)
    tensor([-2.,  0.,  1.])
    """
    v = as_tensor(v, "v")
    threshold = _checked(threshold, v)
    return shrink(v, -threshold, threshold)


@activation("relu", grouped=False, penalty=l1_norm)
def relu_with_bias(v: Tensor, threshold: float | Tensor, group_size: int = 1) -> Tensor:
    r"""One-sided ReLU ``(v - threshold)_+``: prox of ``threshold * sum(v)`` subject to v >= 0.

    ``group_size`` is accepted so that all operators share one signature, and ignored.
    """
    v = as_tensor(v, "v")
    return shrink(v, -math.inf, _checked(threshold, v))


def shrink(v: Tensor, low: float | Tensor, high: float | Tensor) -> Tensor:
    """v less its projection onto [low, high], entry by entry: zero where it lies in between.

    The proximal operator of high * v for v > 0 and low * v for v < 0. The bounds are numbers, or
    Tensors broadcastable to v; they are constant to differentiation.

    Examples
    --------
    >>> shrink(torch.tensor([-3.0, 0.5, 3.0]), -1.0, 2.0)
    tensor([-2.,  0.,  1.])
    """
    return Shrink.apply(v, low, high)


def name_of(prox: Prox) -> str:
    """Module and name of an activation that is a function or an instance of a class."""
    named = prox if hasattr(prox, "__qualname__") else type(prox)
    return f"{named.__module__}.{named.__qualname__}"


def _checked(threshold: float | Tensor, v: Tensor) -> float | Tensor:
    """A threshold that does not change the precision of v, and is constant to differentiation."""
    # Tensors are made by the encoders; to look at them would make the host wait for a GPU.
    if isinstance(threshold, Tensor):
        return threshold.detach().to(v)
    check_lambda(threshold, "threshold")
    return threshold
