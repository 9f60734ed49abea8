"""A bad config is refused before any job, with the key and the reason; nothing drifts apart."""

import copy
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml
from config_reference import resolved
from conftest import ROOT, merged
from validate import (
    SCHEMA,
    activations,
    clustering_conditions,
    clustering_inits,
    config_errors,
    config_schema,
)

from groupsparse.autoencoder import ENCODERS
from groupsparse.datasets import DATASETS
from groupsparse.init import INITS
from groupsparse.prox import PROX
from groupsparse.training import OPTIMIZERS
from recovery.controls import CONTROLS

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
RULES = sorted(
    name
    for file in (ROOT / "workflow" / "rules").glob("*.smk")
    for name in re.findall(r"^rule (\w+):", file.read_text(), re.MULTILINE)
)


def changed(path: str, value: object) -> dict:
    """The default config with one key set."""
    *parents, last = path.split(".")
    config = copy.deepcopy(CONFIG)
    place = config
    for parent in parents:
        place = place[parent]
    place[last] = value
    return config


@pytest.mark.parametrize(
    "path",
    ["config.yaml", *(str(p.relative_to(ROOT)) for p in ROOT.glob("workflow/presets/*.yaml"))],
)
def test_the_default_config_and_every_preset_are_valid(path):
    assert config_errors(merged(CONFIG, yaml.safe_load((ROOT / path).read_text()))) == []


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("simulation.epoch", 3, "epoch"),
        ("simulation.training.lr", "1e-3", "1.0e-3"),
        ("simulation.training.epochs", 1.5, "integer"),
        ("simulation.training.epochs", 300.0, "integer"),
        ("simulation.training.epochs", 10**12, "maximum"),
        ("simulation.training.lr", float("nan"), "number"),
        ("simulation.training.lr", float("inf"), "number"),
        ("simulation.methods.sparse.lambda", float("nan"), "number"),
        ("simulation.snr_db", [10**400], "number"),
        ("seed", 2**32, "maximum"),
        ("simulation.training.optimizer", "adamw", "adamw"),
        ("simulation.methods.sparse.lambda", -1.0, "minimum"),
        ("simulation.methods.sparse.prox", "sofft", "sofft"),
        ("simulation.methods.sparse.lambada", 1.0, "lambada"),
        ("simulation.methods.oracle.control", "orakel", "orakel"),
        ("simulation.model.group_size", 0, "minimum"),
        ("simulation.model.active_groups", 501, "500 groups"),
        ("simulation.sweep.model.active_groups", 21, "20 groups"),
        ("simulation.sweep.snr_db", [], "non-empty"),
        ("simulation.model.samples", 10, "fewer samples than atoms"),
        ("simulation.model.amplitude", [5.0, 4.0], "lower bound"),
        ("simulation.inits.near.correlation", 0, "minimum"),
        ("simulation.sampling", ["frsh"], "frsh"),
        ("simulation.fixed_snr_db", [2], "not in simulation.snr_db"),
        ("simulation.fixed_snr_db", [5], "not in simulation.fixed_snr_db"),
        ("clustering.inits", ["kmeans", "labels"], "labels"),
        ("clustering.settings.digits.group_size", -4, "minimum"),
        ("clustering.methods.raw", CONFIG["clustering"]["methods"]["sparse"], "control"),
        ("clustering.centering", ["no"], "boolean"),
        ("clustering.centering", [True], "not centred"),
        ("clustering.methods.sparse.datasets", [], "non-empty"),
        ("clustering.methods.sparse.inits", ["data"], "report.baseline: sparse must run"),
        ("clustering.convergence.snapshots", [1000], "later than the last epoch"),
        ("clustering.convergence.methods", ["spars"], "spars"),
        ("report.silhouettes", ["silhouette"], "must run on digits"),
        ("datasets", ["mnits"], "mnits"),
        ("datasets", "mnist", "(write ['mnist'])"),
        ("experiments", ["clustring"], "clustring"),
        ("experiments", "theory", "(write ['theory'])"),
        ("experiments", None, "array"),
        ("theory.regimes", ["papr"], "papr"),
        ("theory.settings.paper.init", {"delta": 0.1, "correlation": 0.5}, "too many"),
        ("theory.settings.paper.measure_at", [0, 201], "training.epochs"),
        ("theory.settings.assumptions.init.delta", 2.1, "sqrt(2 d)"),
        ("theory.sweep.model.active_groups", 21, "20 groups"),
        ("report.method", "group_sparze", "group_sparze"),
        ("report.init", "spektral", "spektral"),
        ("report.snr_db", 3, "snr_db"),
        ("report.simulation_init", "afar", "afar"),
        ("simulation.inits.near.methods", ["sparze"], "sparze"),
        ("simulation.inits.near.methods", ["sparse"], "group_sparse"),
        ("simulation.methods.sparse.lambda", {"matched_to": "oracle"}, "oracle"),
        ("clustering.methods.sparse.lambda", {"matched_to": "group_sparse"}, "number"),
        ("bench.settings.unfolded.dataset", "usps2", "usps2"),
        ("bench.settings.backprop.backprop", [5, 1], "does not contain"),
        ("bench.settings.floor.active", 1.0, "maximum"),
        ("bench.settings.peers.sklearn_passes", 3, "sklearn_passes"),
        ("bench.settings.peers.plain", "unfolded", "not a shallow method"),
        ("bench.settings.shallow.model.active_groups", 501, "500 groups"),
        ("bench.settings.scale.models.samples.snr_db", None, "None"),
        ("download.mirrors", {"mnist": ["ftp://x"]}, "ftp"),
        ("download.mirrors", {"mnist": ["http://x --retries 9"]}, "retries"),
        ("run", "../elsewhere", "elsewhere"),
        ("run", "mine\n", "mine"),
        ("simulation.methods", {"a\n": {"control": "chance"}}, "match"),
        ("seed", None, "None"),
    ],
)
def test_a_bad_value_is_refused_with_its_key_and_reason(key, value, reason):
    errors = config_errors(changed(key, value))
    assert errors, "accepted"
    text = "\n".join(errors)
    assert key.rsplit(".", 1)[0].split(".")[0] in text
    assert reason in text


@pytest.mark.parametrize(
    ("key", "value"),
    [("datasets", "mnist"), ("simulation", "none"), ("simulation.inits.near.normalized", "no")],
)
def test_the_hint_on_numbers_is_given_where_a_number_is_expected(key, value):
    assert "1e-3" not in "\n".join(config_errors(changed(key, value)))
    assert "1e-3" in "\n".join(config_errors(changed("theory.settings.paper.model.snr_db", "1e1")))


def test_all_errors_are_reported_at_once():
    config = changed("simulation.training.lr", -1)
    config["clustering"]["replicates"] = 0
    assert len(config_errors(config)) == 2


def test_a_method_runs_where_its_entry_says_and_nowhere_else():
    config = changed("clustering.methods.relu.inits", ["data", "class"])
    config["clustering"]["methods"]["relu"]["centering"] = [True]
    config["clustering"]["methods"]["sparse"]["datasets"] = ["mnist"]
    config["clustering"]["inits"] = ["kmeans", "data"]
    conditions = clustering_conditions(config)
    assert [c for c in conditions if c[1] == "relu"] == [("digits", "relu", True)]
    assert clustering_inits(config, "relu") == ["data"]
    assert {c[1] for c in conditions} == {"relu", "group_sparse"}
    assert sum(c[1] == "group_sparse" for c in conditions) == 2, "everywhere"
    assert clustering_inits(config, "group_sparse") == ["kmeans", "data"]


def test_a_method_without_any_of_the_inits_does_not_run():
    config = changed("clustering.inits", ["kmeans"])
    config["clustering"]["methods"]["relu"]["inits"] = ["data"]
    assert "relu" not in {method for _, method, _ in clustering_conditions(config)}


def test_snakemake_refuses_a_bad_config_before_any_job(fresh_workflow):
    fresh_workflow.edit("workflow/presets/smoke.yaml", "lambda: 4.0", "lambda: -4.0")
    result = fresh_workflow.run(check=False)
    assert result.returncode != 0
    assert "simulation.methods.group_sparse.lambda" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert not (fresh_workflow.folder / "results").exists()


def test_the_schema_knows_exactly_what_the_library_knows():
    schema = yaml.safe_load(SCHEMA.read_text())
    definitions = schema["$defs"]
    simulation = schema["properties"]["simulation"]["properties"]
    clustering = schema["properties"]["clustering"]["properties"]
    control = simulation["methods"]["additionalProperties"]["then"]["properties"]["control"]
    assert definitions["dataset"]["enum"] == list(DATASETS)
    assert activations() == list(PROX)
    assert definitions["method"]["properties"]["encoder"]["enum"] == list(ENCODERS)
    assert definitions["optimizer"]["enum"] == list(OPTIMIZERS)
    assert clustering["inits"]["items"]["enum"] == list(INITS)
    assert control["enum"] == list(CONTROLS)


def test_the_conda_environment_has_the_pins_of_pip():
    pins = (ROOT / "envs" / "requirements.txt").read_text().splitlines()
    environment = yaml.safe_load((ROOT / "envs" / "environment.yaml").read_text())
    assert environment["dependencies"][-1]["pip"] == [p for p in pins if not p.startswith("#")]
    assert all("==" in p for p in pins if not p.startswith("#"))


def test_every_rule_is_documented():
    text = (ROOT / "workflow" / "README.md").read_text()
    assert [rule for rule in RULES if f"`{rule}`" not in text] == []


def test_the_graph_of_the_rules_is_the_one_that_snakemake_draws(tmp_path):
    command = [sys.executable, "-m", "snakemake", "all", "publish", "publish_bench"]
    command += ["-s", ROOT / "Snakefile", "--rulegraph", "mermaid-js"]
    graph = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout
    command = [sys.executable, ROOT / "workflow" / "rule_graph.py"]
    page = subprocess.run(command, input=graph, check=True, capture_output=True).stdout.decode()
    assert page == (ROOT / "workflow" / "README.md").read_text(), "make format writes it"


def properties(node: object) -> Iterator[tuple[str, dict]]:
    """Every key of a schema, wherever it is, with its part of the schema."""
    if isinstance(node, dict):
        yield from node.get("properties", {}).items()
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from properties(part)


def test_the_page_on_the_config_says_what_every_key_means():
    command = [sys.executable, "workflow/config_reference.py"]
    page = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    text = (ROOT / "config" / "README.md").read_text()
    assert text == page.stdout, "make format writes it"
    keys = list(properties(config_schema()))
    assert len(keys) > 150
    for key, node in keys:
        meaning = resolved(node).get("description")
        assert meaning, f"{key} has no description in the schema"
        assert meaning[1:] in text, f"{key}: {meaning}"


def test_editors_and_the_catalogue_find_config_and_schema():
    first = (ROOT / "config.yaml").read_text().splitlines()[0]
    assert (ROOT / first.removeprefix("# yaml-language-server: $schema=")).samefile(SCHEMA)
    assert (ROOT / "config" / "config.yaml").samefile(ROOT / "config.yaml")
    assert (ROOT / ".snakemake-workflow-catalog.yml").is_file()


def test_the_presets_in_the_documentation_are_valid():
    text = (ROOT / "workflow" / "README.md").read_text()
    presets = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert presets
    for preset in presets:
        assert config_errors(merged(CONFIG, yaml.safe_load(preset))) == []


def test_rules_share_one_stanza():
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        for stanza in re.split(r"^rule ", file.read_text(), flags=re.MULTILINE)[1:]:
            if "shell:" not in stanza:
                continue
            name = stanza.split(":")[0]
            for part in ("log:", "benchmark:", "conda:", "threads:", "resources:", "code("):
                assert part in stanza, f"rule {name} lacks {part}"
