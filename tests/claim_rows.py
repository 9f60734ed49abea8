"""Rows of a claims table by a part of their text; one claim asked without the others."""

import re
from collections.abc import Callable
from functools import cache
from types import ModuleType

import pandas as pd

from evidence.claims import claims_of
from evidence.names import method_name


def row_of(table: pd.DataFrame, name: str, beside: str = "statistic") -> pd.Series:
    """The one row whose claim and text ``beside`` it hold every part of ``name``.

    Methods in it may have their names of the config, which readers of the table do not see.
    """
    name = re.sub(r"(?<![\w-])(group_sparse|sparse|relu)(?![\w-]| \()", _shown, name)
    text = table.claim + " | " + table[beside]
    found = [i for i, t in text.items() if all(part in t for part in name.split(" & "))]
    assert len(found) == 1, (name, text.tolist())
    return table.loc[found[0]]


def _shown(found: re.Match) -> str:
    return method_name(found[0])


@cache
def alone(study: Callable, name: str, *modules: ModuleType, **options: str) -> ModuleType:
    """A module with the one claim that has the row ``name`` of ``study(module=...)``.

    To ask one claim is a twentieth of the work of asking all. ``options`` are those of
    :func:`row_of`.
    """
    parts = _apart(study, modules)
    row = row_of(pd.concat([table for _, table in parts], ignore_index=True), name, **options)
    (module,) = (part for part, table in parts if (table == row).all(axis=1).any())
    return module


@cache
def _apart(study: Callable, modules: tuple) -> list[tuple[ModuleType, pd.DataFrame]]:
    """Each claim in a module of its own, with its rows where every claim holds."""
    parts = []
    for module in modules:
        for each in claims_of(module):
            part = ModuleType(module.__name__)
            part.claim = each
            parts.append((part, study(module=part)))
    return parts
