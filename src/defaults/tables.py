"""Tables of the defaults for the report."""

import pandas as pd

from defaults.conditions import CHANCE, CODER, FREE, PCA
from defaults.scores import images, planted
from evidence.section import number, spread, table

METHODS = {
    CODER: "GroupSparseCoder", PCA: "PCA", FREE: "dictionary learning (scikit-learn), OMP",
    CHANCE: "random groups, same rule",
}  # fmt: skip


def recovered(scores: pd.DataFrame, section: dict) -> dict:
    """Error over the oracle's for every size, number of active groups and noise level."""
    told, untold = planted(scores, True), planted(scores, False)
    levels = sorted(told.index.get_level_values("snr_db").unique())
    rows = []
    for (d, k), here in told.groupby(["group_size", "active_groups"]):
        cells = []
        for snr in levels:
            ratio = here.xs(snr, level="snr_db").ratio
            cells += [spread(ratio.mean(), ratio.std(), 2), _right(untold, section, (d, k, snr))]
        rows.append([f"{d:g}", f"{k:g}", *cells])
    head = [
        ["group size", "active groups", *({"text": f"{x:g} dB", "span": 2} for x in levels)],
        ["", "", *["error / oracle's", "sizes right"] * len(levels)],
    ]
    model = section["model"]
    caption = (
        f"Defaults: subspace error over that of least squares on the true codes, n = {model['n']}, "
        f"{model['groups']} groups, {model['samples']} samples, {section['replicates']} seeds. "
        "Sizes right: how often size and number of the groups are found when neither is told."
    )
    return table(head, rows, caption=caption, name="defaults")


def _right(untold: pd.DataFrame, section: dict, case: tuple) -> str:
    here = untold.loc[case]
    right = here.right & (here.estimated_groups == section["model"]["groups"])
    return f"{int(right.sum())} of {len(right)}"


def explained(scores: pd.DataFrame, section: dict) -> dict:
    """Explained variance of test images by every method, at as many active atoms."""
    runs, rows = images(scores), []
    for (job, method), here in runs.groupby(level=["job", "method"], sort=False):
        active = here.get("active_atoms", pd.Series(dtype=float)).dropna()
        rows.append([
            job, METHODS[method], spread(here.explained.mean(), here.explained.std()),
            number(active.mean(), 1) if len(active) else "–", number(here.seconds.mean(), 1),
        ])  # fmt: skip
    sizes = "; ".join(
        f"{name}: {s['groups']} groups of {s['group_size']}, {s['samples']} images at most"
        for name, s in section["images"].items()
    )
    caption = (
        f"Variance of test images that is explained ({sizes}; {section['replicates']} seeds). PCA "
        "and dictionary learning have as many active atoms as the coder uses on average."
    )
    head = ["data", "method", "explained variance", "active atoms", "seconds"]
    return table([head], rows, caption=caption, name="defaults_images")
