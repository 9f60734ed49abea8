"""The paper's curves of Fig. 3 in the terms of our tables."""

import pandas as pd

from evidence.paper import MODEL, paper_table

COLUMNS = ["figure", "method", "snr", "epoch", "value"]
NOTHING = pd.DataFrame(columns=COLUMNS).astype({"snr": float, "epoch": float, "value": float})
SPARSE = "paper_sparse"  # the paper does not say which sparse network it is
SNR_3C = 1.0


def curves(method: str) -> pd.DataFrame:
    """Points of Figs. 3a to 3d, a row each: figure, method, snr, epoch and value.

    ``method`` is what the group-sparse network is called; the other is :data:`SPARSE`. Values are
    squared errors (3a, 3c), squared errors of the reconstruction per entry (3b) and recalls (3d,
    without epoch).

    Examples
    --------
    >>> points = curves("group_sparse").set_index(["figure", "method", "snr", "epoch"]).value
    >>> points["3a", "group_sparse", 1.0, 300.0], round(points["3b", "group_sparse", 10, 300], 5)
    (6.5942, 0.00682)
    """
    table = paper_table("fig3")
    figure = table.figure.str[:2]
    # The paper draws MSE / N in units of 1e-5.
    scale = figure.map({"3a": 1.0, "3b": 1e-5 * MODEL["samples"], "3c": 1.0, "3d": 0.01})
    named = table.curve.map({"group-sparse": method, "sparse": SPARSE})
    snr = pd.to_numeric(table.curve.str.removesuffix("dB"), errors="coerce")
    at = table.epoch_or_snr.astype(float)
    by_snr = figure == "3d"
    return pd.DataFrame(
        {
            "figure": figure,
            "method": named.fillna(method),
            "snr": snr.fillna(SNR_3C).mask(by_snr, at),
            "epoch": at.mask(by_snr),
            "value": table.value * scale,
        }
    )


def points(figure: str, method: str) -> pd.Series:
    """The points of one figure and network, (snr, epoch); of 3d, (snr,)."""
    table = curves(method if method != SPARSE else "")
    table = table[(table.figure == figure) & (table.method == method)]
    return table.set_index(["snr"] if figure == "3d" else ["snr", "epoch"]).value
