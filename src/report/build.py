"""Assemble the report: one self-contained page of what the experiments deliver, and all claims."""

import argparse
import base64
import io
import json
import re
from pathlib import Path

import jinja2
import pandas as pd
import yaml

from evidence.claims import COLUMNS, tally
from evidence.section import Cell
from evidence.tables import load_table, save_table
from groupsparse.files import provenance, read_checked, write_atomic
from report.images import open_png

TEMPLATE = Path(__file__).with_name("template.html")
NUMBER = r"[-–]?\d[\d.]*(e[-+]?\d+)?( ± [\d.]+)?( dB)?"
NUMBERS = re.compile(rf"{NUMBER}( / {NUMBER})*")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", nargs="*", default=[], help="JSON, one per experiment")
    parser.add_argument("--claims", nargs="*", default=[], help="CSV, one per experiment")
    parser.add_argument("--figures", nargs="*", default=[], help="PNG files of all sections")
    parser.add_argument(
        "--config", type=json.loads, required=True, help="config of what is on (JSON)"
    )
    parser.add_argument("--output", required=True, help="the page")
    parser.add_argument("--table", required=True, help="CSV of all claims, with their numbers")
    args = parser.parse_args()
    save_table(args.table, numbered(args.claims))
    figures = {Path(path).stem: embedded(path) for path in args.figures}
    sections = [json.loads(read_checked(path)) for path in args.sections]
    page = rendered(sections, load_table(args.table), figures, args.config)
    write_atomic(args.output, page.encode())


def numbered(paths: list[str]) -> pd.DataFrame:
    """All claims in their order, numbered from one, with every cell as it was written."""
    parts = [
        pd.read_csv(io.BytesIO(read_checked(path)), dtype=str, keep_default_na=False)
        for path in paths
    ]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    table.insert(0, "id", range(1, len(table) + 1))
    return table


def rendered(
    sections: list[dict], claims: pd.DataFrame, figures: dict[str, str], config: dict
) -> str:
    """The page as HTML; ``figures`` are base64 by name."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["cell"] = cell
    return environment.from_string(TEMPLATE.read_text()).render(
        sections=sections,
        warnings=[line for section in sections for line in section["warnings"]],
        claims=claims.to_dict("records"),
        tally=tally(claims),
        figures=figures,
        config=config,
        config_text=yaml.safe_dump(config, sort_keys=False),
        provenance=provenance(),
    )


def cell(value: Cell) -> dict:
    """A cell of a table with all that the template asks of it."""
    whole = {"span": 1, "rows": 1} | (value if isinstance(value, dict) else {"text": value})
    return whole | {"numeric": bool(NUMBERS.fullmatch(whole["text"]))}


def embedded(path: str) -> str:
    """A figure as base64 of a WebP, much smaller than its PNG: pages are mailed and committed."""
    content, image = io.BytesIO(), open_png(path)
    image.thumbnail((1200, 1200))
    image.save(content, "WEBP", quality=40, method=6)
    return base64.b64encode(content.getvalue()).decode()


if __name__ == "__main__":
    main()
