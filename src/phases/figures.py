"""Draw the phase diagrams, a figure for each plane."""

import argparse
import json
from pathlib import Path

from evidence import style
from evidence.options import add_figures
from evidence.tables import load_table
from phases import plots
from phases.success import runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True, help="summary/phases.csv")
    parser.add_argument("--section", type=json.loads, required=True, help="phases (JSON)")
    add_figures(parser)
    args = parser.parse_args()
    table = runs(load_table(args.table), args.section["success"])
    figures = {}
    for name in {Path(path).stem for path in args.output}:
        plane = name.removeprefix("phases_")
        figures[name] = plots.diagram(
            table[table.plane == plane], args.section["planes"][plane], args.section["model"]
        )
    style.save(figures, args.output)


if __name__ == "__main__":
    main()
