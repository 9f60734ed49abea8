"""Methods have one name for readers, wherever they meet it."""

import subprocess
import sys

from conftest import ROOT

from evidence.names import NAMES, method_name


def test_a_method_without_a_name_for_readers_keeps_its_own():
    assert method_name("group_sparse") == NAMES["group_sparse"] != "group_sparse"
    assert method_name("my_method") == "my_method"


def test_names_wait_for_no_drawing_and_no_training():
    script = (
        "import sys, evidence.names, evidence.claims, evidence.section; "
        "sys.exit(any(name in sys.modules for name in ('matplotlib', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT / "src").returncode == 0
