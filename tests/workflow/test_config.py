"""A bad config is refused before any job, with the key and the reason; nothing drifts apart."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml
from config_reference import SCHEMA
from conftest import CONFIG, ROOT, changed, merged
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from validate import (
    GENERAL,
    SCHEMAS,
    activations,
    config_errors,
    config_schema,
    experiments,
    rooms,
    typed,
)
from words import resolved

from groupsparse.autoencoder import ENCODERS
from groupsparse.datasets import DATASETS
from groupsparse.init import INITS
from groupsparse.prox import PROX
from groupsparse.training import OPTIMIZERS
from recovery.controls import CONTROLS

LIMITS = merged(CONFIG, yaml.safe_load((ROOT / "workflow/presets/beyond.yaml").read_text()))
RULES = sorted(
    name
    for file in (ROOT / "workflow" / "rules").glob("*.smk")
    for name in re.findall(r"^rule (\w+):", file.read_text(), re.MULTILINE)
)


@pytest.mark.parametrize(
    "path",
    ["config.yaml", *(str(p.relative_to(ROOT)) for p in ROOT.glob("workflow/presets/*.yaml"))],
)
def test_the_default_config_and_every_preset_are_valid(path):
    errors = config_errors(merged(CONFIG, yaml.safe_load((ROOT / path).read_text())))
    missing = ["datasets.mine.file: there is no file mine.npz"]  # which the user puts there
    assert errors == (missing if path.endswith("custom.yaml") else [])


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("recovery.epoch", 3, "epoch"),
        ("recovery.training.lr", "1e-3", "write 0.001"),
        ("recovery.training.lr", "1e-7", "write 1.0e-07"),
        ("seed", "1e3", "write 1000"),
        ("recovery.training.epochs", 1.5, "integer"),
        ("recovery.training.epochs", 300.0, "integer"),
        ("recovery.training.epochs", 10**12, "maximum"),
        ("recovery.training.epochs", 10**400, "integer"),
        ("mixtures.settings.mnist.scales", 10**7, "maximum"),
        ("recovery.training.lr", float("nan"), "number"),
        ("recovery.training.lr", float("inf"), "number"),
        ("recovery.methods.sparse.lambda", float("nan"), "number"),
        ("recovery.snr_db", [10**400], "number"),
        ("seed", 2**32, "maximum"),
        ("recovery.training.optimizer", "adamw", "adamw"),
        ("recovery.methods.sparse.lambda", -1.0, "minimum"),
        ("recovery.methods.sparse.prox", "sofft", "sofft"),
        ("recovery.methods.sparse.lambada", 1.0, "lambada"),
        ("recovery.methods.oracle.control", "orakel", "orakel"),
        ("recovery.model.group_size", 0, "minimum"),
        ("recovery.sweep.snr_db", [], "non-empty"),
        ("recovery.inits.near.correlation", 0, "minimum"),
        ("recovery.sampling", ["frsh"], "frsh"),
        ("clustering.inits", ["kmeans", "labels"], "labels"),
        ("clustering.settings.digits.group_size", -4, "minimum"),
        ("clustering.centering", ["no"], "true or false"),
        ("clustering.methods.sparse.datasets", [], "non-empty"),
        ("datasets", ["mnits"], "mnits"),
        ("datasets", "mnist", "write ['mnist']"),
        ("experiments", ["clustring"], "clustring"),
        ("experiments", "theory", "write ['theory']"),
        ("experiments", None, "list of"),
        ("theory.settings.paper.init", {"delta": 0.1, "correlation": 0.5}, "too many"),
        ("bench.settings.unfolded.dataset", "usps2", "usps2"),
        ("bench.settings.backprop.backprop", [5, 1], "does not contain"),
        ("bench.settings.floor.active", 1.0, "maximum"),
        ("bench.settings.peers.sklearn_passes", 3, "sklearn_passes"),
        ("bench.settings.scale.models.samples.snr_db", None, "null"),
        ("download.mirrors", {"mnist": ["ftp://x"]}, "ftp"),
        ("download.mirrors", {"mnist": ["http://x --retries 9"]}, "retries"),
        ("run", "../elsewhere", "elsewhere"),
        ("run", "mine\n", "mine"),
        ("recovery.methods", {"a\n": {"control": "chance"}}, "letters, digits"),
        ("published", CONFIG["run"], "the page of the run itself"),
        ("seed", None, "null"),
    ],
)
def test_a_bad_value_is_refused_with_its_key_and_reason(key, value, reason):
    errors = config_errors(changed(key, value))
    assert errors, "accepted"
    text = "\n".join(errors)
    assert key.rsplit(".", 1)[0].split(".")[0] in text
    assert reason in text


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("recovery.inits.near.normalised", True,
         "there is no key 'normalised': did you mean 'normalized'?"),
        ("recovery.sweep.training.size", 3,
         "there is no key 'size': the keys here are epochs, optimizer, lr"),
        ("datasets", {"mine": "mine.npz"}, "expected mapping or null; found 'mine.npz'"),
        ("datasets", {"mine": {"file": "mine.npz", "labels": True}},
         "expected text or false; found true"),
        ("datasets", {"Mine": None},
         "expected small letters, digits and _, a letter first; found 'Mine'"),
        ("run", "a/b", "expected letters, digits, _ and -; found 'a/b'"),
        ("clustering.settings.digits.groups", "atuo",
         "expected integer from 1 or auto; found 'atuo': did you mean 'auto'?"),
        ("recovery.methods.sparse.step", "lipshitz",
         "expected lipschitz or number above 0; found 'lipshitz': did you mean 'lipschitz'?"),
        ("recovery.training.normalize", None, "expected false, true or orthonormal; found null"),
        ("seed", "abc", "expected integer from 0; found 'abc'"),
    ],
)  # fmt: skip
def test_an_error_says_what_is_expected_and_what_may_be_meant(key, value, error):
    assert [line.split(": ", 1)[1] for line in config_errors(changed(key, value))] == [error]


def test_an_unknown_activation_is_refused_with_all_that_there_are():
    (error,) = config_errors(changed("recovery.methods.sparse.prox", "group_sof"))
    assert all(name in error for name in [*activations(), "group_top_k(k)", "module:function"])
    assert error.endswith("; found 'group_sof': did you mean 'group_soft'?")


def test_a_line_break_in_a_name_does_not_break_the_line_of_its_error():
    race = {"limits": {"race": {"methods": ["a\nb"]}}}
    (error,) = config_errors(merged(LIMITS, race))
    assert error == r"limits.race.methods.0: a\nb is no method of limits.methods"


def test_keys_that_do_not_go_together_are_named():
    mine = {"basis": "oblique", "refit": True}
    errors = config_errors(merged(LIMITS, {"limits": {"methods": {"mine": mine}}}))
    assert errors == ["limits.methods.mine.refit: does not go with the other keys: leave it out"]
    errors = config_errors(merged(LIMITS, {"limits": {"methods": {"mine": {"refit": True}}}}))
    assert errors == ["limits.methods.mine: give basis, or prox and lambda"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("datasets", "mnist"), ("recovery", "none"), ("recovery.inits.near.normalized", "no"),
        ("seed", "abc"), ("seed", "nan"), ("recovery.training.lr", "fast"),
    ],
)  # fmt: skip
def test_the_hint_on_numbers_is_given_where_a_text_looks_like_one(key, value):
    assert "YAML" not in "\n".join(config_errors(changed(key, value)))
    assert "YAML" in "\n".join(config_errors(changed("theory.settings.paper.model.snr_db", "1e1")))


def test_all_errors_are_reported_at_once():
    config = changed("recovery.training.lr", -1)
    config["clustering"]["replicates"] = 0
    assert len(config_errors(config)) == 2


def test_rules_that_cross_keys_are_asked_of_the_sections_that_fit_the_schema():
    config = changed("clustering.replicates", 0)
    config["recovery"]["shown"]["init"] = "afar"
    config["datasets"] = {"digits": None, "mine": {"file": "mine.npz"}}
    assert [line.partition(": ")[0] for line in config_errors(config)] == [
        *("clustering.replicates", "datasets.mine.file", "recovery.shown.init"),
    ]
    assert len(config_errors(config | {"datasets": "digits"})) == 2, "these cross data sets"


def test_the_command_line_gives_numbers_inside_a_mapping_though_snakemake_makes_text_of_them():
    given = {"recovery": {"methods": {"sparse": {"lambda": "4.5"}, "relu": "null"}, "shown": "x"}}
    given["recovery"] |= {"snr_db": ["1", "5"], "training": {"lr": "1e-3", "normalize": "true"}}
    config = typed(merged(CONFIG, given), given)
    recovery = config["recovery"]
    assert recovery["methods"]["sparse"]["lambda"] == 4.5
    assert recovery["methods"]["relu"] is None
    assert recovery["training"]["normalize"] is True
    assert recovery["training"]["lr"] == "1e-3", "as in a file, where the error says what to write"
    assert recovery["snr_db"] == [1, 5]
    assert recovery["shown"] == "x"
    assert recovery["methods"]["group_sparse"] == CONFIG["recovery"]["methods"]["group_sparse"]
    assert typed({"run": {"a": "1"}}, {"run": {"a": "2"}}) == {"run": {"a": "1"}}, "an importer's"


def test_a_config_without_what_is_no_experiment_is_refused():
    for key in ("bench", "download", "seed"):
        config = {name: value for name, value in CONFIG.items() if name != key}
        assert f"{key!r} is missing" in "\n".join(config_errors(config))


def test_a_section_that_is_no_room_is_refused():
    (error,) = config_errors(CONFIG | {"simulation": {}, "report": {}})
    assert "there is no key 'simulation'" in error
    assert "there is no key 'report'" in error


def test_an_unknown_experiment_is_refused_in_one_line_that_lists_those_there_are():
    (error,) = config_errors(CONFIG | {"experiments": ["simulation"]})
    assert error.startswith("experiments.0: expected ")
    assert "; found 'simulation'" in error
    assert all(name in error for name in experiments())


# A room that no shared file names. Its rules cross keys, and say when it is off.
TOY = {
    "workflow/schemas/toy.schema.yaml": """
$schema: https://json-schema.org/draft/2020-12/schema
type: object
additionalProperties: false
required: [size, share]
properties:
  size: {$ref: config.schema.yaml#/$defs/count, description: how many}
  share: {$ref: "#/$defs/part", description: how much}
$defs:
  part: {type: number, minimum: 0, maximum: 1}
""",
    "src/toy/check.py": """
def is_off(config):
    return config["toy"].get("size") == 100

def inconsistencies(config):
    toy = config["toy"]
    return [] if toy["size"] * toy["share"] >= 1 else ["toy.share: nothing is left"]
""",
    "src/toy/__init__.py": "",
    "src/toy/report.py": "",
}


@pytest.fixture
def with_toy(tmp_path):
    """A copy of the repository that has one more room: what it says of configs."""
    for name in ("src", "workflow"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in TOY.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)

    def errors(*configs: dict) -> list[list[str]]:
        program = "import json, sys; from validate import config_errors; "
        program += "print(json.dumps([config_errors(config) for config in json.load(sys.stdin)]))"
        path = os.pathsep.join(str(tmp_path / name) for name in ("workflow", "src"))
        result = subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path},
            input=json.dumps(configs), capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(result.stdout)

    return errors


def test_a_new_room_is_accepted_and_checked_without_an_edit_of_a_shared_file(with_toy):
    on = {"experiments": ["toy"]}
    good, high, nan, cross, off, unlisted, unknown = with_toy(
        CONFIG | on | {"toy": {"size": 10, "share": 0.5}},
        CONFIG | on | {"toy": {"size": 10, "share": 1.5}},
        CONFIG | on | {"toy": {"size": 10.0, "share": float("nan")}},
        CONFIG | on | {"toy": {"size": 1, "share": 0.5}},
        CONFIG | on | {"toy": {"size": 100, "share": "none"}},
        CONFIG | {"toy": {"share": "none"}},
        CONFIG | {"experiments": ["toys"]},
    )
    assert good == unlisted == []
    assert high == ["toy.share: 1.5 is greater than the maximum of 1"]
    assert len(nan) == 2, "integers and numbers mean in every file what they mean in the first"
    assert cross == ["toy.share: nothing is left"]
    assert off == ["experiments: nothing to run: every experiment is left out or empty"]
    assert unknown[0].endswith("found 'toys': did you mean 'toy'?")


@pytest.mark.parametrize("room", rooms())
def test_schema_section_rules_and_sources_of_a_room_have_one_name(room):
    assert room in CONFIG
    assert (ROOT / "src" / room / "__init__.py").is_file()
    assert (ROOT / "workflow" / "rules" / f"{room}.smk").is_file()
    assert room in yaml.safe_load((SCHEMAS / GENERAL).read_text())["properties"], "for editors"


def test_every_experiment_is_in_exactly_one_published_run():
    assert set(experiments()) <= set(rooms())
    named = re.search(r"^PRESETS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    files = [ROOT / f"workflow/presets/{preset}.yaml" for preset in named[1].split()]
    published = [name for file in files for name in yaml.safe_load(file.read_text())["experiments"]]
    assert sorted(published) == experiments()
    assert set(CONFIG["experiments"]) < set(experiments())


def test_checking_a_config_imports_nothing_heavy():
    program = "import json, sys; from validate import config_errors; "
    program += "assert config_errors(json.load(sys.stdin)) == []; "
    program += "assert not {'torch', 'pandas', 'numpy'} & set(sys.modules)"
    path = os.pathsep.join(str(ROOT / name) for name in ("workflow", "src"))
    subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path},
        input=json.dumps(CONFIG), text=True, check=True,
    )  # fmt: skip


def test_snakemake_refuses_a_bad_config_before_any_job(fresh_workflow):
    lower = "recovery={methods: {group_sparse: {lambda: -4.0}}}"
    result = fresh_workflow.run("--config", lower, check=False)
    assert result.returncode != 0
    refusal = "recovery.methods.group_sparse.lambda: -4.0 is less than the minimum of 0"
    assert refusal in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert not (fresh_workflow.folder / "results").exists()


def test_the_schema_knows_exactly_what_the_library_knows():
    schema = config_schema()
    definitions = schema["$defs"]
    recovery = schema["properties"]["recovery"]["properties"]
    control = recovery["methods"]["additionalProperties"]["then"]["properties"]["control"]
    assert definitions["dataset"]["enum"] == list(DATASETS)
    assert activations() == list(PROX)
    assert definitions["method"]["properties"]["encoder"]["enum"] == list(ENCODERS)
    assert definitions["optimizer"]["enum"] == list(OPTIMIZERS)
    assert definitions["inits"]["items"]["enum"] == list(INITS)
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
    command = [sys.executable, "-m", "snakemake", "all", "publish", "bench_publish"]
    command += ["-s", ROOT / "Snakefile", "--rulegraph", "mermaid-js"]
    graph = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout
    command = [sys.executable, ROOT / "workflow" / "rule_graph.py"]
    page = subprocess.run(command, input=graph, check=True, capture_output=True).stdout.decode()
    assert page == (ROOT / "workflow" / "README.md").read_text(), "make format writes it"


def properties(node: object) -> Iterator[tuple[str, dict]]:
    """Every key of a schema, wherever it is, with its part of the schema."""
    if isinstance(node, dict):
        # {not: {}} is the schema of a key that must not be there.
        yield from (item for item in node.get("properties", {}).items() if "not" not in item[1])
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
        meaning = resolved(node, SCHEMA).get("description")
        assert meaning, f"{key} has no description in the schema"
        assert meaning[1:] in text, f"{key}: {meaning}"


def test_editors_and_the_catalogue_find_config_and_schema():
    first = (ROOT / "config.yaml").read_text().splitlines()[0]
    assert (ROOT / first.removeprefix("# yaml-language-server: $schema=")).samefile(
        SCHEMAS / GENERAL
    )
    assert (ROOT / "config" / "config.yaml").samefile(ROOT / "config.yaml")
    assert (ROOT / ".snakemake-workflow-catalog.yml").is_file()


# A key of every room that must be positive.
COUNTS = {
    "bench": "threads", "readings": "curves.training.epochs", "discovery": "starts.replicates",
    "learners": "cases.small.replicates", "mixtures": "settings.digits.replicates",
}  # fmt: skip


def test_an_editor_follows_the_references_from_one_schema_to_another():
    schemas = {path.name: yaml.safe_load(path.read_text()) for path in SCHEMAS.iterdir()}
    registry = Registry().with_resources(
        (name, Resource.from_contents(schema)) for name, schema in schemas.items()
    )
    editor = Draft202012Validator(schemas[GENERAL], registry=registry)
    assert not list(editor.iter_errors(CONFIG))
    for room in rooms():
        key = f"{room}.{COUNTS.get(room, 'replicates')}"
        (error,) = editor.iter_errors(changed(key, -1))
        assert list(error.absolute_path) == key.split(".")


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
