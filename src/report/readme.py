"""Replace the section of results in README.md, between its two markers."""

import argparse
from pathlib import Path

from groupsparse.files import write_atomic

BEGIN, END = "<!-- published results -->\n", "<!-- end of published results -->\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", default="reports/published/section.md", help="its new text")
    parser.add_argument("--output", default="README.md", help="the file to edit")
    args = parser.parse_args()
    before, rest = Path(args.output).read_text().split(BEGIN)
    _, after = rest.split(END)
    text = before + BEGIN + Path(args.section).read_text() + END + after
    write_atomic(args.output, text.encode())


if __name__ == "__main__":
    main()
