"""Blocks of an experiment's section of the report, as plain JSON.

A section has a ``title``, ``warnings`` and ``blocks``. Its blocks are made by :func:`text`,
:func:`figure` and :func:`table`. A cell of a table is a string, or a dictionary with ``text``,
``span`` (columns) and ``rows`` if it takes more than one place.

What is on top of the page comes from sections too, where they have it: ``question`` says what the
experiment asks, ``findings`` are sentences with their numbers, most important first, and one
figure may be the key figure.
"""

import html
import math

Cell = str | dict


def text(words: str, **values: object) -> dict:
    """A paragraph: HTML with inline tags only, in which ``{name}`` becomes an escaped value."""
    escaped = {name: html.escape(str(value)) for name, value in values.items()}
    return {"kind": "text", "html": words.format_map(escaped)}


def figure(name: str, caption: str, *, conclusion: str = "", key: bool = False) -> dict:
    """A figure by the stem of its file, with a caption in plain text.

    Parameters
    ----------
    caption : what is drawn; words up to a colon are the figure's label, as in "Fig. 1: errors"
    conclusion : what to conclude, a sentence, which comes before the caption
    key : whether the top of the page shows it; the first of all sections is taken
    """
    return {
        "kind": "figure", "name": name, "caption": caption, "conclusion": conclusion, "key": key,
    }  # fmt: skip


def table(
    head: list[list[Cell]],
    rows: list[list[Cell]],
    *,
    caption: str = "",
    conclusion: str = "",
    name: str = "",
    folded: bool = False,
) -> dict:
    """A table of plain text: rows of headings, then rows of cells.

    Parameters
    ----------
    caption, conclusion : as of a :func:`figure`
    name : by which a claim refers to it; not that of a figure
    folded : whether the page hides it until it is asked for; a published page leaves it out
    """
    return {
        "kind": "table", "head": head, "rows": rows, "caption": caption,
        "conclusion": conclusion, "name": name, "folded": folded,
    }  # fmt: skip


def label(block: dict) -> str:
    """What a reader calls a figure or a table: the caption up to its colon, if that is short.

    Examples
    --------
    >>> label(figure("a", "Fig. A (not in the paper): atoms")), label(figure("b", "All atoms"))
    ('Fig. A', 'figure')
    """
    words, colon, _ = block["caption"].partition(":")
    words = words.partition(" (")[0]
    return words if colon and len(words) <= 20 else block["kind"]


def number(value: float, digits: int = 3) -> str:
    """A number with ``digits`` decimals; a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def spread(mean: float, std: float, digits: int = 3) -> str:
    """A mean ± its standard deviation, which one replicate does not have."""
    mean_text = number(mean, digits)
    return mean_text if math.isnan(std) else f"{mean_text} ± {number(std, digits)}"


def percent(mean: float, std: float = math.nan) -> str:
    """A share in per cent with one decimal, as :func:`spread`."""
    return spread(100 * mean, 100 * std, 1)


def replicates(count: int) -> str:
    """What the numbers of a table are, in words."""
    return f"mean ± standard deviation of {count} replicates" if count > 1 else "one run"
