"""Command-line options that scripts of several rooms share, declared once."""

import argparse
import gc
import json

SHARED = {
    "--replicates": {"type": int, "required": True, "help": "how many, each with its seeds"},
    "--seed": {"type": int, "required": True, "help": "root seed"},
    "--device": {"default": "auto", "help": "auto, cpu or cuda"},
    "--precision": {"default": "float32", "help": "float32, tf32 or bfloat16"},
    "--threads": {"type": int, "default": 1, "help": "CPU threads"},
    "--shown": {
        "type": json.loads,
        "required": True,
        "help": "what the figures show: the room's section shown (JSON)",
    },
}


def add_options(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add shared options, by name and in the order given."""
    packages_stay()
    for name in names:
        parser.add_argument(name, **SHARED[name])


def add_figures(parser: argparse.ArgumentParser) -> None:
    """Add ``--output``, the files of a script that draws."""
    packages_stay()
    parser.add_argument(
        "--output", nargs="+", required=True, help="PNG and/or SVG files named after the figures"
    )


def packages_stay() -> None:
    """Spare Python the search for garbage in the imported packages: half a second of every job."""
    gc.freeze()
