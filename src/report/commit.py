"""Which commit made a run, and whether its results may be published."""

import subprocess

from groupsparse.artifacts import load_tensors

# What makes the results, as git's pathspecs.
SOURCES = (
    "src", "workflow", "Snakefile", "config.yaml", "envs", "data/paper", "data/dunl",
    ":!*.md", ":!src/report/again.py", ":!src/report/commit.py", ":!src/report/cost.py",
    ":!src/report/markdown.py", ":!src/report/publish.py", ":!src/report/readme.py",
)  # fmt: skip


def provenances(paths: list[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Which artefacts each commit made, and every value of each entry of their provenance."""
    made_by: dict[str, list[str]] = {}
    values: dict[str, set[str]] = {}
    for path in sorted(paths):
        provenance = load_tensors(path)[1]["provenance"]
        made_by.setdefault(provenance["commit"], []).append(path)
        for key, value in provenance.items():
            if key != "machine":
                values.setdefault(key, set()).add(value)
    return made_by, {key: sorted(values[key]) for key in sorted(values)}


def refusal(made_by: dict[str, list[str]]) -> str | None:
    """Why these results cannot be published; None if one commit made all and its code is here.

    Tables and figures name no commit. Snakemake makes them again whenever code that they depend on
    has changed, so they are of the commit of the artefacts if the code has not changed since.
    """
    lines = [
        line
        for commit, files in made_by.items()
        for line in (f"made at commit {commit}:", *(f"  {file}" for file in files))
    ]
    if not made_by:
        return "Nothing is published: no file of these experiments names the commit that made it."
    only = next(iter(made_by))
    if len(made_by) > 1:
        why = f"they come from {len(made_by)} commits"
    elif only == "unknown":
        why = "their commit is unknown"
    elif only.endswith("-dirty"):
        why = f"the code had changes that commit {only.removesuffix('-dirty')} does not hold"
    elif not is_here(only):
        why = f"commit {only} is not in this repository"
    elif changed := changed_since(only):
        why = f"since commit {only} the code has changed"
        lines = [f"changed since commit {only}:", *(f"  {file}" for file in changed)]
    else:
        return None
    return "\n".join(
        [
            f"Nothing is published: the results must come from one commit, and {why}.",
            *lines,
            "Commit all changes, delete the results, make the run again and publish it.",
        ]
    )


def is_here(commit: str) -> bool:
    """Whether the repository has a commit."""
    command = ["git", "cat-file", "-e", f"{commit}^{{commit}}"]
    return subprocess.run(command, capture_output=True).returncode == 0


def changed_since(commit: str) -> list[str]:
    """Files that make results and differ from those of a commit, untracked ones included."""
    commands = (
        ["git", "diff", "--name-only", commit, "--", *SOURCES],
        ["git", "ls-files", "--others", "--exclude-standard", "--", *SOURCES],
    )
    texts = [subprocess.run(c, capture_output=True, text=True, check=True).stdout for c in commands]
    return sorted(line for text in texts for line in text.splitlines())
