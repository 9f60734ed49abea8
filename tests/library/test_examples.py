"""Examples in docstrings and in the README run, and print what they say."""

import contextlib
import doctest
import importlib
import io
import pkgutil
import re

import pytest
from conftest import ROOT

import groupsparse as gs

MODULES = sorted(m.name for m in pkgutil.iter_modules(gs.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_print_what_they_say(name):
    module = importlib.import_module(f"groupsparse.{name}")
    result = doctest.testmod(module)
    assert result.failed == 0


def test_the_public_functions_of_the_core_have_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in ("Autoencoder", "train", "initialize", "group_soft_threshold", "squared_error",
                 "invariant_squared_error", "lambda_max"):  # fmt: skip
        assert any(t.examples for t in finder.find(getattr(gs, name), name)), name


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/recover.md",
        "docs/choose.md",
        "docs/cluster-images.md",
        "docs/find-events.md",
    ],
)
def test_the_example_of_a_page_prints_the_output_below_it(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # one of them saves a model
    text = (ROOT / page).read_text()
    program, printed = re.search(r"```python\n(.*?)```\n+```text\n(.*?)```", text, re.S).groups()
    output, names = io.StringIO(), {}
    with contextlib.redirect_stdout(output):
        exec(compile(program, page, "exec"), names)
        for more in re.findall(r"```python\n(.*?)```", text, re.S)[1:]:
            exec(compile(more, page, "exec"), names)
    assert output.getvalue() == printed
