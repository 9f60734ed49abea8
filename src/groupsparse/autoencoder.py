"""The tied group-sparse autoencoder as a torch Module."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from groupsparse import encoder
from groupsparse.dictionary import spectral_bound, top_direction
from groupsparse.loss import per_sample, reconstruction_loss, shallow_loss
from groupsparse.preprocess import require_finite
from groupsparse.prox import PROX

ENCODERS = ("shallow", "ista", "fista")


class Output(NamedTuple):
    """What :class:`Autoencoder` returns: codes (..., N, m), reconstruction (..., N, n)."""

    codes: Tensor
    reconstruction: Tensor


class Autoencoder(nn.Module):
    r"""Tied autoencoder: x = encoder(y; A), yhat = A x (eqs. 11-12), one A everywhere.

    Parameters
    ----------
    dictionary : Tensor, shape (..., n, m)
        Initial A; leading dimensions are independent replicates.
    prox : name in :data:`groupsparse.prox.PROX`
    lambda_ : nonnegative threshold, or a Tensor (...) with one per replicate; an unfolded layer
        uses lambda / ||A||_2^2
    group_size : atoms per group, divides m
    encoder : ``shallow``, ``ista`` or ``fista``
    layers : number of unfolded layers (ignored by ``shallow``)
    backprop : number of last layers that the gradient of :meth:`loss` crosses (default: all); with
        0 the codes count as constant and the gradient is the decoder's alone
    """

    def __init__(
        self,
        dictionary: Tensor,
        prox: str,
        lambda_: float | Tensor,
        group_size: int,
        encoder: str = "shallow",
        layers: int = 1,
        backprop: int | None = None,
    ) -> None:
        super().__init__()
        if prox not in PROX:
            raise ValueError(f"unknown prox {prox!r}; known are {', '.join(PROX)}")
        if encoder not in ENCODERS:
            raise ValueError(f"unknown encoder {encoder!r}; known are {', '.join(ENCODERS)}")
        if (torch.as_tensor(lambda_) < 0).any() or layers < 1 or (backprop or 0) < 0:
            raise ValueError(
                f"need lambda >= 0, layers >= 1 and backprop >= 0, not {lambda_}, {layers} and "
                f"{backprop}"
            )
        if dictionary.shape[-1] % group_size:
            raise ValueError(f"group_size {group_size} does not divide {dictionary.shape[-1]}")
        self.dictionary = nn.Parameter(dictionary.clone())
        self.prox, self.group_size = prox, group_size
        self.encoder, self.layers, self.backprop = encoder, layers, backprop
        if isinstance(lambda_, Tensor):
            self.register_buffer("lambda_", lambda_.to(dictionary), persistent=False)
        else:
            self.lambda_ = lambda_
        # Where the power iteration of the last loss ended; the next one starts there.
        self.register_buffer("direction", None)

    @classmethod
    def from_spec(cls, dictionary: Tensor, spec: dict, group_size: int) -> "Autoencoder":
        """The autoencoder of a method's entry in the config: prox, lambda and what differs."""
        options = {k: spec[k] for k in ("encoder", "layers", "backprop") if k in spec}
        return cls(dictionary, spec["prox"], spec["lambda"], group_size, **options)

    def encode(self, data: Tensor, lipschitz: Tensor | None = None) -> Tensor:
        """Codes (..., N, m) of data (..., N, n); the step of a layer is 1 / ``lipschitz``."""
        threshold = per_sample(self.lambda_)
        problem = (data, self.dictionary, PROX[self.prox], threshold, self.group_size)
        if self.encoder == "shallow":
            return encoder.shallow(*problem)
        return encoder.unfolded(
            *problem, self.layers, self.encoder == "fista", lipschitz, self.backprop
        )

    def forward(self, data: Tensor) -> Output:
        codes = self.encode(data)
        return Output(codes, codes @ self.dictionary.mT)

    def loss(self, data: Tensor) -> Tensor:
        """Reconstruction loss (eq. 13) of data (..., N, n), differentiable once: (...).

        Of a shallow encoder, the same value and gradient as through :meth:`forward`, at a cost
        that follows the number of active groups. An unfolded one takes its step from a power
        iteration, started where that of the last call ended.
        """
        if self.encoder == "shallow" and self.backprop != 0:
            problem = (data, self.dictionary, PROX[self.prox], self.lambda_, self.group_size)
            return shallow_loss(*problem)
        bound = None
        if self.encoder != "shallow":
            with torch.no_grad():
                start = top_direction(self.dictionary) if self.direction is None else self.direction
                bound, self.direction = spectral_bound(self.dictionary, start)
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.backprop != 0):
            codes = self.encode(data, bound)
        return reconstruction_loss(data, codes @ self.dictionary.mT)


@torch.no_grad()
def encode_in_batches(model: Autoencoder, data: Tensor, batch_size: int = 10_000) -> Tensor:
    """Codes of all data without gradients, ``batch_size`` samples at a time, on the CPU.

    ValueError for data or atoms that are not finite.
    """
    require_finite(data)
    require_finite(model.dictionary.detach().mT, "atoms")
    device = model.dictionary.device
    parts = [model.encode(part.to(device)).cpu() for part in data.split(batch_size, dim=-2)]
    return torch.cat(parts, dim=-2)
