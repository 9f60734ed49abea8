"""Copy the small results of a run into the repository, with a page and a section for README.md."""

import argparse
import io
import json
import sys
from pathlib import Path

import pandas as pd
from PIL import Image

from evidence.tables import load_table
from groupsparse.files import read_checked, write_atomic
from report.commit import provenances, refusal
from report.cost import cost, machine
from report.images import open_png
from report.markdown import page, results

EVERY, EARLY = 10, 50  # epochs of a published history, which must stay small
NO_RESULTS = ("bench", "download")  # parts of the config that no result depends on
LARGE = 2**21  # bytes from which a table is large


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", required=True, help="report.html")
    parser.add_argument("--sections", nargs="+", required=True, help="JSON, one per experiment")
    parser.add_argument(
        "--tables", nargs="+", required=True, help="CSV files to copy, claims.csv among them"
    )
    parser.add_argument("--figures", nargs="+", required=True, help="PNG files to copy")
    parser.add_argument("--artefacts", nargs="*", default=[], help="files that name a commit")
    parser.add_argument("--benchmarks", required=True, help="folder of the benchmarks of the run")
    parser.add_argument("--findings", required=True, help="Markdown, written by hand")
    parser.add_argument("--config", type=json.loads, required=True, help="whole config (JSON)")
    parser.add_argument("--output", required=True, help="folder to fill")
    args = parser.parse_args()
    made_by, versions = provenances(args.artefacts)
    if reason := refusal(made_by):
        sys.exit(reason)
    run = {"run": args.config["run"], "machine": machine()} | cost(Path(args.benchmarks)) | versions
    config = {name: part for name, part in args.config.items() if name not in NO_RESULTS}
    run |= {"made_by": made_by, "config": config}
    sections = [json.loads(read_checked(path)) for path in args.sections]
    tables = {Path(path).stem: path for path in args.tables}
    claims, findings = load_table(tables["claims"]), Path(args.findings).read_text()
    files = {
        "report.html": Path(args.report).read_bytes(),
        **{f"{name}.csv": published(name, path) for name, path in tables.items()},
        **{f"figures/{Path(f).name}": palette(Path(f)) for f in args.figures},
        "run.json": (json.dumps(run, indent=2) + "\n").encode(),
        "README.md": page(run, claims, list(tables), sections, findings).encode(),
        "section.md": results(run, claims, sections, Path(args.output).name).encode(),
    }
    replace(Path(args.output), files)


def replace(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder, without checksums, and delete all others there."""
    for name, content in files.items():
        write_atomic(folder / name, content)
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()


def published(name: str, path: str) -> bytes:
    """A table as it is, or fewer epochs of a history.

    A large table goes without the column ``experiment``, which its name says.
    """
    if not name.endswith("_history"):
        content = read_checked(path)
        if len(content) <= LARGE:
            return content
        return load_table(path).drop(columns="experiment").to_csv(index=False).encode()
    return thinned(load_table(path)).to_csv(index=False).encode()


def thinned(history: pd.DataFrame, every: int = EVERY, early: int = EARLY) -> pd.DataFrame:
    """Of each curve the ``early`` epochs, every k-th, the last and that of its minimum.

    Enough for every number of the claims: starts, ends and lowest values, and the epochs at which
    the paper's curves are known, of which one is no multiple of ten and early.
    """
    curves = history.groupby(
        [c for c in history.columns if c not in ("epoch", "value")], sort=False
    )
    kept = (
        history.epoch.le(early)
        | history.epoch.mod(every).eq(0)
        | history.epoch.eq(curves.epoch.transform("max"))
        | history.index.isin(curves.value.idxmin())
    )
    return history[kept]


def palette(path: Path, colors: int = 256) -> bytes:
    """A PNG with a palette, a third of the size of the original; scales of colours stay smooth."""
    content = io.BytesIO()
    image = open_png(path).quantize(colors, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


if __name__ == "__main__":
    main()
