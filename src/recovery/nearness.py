"""How near Experiment 1 comes to the points of Fig. 3: no claims of the paper."""

from functools import partial

import numpy as np
import pandas as pd

from evidence.claims import Evidence, claim
from evidence.fig3 import SPARSE, points
from evidence.paper import MODEL
from evidence.verdict import at_most, between
from recovery.cases import countings, curves, others, ours, samplings, score

claim = partial(claim, needs=("recovery", "recovery_history"), paper=False, paper_size=True)
# A quarter is what curves on one plot look equal within; twice that is the same shape.
near_curve = partial(claim, reference="1", rule=at_most(1.25, partly=1.5))


def factor(ours: pd.DataFrame, papers: pd.Series) -> Evidence | None:
    """The largest factor between our curves and the paper's, over the epochs where both are."""
    ours = ours.reset_index().melt(["snr", "replicate"], var_name="epoch", value_name="ours")
    ratio = ours.dropna().merge(papers.rename("papers").reset_index(), on=["snr", "epoch"])
    if ratio.empty:
        return None
    ratio["log"] = np.log(ratio.ours / ratio.papers)
    ratio["size"] = ratio.log.abs()
    worst = ratio.loc[ratio["size"].idxmax()]
    note = f"largest where ours is {np.exp(worst.log):.2f} times the paper's, epoch {worst.epoch:g}"
    return Evidence(np.exp(ratio.groupby(["snr", "replicate"])["size"].max()), note)


@near_curve(
    "{method} follows the paper's curves of Fig. 3a",
    source="Fig. 3a",
    statistic="largest factor between our squared error and the paper's, {sampling} sampling",
    cases=ours(samplings),
)
def follows_error(tables, case):
    return factor(curves(tables, case, case.method), points("3a", case.method))


@near_curve(
    "{method} follows the paper's curves of Fig. 3b",
    source="Fig. 3b (per entry and divided by N in the paper)",
    statistic="largest factor between our loss and the paper's, {sampling} sampling",
    cases=ours(samplings),
)
def follows_loss(tables, case):
    per_entry = curves(tables, case, case.method, "loss") * 2 / MODEL["n"]
    return factor(per_entry, points("3b", case.method))


@near_curve(
    "{other} follows the paper's sparse curve of Fig. 3c",
    source="Fig. 3c",
    statistic="largest factor between our squared error and the paper's, {sampling} sampling",
    cases=ours(others),
)
def follows_sparse(tables, case):
    return factor(curves(tables, case, case.other), points("3c", SPARSE))


# One step between the points that were read off.
@claim(
    "{other} dips when the paper's sparse network does",
    source="Fig. 3c",
    statistic="epoch of the lowest squared error minus the paper's, {sampling} sampling",
    reference="0 (epoch 140)",
    rule=between(-20, 20),
    cases=ours(others),
)
def dip_epoch(tables, case):
    papers = points("3c", SPARSE)
    table = curves(tables, case, case.other)
    table = table[table.index.isin(papers.index.unique("snr"), level="snr")]
    if table.empty:
        return None
    lowest = papers.groupby("snr").idxmin().map(lambda at: at[1])
    return table.idxmin(axis=1).sub(lowest, level="snr")


# A point of the figure; three are the width of "about" above.
@claim(
    "The recall of {other} is the sparse network's of Fig. 3d, counting {counted}",
    source="Fig. 3d",
    statistic="recall minus the paper's, {sampling} sampling",
    reference="0 (0.780 at every SNR)",
    rule=between(-0.01, 0.01, partly=(-0.03, 0.03)),
    cases=ours(countings),
)
def recall_point(tables, case):
    ours = score(tables, case, case.other, case.metric)
    difference = ours.sub(points("3d", SPARSE), level="snr").dropna()
    return difference if len(difference) else None
