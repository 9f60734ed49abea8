"""Examples in docstrings and on pages run, and print what they say."""

import contextlib
import doctest
import importlib
import io
import pkgutil
import re
import shlex
import subprocess
from collections.abc import Iterator
from itertools import groupby, zip_longest

import pytest
from conftest import ROOT
from snakemake.cli import parse_args

import groupsparse as gs

MODULES = sorted(m.name for m in pkgutil.iter_modules(gs.__path__))
PAGES = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
OTHERS = ["CONTRIBUTING.md", *(f"{folder}/README.md" for folder in ("workflow", "config", "data"))]
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


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


def programs(text: str) -> Iterator[tuple[str, str]]:
    """Each program of a page, at its line, with what is printed below it."""
    blocks = list(FENCE.finditer(text))
    for block, below in zip_longest(blocks, blocks[1:]):
        if block[1] == "python":
            direct = below and below[1] == "text" and not text[block.end() : below.start()].strip()
            lines = text[: block.start(2)].count("\n")
            yield "\n" * lines + block[2], below[2] if direct else ""


@pytest.mark.parametrize("page", [p for p in PAGES if "\n```python\n" in (ROOT / p).read_text()])
def test_the_programs_of_a_page_print_the_output_below_them(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some of them save files
    names = {}
    for program, printed in programs((ROOT / page).read_text()):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(program, page, "exec"), names)
        assert output.getvalue() == printed


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command in the shell blocks of a page, and of our tools in its text."""
    shell = [block[2] for block in FENCE.finditer(text) if block[1] in ("sh", "bash")]
    lines = "".join(shell).replace("\\\n", " ").splitlines()
    for line in lines + re.findall(r"`((?:make|snakemake) [^`]+)`", text):
        words = shlex.shlex(line, posix=True, punctuation_chars="&|;")
        words.whitespace_split = True
        for separator, command in groupby(words, lambda word: word in ("&&", "|", ";")):
            if not separator:
                yield list(command)


@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_the_commands_of_a_page_are_understood(page, monkeypatch):
    monkeypatch.chdir(ROOT)  # profiles are looked for here
    rules = subprocess.run(["make", "-npq", "lint"], capture_output=True, text=True).stdout
    targets = set(re.findall(r"^([\w-]+):", rules, re.MULTILINE))
    for name, *words in commands((ROOT / page).read_text()):
        if name == "make":
            assert {word for word in words if not re.match("-|\\w+=", word)} <= targets
        elif name == "snakemake":
            files = re.findall(r"(?<=[ =])(?:workflow|profiles)/\S+", " ".join([name, *words]))
            assert [file for file in files if not (ROOT / file).exists()] == []
            try:
                parse_args(words)
            except SystemExit:
                pytest.fail(f"snakemake does not understand: {shlex.join(words)}")
