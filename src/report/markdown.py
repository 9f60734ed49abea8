"""Sections of the report as Markdown: the page of published results and that in README.md.

The order is that of the page: findings, verdicts, then the sections.
"""

import html

import pandas as pd

from evidence.section import Cell
from report.lead import counted, findings


def page(
    run: dict, claims: pd.DataFrame, tables: list[str], sections: list[dict], by_hand: str
) -> str:
    """The page of a published folder: findings, what made it, verdicts, all sections, the rest.

    ``by_hand`` is Markdown for its end.
    """
    names = ", ".join(f"[{name}]({name}.csv)" for name in tables)
    parts = [
        "# Published results",
        found(sections),
        f"Made by {commits(run)} on {run['machine']}:\n{run['job_minutes']} minutes of jobs in "
        f"{run['wall_minutes']} minutes, at most {run['peak_memory_mb']} MB in a job\n"
        "([details](run.json)).",
        f"{verdicts(claims)}.\nThe [report](report.html) shows every claim, figure and table. "
        f"The numbers as CSV:\n{names}.",
        *(part for section in sections for part in whole(section)),
        by_hand,
    ]
    return joined(parts)


def results(
    run: dict, claims: pd.DataFrame, sections: list[dict], folder: str = "published"
) -> str:
    """The results in README.md: what was found, and where the tables are."""
    place = f"reports/{folder}"
    closing = (
        f"All tables: [{place}]({place}/README.md). All figures and claims:\n"
        f"[report]({place}/report.html). {verdicts(claims)}.\n"
        f"Made by {commits(run)}\non {run['machine']} in {run['wall_minutes']} minutes."
    )
    return joined([found(sections), closing])


def whole(section: dict) -> list[str]:
    """A section with its warnings, without what the page folds away; figures are links."""
    lines = "".join(f"\n- {plain(line)}" for line in section["warnings"])
    parts = [f"## {section['title']}", *([f"Warnings:\n{lines}"] if lines else [])]
    for block in section["blocks"]:
        if block["kind"] == "text":
            parts.append(block["html"].replace("*", r"\*"))
        elif block["kind"] == "figure":
            parts.append(f"- [{block['name']}](figures/{block['name']}.png): {captioned(block)}")
        elif not block["folded"]:
            parts += [f"{words.rstrip('.')}:"] if (words := captioned(block)) else []
            parts.append(grid(block))
    return parts


def found(sections: list[dict]) -> str:
    """The findings as a numbered list; "" if there are none."""
    lines = enumerate(map(plain, findings(sections)), start=1)
    return "\n".join(f"{number}. {line}" for number, line in lines)


def captioned(block: dict) -> str:
    """What to conclude from a figure or a table, in bold, then what it shows."""
    conclusion = f"**{plain(block['conclusion'])}**" if block["conclusion"] else ""
    return " ".join(filter(None, (conclusion, plain(block["caption"]))))


def grid(block: dict) -> str:
    """A table in Markdown, which has one row of headings and no cells that span others."""
    columns = zip(*places(block["head"], repeat=True), strict=True)
    head = [", ".join(dict.fromkeys(filter(None, column))) for column in columns]
    rows = [head, ["---"] * len(head), *places(block["rows"], repeat=False)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def places(rows: list[list[Cell]], *, repeat: bool) -> list[list[str]]:
    """The text at every place of a table; ``repeat`` that of a cell at all places that it takes."""
    texts: dict[tuple[int, int], str] = {}
    for y, row in enumerate(rows):
        x = 0
        for value in row:
            cell = value if isinstance(value, dict) else {"text": value}
            while (y, x) in texts:  # taken by a cell above
                x += 1
            taken = [
                (y + i, x + j)
                for i in range(cell.get("rows", 1))
                for j in range(cell.get("span", 1))
            ]
            words = plain(cell["text"])
            texts |= {place: words if repeat or place == (y, x) else "" for place in taken}
    width = 1 + max((x for _, x in texts), default=0)
    return [[texts.get((y, x), "") for x in range(width)] for y in range(len(rows))]


def plain(words: str) -> str:
    """Text in which Markdown sees no markup."""
    return html.escape(words, quote=False).replace("*", r"\*").replace("|", r"\|")


def verdicts(claims: pd.DataFrame) -> str:
    """How many tests of claims ended with each verdict: the paper's, or our own without them."""
    counts, whose = counted(claims)
    listed = ", ".join(f"{count} “{verdict}”" for verdict, count in counts.items())
    return f"Verdicts on {sum(counts.values())} tests of {whose}: {listed}"


def commits(run: dict) -> str:
    """What made a run, and what judged it if that was other code."""
    made = f"commit{'s' if len(run['commit']) > 1 else ''} {', '.join(run['commit'])}"
    return f"{made}, judged by commit {run['judged_by']}," if "judged_by" in run else made


def joined(parts: list[str]) -> str:
    return "\n\n".join(part.strip() for part in parts if part) + "\n"
