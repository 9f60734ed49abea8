"""Refuse a bad config before any job starts, naming every wrong key and the reason.

No experiment is named here. A room is a section of the config with a schema of its name in
schemas/; it is an experiment if it has src/<room>/report.py. Rules that cross keys are in
src/<room>/check.py: ``inconsistencies(config)``, which gives lines ``key: reason``, and, where a
section can be empty in other ways, ``is_off(config)``.
"""

import math
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from words import reason

SCHEMAS = Path(__file__).parent / "schemas"
SOURCES = Path(__file__).parents[1] / "src"
GENERAL = "config.schema.yaml"
NULLABLE = ("methods", "runs", "shown")  # parts of a section whose entries may be null


def config_errors(config: dict) -> list[str]:
    """All reasons why this config cannot be run, as ``key: reason``; empty when it can.

    Experiments that are off are not checked.
    """
    config = selected(meant(config))
    given = config.get("datasets")
    own = tuple(map(str, given)) if isinstance(given, dict) else ()
    validator = _validator(own)
    errors = list(validator.iter_errors(config))
    found = sorted(f"{_path(e)}: {reason(e, validator.schema)}" for e in errors)
    found += _inconsistencies(config, {next(iter(e.absolute_path), "") for e in errors})
    # One line each, whatever is in the user's text.
    return [line if line.isprintable() else repr(line)[1:-1] for line in found]


def typed(config: dict, given: dict) -> dict:
    """The config with what the command line gave, ``given``, as YAML reads it.

    Snakemake makes text of every value inside a mapping or list there.
    """
    found = dict(config)
    for key in given.keys() & config.keys():
        if isinstance(given[key], dict) and isinstance(config[key], dict):
            found[key] = typed(config[key], given[key])
        elif given[key] == config[key]:
            found[key] = _read(given[key])
    return found


def _read(value: object) -> object:
    if isinstance(value, list):
        return [_read(part) for part in value]
    with suppress(yaml.YAMLError, ValueError):
        read = yaml.safe_load(value) if isinstance(value, str) else value
        return read if isinstance(read, int | float | None) else value
    return value


def meant(config: dict) -> dict:
    """The config with what it leaves to be found: what is null in :data:`NULLABLE` is left out, and
    entries of data sets say whether they have labels.
    """
    found = import_module("data.entries").told(config)
    for name, section in found.items():
        for part in NULLABLE:
            entries = section.get(part) if isinstance(section, dict) else None
            if isinstance(entries, dict):
                kept = {key: entry for key, entry in entries.items() if entry is not None}
                section = section | {part: kept}
        found = found | {name: section}
    return found


def selected(config: dict) -> dict:
    """The config without the experiments that are off.

    An experiment is off if ``experiments`` does not list it, if its section is empty or missing, or
    if its check.py says so.
    """
    known, listed = experiments(), config.get("experiments")
    if not isinstance(listed, list):  # the schema refuses it
        listed = known
    off = {
        name
        for name in known
        if name not in listed
        or config.get(name) in (None, {})
        or _rule(name, "is_off", lambda config: False)(config)
    }
    return {key: value for key, value in config.items() if key not in off}


@cache
def experiments() -> list[str]:
    """Names of the experiments: rooms that deliver something to the report."""
    return sorted(path.parent.name for path in SOURCES.glob("*/report.py"))


@cache
def rooms() -> list[str]:
    """Names of the sections of the config that have a schema of their own."""
    names = [path.name.removesuffix(".schema.yaml") for path in SCHEMAS.glob("*.schema.yaml")]
    return sorted(name for name in names if f"{name}.schema.yaml" != GENERAL)


def config_schema() -> dict:
    """One schema made of the general one, those of the rooms, and the names that the code has."""
    schema = _loaded(GENERAL)
    for room in rooms():
        section = _loaded(f"{room}.schema.yaml")
        section.pop("$schema", None)  # jsonschema would take its own types from here on
        parts = section.pop("$defs", {})
        if twice := parts.keys() & schema["$defs"].keys():
            raise ValueError(f"{room}.schema.yaml defines {sorted(twice)}, as another schema does")
        schema["$defs"] |= parts
        schema["properties"][room] = section
    schema["properties"]["experiments"]["items"] = {"enum": experiments()}
    schema["$defs"]["activation"]["anyOf"][0] = {"enum": activations()}
    return schema


def activations() -> list[str]:
    """Names of the library's activations, read off their source: importing torch takes seconds."""
    text = (SOURCES / "groupsparse" / "prox.py").read_text()
    return re.findall(r'^@activation\(\s*"(\w+)"', text, re.MULTILINE)


def _loaded(name: str) -> dict:
    # libyaml's, where it is installed, takes a tenth of the time.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _merged_refs(loader((SCHEMAS / name).read_text()).get_single_data())


def _merged_refs(node: object) -> object:
    """A schema whose references to the general one point into the whole that it is part of."""
    if isinstance(node, list):
        return [_merged_refs(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        key: part.removeprefix(GENERAL) if key == "$ref" else _merged_refs(part)
        for key, part in node.items()
    }


@cache
def _validator(datasets: tuple[str, ...]) -> Draft202012Validator:
    """The schema's; ``datasets`` have names beside those that are built in."""
    # JSON Schema counts 12.0 among the integers, and neither it nor a bound refuses NaN. A bound
    # is not looked at where a value is no number: an integer must be one.
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int and _finite(value),
            "number": lambda _, value: _finite(value),
        }
    )
    kind = extend(Draft202012Validator, type_checker=types)
    schema = config_schema()
    for name in ("dataset", "dataset_or_default"):
        known = schema["$defs"][name]["enum"]
        schema["$defs"][name] = {"enum": list(dict.fromkeys([*known, *datasets]))}
    return kind(schema)


def _finite(value: object) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:  # an integer too large for a float
        return False


def _path(error) -> str:
    return ".".join(map(str, error.absolute_path)) or "config"


def _inconsistencies(config: dict, refused: set[str]) -> list[str]:
    """What crosses keys, where the schema has refused none of them: outside of some sections."""
    if not refused <= set(rooms()):
        return []
    if not any(name in config for name in experiments()):
        return ["experiments: nothing to run: every experiment is left out or empty"]
    # The room of the data sets, whose key has another name.
    errors = _rule("data", "inconsistencies", lambda config: [])(config)
    errors += [
        f"{path}: there is no module {module!r}, neither here nor installed"
        for path, module in _modules(config)
        if not (Path(*module.split(".")).with_suffix(".py").exists() or _installed(module))
    ]
    if config["published"] == config["run"]:
        errors.append("published: the page of the run itself is in that folder below reports/")
    for room in rooms():
        if room in config and room not in refused:
            errors += _rule(room, "inconsistencies", lambda config: [])(config)
    return errors


def _modules(node: object, path: str = "") -> list[tuple[str, str]]:
    """Modules of the user's that a config names for activations and data, with their keys."""
    if isinstance(node, str) and path.endswith((".prox", ".load")) and ":" in node:
        return [(path.removeprefix("."), node.partition(":")[0])]
    if isinstance(node, list):
        return [pair for part in node for pair in _modules(part, path)]
    parts = node.items() if isinstance(node, dict) else ()
    return [pair for key, part in parts for pair in _modules(part, f"{path}.{key}")]


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


def _rule(room: str, name: str, default: Callable) -> Callable:
    """A function of a room's check.py, or the default where the room has none."""
    if not (SOURCES / room / "check.py").exists():
        return default
    return getattr(import_module(f"{room}.check"), name, default)
