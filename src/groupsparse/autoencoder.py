"""The tied group-sparse autoencoder as a torch Module."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from groupsparse import encoder
from groupsparse.loss import reconstruction_loss, shallow_loss
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
    lambda_ : nonnegative threshold; an unfolded layer uses lambda / ||A||_2^2.
    group_size : atoms per group, divides m
    encoder : ``shallow``, ``ista`` or ``fista``
    layers : number of unfolded layers (ignored by ``shallow``)
    """

    def __init__(
        self,
        dictionary: Tensor,
        prox: str,
        lambda_: float,
        group_size: int,
        encoder: str = "shallow",
        layers: int = 1,
    ) -> None:
        super().__init__()
        if prox not in PROX:
            raise ValueError(f"unknown prox {prox!r}; known are {', '.join(PROX)}")
        if encoder not in ENCODERS:
            raise ValueError(f"unknown encoder {encoder!r}; known are {', '.join(ENCODERS)}")
        if lambda_ < 0 or layers < 1:
            raise ValueError(f"need lambda >= 0 and layers >= 1, not {lambda_} and {layers}")
        if dictionary.shape[-1] % group_size:
            raise ValueError(f"group_size {group_size} does not divide {dictionary.shape[-1]}")
        self.dictionary = nn.Parameter(dictionary.clone())
        self.prox, self.lambda_, self.group_size = prox, lambda_, group_size
        self.encoder, self.layers = encoder, layers

    def encode(self, data: Tensor) -> Tensor:
        """Codes (..., N, m) of data (..., N, n)."""
        problem = (data, self.dictionary, PROX[self.prox], self.lambda_, self.group_size)
        if self.encoder == "shallow":
            return encoder.shallow(*problem)
        return encoder.unfolded(*problem, self.layers, momentum=self.encoder == "fista")

    def forward(self, data: Tensor) -> Output:
        codes = self.encode(data)
        return Output(codes, codes @ self.dictionary.mT)

    def loss(self, data: Tensor) -> Tensor:
        """Reconstruction loss (eq. 13) of data (..., N, n), differentiable once: (...).

        The same value and gradient as through :meth:`forward`, at a cost that follows the number
        of active groups where the encoder is shallow.
        """
        if self.encoder == "shallow":
            problem = (data, self.dictionary, PROX[self.prox], self.lambda_, self.group_size)
            return shallow_loss(*problem)
        return reconstruction_loss(data, self(data).reconstruction)


@torch.no_grad()
def encode_in_batches(model: Autoencoder, data: Tensor, batch_size: int = 10_000) -> Tensor:
    """Codes of all data without gradients, ``batch_size`` samples at a time, on the CPU."""
    device = model.dictionary.device
    parts = [model.encode(part.to(device)).cpu() for part in data.split(batch_size, dim=-2)]
    return torch.cat(parts, dim=-2)
