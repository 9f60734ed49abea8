"""The published pages of a run of one replicate do not speak of a spread."""

import jinja2
import pytest
from conftest import ROOT


@pytest.mark.parametrize("template", ["results", "section"])
@pytest.mark.parametrize(("count", "words"), [(1, "one replicate:"), (3, "of 3 replicates:")])
def test_the_published_pages_name_the_replicates(template, count, words):
    config = {
        "recovery": {
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
