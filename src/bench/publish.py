"""Copy the tables and figures of the benchmarks into the repository, with a page."""

import argparse
import json
from pathlib import Path

import jinja2
import pandas as pd

from bench import summary
from evidence.tables import load_table
from groupsparse.files import write_atomic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="+", required=True, help="CSV files to copy")
    parser.add_argument("--machines", nargs="+", required=True, help="their .json: where they ran")
    parser.add_argument("--figures", nargs="+", required=True, help="PNG files to copy")
    template = Path(__file__).with_name("README.md.j2")
    parser.add_argument("--template", type=Path, default=template, help="of the page")
    parser.add_argument("--config", type=json.loads, required=True, help="bench (JSON)")
    parser.add_argument("--output", required=True, help="folder to fill")
    args = parser.parse_args()
    output = Path(args.output)
    for path in map(Path, [*args.tables, *args.figures]):
        write_atomic(output / path.name, path.read_bytes())
    run = made_on([json.loads(Path(path).read_text()) for path in args.machines])
    write_atomic(output / "run.json", (json.dumps(run, indent=2) + "\n").encode())
    tables = {Path(path).stem: load_table(path) for path in args.tables}
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = environment.from_string(args.template.read_text()).render(
        run=run, config=args.config, tables=tables, summary=summary, number=number,
        interval=interval, rows=rows,
    )  # fmt: skip
    write_atomic(output / "README.md", (text.strip() + "\n").encode())


def made_on(machines: list[dict]) -> dict:
    """What the benchmarks ran on: one value of each key, or all, if they differ."""
    run = {}
    for key in machines[0]:
        values = {json.dumps(m[key]): m[key] for m in machines}
        run[key] = next(iter(values.values())) if len(values) == 1 else list(values.values())
    return run


def number(value: float, digits: int = 3) -> str:
    """Three digits: 0.0123, 1.23, 123, 12 300; scientific where that is long."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{float(f'{value:.{digits}g}'):,.10g}".replace(",", " ")
    return f"{value:.2e}"


def interval(row) -> str:
    """Median [min, max] over repetitions, or the one value there is."""
    if row.count == 1:
        return number(row.median)
    return f"{number(row.median)} [{number(row.min)}, {number(row.max)}]"


def rows(table: pd.DataFrame) -> list:
    """Rows whose columns are attributes, so that the template reads row.median."""
    return [type("Row", (), row) for row in table.to_dict("records")]


if __name__ == "__main__":
    main()
