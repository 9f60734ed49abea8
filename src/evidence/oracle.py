"""Least squares on the true codes of all samples so far, without keeping the samples."""

import torch
from torch import Tensor

from groupsparse.generative import Sample
from groupsparse.recovery import add_normal_equations


class PooledOracle:
    """The normal equations of A (n, m), and their solution.

    Examples
    --------
    >>> from groupsparse.generative import random_dictionary, sample
    >>> truth, oracle = random_dictionary(20, 6, 0), PooledOracle(20, 6)
    >>> for seed in (1, 2):
    ...     oracle.add(sample(truth, 2, 1, (4.0, 5.0), 100, seed, std=0.0))
    >>> torch.allclose(oracle.dictionary(), truth, atol=1e-5)
    True
    """

    def __init__(self, n: int, atoms: int) -> None:
        self.gram = torch.zeros(atoms, atoms, dtype=torch.float64)
        self.cross = torch.zeros(atoms, n, dtype=torch.float64)

    def add(self, drawn: Sample, times: int = 1) -> None:
        """Take a sample in, or the sum of the data of ``times`` samples with the same codes."""
        add_normal_equations(self.gram, self.cross, drawn, times)

    def dictionary(self) -> Tensor:
        """The dictionary (n, m) of least squares."""
        return torch.linalg.solve(self.gram, self.cross).mT.float()
