"""Claims about where recovery stops. None is the paper's: each is what one would hope for.

A statistic has a value per replicate: a share of the cells of a plane, in which every method sees
the same problems.
"""

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pandas as pd

from evidence.claims import Evidence, Tables, claim
from evidence.names import method_name
from evidence.verdict import at_least, at_most
from phases.names import METHODS, plane_name
from phases.success import AT_LIMIT, FOUND, runs

stated = partial(claim, source="not in the paper", needs=("phases",), paper=False,
                 figure="phases_{plane}")  # fmt: skip
NO_START = ("random", "discover")


def panel(table: pd.DataFrame, plane: str, method: str, start: str) -> pd.DataFrame:
    """Runs of a method from one start on a plane, by (replicate, up, across)."""
    here = table[(table.plane == plane) & (table.method == method) & (table.start == start)]
    return here.set_index(["replicate", "up", "across"]).sort_index()


def pairs(table: pd.DataFrame, left: tuple, right: tuple) -> list[str]:
    """Planes on which two (method, start) both ran."""
    ran = set(table[["plane", "method", "start"]].itertuples(index=False, name=None))
    return [p for p in table.plane.unique() if {(p, *left), (p, *right)} <= ran]


def share_of(where: pd.Series, what: pd.Series) -> pd.Series | None:
    """Per replicate, the share of the cells ``where`` in which ``what`` is true too."""
    inside = what[where]
    return inside.astype(float).groupby("replicate").mean() if len(inside) else None


def of_successes(where: pd.Series, what: pd.Series) -> Evidence:
    """:func:`share_of` the successes ``where``, and how many they are: a seed may have none."""
    each = where.groupby("replicate").sum()
    note = f"successes in {(each > 0).sum()} of {len(each)} seeds, {each.sum()} in all"
    return Evidence(share_of(where, what), note)


def words(choices: dict, plane: str) -> dict:
    """Fields of a case on a plane."""
    return {
        "plane": plane, "place": plane_name(choices["planes"][plane]), "success": choices["success"]
    }  # fmt: skip


def against(method: str, others: tuple) -> object:
    """Cases: ``method`` beside each of the others on every plane, both from near."""

    def cases(tables: Tables, choices: dict) -> Iterator[dict]:
        for other in others:
            for plane in pairs(tables["phases"], (method, "near"), (other, "near")):
                yield {**words(choices, plane), "method": method, "other": other}

    return cases


def both_found(tables: Tables, case: SimpleNamespace) -> Evidence:
    table = runs(tables["phases"], case.success)
    ours = panel(table, case.plane, case.method, "near")[FOUND]
    theirs = panel(table, case.plane, case.other, "near")[FOUND]
    return of_successes(theirs, ours)


# One success in twenty may be missed; in part, one in five.
@stated(
    "From near, the group-sparse network finds the groups wherever the {other} one does ({place})",
    statistic="share of its successes in which the group-sparse network succeeds too",
    reference="1",
    rule=at_least(0.95, partly=0.8),
    cases=against("group_sparse", ("sparse", "relu")),
)
def groups_help(tables, case):
    return both_found(tables, case)


# As above.
@stated(
    "From near, {method} finds the groups wherever the group-sparse network does ({place})",
    statistic="share of the network's successes in which {method} succeeds too",
    reference="1",
    rule=at_least(0.95, partly=0.8),
    cases=against("alternating", ("group_sparse",)),
)
def alternating_reaches_as_far(tables, case):
    return both_found(tables, case)


# As above.
@stated(
    "Network and then alternating: the groups are found wherever either finds them ({place})",
    statistic="share of the successes of either, from near, in which both together succeed",
    reference="1",
    rule=at_least(0.95, partly=0.8),
    cases=against("refined", ("alternating",)),
)
def together(tables, case):
    table = runs(tables["phases"], case.success)
    network, alone, both = (
        panel(table, case.plane, method, "near")
        for method in ("group_sparse", "alternating", "refined")
    )
    return of_successes(network[FOUND] | alone[FOUND], both[FOUND]) if len(network) else None


def finders(tables: Tables, choices: dict) -> Iterator[dict]:
    """Every method and start that is no control, on every plane."""
    ran = tables["phases"][["method", "start", "plane"]].drop_duplicates()
    for method, start, plane in ran.itertuples(index=False, name=None):
        if start == "near" and method in ("group_sparse", "alternating", "refined"):
            yield {**words(choices, plane), "method": method, "start": start}


# One success in ten may be worse; in part, half of them.
@stated(
    "Where {name} finds all groups, it is as good as the oracle ({place})",
    statistic="share of its successes from near with an error at most {factor} times the oracle's",
    reference="1",
    rule=at_least(0.9, partly=0.5),
    cases=lambda tables, choices: (
        {**case, "factor": choices["success"]["oracle_factor"],
         "name": METHODS.get(case["method"], method_name(case["method"])).rstrip(",")}
        for case in finders(tables, choices)
    ),
)  # fmt: skip
def found_is_exact(tables, case):
    here = panel(runs(tables["phases"], case.success), case.plane, case.method, case.start)
    return of_successes(here[FOUND], here[AT_LIMIT])


def without_start(tables: Tables, choices: dict) -> Iterator[dict]:
    """Every method on every plane where it ran from near and without a start."""
    for start in NO_START:
        for method in choices["methods"]:
            for plane in pairs(tables["phases"], (method, "near"), (method, start)):
                start_name = {"random": "random atoms", "discover": "no start"}[start]
                yield {**words(choices, plane), "method": method, "start": start,
                       "start_name": start_name}  # fmt: skip


# One cell in twenty may be lost; in part, one in five.
@stated(
    "From {start_name}, {method} finds the groups as often as from near ({place})",
    statistic="share of cells with success, minus that from near",
    reference="0",
    rule=at_least(-0.05, partly=-0.2),
    cases=without_start,
)
def start_does_not_matter(tables, case):
    table = runs(tables["phases"], case.success)
    free, near = (panel(table, case.plane, case.method, s)[FOUND] for s in (case.start, "near"))
    return (free.astype(float) - near.astype(float)).groupby("replicate").mean()


@stated(
    "From {start_name}, {method} finds nothing where unknowns outnumber equations ({place})",
    statistic="share of cells beyond the counting limit with success",
    reference="0",
    rule=at_most(0, always=True),
    cases=without_start,
)
def counting_holds(tables, case):
    here = panel(runs(tables["phases"], case.success), case.plane, case.method, case.start)
    beyond = share_of(here.counting_share < 1, here[FOUND])
    if beyond is None:
        return None
    if not here[FOUND].any():
        return Evidence(beyond, blind="it finds nothing on the whole plane")
    return beyond
