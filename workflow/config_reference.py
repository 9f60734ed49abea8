"""What every key of the config means, as Markdown, read off its schemas.

``make format`` writes it: python workflow/config_reference.py > config/README.md.
"""

import math
from collections.abc import Iterator

from validate import config_schema, experiments

SCHEMA = config_schema()
INTRODUCTION = """# Configuration

[`config.yaml`](../config.yaml) states every number of the default run. A preset
(`--configfile workflow/presets/<name>.yaml`) states what differs: it is merged over `config.yaml`.
[Leaving things out](../workflow/README.md#leaving-things-out) says how to run a part.
A config that cannot be run is refused before any job, with a line for every wrong key.

`snakemake -s <repository>/Snakefile` leaves its results in the folder in which it is called. A
`config.yaml` there replaces that of the repository. Another workflow imports this one, and says
where its files go:

```python
module groupsparse:
    snakefile: "<repository>/Snakefile"
    config: config["groupsparse"]
    pathvars: results="results/sparse", reports="reports/sparse"

use rule * from groupsparse as groupsparse_*
```

This page is made from [the schemas](../workflow/schemas) by `make format`.
A key with `<name>` stands for every entry of a mapping.
"""


def resolved(node: dict) -> dict:
    """A part of the schema with what it refers to; its own entries win."""
    while "$ref" in node:
        target = SCHEMA
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target | {key: value for key, value in node.items() if key != "$ref"}
    return node


def shared(node: dict) -> str | None:
    """The name of a definition with keys of its own, which has a section of its own."""
    prefix, _, name = node.get("$ref", "").rpartition("/")
    return name if prefix == "#/$defs" and "properties" in resolved(node) else None


def keys(node: dict, prefix: str = "") -> Iterator[tuple[str, dict]]:
    """Every key below a part of the schema, with what the schema says of it."""
    node = resolved(node)
    for name, child in node.get("properties", {}).items():
        yield prefix + name, child
        if not shared(child):
            yield from keys(child, f"{prefix}{name}.")
    for part, path in (
        (node.get("then"), prefix),
        (node.get("else"), prefix),
        (node.get("additionalProperties"), f"{prefix}<name>."),
    ):
        if isinstance(part, dict) and shared(part):
            yield path.removesuffix("."), part
        elif isinstance(part, dict):
            yield from keys(part, path)


def values(node: dict) -> str:
    """Which values the schema accepts, in words."""
    if name := shared(node):
        return f"as in [{name}](#{name})"
    node = resolved(node)
    if "anyOf" in node:
        return ", ".join(values(part) for part in node["anyOf"])
    if "title" in node:
        return node["title"]
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    if "else" in node:
        return values(node["else"]) + " or a mapping"
    kind = node["type"]
    if kind == "array":
        return f"list of: {values(node['items'])}"
    if kind == "boolean":
        return "`true`, `false`"
    named = {"object": "mapping", "string": "text", "array": "list"}
    text = " or ".join(named.get(k, k) for k in ([kind] if isinstance(kind, str) else kind))
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to",
             "exclusiveMaximum": "below"}  # fmt: skip
    for bound, word in words.items():
        if abs(node.get(bound, math.inf)) < 10**9:  # that of a count only catches slips
            text += f" {word} {node[bound]}"
    return text


def table(rows: Iterator[tuple[str, dict]]) -> str:
    """A Markdown table of keys."""
    lines = ["| key | values | meaning |", "|---|---|---|"]
    for key, node in rows:
        lines.append(f"| `{key}` | {values(node)} | {resolved(node)['description']} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    print(INTRODUCTION)
    entries = SCHEMA["properties"]
    general = {name: node for name, node in entries.items() if "properties" not in node}
    print("## The run\n\n" + table(keys({"properties": general})))
    sections = [name for name in entries if name not in general]
    for name in sorted(sections, key=lambda name: name not in experiments()):
        node = entries[name]
        about = node["description"]
        print(f"## {name}\n\n{about[0].upper()}{about[1:]}.\n\n{table(keys(node, name + '.'))}")
    print("## Parts that sections refer to\n")
    parts = [name for name, node in SCHEMA["$defs"].items() if "properties" in node]
    print(
        "\n".join(f"### {name}\n\n{table(keys(SCHEMA['$defs'][name]))}" for name in parts), end=""
    )


if __name__ == "__main__":
    main()
