"""The dictionary by least squares, from sums over samples and their codes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from groupsparse.normal_equations import Products, least_squares
from groupsparse.pursuit import ROWS, Selection

# Pull towards the present dictionary, in units of the mean of the diagonal of X^T X: far below what
# noise changes, and all that moves an atom which no sample uses.
RIDGE = 1e-9
PRODUCTS = 4_000_000  # numbers of s s^T in memory at a time


@dataclass
class Statistics:
    """Sums over samples, in float64: all that the dictionary's update needs to know of them.

    ``codes`` X^T X (m, m), ``cross`` X^T Y (m, n), ``uses`` of every group (G,); ``quartic``, if
    wanted, of s s^T (G, p, p) with s the p = d (d + 1) / 2 entries of x_g x_g^T.
    """

    codes: Tensor
    cross: Tensor
    uses: Tensor
    quartic: Tensor

    @classmethod
    def zeros(cls, n: int, m: int, d: int, device: torch.device, quartic: bool) -> Statistics:
        """No samples yet."""
        wanted = (m // d, *2 * (d * (d + 1) // 2,)) if quartic else (0, 0, 0)
        shapes = (m, m), (m, n), (m // d,), wanted
        return cls(*(torch.zeros(s, dtype=torch.float64, device=device) for s in shapes))

    def forget(self, memory: float) -> None:
        """Weigh all samples so far by ``memory``."""
        for value in vars(self).values():
            value *= memory

    def pull(self, dictionary: Tensor, power: float) -> None:
        """Add samples that fit this dictionary: their codes have this energy for every atom."""
        self.codes.diagonal().add_(power)
        self.cross += power * dictionary.mT

    def add(self, data: Tensor, basis: Tensor, group_size: int, rule: Selection) -> float:
        """Add samples (B, n), coded on the groups of a rule; the sum of ||y - A x||^2."""
        residual, gram = 0.0, basis.mT @ basis
        for part in data.split(ROWS):
            products = Products.of(part, basis, group_size, gram)
            support = rule(products)
            codes = torch.zeros_like(products.correlations)
            for rows, columns, values in least_squares(products, support):
                codes[rows.unsqueeze(-1), columns] = values
            exact = codes.double()
            self.add_codes(part, exact, support)
            explained = (exact * products.correlations).sum()
            residual += float(products.energy.sum(dtype=torch.float64) - explained)
        return residual

    def add_codes(self, data: Tensor, codes: Tensor, support: Tensor) -> None:
        """Add samples (B, n) with their codes (B, m) in float64 and supports (B, G)."""
        # Sparse: with few active groups the sums cost little beside the correlations.
        sparse = codes.mT.to_sparse()
        self.codes += sparse @ codes
        self.cross += sparse @ data.double()
        self.uses += support.sum(0)
        if len(self.quartic):
            self._add_quartic(codes.unflatten(-1, (support.shape[-1], -1)), support)

    def _add_quartic(self, codes: Tensor, support: Tensor) -> None:
        basis = _symmetric(codes.shape[-1]).to(codes)
        row, group = support.nonzero().T
        # All groups at once: one by one, small products took a tenth of a pass.
        at_a_time = PRODUCTS // len(basis) ** 2 + 1
        parts = zip(row.split(at_a_time), group.split(at_a_time), strict=True)
        for rows, groups in parts:
            values = codes[rows, groups]
            squares = torch.einsum("bi,bj,pij->bp", values, values, basis)
            self.quartic.index_add_(0, groups, squares.unsqueeze(2) * squares.unsqueeze(1))

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
        if len(self.quartic):
            basis = _symmetric(d).to(turns)
            turned = turns[:, None] @ basis @ turns[:, None].mT  # (G, p, d, d)
            change = torch.einsum("gpij,qij->gqp", turned, basis)
            self.quartic = change @ self.quartic @ change.mT

    def shapes(self) -> Tensor:
        r"""Matrices (G, d, d) that make codes isotropic: A_g -> A_g M_g^{-1/2}, trace M_g = d.

        The norm of such codes is as constant as a quadratic form can make it:

        .. math:: M_g = \arg\min_M \sum_i (x_{ig}^T M x_{ig} - 1)^2

        For codes of elliptical distribution, M_g^{-1} is proportional to their covariance, which
        is known less exactly where norms vary little. What samples are too few to tell is left
        round: with M_g scaled to trace d, and V_g the sum of its squared standard errors, the
        result is

        .. math:: I + s (M_g - I), \quad s = (1 - \sum_g V_g / \sum_g ||M_g - I||_F^2)_+
        """
        d = self.codes.shape[0] // len(self.uses)
        basis = _symmetric(d).to(self.codes)
        p = len(basis)
        enough = self.uses > 2 * p  # a fit of p numbers, with errors of its own
        spread = self.codes.unflatten(0, (-1, d)).unflatten(-1, (-1, d))
        spread = spread.diagonal(dim1=0, dim2=2).permute(2, 0, 1)
        squares = torch.einsum("gij,pij->gp", spread, basis)
        identity = torch.eye(p).to(self.codes)
        quartic = torch.where(enough[:, None, None], self.quartic, identity)
        inverse = torch.linalg.pinv(quartic, hermitian=True)
        fitted = (inverse @ squares.unsqueeze(-1)).squeeze(-1)
        unexplained = (self.uses - (squares * fitted).sum(-1)) / (self.uses - p)
        trace = basis.diagonal(dim1=1, dim2=2).sum(1)
        scale = d / (fitted @ trace)
        traceless = identity - torch.outer(trace, trace) / d
        errors = (traceless * inverse).sum((1, 2)) * unexplained * scale.square()
        apart = (fitted * scale.unsqueeze(-1)) @ traceless
        apart, errors = (torch.where(enough[:, None], apart, 0), torch.where(enough, errors, 0))
        total = apart.square().sum()
        share = (1 - errors.sum() / total).clamp_min(0) if total > 0 else total
        return torch.eye(d).to(apart) + share * torch.einsum("gp,pij->gij", apart, basis)


def _symmetric(d: int) -> Tensor:
    """An orthonormal basis (p, d, d) of the symmetric matrices, p = d (d + 1) / 2."""
    rows, columns = torch.triu_indices(d, d)
    basis = torch.zeros(len(rows), d, d, dtype=torch.float64)
    index = torch.arange(len(rows))
    basis[index, rows, columns] = basis[index, columns, rows] = 1
    return basis / basis.square().sum((1, 2), keepdim=True).sqrt()
