"""What the tables of a published folder say again, by the code of its experiments."""

import json
import sys
from pathlib import Path
from unittest.mock import patch

from report.again import judged


def assert_published_again(folder: Path, scratch: Path) -> None:
    """Claims, page and results of a published folder are those that its tables give."""
    run = json.loads((folder / "run.json").read_text())
    with patch.object(sys, "argv", []):
        files = judged(folder, run, scratch)
    for name, content in files.items():
        assert content.decode() == (folder / name).read_text(), f"{folder.name}/{name}"
