"""Traces made ready for the law `gaussian` with noise of standard deviation 1."""

import numpy as np
import pandas as pd

MAD = 1.4826  # times the median absolute deviation: the standard deviation of Gaussian noise


def detrended(y: np.ndarray, bins: int) -> np.ndarray:
    """Traces (N, C, T) minus their running median over a number of bins, fewer at the borders."""
    rows = pd.DataFrame(y.reshape(-1, y.shape[-1]).T)
    # An even window would not be centred.
    slow = rows.rolling(bins // 2 * 2 + 1, center=True, min_periods=1).median()
    return (rows - slow).to_numpy().T.reshape(y.shape)


def noise(y: np.ndarray, kind: str) -> np.ndarray:
    """Standard deviation of the noise of each neuron (C,) of traces (N, C, T).

    ``spread`` takes all that the trace does as noise (events are rare, or small beside it);
    ``differences`` only what changes from one bin to the next (noise is white, events are smooth).
    Both are medians, which rare events hardly move.
    """
    steps = np.diff(y) / np.sqrt(2) if kind == "differences" else y
    each = np.moveaxis(steps, 1, 0).reshape(y.shape[1], -1)
    centre = np.nanmedian(each, axis=1, keepdims=True)
    found = MAD * np.nanmedian(np.abs(each - centre), axis=1)
    if not (found > 0).all():
        raise ValueError(
            f"the noise of neuron {int(np.argmin(found > 0))} is not above 0: leave out that "
            "neuron, or the key noise"
        )
    return found
