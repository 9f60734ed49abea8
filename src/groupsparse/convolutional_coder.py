"""Kernels and events in the style of scikit-learn: trials in, kernels, events and codes out."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from groupsparse.arrays import as_tensor, check_count
from groupsparse.deconvolution import Deconvolved, deconvolve
from groupsparse.events import Events
from groupsparse.likelihood import law_of
from groupsparse.running import Running
from groupsparse.seeds import generator

HIDDEN = 0.2  # share of the entries, for the score


class ConvolutionalCoder(Running, TransformerMixin, BaseEstimator):
    r"""Learn kernels that few events of a trial explain, and find the events of trials by them.

    .. math:: \eta_{nc}(t) = a_{nc} + \sum_{e \in n} x_{ec} \, h_{k_e}(t - t_e), \qquad
              y \sim \text{law}(\eta)

    It is :func:`groupsparse.deconvolve` with the methods of an estimator. A sample is a trial
    (C, T) of C neurons or channels that share the times of events: the amplitudes of an event are
    a group. Data have three axes, (N, C, T), so a pipeline must hand them on as they are; cloning
    and searches over parameters work.

    Parameters
    ----------
    n_kernels, length : kernels to learn, and their times
    n_events : events of a trial over all kernels, or the most with ``penalty``
    law, law_options : how y varies about the signal, as in :class:`ConvolutionalAutoencoder`
    penalty : nats that an event costs. None: a trial has exactly ``n_events``
    spacing : least distance of two events of a kernel, in times
    signs : of the amplitudes of each kernel: 1, -1, or 0 for both; by default 1
    nonnegative : whether kernels must be nonnegative
    smooth : weight of squared differences along a kernel, in nats
    fit_baseline : whether a is fitted; else it is that of the mean of each trial and neuron, which
        events of one sign raise
    n_init : kernels to start with; the most probable goes on
    max_iter : sweeps of the search over all events
    search_neurons : neurons that the search sees, by default all
    device, n_jobs, random_state, verbose : as for :class:`GroupSparseCoder`

    Attributes
    ----------
    components_ : kernels (n_kernels, length), of unit norm
    events_ : :class:`Events` of the trials of the fit; ``rate_``, the mean of y that follows
    loss_ : -log p(y | events) of the fit, in nats

    Examples
    --------
    >>> y = np.zeros((20, 1, 12))
    >>> for trial in range(20):
    ...     y[trial, 0, trial % 5 : trial % 5 + 2] = 4, 3
    >>> coder = ConvolutionalCoder(1, 2, law_options={"std": 0.1}, random_state=0).fit(y)
    >>> coder.components_.round(1), coder.predict(y[:3]).time
    (array([[0.8, 0.6]]), tensor([0, 1, 2]))
    """

    def __init__(
        self,
        n_kernels: int = 1,
        length: int = 10,
        *,
        n_events: int = 1,
        law: str = "gaussian",
        law_options: dict | None = None,
        penalty: float | None = None,
        spacing: int = 1,
        signs: list[int] | None = None,
        nonnegative: bool = False,
        smooth: float = 0.0,
        fit_baseline: bool = True,
        n_init: int = 8,
        max_iter: int = 60,
        search_neurons: int | None = None,
        device: str = "cpu",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_kernels = n_kernels
        self.length = length
        self.n_events = n_events
        self.law = law
        self.law_options = law_options
        self.penalty = penalty
        self.spacing = spacing
        self.signs = signs
        self.nonnegative = nonnegative
        self.smooth = smooth
        self.fit_baseline = fit_baseline
        self.n_init = n_init
        self.max_iter = max_iter
        self.search_neurons = search_neurons
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike | Tensor, y: Events | None = None) -> ConvolutionalCoder:
        """Learn the kernels of trials X (N, C, T); NaN where nothing was observed.

        With the :class:`Events` ``y`` their times are known, and nothing is searched for.
        """
        count = check_count(self.n_kernels, "n_kernels", least=1)
        length = check_count(self.length, "length", least=1)
        with self._running():
            found = self._deconvolved(self._trials(X), count, y, length=length)
        self.components_ = found.kernels.cpu().numpy()
        self.events_, self.rate_, self.loss_ = found.events, found.rate.cpu().numpy(), found.loss
        return self

    def predict(self, X: ArrayLike | Tensor) -> Events:
        """The :class:`Events` of trials X (N, C, T) under the kernels that were learnt."""
        return self._found(X).events

    def transform(self, X: ArrayLike | Tensor) -> np.ndarray:
        """Codes (N, C, K, T - L + 1) of trials X (N, C, T): the amplitudes where events are."""
        data, events = self._trials(X), self.predict(X)
        count, length = self.components_.shape
        return events.codes(len(data), count, data.shape[-1] - length + 1).cpu().numpy()

    def predict_rate(self, X: ArrayLike | Tensor) -> np.ndarray:
        """The mean of trials X (N, C, T) given the events that are found in them."""
        return self._found(X).rate.cpu().numpy()

    def score(self, X: ArrayLike | Tensor, y: object = None) -> float:
        """Nats per hidden entry of X (N, C, T) that the events found in the rest are better by.

        A fifth of the entries, always the same, is hidden, and the mean of the trial and neuron is
        what they are compared with. Too many kernels or events predict the hidden entries worse,
        so cross-validation can choose between numbers.
        """
        data = self._trials(X)
        hidden = torch.rand(data.shape, generator=generator(0, "hidden")) < HIDDEN
        hidden = hidden.to(data.device) & ~data.isnan()
        # A trial of a neuron that is hidden as a whole has no mean to be compared with.
        hidden &= (~hidden & ~data.isnan()).any(-1, keepdim=True)
        seen = data.masked_fill(hidden, math.nan)
        law = law_of(self.law, **(self.law_options or {}))
        flat = law.link(seen.nanmean(-1, keepdim=True)).expand_as(data)
        gain = law.nll(flat, data) - law.nll(law.link(self._found(seen).rate), data)
        return float(gain[hidden].double().mean())

    def _found(self, X: ArrayLike | Tensor) -> Deconvolved:
        check_is_fitted(self)
        with self._running():
            kernels = torch.from_numpy(self.components_)
            return self._deconvolved(self._trials(X), kernels, None, learn_kernels=False)

    def _deconvolved(
        self, data: Tensor, kernels: int | Tensor, events: Events | None, **options: object
    ) -> Deconvolved:
        return deconvolve(
            data, kernels, events=self.n_events if events is None else events, law=self.law,
            law_options=self.law_options, penalty=self.penalty, spacing=self.spacing,
            signs=self.signs, nonnegative=self.nonnegative, smooth=self.smooth,
            fit_baseline=self.fit_baseline, starts=self.n_init, sweeps=self.max_iter,
            search_neurons=self.search_neurons,
            seed=self._seeds()[0], **options,
        )  # fmt: skip

    def _trials(self, X: ArrayLike | Tensor) -> Tensor:
        data = as_tensor(X, "X").to(self.device)
        data = data if data.dtype in (torch.float32, torch.float64) else data.float()
        if data.ndim != 3:
            raise ValueError(f"X must have shape (trials, neurons, times), not {tuple(data.shape)}")
        return data
