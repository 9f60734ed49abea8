"""Deliver the readings to the report: two tables and a figure; a reading is no claim."""

import pandas as pd

from evidence.claims import COLUMNS
from evidence.delivery import deliver, options
from evidence.section import figure, text
from readings.findings import findings
from readings.tables import accuracies, curves

INTRODUCTION = (
    "The paper leaves settings unsaid. A reading fixes all of them. The first row of a network is "
    "the reading that the evidence supports, and each other row changes what it names. Labels are "
    "used for the scores of Table 1 and for nothing else."
)
QUESTION = "Which reading of the paper reproduces it?"
METHODS = (
    "Distance from a curve: with r the ratio of our error to the paper's at one of its points, the "
    "largest factor is the largest of r and 1/r, the typical factor the geometric mean. Recall "
    "counts all nonzero entries of the true codes, positive recall those that are positive: a "
    "one-sided code can find no others. Distance from Table 1: mean absolute difference over the "
    "paper's numbers for that network. “lambda” is the penalty; a layer thresholds at step times "
    "lambda."
)
CAPTION = (
    "Fig. R (not in the paper): dictionary error per epoch under every reading; dots are the "
    "paper's curve at its size and 1 dB (Fig. 3c)."
)


def main() -> None:
    args = options(__doc__)
    made = {"readings_curves": (curves, "curves"), "readings_table1": (accuracies, "table1")}
    deliver(
        args,
        claims=pd.DataFrame(columns=COLUMNS),
        title="Which reading reproduces the paper",
        question=QUESTION,
        findings=findings(args.tables, args.config),
        blocks=[
            text(INTRODUCTION),
            *(
                build(args.tables[name], args.config[part])
                for name, (build, part) in made.items()
                if name in args.tables
            ),
            *(figure(name, CAPTION) for name in args.figures),
            text(METHODS),
        ],
    )


if __name__ == "__main__":
    main()
