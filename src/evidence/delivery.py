"""What a room delivers to the report: its claims as CSV and its section of the page as JSON."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from evidence.options import packages_stay
from evidence.tables import load_table, save_table
from groupsparse.files import write_checked


def options(description: str) -> argparse.Namespace:
    """Command line of a room's report.py: ``tables`` by stem, ``figures``, ``config``, outputs."""
    packages_stay()
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--tables", nargs="*", default=[], help="summary tables that there are")
    parser.add_argument("--figures", nargs="*", default=[], help="stems of figures, in their order")
    parser.add_argument(
        "--config", type=json.loads, required=True, help="the room's section of the config (JSON)"
    )
    parser.add_argument("--claims", required=True, help="CSV, one row per claim and case")
    parser.add_argument("--section", required=True, help="JSON, the room's section of the page")
    args = parser.parse_args()
    args.tables = {Path(path).stem: load_table(path) for path in args.tables}
    return args


def deliver(
    args: argparse.Namespace,
    *,
    claims: pd.DataFrame,
    title: str,
    blocks: Iterable[dict],
    warnings: Iterable[str] = (),
    question: str = "",
    findings: Iterable[str] = (),
) -> None:
    """Write the claims and the section to the files that the :func:`options` name.

    ``question`` and ``findings`` are plain text for the top of the page, as in
    :mod:`evidence.section`; the numbers of a finding are computed from tables or claims.
    """
    section = {
        "title": title, "question": question, "findings": list(findings),
        "warnings": list(warnings), "blocks": list(blocks),
    }  # fmt: skip
    content = json.dumps(section, indent=1, ensure_ascii=False) + "\n"
    save_table(args.claims, claims)
    write_checked(args.section, content.encode())
