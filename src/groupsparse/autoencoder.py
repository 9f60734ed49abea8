"""Tied group-sparse autoencoder as a torch Module."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from groupsparse import encoder, saved
from groupsparse.arrays import (
    LIPSCHITZ,
    Array,
    as_dictionary,
    as_lambda,
    as_tensor,
    check_count,
    check_step,
    require_finite,
)
from groupsparse.dictionary import squared_spectral_norm
from groupsparse.gram import gram, gram_loss, products
from groupsparse.groups import Groups, active, group_size_of
from groupsparse.loss import dense_loss, per_sample, reconstruction_loss, shallow_loss
from groupsparse.prox import PROX, Prox, name_of
from groupsparse.pursuit import refitted
from groupsparse.shapes import leading, require_samples
from groupsparse.thresholds import silence
from groupsparse.topk import activation_of, acts_on_groups, named

ENCODERS = ("shallow", "ista", "fista")


class Output(NamedTuple):
    """What :class:`Autoencoder` returns: codes (..., N, m), reconstruction (..., N, n)."""

    codes: Tensor
    reconstruction: Tensor


class Autoencoder(nn.Module):
    r"""Tied autoencoder: x = encoder(y; A), yhat = A x (eqs. 11-12), one A everywhere.

    Parameters
    ----------
    dictionary : shape (n, m), or (R, n, m) and more for independent replicates:
        initial A in float32 or float64, copied. Data take its dtype and device.
    prox : name in :data:`groupsparse.prox.PROX`, ``group_top_k(k)`` or ``batch_group_top_k(k)``
        (:mod:`groupsparse.topk`), or any callable ``f(v, threshold, group_size)``
    lambda_ : penalty, finite and at least 0, or a Tensor with one per replicate; an unfolded layer
        thresholds at step * lambda, a shallow one at lambda
    group_size : atoms per group, divides m; or :class:`Groups` of any shape, or their sizes or
        indices, for which ``refit`` is not available
    encoder : ``shallow``, ``ista`` or ``fista``
    layers : number of unfolded layers (ignored by ``shallow``)
    backprop : number of last layers that the gradient of :meth:`loss` crosses (default: all); with
        0 the codes are held constant and the gradient is that of the decoder
    step : of an unfolded layer (ignored by ``shallow``): ``lipschitz``, which is 1 / ||A||_2^2 of
        the present A, or a number. From 2 / ||A||_2^2 on (4/3 / ||A||_2^2 with ``fista``) codes
        would explode: there, and for that replicate alone, it is shortened to 1 / ||A||_2^2, with
        one warning per model (none on a GPU)
    refit : the encoder finds the active groups (atoms, for an activation without groups) and codes
        are least squares on them, as in :func:`groupsparse.pursuit.refit_codes`: they are not
        shrunk, and those of a one-sided activation may be negative. The gradient of :meth:`loss` is
        that of the decoder with the codes held fixed, whatever ``backprop`` is: the whole one by
        the envelope theorem, because dL/dx = 0 on the support at least squares

    ``state_dict`` holds the dictionary alone; :meth:`save` keeps lambda and the rest too.
    ValueError or TypeError says what was expected, for arguments that do not fit.

    Examples
    --------
    >>> model = Autoencoder(torch.eye(4), "group_soft", lambda_=1.0, group_size=2)
    >>> model.encode([[3.0, 4.0, 0.3, 0.4]]).detach()
    tensor([[2.4000, 3.2000, 0.0000, 0.0000]])
    """

    OPTIONS = ("encoder", "layers", "backprop", "step", "refit")

    def __init__(
        self,
        dictionary: Array,
        prox: str | Prox,
        lambda_: float | Array,
        group_size: int | Groups,
        encoder: str = "shallow",
        layers: int = 1,
        backprop: int | None = None,
        step: float | str = LIPSCHITZ,
        refit: bool = False,
    ) -> None:
        super().__init__()
        dictionary = as_dictionary(dictionary)
        self.prox = named(prox)  # so that it can be saved
        if not isinstance(refit, bool):
            raise TypeError(f"refit must be True or False, not {refit!r}")
        if encoder not in ENCODERS:
            raise ValueError(f"unknown encoder {encoder!r}; known are {', '.join(ENCODERS)}")
        self.group_size = group_size_of(group_size, dictionary.shape[-1])
        self.dictionary = nn.Parameter(
            dictionary.detach().clone(memory_format=torch.contiguous_format)
        )
        self.encoder, self.layers = encoder, check_count(layers, "layers", least=1)
        self.backprop = None if backprop is None else check_count(backprop, "backprop")
        self.step, self._shortened = check_step(step), False
        if refit and not self._equal:
            raise ValueError("refit needs equal groups, by their size")
        self.refit = refit
        lambda_ = as_lambda(lambda_, self.dictionary)
        if isinstance(lambda_, Tensor):
            self.register_buffer("lambda_", lambda_, persistent=False)
        else:
            self.lambda_ = lambda_

    @classmethod
    def from_spec(cls, dictionary: Tensor, spec: dict, group_size: int) -> Autoencoder:
        """The autoencoder of a method's entry in the config: prox, lambda and what differs."""
        options = {k: spec[k] for k in cls.OPTIONS if k in spec}
        return cls(dictionary, spec["prox"], spec["lambda"], group_size, **options)

    @property
    def replicates(self) -> torch.Size:
        """Leading dimensions of independent problems."""
        return self.dictionary.shape[:-2]

    @property
    def activation(self) -> Prox:
        """The function behind ``prox``."""
        return activation_of(self.prox)

    def config(self) -> dict:
        """All arguments of the class except the dictionary, JSON-able."""
        lambda_ = self.lambda_
        return {
            "prox": self.prox if isinstance(self.prox, str) else name_of(self.prox),
            "lambda_": lambda_.tolist() if isinstance(lambda_, Tensor) else lambda_,
            "group_size": self.group_size if self._equal else self.group_size.config(),
            "encoder": self.encoder,
            "layers": self.layers,
            "backprop": self.backprop,
            "step": self.step,
            "refit": self.refit,
        }

    def extra_repr(self) -> str:
        described = ", ".join(f"{k}={v!r}" for k, v in self.config().items())
        return f"shape={tuple(self.dictionary.shape)}, {described}"

    def encode(self, data: Array) -> Tensor:
        """Codes (..., N, m) of data (..., N, n), in the dtype of the dictionary.

        Leading dimensions of data and dictionary broadcast: data (N, n) are shared by replicates.
        Warns if all codes of a replicate are zero, with the lambda below which they are not.

        Raises
        ------
        ValueError for another shape, or for samples with NaN or infinite values;
        FloatingPointError if the dictionary is zero or not finite.
        """
        data = self._fit(data)
        self._require_finite(data)
        codes = self._codes(data)
        self._warn_if_silent(data, codes)
        return codes

    def decode(self, codes: Array) -> Tensor:
        """Reconstruction A x (eq. 12): codes (..., N, m) -> (..., N, n)."""
        codes = as_tensor(codes, "codes", like=self.dictionary.detach())
        m = self.dictionary.shape[-1]
        if codes.ndim < 2 or codes.shape[-1] != m:
            raise ValueError(f"codes must have shape (..., N, {m}), not {tuple(codes.shape)}")
        return codes @ self.dictionary.mT

    def forward(self, data: Array) -> Output:
        """Codes and reconstruction; errors as in :meth:`encode`."""
        codes = self.encode(data)
        return Output(codes, self.decode(codes))

    def loss(self, data: Array) -> Tensor:
        """Reconstruction loss (eq. 13) of data (..., N, n), differentiable once: (...).

        For a shallow encoder this equals the loss computed through :meth:`forward`, but its cost
        scales with the number of active groups. Data are not checked for NaN.
        ValueError for another shape, or without samples.
        """
        data = self._fit(data)
        require_samples(data)
        if self.encoder == "shallow" and self.backprop != 0:
            rule = self.activation  # others may not act on each group separately
            known = self._equal and (rule in PROX.values() or hasattr(rule, "kept"))
            loss = shallow_loss if known else dense_loss
            size = self._unit if self.refit else self.group_size
            return loss(data, self.dictionary, self.activation, self.lambda_, size, self.refit)
        fixed, (n, m) = self.backprop == 0 or self.refit, self.dictionary.shape[-2:]
        known = products(data, self.dictionary) if self.encoder != "shallow" and m <= n else {}
        with torch.set_grad_enabled(torch.is_grad_enabled() and not fixed):
            codes = self._codes(data, **known)
        if known:  # in fewer products
            return gram_loss(data, codes, self.dictionary, **known)
        return reconstruction_loss(data, codes @ self.dictionary.mT)

    def _codes(self, data: Tensor, **known: Tensor) -> Tensor:
        if not self.refit:
            return self._encoded(data, **known)
        with torch.no_grad():  # which groups are active has no derivative
            support = active(self._encoded(data, **known), self._unit)
        return refitted(data, self.dictionary, support, self._unit)

    @property
    def _equal(self) -> bool:
        return isinstance(self.group_size, int)

    @property
    def _unit(self) -> int:
        """Atoms that are active together."""
        return self.group_size if acts_on_groups(self.activation) else 1

    def _encoded(self, data: Tensor, **known: Tensor | None) -> Tensor:
        """Codes; ``known``: gram, mask and correlation as in :func:`encoder.unfolded`."""
        threshold = per_sample(self.lambda_)
        problem = (data, self.dictionary, self.activation, threshold, self.group_size)
        if self.encoder == "shallow":
            codes = encoder.shallow(*problem)
        else:
            if "gram" not in known:
                known["gram"] = gram(self.dictionary)
            step = self.encoder == "fista", self._lipschitz(known["gram"].detach())
            codes = encoder.unfolded(*problem, self.layers, *step, self.backprop, **known)
        if codes.shape[-1] != self.dictionary.shape[-1]:
            raise ValueError(f"the activation gave codes of shape {tuple(codes.shape)}")
        return codes

    def _require_finite(self, data: Tensor) -> None:
        require_finite(data)
        energy = self.dictionary.detach().square().sum((-2, -1))
        if not ((energy > 0) & torch.isfinite(energy)).all():
            raise FloatingPointError("the dictionary is zero or not finite")

    def _fit(self, data: Array) -> Tensor:
        """Data in the dtype and on the device of the dictionary."""
        return self._shaped(as_tensor(data)).to(self.dictionary.detach())

    def _shaped(self, data: Tensor) -> Tensor:
        n = self.dictionary.shape[-2]
        if data.ndim < 2 or data.shape[-1] != n:
            raise ValueError(f"data must have shape (..., N, {n}), not {tuple(data.shape)}")
        leading(data, self.dictionary)
        return data

    def _lipschitz(self, gram: Tensor | None = None) -> Tensor:
        """1 / step of an unfolded layer, of shape (...); ||A||_2^2 where ``step`` is too long."""
        lipschitz = squared_spectral_norm(self.dictionary.detach(), gram)
        if self.step == LIPSCHITZ:
            return lipschitz
        limit = encoder.STEP_LIMIT[self.encoder]
        if not self._shortened and lipschitz.is_cpu:  # a look at values makes a GPU wait
            self._shortened = encoder.warn_if_too_long(self.step, lipschitz, limit)
        return torch.where(self.step * lipschitz < limit, 1 / self.step, lipschitz)

    def _first_layer(self, data: Tensor) -> tuple:  # what lambda_max takes
        step = 1.0 if self.encoder == "shallow" else 1 / self._lipschitz()
        return data, self.dictionary.detach(), self.activation, self.group_size, step

    def _warn_if_silent(self, data: Tensor, codes: Tensor) -> None:
        if message := silence(codes.detach(), *self._first_layer(data)):
            warnings.warn(message, stacklevel=3)

    def save(self, folder: str | Path) -> None:
        """Write ``config.json``, which is readable, and ``weights.safetensors`` into a folder.

        :meth:`load` gives the same bits back. An activation of your own is saved by name only.
        """
        saved.write(folder, type(self), dict(self.named_parameters()), self.config())

    @classmethod
    def load(cls, folder: str | Path, prox: Prox | None = None) -> Autoencoder:
        """Read what :meth:`save` wrote, onto the CPU.

        ``prox`` is the activation, if it was a callable: nothing that a file names is executed, and
        ValueError says so, as it does if another class wrote it. FileNotFoundError names a file
        that is missing, CorruptArtifactError one that is damaged or wrong.
        """
        return saved.read(folder, cls, prox)


@torch.no_grad()
def encode_in_batches(model: Autoencoder, data: Array, batch_size: int = 10_000) -> Tensor:
    """Codes of all data without gradients, ``batch_size`` samples at a time, on the CPU.

    Shapes, warning and errors as in :meth:`Autoencoder.encode`.
    """
    data, size = as_tensor(data), check_count(batch_size, "batch_size", least=1)
    model._require_finite(model._shaped(data))
    parts = (model._codes(model._fit(part)).cpu() for part in data.split(size, dim=-2))
    codes = torch.cat(list(parts), dim=-2)
    model._warn_if_silent(model._shaped(data), codes)
    return codes
