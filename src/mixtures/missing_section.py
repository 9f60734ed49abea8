"""What the page shows of images with missing pixels: a figure, a table and a finding each."""

import pandas as pd

from evidence.section import figure, number, percent, replicates, spread, table, text
from mixtures.conditions import FILLINGS
from mixtures.names import FILLED, called, in_percent, start_name
from mixtures.scores import SCORES, measured

NAME = "mixtures_missing"
HEAD = [
    "pixels missing", "in their place", "ACC", "NMI", "ARI", "in-painting error", "seconds",
]  # fmt: skip
WORDS = (
    "Missing pixels: {hit} of the images lose each pixel with a probability that is the share. "
    "{method} learns from all images from {start} of the others, which is the same at every share "
    "and filling. <i>Masks</i> leave what is missing out of codes and energies; the fillings put "
    "zeros there, or the mean of the pixel over the images that have it. Features of the start are "
    "those of complete images; their principal directions are those of all training images. "
    "The in-painting error is the root mean square error of the missing pixels in the "
    "reconstruction, over their root mean square."
)
PLACE = "Data: {dataset}; {method} from {start}; {hit} of the images miss pixels."
CAPTION = (
    "Fig. H (not in the paper): accuracy (a) and in-painting error (b) against the share of the "
    "pixels that an image misses; means over seeds, and their range. "
)


def blocks(tables: dict[str, pd.DataFrame], figures: list[str], section: dict) -> list[dict]:
    """Blocks of the page; none without the study's table."""
    if NAME not in tables:
        return []
    study, made = section["missing"], []
    for dataset in study["datasets"]:
        here, place = f"{NAME}-{dataset}", PLACE.format(dataset=dataset, **_words(study))
        made += [figure(here, CAPTION + place)] if here in figures else []
        made.append(_table(tables[NAME], dataset, place))
    return [*made, text(WORDS, **_words(study))]


def findings(tables: dict[str, pd.DataFrame], section: dict) -> list[str]:
    """Accuracy at the least share of missing pixels, beside that on complete images."""
    sentences, study = [], section["missing"]
    shares = sorted(share for share in study["shares"] if share)
    images = in_percent(study["hit"])
    for dataset in study["datasets"] if NAME in tables and shares else ():
        parts, pixels = [], in_percent(shares[0])
        for name in FILLINGS:
            where = {"dataset": dataset, "share": shares[0], "filling": name}
            acc = measured(tables[NAME], "acc", **where).mean()
            parts.append(f"{percent(acc)} % with {FILLED[name]}")
        whole = measured(tables[NAME], "acc", dataset=dataset, share=0.0)
        if len(whole):
            parts.append(f"{percent(whole.mean())} % with nothing missing")
        sentences.append(
            f"Images in the right cluster where {images} of them ({dataset}) miss {pixels} of "
            f"their pixels, by {called(study['method'])}: {', '.join(parts)}."
        )
    return sentences


def _words(study: dict) -> dict[str, str]:
    names = {"method": called(study["method"]), "start": start_name(study["start"])}
    return {**names, "hit": in_percent(study["hit"])}


def _table(scores: pd.DataFrame, dataset: str, place: str) -> dict:
    here = scores[scores.dataset == dataset]
    keys = here[["share", "filling"]].drop_duplicates()
    rows = [_row(here, *key) for key in keys.itertuples(index=False)]
    seeds = here.replicate.nunique()
    caption = (
        f"Clusters of images with missing pixels: scores in %, in-painting error as a share "
        f"({replicates(seeds)}). {place} No label is used."
    )
    return table([HEAD], rows, caption=caption, name=f"{NAME}_{dataset}")


def _row(scores: pd.DataFrame, share: float, filling: str) -> list[str]:
    found = [measured(scores, m, share=share, filling=filling) for m in SCORES]
    error, seconds = (
        measured(scores, m, share=share, filling=filling) for m in ("inpainting", "seconds")
    )
    return [
        in_percent(share), FILLED[filling] if share else "nothing is missing",
        *(percent(values.mean(), values.std()) for values in found),
        spread(error.mean(), error.std()), number(seconds.mean(), 1),
    ]  # fmt: skip
