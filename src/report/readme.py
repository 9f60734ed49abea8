"""Replace the results of every published run in README.md, each between its two markers."""

import argparse
from pathlib import Path

from groupsparse.files import write_atomic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", default="reports", help="folder with the published runs")
    parser.add_argument("--output", default="README.md", help="the file to edit")
    args = parser.parse_args()
    text = Path(args.output).read_text()
    for section in sorted(Path(args.reports).glob("*/section.md")):
        begin, end = markers(section.parent.name)
        if begin in text:
            before, _, after = parted(text, section.parent.name)
            text = before + begin + section.read_text() + end + after
    write_atomic(args.output, text.encode())


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
