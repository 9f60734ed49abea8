"""Put Snakemake's graph of the rules into workflow/README.md, without arrows that others imply.

``make format`` does it: snakemake <targets> --rulegraph mermaid-js | python workflow/rule_graph.py.
"""

import re
import sys
from pathlib import Path

README = Path(__file__).parent / "README.md"


def main() -> None:
    graph = sys.stdin.read()
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]", graph, re.MULTILINE))
    after: dict[str, set[str]] = {name: set() for name in names.values()}
    for start, end in re.findall(r"^\s*(id\d+) --> (id\d+)", graph, re.MULTILINE):
        after[names[start]].add(names[end])
    if not any(after.values()):
        sys.exit("no graph on standard input")

    def reached(name: str) -> set[str]:
        return after[name].union(*(reached(following) for following in after[name]))

    arrows = [
        f"  {name} --> {following}"
        for name in sorted(after)
        for following in sorted(after[name])
        if not any(following in reached(other) for other in after[name])
    ]
    block = "\n".join(["```mermaid", "graph LR", *arrows, "```"])
    text, count = re.subn(r"```mermaid\n.*?```", block, README.read_text(), flags=re.DOTALL)
    if count != 1:
        sys.exit(f"{README} has {count} graphs")
    print(text, end="")


if __name__ == "__main__":
    main()
