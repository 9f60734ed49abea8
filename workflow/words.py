"""What the schemas accept, and what is wrong with a value, in words."""

import math
import reprlib
from difflib import get_close_matches

import yaml

BOUNDS = {
    "minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below",
}  # fmt: skip
KINDS = {"object": "mapping", "string": "text", "array": "list"}
SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 60


def resolved(node: dict, schema: dict) -> dict:
    """A part of the schema with what it refers to; its own entries win."""
    while "$ref" in node:
        target = schema
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target | {key: value for key, value in node.items() if key != "$ref"}
    return node


def shared(node: dict, schema: dict) -> str | None:
    """The name of a definition with keys of its own."""
    prefix, _, name = node.get("$ref", "").rpartition("/")
    return name if prefix == "#/$defs" and "properties" in resolved(node, schema) else None


def values(node: dict, schema: dict, linked: bool = False) -> str:
    """Which values a part of the schema accepts; ``linked``: as a link to what is shared."""
    if linked and (name := shared(node, schema)):
        return f"as in [{name}](#{name})"
    node = resolved(node, schema)
    if "anyOf" in node and "properties" not in node:
        return _either([values(part, schema, linked) for part in node["anyOf"]])
    if "title" in node:
        return node["title"]
    if "enum" in node:
        return _either([f"`{shown(value, str)}`" for value in node["enum"]])
    if "else" in node:
        return values(node["else"], schema, linked) + " or a mapping"
    kind = node.get("type", "another value")
    if kind == "array" and "items" in node:
        return f"list of: {values(node['items'], schema, linked)}"
    if kind == "boolean":
        return "`true` or `false`"
    text = " or ".join(KINDS.get(k, k) for k in ([kind] if isinstance(kind, str) else kind))
    for bound, word in BOUNDS.items():
        if abs(node.get(bound, math.inf)) < 10**9:  # that of a count only catches slips
            text += f" {word} {node[bound]}"
    return text


def _either(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def reason(error, schema: dict) -> str:
    """What is wrong with a value, what is expected in its place, and what may be meant."""
    value, kind, wanted = error.instance, error.validator, error.validator_value
    if kind == "additionalProperties":
        known = list(error.schema.get("properties", ()))
        return "; ".join(_unknown(key, known) for key in value if key not in known)
    if kind == "required":
        return error.message.replace("is a required property", "is missing")
    if kind == "dependentRequired":
        return error.message.replace("is a dependency of", "is missing, which goes with")
    if kind == "not":  # {not: {}} is the schema of a key that must not be there
        return "does not go with the other keys: leave it out"
    if kind in ("anyOf", "oneOf") and all("required" in part for part in wanted):
        sets = ", or ".join(" and ".join(part["required"]) for part in wanted)
        return f"give {sets}"
    if kind == "contains":
        return f"{SHORT.repr(value)} does not contain {values(wanted, schema)}"
    if kind == "maxProperties":
        return f"too many keys: {', '.join(map(repr, value))}; at most {wanted}"
    if kind == "anyOf" and type(value) in (int, float):
        bounds = [e.message for e in error.context if e.validator in BOUNDS]
        if bounds:
            return bounds[0]
    if kind in ("type", "enum", "anyOf", "pattern"):
        expected = values(error.schema, schema).replace("`", "")
        return f"expected {expected}; found {shown(value)}{_hint(error, schema)}"
    return error.message


def shown(value: object, text=SHORT.repr) -> str:
    """A value as one writes it in YAML, in short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return text(value)


def _unknown(key: object, known: list[str]) -> str:
    near = get_close_matches(str(key), known, 1)
    meant = f"did you mean {near[0]!r}?" if near else f"the keys here are {', '.join(known)}"
    return f"there is no key {key!r}: {meant}"


def _hint(error, schema: dict) -> str:
    """What may be meant by a text, or nothing."""
    text = error.instance
    if not isinstance(text, str):
        return ""
    parts = [resolved(part, schema) for part in [error.schema, *error.schema.get("anyOf", ())]]
    kinds = {kind for part in parts for kind in _kinds(part)}
    if "array" in kinds:
        return f": write [{text!r}]"
    if kinds & {"number", "integer"} and (number := _number(text)) is not None:
        return f": YAML reads this as text, write {number}"
    names = [name for part in parts for name in part.get("enum", ()) if isinstance(name, str)]
    near = get_close_matches(text, names, 1)
    return f": did you mean {near[0]!r}?" if near else ""


def _kinds(part: dict) -> list[str]:
    kind = part.get("type", [])
    return [kind] if isinstance(kind, str) else kind


def _number(text: str) -> str | None:
    """A text that looks like a finite number, as YAML reads it as one."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    whole = number.is_integer() and abs(number) < 2**53
    return yaml.safe_dump(int(number) if whole else number).split()[0]
