"""What leads the page and its published form: questions, findings, the key figure, verdicts."""

from itertools import zip_longest

import pandas as pd

from evidence.claims import tally
from evidence.verdict import FAILED, HOLDS, ONE_RUN, OTHER_SIZE, PARTLY, UNDECIDED

ORDER = (HOLDS, PARTLY, FAILED, UNDECIDED, ONE_RUN, OTHER_SIZE)  # best known first
MOST = 5  # findings, which fit a screen


def findings(sections: list[dict], most: int = MOST) -> list[str]:
    """The first findings of all sections, in the order of the sections.

    Every section gives its first before any gives its second.

    Examples
    --------
    >>> findings([{"findings": ["a", "b", "c"]}, {"findings": ["d"]}], most=3)
    ['a', 'b', 'd']
    """
    ranks = zip_longest(*(section["findings"] for section in sections))
    places = [
        (order, rank)
        for rank, words in enumerate(ranks)
        for order, each in enumerate(words)
        if each is not None
    ]
    return [sections[order]["findings"][rank] for order, rank in sorted(places[:most])]


def key_figure(sections: list[dict]) -> dict | None:
    """The first figure that a section marks as key."""
    figures = (b for s in sections for b in s["blocks"] if b["kind"] == "figure" and b["key"])
    return next(figures, None)


def verdicts(claims: list[pd.DataFrame], sections: list[dict]) -> pd.DataFrame:
    """Tests of the paper's own claims: a row per section, a column per verdict, and their sum."""
    titles = [section["title"] for section in sections]
    counts = pd.DataFrame([tally(each) for each in claims], index=titles).fillna(0).astype(int)
    counts = counts[[verdict for verdict in ORDER if verdict in counts]]
    return counts.assign(tests=counts.sum(axis=1))
