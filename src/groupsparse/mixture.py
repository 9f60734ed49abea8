"""Mixtures of autoencoders (MixMate): a dictionary for each cluster, and energies that say which.

Every component encodes every sample by the network of :mod:`groupsparse.autoencoder`, its
dictionary one of K along a leading dimension. The case of one active group, whose atoms have a
sparsity of their own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from groupsparse.arrays import LIPSCHITZ, Array, as_tensor, check_count
from groupsparse.autoencoder import Autoencoder
from groupsparse.dictionary import from_blocks
from groupsparse.gram import gram
from groupsparse.prox import Prox

OBJECTIVES = ("expected", "em", "likelihood")


class Explained(NamedTuple):
    """What :meth:`Mixture.explain` returns, all on the CPU."""

    probabilities: Tensor
    free_energy: Tensor
    reconstruction: Tensor | None


class Mixture(Autoencoder):
    r"""K sparse autoencoders, one for each cluster.

    A sample y costs component k the energy

    .. math:: E_k(y) = w ||y - A_k x_k||^2 + \lambda \Omega(x_k), \quad x_k = \text{encoder}(y; A_k)

    and belongs to it with the probability :math:`p_k = \text{softmax}_k(-E_k / T + \log \pi_k)`.

    An entry that was not observed is NaN in the data. It enters neither codes nor energies.

    Parameters
    ----------
    dictionary : shape (K, n, m), or (R, K, n, m) for independent replicates
    prox : as for an :class:`Autoencoder`; a callable has the attribute ``penalty``, which is Omega
        (:func:`groupsparse.prox.activation`)
    lambda_ : penalty; a number, or a Tensor with one for each component
    group_size, encoder, layers, backprop, step : as for an :class:`Autoencoder`
    objective : what :meth:`loss` is, a mean over samples

        - ``expected``: :math:`\sum_k p_k E_k`, differentiated through the probabilities too. A
          component whose energy is more than T above the mean energy is then pushed away;
        - ``em``: :math:`\sum_k p_k (E_k - T \log \pi_k)` with the probabilities held fixed, as in
          the M step of EM;
        - ``likelihood``: :math:`-T \log \sum_k \pi_k \exp(-E_k / T)`, whose gradient is that of
          ``em``. With :math:`T \sum_k p_k \log p_k` added, ``em`` bounds it from above, and meets
          it where the probabilities are those of the model

    temperature : T > 0. Energies are sums over entries, so 1 makes nearly every choice certain
    weight : w > 0. With 1/2 the encoder minimises the energy itself; 1 is what the public code of
        MixMate has, whose encoder minimises another one
    bias : log-priors (K,) or (R, K), up to a constant; by default all components are alike
    learn_bias : whether the bias is trained

    Raises
    ------
    ValueError or TypeError as for an :class:`Autoencoder`; ValueError for a dictionary or bias of
    another shape, an activation without a penalty, and numbers out of range.

    References
    ----------
    A. Lin, A. H. Song, D. Ba, "Mixture model auto-encoders: deep clustering through dictionary
    learning", ICASSP 2022 (arXiv 2110.04683).

    Examples
    --------
    >>> axes = torch.eye(4).view(2, 2, 4).mT  # one plane for each of two clusters
    >>> mixture = Mixture(axes, "soft", lambda_=0.1)
    >>> mixture.predict([[1.0, 2.0, 0.0, 0.1], [0.0, 0.1, 1.0, -1.0], [1.0, 1.0, torch.nan, 0.0]])
    tensor([0, 1, 0])
    """

    OPTIONS = (
        "encoder", "layers", "backprop", "step", "objective", "temperature", "weight", "learn_bias",
    )  # fmt: skip

    def __init__(
        self,
        dictionary: Array,
        prox: str | Prox,
        lambda_: float | Array,
        group_size: int = 1,
        encoder: str = "fista",
        layers: int = 15,
        backprop: int | None = None,
        step: float | str = LIPSCHITZ,
        objective: str = "likelihood",
        temperature: float = 1.0,
        weight: float = 0.5,
        bias: Array | None = None,
        learn_bias: bool = False,
    ) -> None:
        super().__init__(dictionary, prox, lambda_, group_size, encoder, layers, backprop, step)
        if self.dictionary.ndim < 3:
            shape = tuple(self.dictionary.shape)
            raise ValueError(f"dictionary must have shape (K, n, m) or (R, K, n, m), not {shape}")
        if getattr(self.activation, "penalty", None) is None:
            raise ValueError(f"prox {self.prox!r} has no penalty, which the energy of a mixture is")
        if objective not in OBJECTIVES:
            known = ", ".join(OBJECTIVES)
            raise ValueError(f"unknown objective {objective!r}; known are {known}")
        for name, value in (("temperature", temperature), ("weight", weight)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be a finite number above 0, not {value!r}")
        self.objective, self.learn_bias = objective, bool(learn_bias)
        self.temperature, self.weight = float(temperature), float(weight)
        components = self.dictionary.shape[:-2]
        start = self.dictionary.new_zeros(components)
        if bias is not None:
            start = as_tensor(bias, "bias", like=self.dictionary.detach())
            if start.shape != components or not torch.isfinite(start).all():
                shape = tuple(components)
                raise ValueError(f"bias must be finite and have shape {shape}, not {start}")
        self.bias = nn.Parameter(start.detach().clone(), requires_grad=self.learn_bias)

    @property
    def replicates(self) -> torch.Size:
        return self.dictionary.shape[:-3]

    def config(self) -> dict:
        """All arguments of the class except the dictionary and the bias, JSON-able."""
        config = super().config()
        del config["refit"]
        here = ("objective", "temperature", "weight", "learn_bias")
        return config | {name: getattr(self, name) for name in here}

    def encode(self, data: Array) -> Tensor:
        """Codes (..., K, N, m) by every component, of data (..., N, n).

        Raises
        ------
        ValueError for another shape, or for infinite values; FloatingPointError if the dictionary
        is zero or not finite.
        """
        return self._parts(*self._checked(data))[0]

    def energies(self, data: Array) -> Tensor:
        """E_k of every sample: data (..., N, n) -> (..., N, K). Errors as in :meth:`encode`."""
        return self._parts(*self._checked(data))[1].mT

    def loss(self, data: Array) -> Tensor:
        """The ``objective`` of data (..., N, n), differentiable once: (...)."""
        energies = self._parts(*self._observed(self._fit(data)))[1]
        logits = self._logits(energies)
        if self.objective == "likelihood":
            return -self.temperature * logits.logsumexp(-2).mean(-1)
        chosen = logits.softmax(-2)
        if self.objective == "em":
            return -self.temperature * (chosen.detach() * logits).sum(-2).mean(-1)
        return (chosen * energies).sum(-2).mean(-1)

    @torch.no_grad()
    def explain(self, data: Array, batch_size: int = 1000, reconstruct: bool = True) -> Explained:
        r"""What a mixture says of data (..., N, n), encoded once, ``batch_size`` at a time.

        - ``probabilities`` of the components: (..., N, K)
        - ``free_energy``, :math:`-T \log \sum_k \pi_k \exp(-E_k / T)`: (..., N)
        - ``reconstruction`` A_k x_k by the most probable one, missing entries too: (..., N, n), or
          None without ``reconstruct``, in two thirds of the time

        Errors as in :meth:`encode`.
        """

        def both(codes: Tensor, energies: Tensor) -> Tensor:
            logits = self._logits(energies)
            if not reconstruct:
                return logits
            every = codes @ self.dictionary.mT
            k = logits.argmax(-2)[..., None, :, None]
            chosen = every.gather(-3, k.expand(*k.shape[:-1], every.shape[-1])).squeeze(-3)
            return torch.cat([logits, chosen.mT], -2)

        found = self._in_batches(data, batch_size, both)
        logits, filled = found.tensor_split([self.dictionary.shape[-3]], -2)
        free = -self.temperature * logits.logsumexp(-2)
        return Explained(logits.softmax(-2).mT, free, filled.mT if reconstruct else None)

    def reconstruct(self, data: Array, batch_size: int = 1000) -> Tensor:
        """The reconstruction of :meth:`explain`: data (..., N, n) -> (..., N, n)."""
        return self.explain(data, batch_size).reconstruction

    def free_energy(self, data: Array, batch_size: int = 1000) -> Tensor:
        """The free energy of :meth:`explain`: data (..., N, n) -> (..., N)."""
        return self.explain(data, batch_size, reconstruct=False).free_energy

    def predict_proba(self, data: Array, batch_size: int = 1000) -> Tensor:
        """The probabilities of :meth:`explain`: data (..., N, n) -> (..., N, K)."""
        return self.explain(data, batch_size, reconstruct=False).probabilities

    def predict(self, data: Array, batch_size: int = 1000) -> Tensor:
        """The most probable component of every sample: data (..., N, n) -> (..., N) integers."""
        return self.predict_proba(data, batch_size).argmax(-1)

    def _in_batches(self, data: Array, batch_size: int, result) -> Tensor:
        """Results of shape (..., *, B), one batch after the other, as (..., *, N)."""
        data = as_tensor(data)
        batch_size = check_count(batch_size, "batch_size", least=1)
        parts = data.split(batch_size, dim=-2) if data.ndim > 1 else [data]
        return torch.cat([result(*self._parts(*self._checked(p))).cpu() for p in parts], dim=-1)

    def _logits(self, energies: Tensor) -> Tensor:
        return self.bias.log_softmax(-1).unsqueeze(-1) - energies / self.temperature

    def _checked(self, data: Array) -> tuple[Tensor, Tensor | None]:
        data, mask = self._observed(self._fit(data))
        self._require_finite(data)
        return data, mask

    def _shaped(self, data: Tensor) -> Tensor:
        """Data (..., N, n) as (..., 1, N, n), the same for all components."""
        *replicates, _, n, _ = self.dictionary.shape
        if data.ndim < 2 or data.shape[-1] != n:
            raise ValueError(f"data must have shape (..., N, {n}), not {tuple(data.shape)}")
        if data.ndim > 2 and replicates and list(data.shape[:-2]) != replicates:
            raise ValueError(
                f"data of shape {tuple(data.shape)} do not fit the replicates {tuple(replicates)} "
                "of the dictionary"
            )
        return data.unsqueeze(-3)

    @staticmethod
    def _observed(data: Tensor) -> tuple[Tensor, Tensor | None]:
        """Data with 0 in the place of NaN, and 1 where they were observed (None: everywhere)."""
        missing = data.isnan()
        if not missing.any():
            return data, None
        return data.masked_fill(missing, 0), (~missing).to(data.dtype)

    def _parts(self, data: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Codes (..., K, N, m) and energies (..., K, N) of data (..., 1, N, n)."""
        dictionary, products = self.dictionary, gram(self.dictionary)
        # One product with the atoms of all components side by side.
        correlation = data.squeeze(-3) @ from_blocks(dictionary)
        shape = dictionary.shape[-3::2]
        correlation = correlation.unflatten(-1, shape).transpose(-3, -2).contiguous()
        codes = self._encoded(data, gram=products, correlation=correlation, mask=mask)
        if mask is None:  # ||y - A x||^2, without the reconstruction
            fit = data.square().sum(-1) + (codes * (codes @ products - 2 * correlation)).sum(-1)
        else:
            fit = self._misfit(data.squeeze(-3), codes, mask.squeeze(-3))
        lambda_ = self.lambda_.unsqueeze(-1) if isinstance(self.lambda_, Tensor) else self.lambda_
        penalty = self.activation.penalty(codes, self.group_size)
        return codes, self.weight * fit + lambda_ * penalty

    def _misfit(self, data: Tensor, codes: Tensor, mask: Tensor) -> Tensor:
        """||mask (y - A x)||^2 (..., K, N), one component after the other to stay in cache."""
        parts = zip(codes.unbind(-3), self.dictionary.unbind(-3), strict=True)
        fits = [((x @ a.mT - data) * mask).square().sum(-1) for x, a in parts]
        return torch.stack(fits, -2)
