"""What goes beyond the paper, end to end on small sizes: the run, its page, what it publishes."""

import html
import json
import shutil

import pandas as pd
import pytest
import yaml
from conftest import ROOT, Workflow, job_counts
from recomputed import assert_published_again

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="a run without git names no commit")
BEYOND = yaml.safe_load((ROOT / "workflow/presets/beyond.yaml").read_text())
NAMES = ",".join(BEYOND["experiments"])
OPTIONS = "--config", f"experiments=[{NAMES}]", "published=published-beyond"


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Workflow:
    workflow = Workflow(tmp_path_factory.mktemp("beyond"))
    workflow.commit()
    workflow.run(*OPTIONS, forked=True)
    return workflow


def test_every_experiment_is_on_the_page_with_claims_that_are_ours(finished):
    page = (finished.folder / "reports/smoke/report.html").read_text()
    claims = pd.read_csv(finished.folder / "results/smoke/summary/claims.csv")
    assert set(claims.experiment) == set(BEYOND["experiments"])
    assert not claims.paper.any()
    assert "Verdicts on our own claims" in page
    for name in BEYOND["experiments"]:
        section = json.loads((finished.folder / f"results/smoke/{name}/section.json").read_text())
        assert section["title"] in html.unescape(page)
        assert section["question"] in html.unescape(page)


def test_a_second_run_has_nothing_to_do(finished):
    assert finished.planned(*OPTIONS) == {}


def test_it_is_published_beside_the_paper_and_recomputed_from_what_is_published(finished, tmp_path):
    run = finished.run("publish", *OPTIONS)
    assert job_counts(run.stdout + run.stderr) == {"publish": 1}, "the run has made the rest"
    folder = finished.folder / "reports/published-beyond"
    assert_published_again(folder, tmp_path)
    assert not (finished.folder / "reports/published").exists()
    text = (folder / "section.md").read_text()
    assert "[reports/published-beyond](reports/published-beyond/README.md)" in text
    assert "tests of our own claims" in text
