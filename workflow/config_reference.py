"""What every key of the config means, as Markdown, read off its schemas.

``make format`` writes it: python workflow/config_reference.py > config/README.md.
"""

from collections.abc import Iterator

from validate import config_schema, experiments
from words import resolved, shared, values

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
A key with `<name>` stands for every entry of a mapping. Where data sets are listed, those of
your own in `datasets` are accepted too.
"""


def keys(node: dict, prefix: str = "") -> Iterator[tuple[str, dict]]:
    """Every key below a part of the schema, with what the schema says of it."""
    node = resolved(node, SCHEMA)
    for name, child in node.get("properties", {}).items():
        yield prefix + name, child
        if not shared(child, SCHEMA):
            yield from keys(child, f"{prefix}{name}.")
    for part, path in (
        (node.get("then"), prefix),
        (node.get("else"), prefix),
        (node.get("additionalProperties"), f"{prefix}<name>."),
    ):
        if isinstance(part, dict) and shared(part, SCHEMA):
            yield path.removesuffix("."), part
        elif isinstance(part, dict):
            yield from keys(part, path)


def table(rows: Iterator[tuple[str, dict]]) -> str:
    """A Markdown table of keys."""
    lines = ["| key | values | meaning |", "|---|---|---|"]
    for key, node in rows:
        meaning = resolved(node, SCHEMA)["description"]
        lines.append(f"| `{key}` | {values(node, SCHEMA, linked=True)} | {meaning} |")
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
