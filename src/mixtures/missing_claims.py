"""Claims about images with missing pixels: masks beside pixels that are filled in. All are ours."""

from collections.abc import Iterator
from functools import partial

from evidence.claims import Evidence, claim
from evidence.verdict import at_least, at_most
from mixtures.claims import POINT, compared
from mixtures.conditions import FILLINGS
from mixtures.names import FILLED, in_percent
from mixtures.scores import measured

MASKS, *FILLED_IN = FILLINGS
QUARTER = 0.25
ours = partial(
    claim, source="not in the paper", needs=("mixtures_missing",), paper=False,
    figure="mixtures_missing-{dataset}", table="mixtures_missing_{dataset}",
)  # fmt: skip


def places(tables) -> Iterator[dict]:
    """Data set, share of missing pixels, and share of images that miss any, as in the table."""
    keys = tables["mixtures_missing"][["dataset", "share", "hit"]].drop_duplicates()
    for place in keys.to_dict("records"):
        yield {**place, "pixels": in_percent(place["share"]), "images": in_percent(place["hit"])}


def fillings(tables, choices):
    """Every way to fill pixels in, wherever some are missing."""
    for place in places(tables):
        for filling in FILLED_IN:
            if place["share"]:
                yield {**place, "filling": filling, "against": FILLED[filling]}


def of(tables, case, metric: str, filling: str = MASKS, share: float | None = None):
    """A metric by replicate, at the share of the case if no other is given."""
    share = case.share if share is None else share
    where = {"dataset": case.dataset, "share": share, "filling": filling}
    return measured(tables["mixtures_missing"], metric, **where)


@ours(
    "Masks cluster better than pixels that are filled in",
    statistic="{dataset}, {pixels} of the pixels missing: ACC with masks minus with {against}",
    reference="more than 0",
    rule=at_least(POINT),
    cases=fillings,
)
def clusters(tables, case):
    return compared(of(tables, case, "acc"), of(tables, case, "acc", case.filling))


def quarter(tables, choices):
    """Where a quarter of the pixels is missing."""
    return (place for place in places(tables) if place["share"] == QUARTER)


@ours(
    "With masks, a quarter of the pixels can be missing at little cost",
    statistic="{dataset}: ACC on complete images minus that with {pixels} of the pixels of "
    "{images} of the images missing",
    reference="at most 0.03",
    rule=at_most(0.03, partly=0.06),
    cases=quarter,
)
def costs(tables, case):
    return compared(of(tables, case, "acc", share=0.0), of(tables, case, "acc"))


@ours(
    "Masks in-paint better than pixels that are filled in",
    statistic="{dataset}, {pixels} of the pixels missing: in-painting error with masks over "
    "that with {against}",
    reference="less than 1",
    rule=at_most(0.95, partly=1.0),
    cases=fillings,
)
def inpaints(tables, case):
    mine, theirs = of(tables, case, "inpainting"), of(tables, case, "inpainting", case.filling)
    ratio = (mine / theirs).dropna()
    if ratio.empty:
        return None
    return Evidence(ratio, f"{mine.mean():.3f} against {theirs.mean():.3f}")
