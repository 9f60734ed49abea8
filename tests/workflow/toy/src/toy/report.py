"""Deliver the toy experiment to the report: its claim and its section of the page."""

from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, table, text
from toy import claims


def main() -> None:
    args = options(__doc__)
    toy = args.tables["toy"]
    rows = [[str(r), f"{value:.3f}"] for r, value in zip(toy.replicate, toy.value, strict=True)]
    deliver(
        args,
        claims=collect(claims, args.tables, choices={}),
        title="A toy experiment",
        blocks=[
            text("A coin is tossed {tosses} times.", tosses=args.config["tosses"]),
            *(figure(name, "Share of heads of every replicate.") for name in args.figures),
            table([["replicate", "share of heads"]], rows),
        ],
    )


if __name__ == "__main__":
    main()
