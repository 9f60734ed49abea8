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
    """Tests of claims: a row per section, a column per verdict, and their sum.

    Of the paper's claims; of our own in a run that tests none of the paper's.
    """
    titles = [section["title"] for section in sections]
    paper = not claims or of_the_paper(pd.concat(claims))
    counts = (
        pd.DataFrame([tally(each, paper) for each in claims], index=titles).fillna(0).astype(int)
    )
    counts = counts[[verdict for verdict in ORDER if verdict in counts]]
    return counts.assign(tests=counts.sum(axis=1))


def of_the_paper(claims: pd.DataFrame) -> bool:
    """Whether a run tests a claim of the paper, or none at all."""
    return bool(tally(claims)) or not tally(claims, paper=False)


def counted(claims: pd.DataFrame) -> tuple[dict[str, int], str]:
    """Verdicts of a run, most frequent first, and whose claims they are about."""
    paper = of_the_paper(claims)
    return tally(claims, paper), "the paper's claims" if paper else "our own claims"
