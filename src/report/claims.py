"""Claims as the page shows them: cases of a claim side by side, with links to what shows them."""

import re

import pandas as pd

from evidence.section import label, number
from evidence.verdict import FAILED, HOLDS, PARTLY

CLASSES = {HOLDS: "holds", PARTLY: "part", FAILED: "failed"}


def grouped(claims: pd.DataFrame, blocks: list[dict]) -> list[dict]:
    """A group per title, in the order of the table, with a row per case.

    ``statistic`` and ``source`` of a group are what its cases share, ``case`` of a row is what is
    its own. ``links`` lead to those of the section's ``blocks`` that show the claim; where several
    have the same label, each row has its own.
    """
    groups = []
    claims = claims.astype(object).where(claims.notna(), "")
    for title, cases in claims.groupby("claim", sort=False):
        statistic, by_statistic = told_apart(cases.statistic.tolist())
        source, by_source = told_apart(cases.source.tolist())
        rows = [shown(row) for row in cases.to_dict("records")]
        for row, *own in zip(rows, by_source, by_statistic, strict=True):
            row["case"] = "; ".join(filter(None, own))
            row["links"] = linked(row, blocks)
        links = {link["to"]: link for row in rows for link in row["links"]}
        labels = [link["label"] for link in links.values()]
        for row in rows:
            row["links"] = [link for link in row["links"] if labels.count(link["label"]) > 1]
        shared = [link for link in links.values() if labels.count(link["label"]) == 1]
        groups.append(
            {
                "title": title, "statistic": statistic, "source": source, "rows": rows,
                "links": shared,
            }
        )  # fmt: skip
    return groups


def shown(row: dict) -> dict:
    """A row of the table of claims with its numbers as text, and the class of its verdict."""
    several = row["conditions"] > 1
    return row | {
        "mean": "–" if row["mean"] == "" else number(row["mean"]),
        "std": "" if row["std"] == "" else number(row["std"]),
        "range": f"{number(row['lowest_mean'])} to {number(row['highest_mean'])}"
        if several
        else "",
        "seeds": "one run" if row["seeds"] == 1 else f"{row['seeds']} seeds",
        "class": CLASSES.get(row["verdict"], "open"),
    }


def told_apart(texts: list[str]) -> tuple[str, list[str]]:
    """What texts share, and what is each one's own; texts are lists of phrases.

    Examples
    --------
    >>> told_apart(["digits: gain, k-means, all", "digits: gain, spectral, all"])
    ('digits: gain, all', ['k-means', 'spectral'])
    >>> told_apart(["Lemma 1", "Lemma 1, with d"])
    ('Lemma 1', ['', 'with d'])
    """
    phrases = [re.split(r"(?<=[,:;]) ", text) for text in texts]
    width = max(map(len, phrases))
    shared, own = [], [[] for _ in texts]
    for column in zip(*(each + [""] * (width - len(each)) for each in phrases), strict=True):
        if len({phrase.rstrip(",:;") for phrase in column}) == 1:
            shared.append(max(column, key=len))
            continue
        for each, phrase in zip(own, column, strict=True):
            each.append(phrase)
    return joined(shared), [joined(each) for each in own]


def joined(phrases: list[str]) -> str:
    return " ".join(filter(None, phrases)).rstrip(",:;")


def anchor(block: dict) -> str:
    """The identifier of a figure or a table on the page; a table may have none."""
    if block["kind"] == "table":
        return f"table-{block['name']}" if block["name"] else ""
    return block.get("name", "")


def linked(row: dict, blocks: list[dict]) -> list[dict]:
    """Where a claim is shown: what it names, or a figure that is called as its source is."""
    places = {anchor(block): block for block in blocks if anchor(block)}
    named = [row["figure"], row["table"] and f"table-{row['table']}"]
    found = [name for name in named if name in places]
    if not found:
        called = [
            name
            for name, block in places.items()
            if re.search(rf"{re.escape(label(block))}(?!\w)", row["source"])
        ]
        labels = [label(places[name]) for name in called]
        found = [n for n, words in zip(called, labels, strict=True) if labels.count(words) == 1]
    return [{"to": name, "label": label(places[name])} for name in found]
