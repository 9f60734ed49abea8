"""Deliver the defaults to the report: claims and two tables."""

from defaults import claims, tables
from defaults.findings import findings
from defaults.scores import images, planted
from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import text

INTRODUCTION = (
    "GroupSparseCoder as a newcomer calls it: with number and size of the groups, or with neither, "
    "and nothing else. Planted groups show whether it finds them; one active group is a union of "
    "subspaces. On images there is no truth; explained variance is that of images that it has not "
    "seen."
)
QUESTION = "Does the estimator work as it comes?"


def main() -> None:
    args = options(__doc__)
    section, scores = args.config, args.tables["defaults"]
    deliver(
        args,
        claims=collect(claims, args.tables, {}),
        title="The estimator as it comes",
        question=QUESTION,
        findings=findings(scores),
        blocks=[
            text(INTRODUCTION),
            *([tables.recovered(scores, section)] if len(planted(scores, True)) else []),
            *([tables.explained(scores, section)] if len(images(scores)) else []),
        ],
    )


if __name__ == "__main__":
    main()
