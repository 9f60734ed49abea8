"""A run of one replicate makes the page, and no text of it speaks of a spread."""

import re

import jinja2
import pandas as pd
import pytest
from conftest import ROOT, Workflow


@pytest.fixture(scope="module")
def single(tmp_path_factory) -> Workflow:
    """A small run in which every experiment has one replicate."""
    workflow = Workflow(tmp_path_factory.mktemp("single"))
    preset = workflow.folder / "workflow/presets/smoke.yaml"
    text = re.sub(r"(^|[\s{])replicates: 2", r"\1replicates: 1", preset.read_text())
    # Theory has its number in config.yaml alone.
    preset.write_text(text.replace("\ntheory:\n", "\ntheory:\n  replicates: 1\n"))
    assert text.count("replicates: 1") == 3
    workflow.run()
    return workflow


def shown(workflow: Workflow) -> str:
    """What the page says, without images, tags and the configuration."""
    page = (workflow.folder / "reports/smoke/report.html").read_text()
    page = re.sub(r'src="data:[^"]*"|<style.*?</style>', "", page, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", page).split("Configuration")[0]


def test_a_run_of_one_replicate_ends_with_a_page_without_a_spread(single):
    text = shown(single)
    assert "One replicate" in text
    assert not re.search(r"\bnan\b|\b1 replicates|all 1\b", text)
    table = pd.read_csv(single.folder / "reports/smoke/tables/table1.csv")
    assert (table.replicates == 1).all()
    assert table.acc_mean.notna().all()
    assert table.acc_std.isna().all()


def test_every_caption_of_one_replicate_says_so(single, tmp_path):
    single.run("--report", str(tmp_path / "report.html"))
    text = (tmp_path / "report.html").read_text()
    assert "one replicate" in text
    assert "1 replicates" not in text


@pytest.mark.parametrize("template", ["results", "section"])
@pytest.mark.parametrize(("count", "words"), [(1, "one replicate:"), (3, "of 3 replicates:")])
def test_the_published_pages_name_the_replicates(template, count, words):
    config = {
        "simulation": {
            "model": {"n": 1, "groups": 1, "group_size": 1, "samples": 1},
            "training": {"epochs": 1},
            "replicates": count,
        },
        "clustering": {
            "replicates": count,
            "settings": {"mnist": {"training": {"epochs": 1}}},
        },
        "datasets": [],
    }
    spread = "nan" if count == 1 else "0.1"
    number = lambda *args, **options: f"7.0 ± {spread}"  # noqa: E731
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True)
    text = environment.from_string((ROOT / f"reports/{template}.md.j2").read_text()).render(
        config=config,
        simulated=number,
        accuracy=number,
        paper=lambda *args: "",
        verdicts={"holds": 1},
        run={"commit": [], "machine": "", "job_minutes": 0, "wall_minutes": 0, "peak_memory_mb": 0},
    )
    assert words in " ".join(text.split())
    assert "nan" not in text
    assert ("± 0.1" in text) == (count > 1)
