"""Blocks of an experiment's section of the report, as plain JSON.

A section is ``{"title": .., "warnings": [..], "blocks": [..]}``. Its blocks are made by
:func:`text`, :func:`figure` and :func:`table`. A cell of a table is a string, or a dictionary with
``text``, ``span`` (columns) and ``rows`` if it takes more than one place.
"""

import html
import math

Cell = str | dict


def text(words: str, **values: object) -> dict:
    """A paragraph: HTML with inline tags only, in which ``{name}`` becomes an escaped value."""
    escaped = {name: html.escape(str(value)) for name, value in values.items()}
    return {"kind": "text", "html": words.format_map(escaped)}


def figure(name: str, caption: str) -> dict:
    """A figure by the stem of its file, with a caption in plain text."""
    return {"kind": "figure", "name": name, "caption": caption}


def table(
    head: list[list[Cell]],
    rows: list[list[Cell]],
    *,
    caption: str = "",
    folded: bool = False,
    summary: bool = False,
) -> dict:
    """A table of plain text: rows of headings, then rows of cells.

    Parameters
    ----------
    folded : whether the page hides it until it is asked for; a published page leaves it out
    summary : whether it is small and telling enough for the results in the README
    """
    return {
        "kind": "table", "head": head, "rows": rows, "caption": caption, "folded": folded,
        "summary": summary,
    }  # fmt: skip


def number(value: float, digits: int = 3) -> str:
    """A number with ``digits`` decimals; a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def spread(mean: float, std: float, digits: int = 3) -> str:
    """A mean ± its standard deviation, which one replicate does not have."""
    mean_text = number(mean, digits)
    return mean_text if math.isnan(std) else f"{mean_text} ± {number(std, digits)}"


def percent(mean: float, std: float) -> str:
    """A share in per cent with one decimal, as :func:`spread`."""
    return spread(100 * mean, 100 * std, 1)


def replicates(count: int) -> str:
    """What the numbers of a table are, in words."""
    return f"mean ± standard deviation of {count} replicates" if count > 1 else "one replicate"
