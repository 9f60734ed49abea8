"""What the tables of a published folder say again, by the code of its experiments."""

import importlib
import json
import sys
from pathlib import Path
from unittest.mock import patch

from report.again import judged


def assert_published_again(folder: Path, scratch: Path) -> None:
    """Claims, page and results of a published folder are those that its tables give."""
    run = json.loads((folder / "run.json").read_text())
    for name, content in judged(folder, run, scratch, in_this_process).items():
        assert content.decode() == (folder / name).read_text(), f"{folder.name}/{name}"


def in_this_process(module: str, arguments: list[str]) -> None:
    """Run a script without another Python, which would take seconds."""
    with patch.object(sys, "argv", [module, *arguments]):
        importlib.import_module(module).main()
