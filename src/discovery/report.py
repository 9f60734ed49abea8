"""Deliver the discovery to the report: claims, tables and a figure."""

from discovery import claims, tables
from discovery.conditions import COUNTS, STARTS, WHOLE
from discovery.findings import findings
from discovery.scores import study, wide
from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, text

INTRODUCTION = (
    "Discovery learns a group dictionary from data alone. Pairs of samples that share a group "
    "propose spans. Alternating least squares refines them. Groups that are dead, there twice, or "
    "entangled with another give way to new candidates from what the others leave over. The true "
    "dictionary enters the scores and nothing else."
)
METHODS = (
    "A group counts as found if the span of some learnt group overlaps it by more than 1/2 (1: the "
    "same span). Success: a subspace error of at most {factor} times that of least squares on the "
    "true codes. Alternation alone runs {passes} passes from the same start. Where nothing is "
    "told, the size is the one whose candidates have the largest gap relative to white noise, and "
    "groups are added until no candidate has a gap that white noise does not have."
)
QUESTION = "Does recovery need a start near the truth?"
CAPTION = (
    "Discovery (not in the paper): share of {count} seeds that end within {factor} times the "
    "oracle's error, as one property of the small problem changes; bands are Wilson's 95 % "
    "intervals."
)


def main() -> None:
    args = options(__doc__)
    section, runs = args.config, wide(args.tables["discovery"])
    factor, count = section["factor"], section["success"]["replicates"]
    choices = {"factor": factor, "groups": section["model"]["groups"]}
    deliver(
        args,
        claims=collect(claims, args.tables, choices),
        title="From no start",
        question=QUESTION,
        findings=findings(runs, section),
        blocks=[
            text(INTRODUCTION),
            *([tables.whole(runs, section)] if len(study(runs, WHOLE)) else []),
            *([tables.starts(runs, section)] if len(study(runs, STARTS)) else []),
            *(figure(name, CAPTION.format(count=count, factor=factor)) for name in args.figures),
            *(
                tables.confusion(runs, metric, section)
                for metric in ("estimated_size", "estimated_groups")
                if len(study(runs, COUNTS))
            ),
            # Earlier runs had no key.
            text(METHODS, factor=factor, passes=section["starts"].get("passes", 10)),
        ],
    )


if __name__ == "__main__":
    main()
