"""Block K-SVD: group OMP for the codes, one SVD for each group and its codes.

L. Zelnik-Manor, K. Rosenblum, Y. C. Eldar, "Dictionary optimization for block-sparse
representations", IEEE Trans. Signal Process. 60 (2012), with the blocks given.
"""

import torch
from torch import Tensor

from groupsparse.dictionary import orthonormalize_groups
from groupsparse.pursuit import refit_codes, select_groups


@torch.no_grad()
def block_ksvd(
    data: Tensor, start: Tensor, group_size: int, active_groups: int, passes: int
) -> Tensor:
    r"""Dictionary (n, m) of orthonormal groups from data (N, n) and a start (n, m).

    Each pass codes all samples by group OMP. Then, group by group, with the samples S that use g,

    .. math:: A_g, X_g = \arg\min ||Y_S - \sum_{h \ne g} X_{S,h} A_h^T - X_g A_g^T||_F^2,

    the best approximation of rank d, by the SVD. A group that fewer than d samples use stays.
    """
    dictionary = orthonormalize_groups(start, group_size)
    for _ in range(passes):
        support = select_groups(data, dictionary, group_size, active_groups=active_groups)
        codes = refit_codes(data, dictionary, support, group_size)
        rest = data - codes @ dictionary.T
        for g in range(support.shape[1]):
            users = support[:, g].nonzero().squeeze(1)
            if len(users) < group_size:
                continue
            columns = slice(g * group_size, (g + 1) * group_size)
            target = rest[users] + codes[users, columns] @ dictionary[:, columns].T
            basis = torch.linalg.svd(target, full_matrices=False).Vh[:group_size].T
            dictionary[:, columns] = basis
            codes[users, columns] = target @ basis
            rest[users] = target - codes[users, columns] @ basis.T
    return dictionary
