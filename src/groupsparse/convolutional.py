"""Convolutional autoencoder (DUNL): kernels and sparse events of counts or traces, by trials.

The encoder is that of :mod:`groupsparse.encoder`; a layer applies the convolution and its adjoint
instead of a dictionary, and the mean of the law of the data in between.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from groupsparse import encoder, saved
from groupsparse.arrays import Array, as_tensor, check_count, check_lambda, plain
from groupsparse.convolution import convolve, squared_norm
from groupsparse.dictionary import normalize_columns
from groupsparse.events import Events, events_of
from groupsparse.filtered import Filtered, Problem
from groupsparse.likelihood import Law, law_of
from groupsparse.prox import group_soft_threshold, shrink
from groupsparse.topk import largest
from groupsparse.trials import Recording, checked_signs, checked_support, checked_trials


class ConvolutionalAutoencoder(nn.Module):
    r"""Events x and kernels h behind observations y of trials and neurons.

    .. math:: \eta = a + \sum_k h_k * x_k, \qquad y \sim \text{law}(\eta), \qquad
              \min_x -\log p(y | \eta) + \lambda ||x||_1 + \lambda_g \sum_{k,t} ||x_{\cdot,k,t}||_2

    The second penalty ties the neurons of a trial: a kernel then has the same events in all of
    them, with an amplitude for each.

    Parameters
    ----------
    kernels : (K, L), or (R, K, L) for independent replicates; in float32 or float64, copied. They
        are held as ``dictionary`` (L, K), so that unit norm is that of its columns
    law : ``gaussian``, ``binomial`` or ``poisson``, whose ``law_options`` are the arguments of the
        class in :mod:`groupsparse.likelihood`
    lambda_, group_lambda : penalties of single and of shared events, finite and at least 0
    layers : of FISTA. A step is 1 / (curvature of the law times ||H||^2)
    backprop : number of last layers that the gradient of :meth:`loss` crosses (default: all); with
        0 events are held constant and the gradient is that of the decoder
    signs : of the events of each kernel: 1, -1, or 0 for both (the default)
    most : events of a kernel in a trial that every layer keeps, the largest ones (top-k), by their
        norm over neurons if those are tied by a ``group_lambda``; by default all
    fit_baseline : whether the encoder adds a constant to the baseline of every trial and neuron
    smooth : weight of the roughness of kernels in :meth:`loss`
    nonnegative : whether each kernel, or all of them, stay nonnegative in training

    Raises
    ------
    ValueError for kernels of another shape or not finite, for numbers out of range, and unless
    ``signs`` and ``nonnegative`` have one entry for each kernel; TypeError for another precision.

    References
    ----------
    B. Tolooshams et al., "Interpretable deep learning for deconvolutional analysis of neural
    signals", Neuron (2025).

    Examples
    --------
    >>> model = ConvolutionalAutoencoder(torch.tensor([[0.6, 0.8]]), lambda_=0.01, layers=50)
    >>> y = torch.tensor([[[0.0, 0.0, 3.0, 4.0, 0.0]]])  # one trial, one neuron
    >>> model.encode(y, baseline=[[0.0]]).squeeze().detach().round(decimals=1)
    tensor([0., 0., 5., 0.])
    """

    def __init__(
        self,
        kernels: Array | None = None,
        law: str = "gaussian",
        lambda_: float = 0.0,
        group_lambda: float = 0.0,
        layers: int = 100,
        backprop: int | None = None,
        signs: list[int] | None = None,
        fit_baseline: bool = False,
        smooth: float = 0.0,
        nonnegative: bool | list[bool] = False,
        law_options: dict | None = None,
        most: int | None = None,
        dictionary: Array | None = None,
    ) -> None:
        super().__init__()
        if (kernels is None) == (dictionary is None):
            raise ValueError("give kernels, or a dictionary that holds them")
        kernels = as_tensor(kernels, "kernels") if dictionary is None else as_tensor(dictionary).mT
        if kernels.ndim not in (2, 3) or not all(kernels.shape):
            shape = tuple(kernels.shape)
            raise ValueError(f"kernels must have shape (K, L) or (R, K, L), not {shape}")
        if kernels.dtype not in (torch.float32, torch.float64):
            raise TypeError(f"kernels must be float32 or float64, not {kernels.dtype}")
        if not torch.isfinite(kernels).all():
            raise ValueError("kernels must be finite")
        self.dictionary = nn.Parameter(kernels.detach().mT.clone())
        self.law_name, self.law_options = law, plain(law_options or {})
        self.law: Law = law_of(law, **self.law_options)
        for name, value in (
            ("lambda_", lambda_),
            ("group_lambda", group_lambda),
            ("smooth", smooth),
        ):
            check_lambda(value, name)
        self.lambda_, self.group_lambda = float(lambda_), float(group_lambda)
        self.smooth, self.fit_baseline = float(smooth), bool(fit_baseline)
        self.layers = check_count(layers, "layers", least=1)
        self.backprop = None if backprop is None else check_count(backprop, "backprop")
        self.most = None if most is None else check_count(most, "most", least=1)
        count = kernels.shape[-2]
        self.signs = checked_signs([0] * count if signs is None else signs, count)
        nonnegative = plain(nonnegative)
        same = isinstance(nonnegative, bool)
        self.nonnegative = [nonnegative] * count if same else list(nonnegative)
        if len(self.nonnegative) != count or not set(self.nonnegative) <= {True, False}:
            raise ValueError(f"nonnegative must be a boolean, or {count} of them")

    @property
    def kernels(self) -> Tensor:
        """The kernels (..., K, L)."""
        return self.dictionary.mT

    @property
    def replicates(self) -> torch.Size:
        """Leading dimensions of independent problems."""
        return self.dictionary.shape[:-2]

    def config(self) -> dict:
        """All arguments of the class except the kernels, JSON-able."""
        names = ("lambda_", "group_lambda", "layers", "backprop", "signs", "fit_baseline")
        names += ("smooth", "nonnegative", "most")
        options = {"law": self.law_name, "law_options": self.law_options}
        return options | {name: getattr(self, name) for name in names}

    def extra_repr(self) -> str:
        described = ", ".join(f"{k}={v!r}" for k, v in self.config().items())
        return f"kernels={tuple(self.kernels.shape)}, {described}"

    def encode(
        self, y: Array, baseline: Array | None = None, support: Array | None = None
    ) -> Tensor:
        """Amplitudes of events (..., N, C, K, P) of trials y (N, C, T), P = T - L + 1.

        Event (k, t) puts kernel k at the times t to t + L - 1.

        Parameters
        ----------
        y : trials of C neurons; NaN where nothing was observed, as after the end of a short trial
        baseline : a of every trial and neuron (N, C); by default the one of their mean
        support : where events can be, 0 or 1: (N, K, P) for all neurons alike; by default anywhere

        Raises
        ------
        ValueError for shapes that do not fit, and values that the law cannot give;
        FloatingPointError if all kernels are zero.
        """
        recording = self.recording(y, baseline, support)
        return self._by_trial(self._encoded(recording)[0], recording.neurons)

    def events(
        self, y: Array, baseline: Array | None = None, support: Array | None = None,
        most: int | None = None, least: float = 0.0, spacing: int = 1,
    ) -> Events:  # fmt: skip
        """What :meth:`encode` finds as events; the last three are those of :func:`events_of`.

        ValueError for replicates, whose events are not those of one recording.
        """
        if self.replicates:
            raise ValueError("events takes one model, not replicates: see events_of for codes")
        return events_of(self.encode(y, baseline, support).detach(), most, least, spacing)

    def rate(self, y: Array, baseline: Array | None = None, support: Array | None = None) -> Tensor:
        """Mean of y given the events that are found in it: (..., N, C, T). As :meth:`encode`."""
        recording = self.recording(y, baseline, support)
        mean = self.law.mean(self._signal(recording, *self._encoded(recording)))
        return mean.unflatten(-1, (-1, recording.neurons)).movedim(-3, -1)

    def loss(self, recording: Recording) -> Tensor:
        """Mean negative log-likelihood of what was observed, in nats, and the roughness: (...).

        The events are those that the encoder finds. Differentiable once.
        """
        fixed = self.backprop == 0
        with torch.set_grad_enabled(torch.is_grad_enabled() and not fixed):
            codes, added = self._encoded(recording)
        eta = self._signal(recording, codes, added)
        nll = self.law.nll(eta, recording.values) * recording.observed
        rough = self.kernels.diff().square().sum((-2, -1)) / self.kernels.shape[-2]
        return nll.sum((-2, -1)) / recording.observed.sum() + self.smooth * rough

    def project(self, dictionary: Tensor) -> Tensor:
        """Kernels (..., L, K) as training keeps them: nonnegative where asked, at unit norm."""
        bounded = torch.tensor(self.nonnegative, device=dictionary.device)
        return normalize_columns(torch.where(bounded, dictionary.clamp_min(0), dictionary))

    def recording(
        self, y: Array, baseline: Array | None = None, support: Array | None = None
    ) -> Recording:
        """Check trials, and bring them to the form of the network. As :meth:`encode`."""
        like = self.dictionary.detach()
        length, count = like.shape[-2:]
        y, observed, baseline = checked_trials(y, self.law, length, baseline, like)
        trials, neurons, times = y.shape
        if support is not None:
            wanted = trials, count, times - length + 1
            support = checked_support(support, wanted, like.device).to(like)
            support = support.permute(2, 1, 0).repeat_interleave(neurons, -1)
        flat = y.permute(2, 0, 1).flatten(1).contiguous()
        seen = observed.to(like).permute(2, 0, 1).flatten(1).contiguous()
        return Recording(flat, seen, baseline.flatten().unsqueeze(0), support, neurons)

    def _encoded(self, recording: Recording) -> tuple[Tensor, Tensor | None]:
        """Codes (..., P, K, N C), and what is added to the baseline (..., 1, N C), if anything."""
        times = len(recording.values)
        length, count = self.dictionary.shape[-2:]
        starts = times - length + 1
        kernels = self.kernels
        norm = squared_norm(kernels.detach(), times) + self.fit_baseline
        # To look at values would make a GPU wait.
        if norm.is_cpu and not ((norm > 0) & torch.isfinite(norm)).all():
            raise FloatingPointError("the kernels are zero or not finite")
        step = 1 / (self.law.curvature * norm)[..., None, None]
        problem = Problem(self.law, recording, step, self.fit_baseline)
        first = -self.law.slope(recording.baseline, recording.values) * recording.observed
        first = step * problem.adjoint(first.expand(*self.replicates, -1, -1), kernels)
        found = encoder.run_layers(
            lambda matrix: Filtered(matrix, problem), first, kernels, self._activation(recording),
            step, recording.neurons, self.layers, backprop=self.backprop,
        )  # fmt: skip
        codes = found[..., : starts * count, :].unflatten(-2, (starts, count))
        return codes, found[..., -1:, :] / times**0.5 if self.fit_baseline else None

    def _activation(self, recording: Recording):
        """Prox of both penalties, of the signs and of the support, times a step."""
        count = len(self.signs)
        mixed = len(set(self.signs)) > 1
        signs = torch.tensor(self.signs if mixed else self.signs[:1]).view(-1, 1)
        signs = signs.to(recording.values.device)

        def prox(v: Tensor, step: Tensor, neurons: int) -> Tensor:
            starts = v.shape[-2] // count
            x = v[..., : starts * count, :].unflatten(-2, (starts, count))
            step = step.unsqueeze(-1)
            bound = step * self.lambda_
            low = torch.where(signs > 0, -torch.inf, -bound)
            x = shrink(x, low, torch.where(signs < 0, torch.inf, bound))
            if self.group_lambda:
                x = group_soft_threshold(x, step * self.group_lambda, neurons)
            if recording.support is not None:
                x = x * recording.support
            if self.most is not None and self.most < starts:
                x = self._largest(x, neurons if self.group_lambda else 1)
            x = x.flatten(-3, -2)
            return torch.cat([x, v[..., -1:, :]], -2) if self.fit_baseline else x

        return prox

    def _largest(self, x: Tensor, neurons: int) -> Tensor:
        """The largest codes (..., P, K, N C) of every kernel; those of tied neurons go together."""
        parts = x.unflatten(-1, (-1, neurons))
        size = parts.detach().norm(dim=-1)
        kept = largest(size.movedim(-3, -1), self.most).movedim(-1, -3)
        return (parts * kept.unsqueeze(-1)).flatten(-2)

    def _signal(self, recording: Recording, codes: Tensor, added: Tensor | None) -> Tensor:
        """eta (..., T, N C)."""
        eta = recording.baseline + convolve(codes, self.kernels)
        return eta if added is None else eta + added

    @staticmethod
    def _by_trial(codes: Tensor, neurons: int) -> Tensor:
        """Codes (..., P, K, N C) as (..., N, C, K, P)."""
        by_trial = codes.unflatten(-1, (-1, neurons))  # (..., P, K, N, C)
        return by_trial.movedim((-2, -1, -3, -4), (-4, -3, -2, -1))

    def save(self, folder: str | Path) -> None:
        """Write ``config.json``, which is readable, and ``weights.safetensors`` into a folder."""
        saved.write(folder, type(self), dict(self.named_parameters()), self.config())

    @classmethod
    def load(cls, folder: str | Path) -> ConvolutionalAutoencoder:
        """Read what :meth:`save` wrote, onto the CPU.

        FileNotFoundError names a file that is missing, CorruptArtifactError one that is damaged;
        ValueError if another class wrote it.
        """
        return saved.read(folder, cls)
