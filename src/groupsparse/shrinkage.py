"""Shrinkage with derivatives written out: one pass where autograd would take several."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Below this share of active groups it pays to pick them out.
FEW = 0.1


def norms_of(groups: Tensor) -> Tensor:
    """Euclidean norms along the last axis."""
    if groups.shape[-1] > 4:
        return torch.linalg.vector_norm(groups, dim=-1)
    # Summing entry by entry is several times faster than a reduction over a short last axis.
    return sum(entry * entry for entry in groups.unbind(-1)).sqrt()


class Shrink(torch.autograd.Function):
    """v less its projection onto [low, high], entry by entry."""

    @staticmethod
    def forward(ctx, v: Tensor, low: float | Tensor, high: float | Tensor) -> Tensor:
        low, high = _number(low), _number(high)
        if isinstance(low, float) and low == -math.inf:  # v - clamp(v) is NaN where v is -inf
            high = high.to(v) if isinstance(high, Tensor) else high
            result = (v - high).clamp_min(0)
        else:
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


class GroupSoftThreshold(torch.autograd.Function):
    """The group soft threshold of groups (..., G, d), touching only what is active.

    With few active groups this costs little more than finding them, forward and backward; with
    many, picking them out would cost more than it saves, and on a GPU the host would have to wait.
    """

    @staticmethod
    def forward(ctx, groups: Tensor, threshold: Tensor) -> Tensor:
        norms = norms_of(groups)
        mask = ~(norms <= threshold)  # what is not a number must stay so
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


def _number(bound: float | Tensor) -> float | Tensor:
    # To clamp by a number is several times faster than by a Tensor that holds one; a GPU would have
    # to be waited for.
    single = isinstance(bound, Tensor) and bound.is_cpu and bound.numel() == 1
    return bound.item() if single else bound
