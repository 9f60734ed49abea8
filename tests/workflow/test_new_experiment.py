"""A made-up experiment: its folder, rules file, schema and config, and no edit of a shared file."""

import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from conftest import Workflow, snakemake

TOY = Path(__file__).parent / "toy"


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Workflow:
    """A finished run of the made-up experiment beside the sweep of the theory."""
    workflow = Workflow(tmp_path_factory.mktemp("toy"))
    before = {p: p.read_bytes() for p in workflow.folder.rglob("*") if p.is_file()}
    shutil.copytree(TOY, workflow.folder, dirs_exist_ok=True)
    assert all(p.read_bytes() == content for p, content in before.items()), "it replaces no file"
    for arguments in ([], ["--report", "snakemake.html"]):
        result = snakemake(
            "--cores", "2", *arguments, "--configfile", "workflow/presets/smoke.yaml", "toy.yaml",
            cwd=workflow.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            forked=not arguments,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout
    return workflow


def test_its_section_is_on_the_page_in_the_order_of_the_config(toy):
    page = (toy.folder / "reports/smoke/report.html").read_text()
    assert "A coin is tossed 1000 times." in page
    assert 'id="toy_heads"' in page
    assert "Share of heads of every replicate." in page
    assert page.index("A toy experiment</h2>") < page.index("Theory, measured</h2>")


def test_its_claim_is_judged_among_the_others(toy):
    claims = pd.read_csv(toy.folder / "results/smoke/summary/claims.csv")
    assert list(claims.id) == list(range(1, len(claims) + 1))
    (own,) = claims[claims.experiment == "toy"].itertuples()
    assert (own.claim, own.verdict, own.seeds) == ("The coin is fair", "holds", 3)
    assert "theory" in set(claims.experiment)


def test_its_figure_is_in_the_report_of_snakemake(toy):
    report = (toy.folder / "snakemake.html").read_text()
    assert '"figure": "toy_heads"' in report
    assert "A coin tossed 1000 times." in report


def test_its_section_is_plain_data(toy):
    section = json.loads((toy.folder / "results/smoke/toy/section.json").read_text())
    assert [block["kind"] for block in section["blocks"]] == ["text", "figure", "table"]
