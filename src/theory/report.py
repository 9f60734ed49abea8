"""Deliver the theory to the report: its claims and its section of the page."""

import pandas as pd

from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import figure, table, text
from theory import claims
from theory.findings import conclusion, findings
from theory.statements import theory_table

CAPTIONS = {
    "theory_constants": (
        "Theory 1: errors, constants, Lemma 1's interval (shaded where not empty) and support "
        "recovery along training, per regime; {replicates}. "
        "Atoms grow to undo the shrinkage, so the error of Theorem 2 counts their length and the "
        "others do not. Regimes that diverge are in the table only: {diverged}."
    ),
    "theory_gradients": (
        "Theory 2: contraction per step from each measured epoch to the next, with Theorem 2's ρ "
        "(with Adam: ρ at the largest step that the theorem allows); then the approximate gradient "
        "of eq. 27 against the exact one, and the main term of eq. 32 (whole, and without the part "
        "in the span of the group itself) and the mean derived here against the empirical mean of "
        "eq. 27. Near a stationary point the gradient vanishes and relative errors are mostly "
        "sampling error."
    ),
    "theory_support": (
        "Theory 3: sweep of δ and λ without training or noise; bars mark Lemma 1's interval as "
        "printed and with d μ_B for μ_B. Theorem 1 takes the printed bound on V, and its O-term "
        "with constant 1; it promises nothing where its right side is not positive."
    ),
}  # fmt: skip
INTRODUCTION = (
    "The theory of Sec. 3.2 says when one step of the encoder finds the active groups, and when "
    "descent then brings the dictionary to the truth. In words: the code of an active group stays "
    "large if its atoms are within δ of the truth (Prop. 1). What other groups add stays small if "
    "groups are nearly orthogonal (Prop. 2). A λ between the two separates active from inactive "
    "groups (Lemma 1). The gradient, in an approximate form (eqs. 25 to 27 and 32), then points at "
    "the truth (Theorem 1), and every step shrinks the error by a factor ρ (Theorem 2). Each "
    "statement is held against measurement."
)
QUESTION = "Do the statements of its theory hold as printed?"
STATEMENTS = (
    "Statements: what is printed and measured in every regime, first → last measured epoch (one "
    "value: training diverged, or nothing changes). raw ‖A − A*‖² is the theorem's error; unit "
    "atoms is the paper's metric of Fig. 3. Where E[x_g x_gᵀ] is not I, p_g is multiplied by its "
    "size."
)


def main() -> None:
    args = options(__doc__)
    theory = args.tables.get("theory")  # there is none if no regime was trained
    tested = collect(claims, args.tables, choices={})
    deliver(
        args,
        claims=tested,
        title="Theory, measured",
        question=QUESTION,
        findings=findings(args.tables, tested),
        blocks=[
            text(INTRODUCTION),
            *(
                figure(
                    name,
                    caption(name, args.config, theory),
                    conclusion=conclusion(name, args.tables),
                    key=name == "theory_support",
                )
                for name in args.figures
            ),
            *([] if theory is None else [statements(theory)]),
        ],
    )


def statements(theory: pd.DataFrame) -> dict:
    """What is printed beside what is measured, a row per regime and statement."""
    columns = ["regime", "statement", "printed", "measured", "verdict"]
    return table(
        [columns],
        [[row[c] for c in columns] for row in theory_table(theory)],
        caption=STATEMENTS,
        name="statements",
        folded=True,
    )


def caption(name: str, config: dict, theory: pd.DataFrame | None) -> str:
    """Caption of a figure; ``theory`` is None where no regime ran."""
    diverged = []
    if theory is not None:
        diverged = theory[(theory.metric == "diverged") & (theory.value > 0)].regime.unique()
    count = config["replicates"]
    means = f"means of {count} replicates, bands span them" if count > 1 else "one run"
    return CAPTIONS[name].format(replicates=means, diverged=", ".join(diverged) or "none")


if __name__ == "__main__":
    main()
