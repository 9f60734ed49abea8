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
        return signal + last * self._flat

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
        self._last: tuple[Tensor, ...] = ()

    def plus(self, c: Tensor, w: Tensor) -> Tensor:
        rise = self._rise(self._eta(w))
        return c + w - self.problem.step * self.problem.adjoint(rise, self.kernels)

    def adjoint(self, w: Tensor, slope: Tensor) -> Tensor:
        _, bent = self._around(w, slope)
        return slope - self.problem.step * self.problem.adjoint(bent, self.kernels)

    def gradient(self, w: Tensor, slope: Tensor) -> Tensor:
        problem, kernels = self.problem, self.kernels
        rise, bent = self._around(w, slope)
        first = problem.products(slope, rise, kernels)
        second = problem.products(w, bent, kernels)
        return -problem.step * (first + second)

    def _eta(self, w: Tensor) -> Tensor:
        return self.problem.recording.baseline + self.problem.signal(w, self.kernels)

    def _rise(self, eta: Tensor) -> Tensor:
        law, recording = self.problem.law, self.problem.recording
        zero = torch.zeros_like(eta)
        return (law.slope(eta, zero) - law.slope(recording.baseline, zero[:1])) * recording.observed

    def _around(self, w: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
        """m(a + H w) - m(a), and its derivative along H slope: kept, both callers need them."""
        if not self._last or self._last[0] is not w or self._last[1] is not slope:
            eta, observed = self._eta(w), self.problem.recording.observed
            bend = self.problem.law.bend(eta) * observed
            bent = bend * self.problem.signal(slope, self.kernels)
            self._last = w, slope, self._rise(eta), bent
        return self._last[2:]
