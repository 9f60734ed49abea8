"""Proximal operators: the activations of group-sparse and sparse autoencoders.

Every operator has the signature ``prox(v, threshold, group_size)`` and acts on the last
dimension of ``v`` (shape ``(..., m)``), so that a new activation is one new function and one
line in ``PROX``. All are differentiable almost everywhere and return zero gradients where the
output is zero.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Below this share of active groups it pays to pick them out.
FEW = 0.1

Prox = Callable[[Tensor, float | Tensor, int], Tensor]


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
    ValueError if ``group_size`` does not divide m.
    """
    groups = split_groups(v, group_size)
    if not isinstance(threshold, Tensor):
        threshold = v.new_full((), threshold)
    return _GroupSoftThreshold.apply(groups, threshold.detach()).flatten(-2)


def nonnegative_group_soft_threshold(
    v: Tensor, threshold: float | Tensor, group_size: int
) -> Tensor:
    r"""Proximal operator of ``threshold * sum_g ||v_g||_2`` plus the constraint v >= 0.

    .. math:: (1 - threshold / ||v_g^+||_2)_+ \, v_g^+ ,   v^+ = max(v, 0)

    Shapes and errors as in :func:`group_soft_threshold`. The norm is that of the positive part:
    thresholding ``||v_g||`` instead is not a proximal operator.
    """
    return group_soft_threshold(v.clamp_min(0), threshold, group_size)


def soft_threshold(v: Tensor, threshold: float | Tensor, group_size: int = 1) -> Tensor:
    r"""Proximal operator of ``threshold * ||v||_1``: ``sign(v) (|v| - threshold)_+``.

    ``group_size`` is accepted so that all operators share one signature, and ignored.
    """
    return v - torch.clamp(v, -threshold, threshold)


def relu_with_bias(v: Tensor, threshold: float | Tensor, group_size: int = 1) -> Tensor:
    r"""One-sided ReLU ``(v - threshold)_+``: prox of ``threshold * sum(v)`` subject to v >= 0.

    ``group_size`` is accepted so that all operators share one signature, and ignored.
    """
    return torch.relu(v - threshold)


def split_groups(v: Tensor, group_size: int) -> Tensor:
    """View (..., m) as (..., m / group_size, group_size); ValueError if that is impossible."""
    if group_size < 1 or v.shape[-1] % group_size:
        raise ValueError(f"group_size {group_size} does not divide {v.shape[-1]} entries")
    return v.unflatten(-1, (-1, group_size))


def group_norms(v: Tensor, group_size: int) -> Tensor:
    """Euclidean norm of every group: (..., m) -> (..., m / group_size)."""
    return torch.linalg.vector_norm(split_groups(v, group_size), dim=-1)


def _norms(groups: Tensor) -> Tensor:
    if groups.shape[-1] > 4:
        return torch.linalg.vector_norm(groups, dim=-1)
    # Summing entry by entry is several times faster than a reduction over a short last axis.
    return sum(entry * entry for entry in groups.unbind(-1)).sqrt()


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


PROX: dict[str, Prox] = {
    "group_soft": group_soft_threshold,
    "group_soft_nonnegative": nonnegative_group_soft_threshold,
    "soft": soft_threshold,
    "relu": relu_with_bias,
}
