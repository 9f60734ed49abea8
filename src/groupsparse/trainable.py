"""What a model needs so that it can be trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor, nn


class Trainable(Protocol):
    """What :func:`groupsparse.training.train` needs of a module: parameters and their loss."""

    dictionary: nn.Parameter  # (..., n, m)

    @property
    def replicates(self) -> torch.Size:
        """Leading dimensions of the dictionary that are independent problems: at most one."""

    def loss(self, data: Tensor) -> Tensor:
        """Mean loss of data (..., N, n) in every replicate."""

    def config(self) -> dict:
        """What determines the loss beside the parameters, JSON-able."""

    def parameters(self) -> Iterator[nn.Parameter]: ...

    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]: ...
