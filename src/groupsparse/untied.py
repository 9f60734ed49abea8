"""An encoder with weights of its own, a bias and a centre: the sparse autoencoder as a featurizer.

A sparse autoencoder (SAE) of activations of a network usually has these. With groups it finds
features of more than one dimension.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from groupsparse.arrays import Array, as_tensor
from groupsparse.autoencoder import Autoencoder
from groupsparse.loss import per_sample, reconstruction_loss
from groupsparse.prox import Prox


class UntiedAutoencoder(Autoencoder):
    r"""A shallow autoencoder whose encoder need not be the transpose of the dictionary.

    .. math:: x = \sigma_\lambda(W^T (y - c) + b), \qquad \hat y = A x + c

    Parameters
    ----------
    dictionary : A (n, m), or (R, n, m) for independent replicates
    prox, lambda_, group_size : as for an :class:`Autoencoder`
    weight : W of the encoder, of the shape of A; by default it starts as A
    bias : b (m,), or (R, m); by default 0. None: there is none
    center : c (n,), or (R, n), such as the mean of the data. None: there is none

    All are trained; ``requires_grad_(False)`` of a parameter keeps it. ``normalize`` in training
    acts on the dictionary.

    Raises
    ------
    ValueError or TypeError as for an :class:`Autoencoder`, and for arrays of another shape.

    Examples
    --------
    >>> model = UntiedAutoencoder(torch.eye(4), "group_top_k(1)", 0.0, 2, center=torch.ones(4))
    >>> codes, reconstruction = model([[4.0, 5.0, 1.0, 2.0]])
    >>> codes.detach(), reconstruction.detach()
    (tensor([[3., 4., 0., 0.]]), tensor([[4., 5., 1., 1.]]))
    """

    OPTIONS = ()

    def __init__(
        self,
        dictionary: Array,
        prox: str | Prox,
        lambda_: float | Array,
        group_size: int,
        weight: Array | None = None,
        bias: Array | bool | None = True,
        center: Array | None = None,
    ) -> None:
        super().__init__(dictionary, prox, lambda_, group_size)
        like = self.dictionary.detach()
        *lead, n, m = like.shape
        self.weight = nn.Parameter(_shaped(like if weight is None else weight, like.shape, like))
        bias = torch.zeros(*lead, m) if bias is True else None if bias is False else bias
        for name, value, size in (("bias", bias, m), ("center", center, n)):
            shape = (*lead, size)
            made = None if value is None else nn.Parameter(_shaped(value, shape, like, name))
            self.register_parameter(name, made)

    def config(self) -> dict:
        config = super().config()
        kept = {name: config[name] for name in ("prox", "lambda_", "group_size")}
        # Parameters that there are come with the weights.
        return kept | ({"bias": False} if self.bias is None else {})

    def decode(self, codes: Array) -> Tensor:
        """Reconstruction A x + c: codes (..., N, m) -> (..., N, n)."""
        decoded = super().decode(codes)
        return decoded if self.center is None else decoded + self.center.unsqueeze(-2)

    def loss(self, data: Array) -> Tensor:
        """Reconstruction loss of data (..., N, n): (...). Data are not checked for NaN."""
        data = self._fit(data)
        return reconstruction_loss(data, self.decode(self._encoded(data)))

    def _encoded(self, data: Tensor, **known: Tensor | None) -> Tensor:
        products = self._centred(data) @ self.weight
        if self.bias is not None:
            products = products + self.bias.unsqueeze(-2)
        return self.activation(products, per_sample(self.lambda_), self.group_size)

    def _centred(self, data: Tensor) -> Tensor:
        return data if self.center is None else data - self.center.unsqueeze(-2)

    @torch.no_grad()
    def _first_layer(self, data: Tensor) -> tuple:
        data, weight = self._centred(self._fit(data)), self.weight.detach()
        if self.bias is not None:  # the weights of an entry that is 1
            data = torch.cat([data, torch.ones_like(data[..., :1])], -1)
            weight = torch.cat([weight, self.bias.unsqueeze(-2)], -2)
        return data, weight, self.activation, self.group_size


def _shaped(value: Array, shape: tuple[int, ...], like: Tensor, name: str = "weight") -> Tensor:
    value = as_tensor(value, name, like=like).detach()
    if value.shape != shape:
        raise ValueError(f"{name} must have shape {tuple(shape)}, not {tuple(value.shape)}")
    return value.clone()
