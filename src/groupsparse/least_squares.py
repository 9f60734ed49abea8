"""The dictionary by least squares, from sums over samples and their codes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from groupsparse.prox import group_norms
from groupsparse.pursuit import ROWS, Products, Selection, least_squares

# Pull towards the present dictionary, in units of the mean of the diagonal of X^T X: far below what
# noise changes, and all that moves an atom which no sample uses.
RIDGE = 1e-9


@dataclass
class Statistics:
    """Sums over samples, in float64: all that the dictionary's update needs to know of them.

    ``codes`` X^T X (m, m), ``cross`` X^T Y (m, n), ``uses`` of every group and ``quartic`` of its
    ||x_g||^4 (G,), ``residual`` of ||y - A x||^2 and ``freedom`` of n - k d.
    """

    codes: Tensor
    cross: Tensor
    uses: Tensor
    quartic: Tensor
    residual: Tensor
    freedom: Tensor

    @classmethod
    def zeros(cls, n: int, m: int, groups: int, device: torch.device) -> Statistics:
        """No samples yet."""
        shapes = (m, m), (m, n), (groups,), (groups,), (), ()
        return cls(*(torch.zeros(s, dtype=torch.float64, device=device) for s in shapes))

    def forget(self, memory: float) -> None:
        """Weigh all samples so far by ``memory``."""
        for value in vars(self).values():
            value *= memory

    def add(self, data: Tensor, basis: Tensor, group_size: int, rule: Selection) -> Tensor:
        """Add samples (B, n), coded by least squares on the groups of a rule; their residual."""
        before = self.residual.clone()
        for part in data.split(ROWS):
            products = Products.of(part, basis, group_size)
            support = rule(products)
            codes = torch.zeros_like(products.correlations)
            for rows, columns, values in least_squares(products, support):
                codes[rows.unsqueeze(-1), columns] = values
                self.freedom -= columns.numel()
            # Sparse: with few active groups the sums cost little beside the correlations.
            exact = codes.double()
            sparse = exact.mT.to_sparse()
            self.codes += sparse @ exact
            self.cross += sparse @ part.double()
            self.uses += support.sum(0)
            self.quartic += group_norms(exact, group_size).pow(4).sum(0)
            explained = (codes * products.correlations).sum(dtype=torch.float64)
            self.residual += products.energy.sum(dtype=torch.float64) - explained
            self.freedom += part.numel()
        return self.residual - before

    def fit(self, basis: Tensor) -> Tensor:
        """The dictionary (n, m) of least squares; atoms that no sample uses stay as they are."""
        diagonal = self.codes.diagonal()
        ridge = RIDGE * diagonal.mean()
        if ridge == 0:
            return basis.double()
        system = self.codes + torch.diag_embed(ridge.expand_as(diagonal))
        right = self.cross + ridge * basis.mT
        return torch.cholesky_solve(right, torch.linalg.cholesky(system)).mT

    def turn(self, turns: Tensor) -> None:
        """Express the codes in other bases: x_g -> T_g x_g for T (G, d, d)."""
        d = turns.shape[-1]
        self.cross = (turns @ self.cross.unflatten(0, (-1, d))).flatten(0, 1)
        left = (turns @ self.codes.unflatten(0, (-1, d))).flatten(0, 1)
        right = left.unflatten(1, (-1, d)).transpose(0, 1) @ turns.mT
        self.codes = right.transpose(0, 1).flatten(1)

    def roots(self, group_size: int) -> Tensor:
        r"""Root of the covariance of every group's codes (G, d, d), of squared norm d.

        The noise in the codes, of variance ||y - A x||^2 / (n - k d) in every direction, is
        subtracted. With S_g the covariance scaled to trace d and N_g samples, the root is that of

        .. math:: I + s (S_g - I), \quad
                  s = \Big(1 - \frac{\sum_g d (d - 1) q_g / N_g}{\sum_g ||S_g - I||_F^2}\Big)_+

        where q_g = E||x_g||^4 / (E||x_g||^2)^2. The sum above is what the sampling error alone
        gives for codes with directions uniform on the sphere. So few samples, which say little
        about a covariance, leave it round.
        """
        d, uses = group_size, self.uses.clamp_min(1)
        spread = self.codes.unflatten(0, (-1, d)).unflatten(-1, (-1, d))
        spread = spread.diagonal(dim1=0, dim2=2).permute(2, 0, 1)
        identity = torch.eye(d, dtype=spread.dtype, device=spread.device)
        power = spread.diagonal(dim1=-2, dim2=-1).sum(-1)
        quartic = self.quartic * uses / power.square()
        noise = self.uses * self.residual / self.freedom.clamp_min(1)
        # Noise may exceed what a few samples show.
        signal = torch.maximum(power - d * noise, 0.1 * power)
        traceless = spread - identity * (power / d)[:, None, None]
        excess = torch.where((power > 0)[:, None, None], traceless * d / signal[:, None, None], 0.0)
        sampling = torch.where(power > 0, d * (d - 1) * quartic / uses, 0.0).sum()
        total = excess.square().sum()
        share = (1 - sampling / total).clamp_min(0) if total > 0 else total
        values, vectors = torch.linalg.eigh(identity + share * excess)
        values = values.clamp_min(1e-3)
        values = d * values / values.sum(-1, keepdim=True)
        return (vectors * values.sqrt().unsqueeze(-2)) @ vectors.mT
