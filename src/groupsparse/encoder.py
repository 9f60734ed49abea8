"""Encoders: from data y (..., N, n) and a dictionary A (..., n, m) to codes x (..., N, m).

Leading batch dimensions are independent problems. Samples are rows, so A^T y reads ``Y @ A``.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from groupsparse.arrays import check_count, check_lambda
from groupsparse.dictionary import squared_spectral_norm
from groupsparse.prox import Prox

# Layers whose derivative is kept in memory at a time.
SEGMENT = 16
# Steps, in units of 1 / ||A||_2^2, from which on layers expand a quadratic's fastest mode. Without
# momentum its factor is 1 - s, so s = 2. With momentum b the mode has r^2 = (1 - s)((1 + b) r - b),
# which leaves the unit circle at s = 1 + 1 / (1 + 2 b), at 4/3 as b tends to 1.
STEP_LIMIT = {"ista": 2.0, "fista": 4 / 3}


class Operator(Protocol):
    """What a layer does to a point w before its activation, U(w), and the derivatives of that."""

    def plus(self, c: Tensor, w: Tensor) -> tuple[Tensor, Tensor | None]:
        """c + U(w), and what :meth:`derivatives` needs of w."""

    def derivatives(
        self, w: Tensor, slope: Tensor, known: Tensor | None, by_point: bool
    ) -> tuple[Tensor, Tensor | None]:
        """The derivatives of <slope, U(w)> by the matrix and, if asked for, by w."""


def shallow(
    data: Tensor, dictionary: Tensor, prox: Prox, lambda_: float | Tensor, group_size: int
) -> Tensor:
    r"""One-layer encoder x = sigma_lambda(A^T y) (eq. 11): (..., N, n) -> (..., N, m)."""
    return prox(data @ dictionary, lambda_, group_size)


def unfolded(
    data: Tensor,
    dictionary: Tensor,
    prox: Prox,
    lambda_: float | Tensor,
    group_size: int,
    layers: int,
    momentum: bool = True,
    lipschitz: Tensor | None = None,
    backprop: int | None = None,
    gram: Tensor | None = None,
    mask: Tensor | None = None,
    correlation: Tensor | None = None,
) -> Tensor:
    r"""``layers`` steps of (F)ISTA on 1/2 ||y - A x||^2 + lambda * Omega(x), from x = 0.

    .. math:: x^{t+1} = \sigma_{\alpha\lambda}(w^t + \alpha A^T (y - A w^t)), \alpha = 1/L

    with w^t = x^t for ISTA (``momentum=False``) and Nesterov's extrapolation of x^t and x^{t-1}
    for FISTA (Beck & Teboulle 2009). The Gram matrix is formed once, so a layer costs one product
    with an m x m matrix. The step is not differentiated.

    With a ``mask`` of the entries that were observed the objective is 1/2 ||mask (y - A x)||^2 +
    lambda * Omega(x). Every sample has a Gram matrix of its own then, which is never formed: a
    layer costs two products with A. The step of the whole A is short enough for each.

    Parameters
    ----------
    lambda_ : number, or Tensor broadcastable to the codes, or to their groups (..., N, m / d) if
        the activation acts on groups
    lipschitz : L >= ||A||_2^2 of shape (...), taken as it is: from
        :data:`STEP_LIMIT` on, codes explode; by default
        :func:`squared_spectral_norm`
    backprop : gradients cross the last ``backprop`` layers only, before which the codes count as
        constant; by default all. Memory of the backward pass stays bounded: layers are recomputed
        in segments of :data:`SEGMENT`.
    gram : A^T A (..., m, m), if it is known; differentiated as a function of A
    mask : 0 or 1 for every entry of the data; data must be finite where it is 0, too
    correlation : A^T y (..., N, m), if it is known (with a mask, that of the masked data);
        differentiated as a function of A

    Returns codes of shape (..., N, m). FloatingPointError if ``lipschitz`` is left out and the
    dictionary is zero or not finite.
    """
    check_count(layers, "layers", least=1)
    if not isinstance(lambda_, Tensor):
        check_lambda(lambda_)
    if gram is None and (mask is None or lipschitz is None):
        gram = dictionary.mT @ dictionary
    if lipschitz is None:
        with torch.no_grad():
            lipschitz = squared_spectral_norm(dictionary, gram)
    step = (1 / lipschitz.detach())[..., None, None]
    if correlation is None:
        correlation = (data if mask is None else data * mask) @ dictionary
    correlation = step * correlation
    if mask is None:
        eye = torch.eye(dictionary.shape[-1], dtype=dictionary.dtype, device=dictionary.device)
        operator, matrix = _Gram, eye - step * gram
    else:
        operator, matrix = partial(_Masked, mask=mask, step=step), dictionary
    rest = prox, step * lambda_, group_size, layers, momentum, backprop
    return run_layers(operator, correlation, matrix, *rest)


def run_layers(
    operator: Callable[[Tensor], Operator],
    correlation: Tensor,
    matrix: Tensor,
    prox: Prox,
    threshold: float | Tensor,
    group_size: int,
    layers: int,
    momentum: bool = True,
    backprop: int | None = None,
) -> Tensor:
    """``layers`` layers x -> prox(c + U(w)) from x = 0, with the U that is made of a matrix.

    ``correlation`` is c, of the shape of the codes; gradients reach it and the matrix.
    """
    weights = _momentum(layers) if momentum else [0.0] * (layers - 1)
    first = 0 if backprop is None else max(layers - backprop, 0)
    problem = operator, prox, threshold, group_size, weights
    return _Layers.apply(correlation, matrix, problem, first)


def warn_if_too_long(step: float, lipschitz: Tensor, limit: float) -> bool:
    """Warn if step * L reaches the ``limit`` for some L = ||A||_2^2 of shape (...); whether so."""
    long = step * lipschitz >= limit
    if not long.any():
        return False
    which = f" of {int(long.sum())} of {long.numel()} replicates" if long.ndim else ""
    warnings.warn(
        f"step {step:g} is {step * float(lipschitz.max()):.3g} / ||A||_2^2{which}: from "
        f"{limit:.3g} on codes explode, and it is shortened to 1 / ||A||_2^2",
        stacklevel=5,
    )
    return True


def _momentum(layers: int) -> list[float]:
    """Weights (t_k - 1) / t_{k+1} of the extrapolations between layers, the first one zero."""
    weights, t = [], 1.0
    for _ in range(layers - 1):
        t_next = (1 + (1 + 4 * t * t) ** 0.5) / 2
        weights.append((t - 1) / t_next)
        t = t_next
    return weights


class _Gram:
    """The linear part of a layer, w -> w (I - A^T A / L), as a matrix U (..., m, m)."""

    def __init__(self, update: Tensor) -> None:
        self.update = update

    def plus(self, c: Tensor, w: Tensor) -> tuple[Tensor, None]:
        """c + w U."""
        u = self.update
        if c.ndim == 2:
            return torch.addmm(c, w, u), None
        return torch.baddbmm(c, w, u) if c.ndim == 3 == u.ndim else c + w @ u, None

    def derivatives(self, w: Tensor, slope: Tensor, known: None, by_point: bool) -> tuple:
        return w.mT @ slope, slope @ self.update.mT if by_point else None


class _Masked:
    """The linear part of a layer, w -> w - (mask (w A^T)) A / L, through the dictionary A.

    Problems are taken one after the other, so that what has the size of their data stays in cache.
    """

    def __init__(self, dictionary: Tensor, mask: Tensor, step: Tensor) -> None:
        self.dictionary, self.mask, self.step = dictionary, mask, step

    def plus(self, c: Tensor, w: Tensor) -> tuple[Tensor, None]:
        result = torch.empty_like(w)
        for i, a, scaled, mask in self._problems(w):
            seen = (w[i] @ a.mT).mul_(mask)
            result[i] = torch.addmm(w[i], seen, scaled, alpha=-1)
        return result.add_(c), None

    def derivatives(self, w: Tensor, slope: Tensor, known: None, by_point: bool) -> tuple:
        by_matrix = w.new_zeros(*w.shape[:-2], *self.dictionary.shape[-2:])
        result = torch.empty_like(w)
        for i, a, scaled, mask in self._problems(w):
            # To multiply again costs less than to keep data of every layer.
            both = torch.stack([slope[i], w[i]])
            seen = (both @ a.mT).mul_(mask)
            by_matrix[i] = seen.flatten(0, 1).mT @ both.flip(0).flatten(0, 1)
            if by_point:  # its own adjoint
                result[i] = torch.addmm(slope[i], seen[0], scaled, alpha=-1)
        return by_matrix.mul_(-self.step), result

    def _problems(self, codes: Tensor) -> Iterator[tuple]:
        """Index, dictionary, the same times the step, and mask of every problem."""
        shape = codes.shape[:-2]
        parts = self.dictionary, self.step * self.dictionary, self.mask
        parts = [part.expand(*shape, *part.shape[-2:]) for part in parts]
        for i in product(*map(range, shape)):
            yield i, *(part[i] for part in parts)


class _Layers(torch.autograd.Function):
    """x^1 = prox(c), x^{t+1} = prox(c + U w^t) with w^t = x^t + beta_t (x^t - x^{t-1}).

    U is an operator that one ``matrix`` gives. Written out because a layer is one small product:
    autograd's bookkeeping would cost as much.
    Only layers from ``first`` on are differentiated. What their derivative needs is kept for the
    last segment; of the others only the codes at their start, from which they run again.
    """

    @staticmethod
    def forward(ctx, correlation, matrix, problem, first) -> Tensor:
        operator, *rest = problem
        layers = len(rest[-1]) + 1
        if not any(ctx.needs_input_grad):
            first = layers
        ctx.problem = problem
        run = partial(_run_layers, (correlation, operator(matrix), *rest))
        state, ctx.tape = run((None, None), 0, first)
        ctx.segments = []
        for start in range(first, layers, SEGMENT):
            stop = min(start + SEGMENT, layers)
            ctx.segments.append((start, stop, state))
            state, ctx.tape = run(state, start, stop, record=stop == layers)
        ctx.save_for_backward(correlation, matrix)
        return state[0].clone() if ctx.segments else state[0]

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple:
        correlation, matrix = ctx.saved_tensors
        operator, rest = ctx.problem[0](matrix), ctx.problem[1:]
        correlation_grad, matrix_grad = torch.zeros_like(correlation), torch.zeros_like(matrix)
        tape, before = list(ctx.tape), None  # before: part of the gradient of the codes x^{t-1}
        for start, stop, state in reversed(ctx.segments):
            if not tape:
                problem = correlation, operator, *rest
                _, tape = _run_layers(problem, state, start, stop, record=True)
            while tape:
                point, known, beta, inputs, outputs = tape.pop()
                (slope,) = torch.autograd.grad(outputs, inputs, gradient, retain_graph=True)
                correlation_grad += slope
                if point is None:
                    break
                more = bool(tape) or start > ctx.segments[0][0]
                by_matrix, by_point = operator.derivatives(point, slope, known, more)
                # Data may have leading dimensions that the matrix has not.
                matrix_grad += by_matrix.sum_to_size(matrix.shape)
                if more:
                    gradient = by_point * (1 + beta)
                    if before is not None:
                        gradient.add_(before[1], alpha=-before[0])
                    before = (beta, by_point) if beta else None
        return correlation_grad, matrix_grad, None, None


def _run_layers(problem: tuple, state: tuple, start: int, stop: int, record: bool = False):
    """Layers ``start`` to ``stop`` from the codes (x^t, x^{t-1}): the new codes and the tape."""
    correlation, operator, prox, threshold, group_size, weights = problem
    (codes, previous), tape = state, []
    for t in range(start, stop):
        point, known, beta, inputs = None, None, 0.0, correlation
        if t > 0:
            beta = weights[t - 1]
            point = torch.lerp(previous, codes, 1 + beta) if beta else codes
            inputs, known = operator.plus(correlation, point)
        with torch.set_grad_enabled(record):
            inputs = inputs.detach().requires_grad_(record)
            outputs = prox(inputs, threshold, group_size)
        previous, codes = codes, outputs.detach()
        if record:
            tape.append((point, known, beta, inputs, outputs))
    return (codes, previous), tape
