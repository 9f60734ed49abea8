"""Assemble the report: one self-contained page of what the experiments deliver, and all claims."""

import argparse
import base64
import io
import json
import re
from itertools import takewhile
from pathlib import Path

import jinja2
import pandas as pd
import yaml

from evidence.claims import COLUMNS
from evidence.section import Cell
from evidence.tables import load_table, save_table
from groupsparse.files import provenance, read_checked, write_atomic
from report.claims import anchor, grouped
from report.images import open_png
from report.lead import findings, key_figure, of_the_paper, verdicts
from report.terms import link_terms, terms

HERE = Path(__file__).parent
NUMBER = r"[-–]?\d[\d.]*(e[-+]?\d+)?( ± [\d.]+)?( dB)?"
NUMBERS = re.compile(rf"{NUMBER}( / {NUMBER})*")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", nargs="*", default=[], help="JSON, one per experiment")
    parser.add_argument("--claims", nargs="*", default=[], help="CSV, one per section")
    parser.add_argument("--figures", nargs="*", default=[], help="PNG files of all sections")
    parser.add_argument(
        "--config", type=json.loads, required=True, help="config of what is on (JSON)"
    )
    parser.add_argument("--provenance", type=json.loads, default=provenance(), help="versions")
    parser.add_argument("--output", required=True, help="the page")
    parser.add_argument("--table", required=True, help="CSV of all claims, with their numbers")
    args = parser.parse_args()
    save_table(args.table, numbered(args.claims))
    figures = {Path(path).stem: embedded(path) for path in args.figures}
    sections = [json.loads(read_checked(path)) for path in args.sections]
    table, sizes = load_table(args.table), [len(load_table(path)) for path in args.claims]
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    claims = [table[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    page = rendered(sections, claims, figures, args.config, args.provenance)
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
    sections: list[dict], claims: list[pd.DataFrame], figures: dict, config: dict, made_by: dict
) -> str:
    """The page as HTML, from sections and the claims of each; ``figures`` are base64 by name."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"cell": cell, "anchor": anchor}
    counts = verdicts(claims, sections) if any(map(len, claims)) else None
    known = terms()
    linked = [link_terms(arranged(*pair), known) for pair in zip(sections, claims, strict=True)]
    used = set().union(*(used for _, used in linked))
    return environment.from_string((HERE / "template.html").read_text()).render(
        sections=[
            section | {"counts": [] if counts is None else counts.iloc[i].tolist()}
            for i, (section, _) in enumerate(linked)
        ],
        warnings=[line for section in sections for line in section["warnings"]],
        findings=findings(sections),
        key=key_figure(sections),
        counts=counts,
        paper=not claims or of_the_paper(pd.concat(claims)),
        known=list(dict.fromkeys(verdict for each in claims for verdict in each.verdict)),
        terms=[term for term in known if term.id in used],
        figures=figures,
        config=config,
        config_text=yaml.safe_dump(config, sort_keys=False),
        provenance=made_by,
        style=(HERE / "style.css").read_text(),
        script=(HERE / "page.js").read_text(),
    )


def arranged(section: dict, claims: pd.DataFrame) -> dict:
    """A section as the page has it: its first paragraphs, its claims, and what it shows."""
    blocks = section["blocks"]
    opening = list(takewhile(lambda block: block["kind"] == "text", blocks))
    slug = re.sub(r"\W+", "-", section["title"].lower()).strip("-")
    return section | {
        "slug": slug, "opening": opening, "shown": blocks[len(opening):],
        "claims": grouped(claims, blocks),
    }  # fmt: skip


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
