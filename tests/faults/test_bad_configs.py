"""Any config gives a plan, or errors of one line each that name the key."""

import os
import subprocess
import sys

import pytest
import yaml
from conftest import FULL, merged
from faults import SEED, SMOKE, generator, mutated_configs
from hypothesis import HealthCheck, Phase, given, seed, settings
from validate import config_errors

EXAMPLES, PLANNED = (2000, 12) if FULL else (300, 1)
# Numbers whose text is not that of a plain decimal.
ODD = merged(SMOKE, {"recovery": {"snr_db": [1e-7, -2.5e-5], "shown": {"snr_db": 1e-7}}})


@pytest.fixture(scope="module")
def judged() -> list[tuple[dict, list[str]]]:
    """Mutated configs and what is wrong with each."""
    found = []

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated_configs())
    def judge(config):
        found.append((config, config_errors(config)))

    judge()
    return found


@pytest.mark.fault(
    "a config with entries replaced, removed, added, scaled or swapped",
    "accepted, or refused in lines that name the key and the reason",
)
def test_a_mutated_config_is_accepted_or_refused_in_lines_that_name_the_key(
    judged, record_property
):
    record_property("trials", len(judged))
    assert len(judged) >= EXAMPLES
    assert any(config != SMOKE and not errors for config, errors in judged)
    for _, errors in judged:
        for error in errors:
            key, colon, reason = error.partition(": ")
            assert key
            assert colon
            assert reason
            assert error.isprintable(), "one line"


def plan(workflow, config: dict) -> subprocess.CompletedProcess:
    """A dry run with this config and no preset."""
    text = yaml.safe_dump(config, sort_keys=False)  # errors show mappings in their order
    (workflow.folder / "config.yaml").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1"],
        cwd=workflow.folder,
        env={**os.environ, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


@pytest.mark.fault("snakemake -n on such a config", "a plan, or these lines and no traceback")
def test_snakemake_plans_what_is_accepted_and_shows_what_is_wrong(
    judged, fresh_workflow, record_property
):
    random = generator("plans")
    accepted = [config for config, errors in judged if not errors and config != SMOKE]
    refused = [config for config, errors in judged if errors]
    chosen = []
    for group in (accepted, refused):
        chosen += [group[i] for i in random.permutation(len(group))[:PLANNED]]
    for config in [ODD, *chosen]:
        result, errors = plan(fresh_workflow, config), config_errors(config)
        assert (result.returncode == 0) == (not errors), result.stdout
        assert all(error in result.stdout for error in errors), (errors, result.stdout)
        assert errors or "Job stats" in result.stdout
        assert "Traceback" not in result.stdout
    assert not (fresh_workflow.folder / "results").exists()
    record_property("trials", 1 + len(chosen))
