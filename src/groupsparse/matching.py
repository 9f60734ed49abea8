"""One-to-one matching of rows and columns, such as learnt groups and true ones."""

import numpy as np
from numpy.typing import ArrayLike


def best_matching(gains: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pairs with the largest sum of gains (R, C), each used at most once.

    Rows come in their order (Hungarian method).

    Examples
    --------
    >>> rows, columns = best_matching([[1, 3], [2, 9]])
    >>> rows.tolist(), columns.tolist()
    ([0, 1], [0, 1])
    """
    from scipy.optimize import linear_sum_assignment  # here: slow to import

    return linear_sum_assignment(gains, maximize=True)
