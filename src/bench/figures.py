"""Draw the benchmarks: ratios to baselines, the floor, scaling, a stream, recovery against time."""

import argparse

import pandas as pd

from bench import plots
from bench.summary import ratios, spread, trajectories
from evidence.style import save
from evidence.tables import load_table

FIGURES = {
    "speed": lambda t: plots.speedups(ratios(t[t.device == "cpu"])),
    "speed_floor": lambda t: plots.floor(spread(t, "seconds", ("active",))),
    "speed_scale": lambda t: plots.scale(spread(t, "seconds"), spread(t, "peak_mb")),
    "speed_stream": plots.stream,
    "speed_peers": lambda t: plots.recovery(trajectories(t)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", choices=FIGURES, required=True)
    parser.add_argument("--tables", nargs="+", required=True, help="CSV files of benchmarks")
    parser.add_argument("--output", nargs="+", required=True, help="PNG and/or SVG files")
    args = parser.parse_args()
    table = pd.concat([load_table(path) for path in args.tables])
    save({args.figure: FIGURES[args.figure](table)}, args.output)


if __name__ == "__main__":
    main()
