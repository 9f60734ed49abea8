"""A claim is one small function: from the tables of an experiment to values per condition and seed.

    @claim("Errors fall", source="Fig. 3a", statistic="last / first", reference="0.007",
           rule=at_most(0.02), needs=["history"])
    def errors_fall(tables, case):
        return last(tables["history"]) / first(tables["history"])

Texts may name fields of the case, ``{method}``, whose values appear under the names that readers
know (:mod:`evidence.names`). A claim is tested once in every case of its
``cases``, each a row of the table that :func:`collect` makes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd

from evidence.names import method_name
from evidence.verdict import HOLDS, OTHER_SIZE, OUTSIDE, UNDECIDED, Rule, intervals, judge

COLUMNS = (
    "experiment", "paper", "claim", "source", "statistic", "mean", "std", "lowest_mean",
    "highest_mean", "low", "high", "conditions", "seeds", "reference", "verdict", "reason",
    "figure", "table",
)  # fmt: skip
Tables = dict[str, pd.DataFrame]
NO_VALUE = pd.DataFrame(
    {name: [np.nan] for name in ("mean", "std", "low", "high")} | {"seeds": [0]}
)


class Evidence(NamedTuple):
    """Values of a statistic and what the reason adds to them; no values are no test in this case.

    ``outside`` names assumptions that are broken: no verdict. ``blind`` says why the measurement
    could not see a broken rule: it does not hold then, but may fail.
    """

    values: pd.Series | None
    note: str = ""
    outside: str = ""
    blind: str = ""


def once(tables: Tables, choices: dict) -> Iterator[dict]:
    """The cases of a claim that is tested once."""
    yield {}


@dataclass(frozen=True)
class Claim:
    """What :func:`claim` makes of a function; ``values`` is that function."""

    values: Callable[[Tables, SimpleNamespace], pd.Series | Evidence | None]
    title: str
    source: str
    statistic: str
    reference: str | Callable[[SimpleNamespace], str]
    rule: Rule | Callable[[SimpleNamespace], Rule]
    needs: tuple[str, ...]
    cases: Callable[[Tables, dict], Iterable[dict]]
    paper: bool
    paper_size: bool
    figure: str
    table: str


def claim(
    title: str, *, source, statistic, reference, rule, needs=(), cases=once, paper=True,
    paper_size=False, figure="", table="",
):  # fmt: skip
    """Make a function of (tables, case) a :class:`Claim`; None from it is no test in that case.

    Parameters
    ----------
    title, source, statistic, reference : texts of its row, with ``{fields}`` of the case
    rule : a :class:`Rule`; it and ``reference`` may be functions of the case
    needs : tables without which the claim is left out
    cases : from (tables, choices) to the cases in which the claim is tested, as dictionaries
    paper : whether it is a claim of the paper, which a tally counts; a case may say otherwise
    paper_size : whether the rule rests on a number that the paper measured at its own size
    figure, table : names of the blocks of the section that show it, with ``{fields}``
    """

    def made(function) -> Claim:
        return Claim(
            function, title, source, statistic, reference, rule, tuple(needs), cases, paper,
            paper_size, figure, table,
        )  # fmt: skip

    return made


def claims_of(module: ModuleType) -> list[Claim]:
    """The claims that a module defines, in its order."""
    return [value for value in vars(module).values() if isinstance(value, Claim)]


def collect(
    module: ModuleType, tables: Tables, choices: dict, other_size: str | None = None
) -> pd.DataFrame:
    """Test every claim of a room for which there are tables: a row of ``COLUMNS`` per case.

    ``choices`` is what the room's config says under ``shown``. ``other_size`` says in words that
    the study is not of the paper's size: no verdict then rests on a number that needs it.
    Cases of a claim whose title is the same are neighbours: the page sets them side by side.

    ``mean`` is that over conditions, ``lowest_mean`` to ``highest_mean`` the range of the
    conditions' means, and ``low`` to ``high`` that of their intervals. ``std`` is the spread over
    seeds within a condition (root mean square over conditions).
    """
    experiment = module.__name__.split(".")[0]
    rows = [
        {"experiment": experiment, **row}
        for each in claims_of(module)
        if set(each.needs) <= set(tables)
        for row in _neighbours(_rows(each, tables, choices, other_size))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def tally(table: pd.DataFrame, paper: bool = True) -> dict[str, int]:
    """How many tests of claims end with each verdict, most frequent first: the paper's, or our own.

    What is outside the assumptions of a claim is no test of it.
    """
    counts = table[(table.paper == paper) & (table.verdict != OUTSIDE)].verdict.value_counts()
    return {verdict: int(count) for verdict, count in counts.items()}


def _neighbours(rows: Iterable[dict]) -> list[dict]:
    """Rows of equal title together, titles and rows in the order of their first appearance."""
    titles: dict[str, list[dict]] = {}
    for row in rows:
        titles.setdefault(row["claim"], []).append(row)
    return [row for group in titles.values() for row in group]


def _rows(each: Claim, tables: Tables, choices: dict, other_size: str | None) -> Iterator[dict]:
    for fields in each.cases(tables, choices):
        case = SimpleNamespace(**fields)
        found = each.values(tables, case)
        values, note, outside, blind = found if isinstance(found, Evidence) else Evidence(found)
        if values is None:
            continue
        rule = each.rule(case) if callable(each.rule) else each.rule
        reference = each.reference(case) if callable(each.reference) else each.reference
        words = {n: method_name(v) if isinstance(v, str) else v for n, v in fields.items()}
        if len(values) and values.isna().all():  # a ratio of codes that are all zero, say
            table, (verdict, reason) = NO_VALUE, (UNDECIDED, f"it has no value here; {rule}")
        else:
            table, (verdict, reason) = intervals(values, rule.always), judge(values, rule)
        if outside:
            verdict, reason = OUTSIDE, f"{outside}; {reason}"
        elif each.paper_size and other_size:
            verdict, reason = OTHER_SIZE, f"{other_size}; {reason}"
        elif blind and verdict == HOLDS:
            verdict, reason = UNDECIDED, f"{blind}; {reason}"
        yield {
            "paper": fields.get("paper", each.paper),
            "claim": each.title.format(**words),
            "source": each.source.format(**words),
            "statistic": each.statistic.format(**words),
            "mean": float(table["mean"].mean()),
            "std": float(np.sqrt((table["std"] ** 2).mean())),
            "lowest_mean": float(table["mean"].min()),
            "highest_mean": float(table["mean"].max()),
            "low": float(table.low.min()),
            "high": float(table.high.max()),
            "conditions": len(table),
            "seeds": int(table.seeds.min()),
            "reference": reference.format(**words),
            "verdict": verdict,
            "reason": f"{reason}; {note}" if note else reason,
            "figure": each.figure.format(**fields),
            "table": each.table.format(**fields),
        }
