"""Replace the results of a published run in README.md, between its two markers."""

import argparse
from pathlib import Path

from groupsparse.files import write_atomic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--published", default="published", help="folder of reports/ to take")
    parser.add_argument("--output", default="README.md", help="the file to edit")
    args = parser.parse_args()
    section = Path("reports", args.published, "section.md").read_text()
    before, _, after = parted(Path(args.output).read_text(), args.published)
    begin, end = markers(args.published)
    write_atomic(args.output, (before + begin + section + end + after).encode())


def markers(published: str) -> tuple[str, str]:
    """The lines around the results of a published run."""
    return f"<!-- results of reports/{published} -->\n", f"<!-- end of reports/{published} -->\n"


def parted(text: str, published: str) -> tuple[str, str, str]:
    """A page before, between and after the markers of a published run."""
    begin, end = markers(published)
    before, rest = text.split(begin)
    between, after = rest.split(end)
    return before, between, after


if __name__ == "__main__":
    main()
