"""The layers of a convolutional encoder: gradient steps on the likelihood of filtered events."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from groupsparse.convolution import convolve, correlate, kernel_products
from groupsparse.likelihood import Law
from groupsparse.trials import Recording


class Problem(NamedTuple):
    """What the layers of an encoder share. Points are codes (..., P K, N C), and below them one row
    for the baseline, if it is fitted: the amplitude of a constant signal of unit norm.
    """

    law: Law
    recording: Recording
    step: Tensor
    fit_baseline: bool

    def signal(self, point: Tensor, kernels: Tensor) -> Tensor:
        """H w: (..., P K (+ 1), N C) -> (..., T, N C)."""
        codes, last = (point[..., :-1, :], point[..., -1:, :]) if self.fit_baseline else (point, 0)
        signal = convolve(codes.unflatten(-2, (-1, kernels.shape[-2])), kernels)
        return signal + last * self._flat if self.fit_baseline else signal

    def adjoint(self, signal: Tensor, kernels: Tensor) -> Tensor:
        """H^T r: (..., T, N C) -> (..., P K (+ 1), N C)."""
        codes = correlate(signal, kernels).flatten(-3, -2)
        if not self.fit_baseline:
            return codes
        return torch.cat([codes, signal.sum(-2, keepdim=True) * self._flat], -2)

    def products(self, point: Tensor, signal: Tensor, kernels: Tensor) -> Tensor:
        """Derivative of <signal, H w> by the kernels."""
        codes = point[..., :-1, :] if self.fit_baseline else point
        return kernel_products(codes.unflatten(-2, (-1, kernels.shape[-2])), signal)

    @property
    def _flat(self) -> float:
        return self.recording.values.shape[0] ** -0.5


class Filtered:
    r"""w -> w - step H^T (m(a + H w) - m(a)), where m is the slope of the law, but for y.

    Together with the first point c = -step H^T (derivative of the loss at the baseline a) this is a
    gradient step.
    """

    def __init__(self, kernels: Tensor, problem: Problem) -> None:
        self.kernels, self.problem = kernels, problem

    def plus(self, c: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        eta = self.problem.signal(w, self.kernels).add_(self.problem.recording.baseline)
        return self._back(self._rise(eta)).add_(c).add_(w), eta

    def derivatives(self, w: Tensor, slope: Tensor, known: Tensor, by_point: bool) -> tuple:
        problem, kernels = self.problem, self.kernels
        bent = problem.law.bend(known) * problem.recording.observed
        bent *= problem.signal(slope, kernels)
        first = problem.products(slope, self._rise(known), kernels)
        by_kernels = -problem.step * (first + problem.products(w, bent, kernels))
        return by_kernels, self._back(bent).add_(slope) if by_point else None

    def _rise(self, eta: Tensor) -> Tensor:
        """m(eta) - m(a), where something was observed."""
        law, recording = self.problem.law, self.problem.recording
        rise = law.mean(eta) - law.mean(recording.baseline)
        return rise.mul_(recording.observed).mul_(law.scale)

    def _back(self, signal: Tensor) -> Tensor:
        """-step H^T r."""
        return self.problem.adjoint(signal, self.kernels).mul_(-self.problem.step)
