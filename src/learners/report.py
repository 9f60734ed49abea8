"""Deliver the dictionary learners to the report: claims and a table for each case."""

import pandas as pd

from evidence.claims import collect
from evidence.delivery import deliver, options
from evidence.section import number, replicates, spread, table, text
from learners import claims
from learners.bounded import DONE
from learners.scores import best, fits, outcome

INTRODUCTION = (
    "Dictionary learners of other packages and ours, on the same data and from the same starts. "
    "All know the number of atoms. Pursuits are told the number of active groups, or of active "
    "atoms. Penalties get one rule for lambda, computed from the data, and multiples of it; a row "
    "shows the multiple with the least error, which favours them. All have the same passes over "
    "the data (the autoencoder five times as many), one thread and a process of their own."
)
METHODS = (
    "Errors are over those of least squares on the true codes: subspace error, invariant to the "
    "basis of a group, and aligned error, after rotating each group onto the truth. Learners "
    "without groups (scikit-learn, K-SVD, the lasso of spams) have atoms in no order; each true "
    "group is given the atoms that lie most in its span, which favours these learners. Block K-SVD "
    "is written here: group pursuit, then a singular value decomposition for each group."
)
SENTENCES = {
    "alternating": "alternation",
    "alternating, k told": "alternation that is told k",
    "group-sparse autoencoder": "the group-sparse autoencoder",
    "improved autoencoder": "the improved autoencoder",
    "dictlearn, K-SVD": "the K-SVD of dictlearn",
    "scikit-learn, batch": "the batch learner of scikit-learn",
    "scikit-learn, mini-batch": "the mini-batch learner of scikit-learn",
    "spams, lasso": "the lasso of spams",
    "spams, groups": "the group penalty of spams",
}
STARTS = {"near": "from a near start", "data": "from random samples", "none": "from no start"}
QUESTION = "How do other dictionary learners do on the same data?"


def main() -> None:
    args = options(__doc__)
    section, runs = args.config, best(fits(args.tables["learners"]))
    deliver(
        args,
        claims=collect(claims, args.tables, section["shown"]),
        title="Beside other dictionary learners",
        question=QUESTION,
        findings=findings(runs, section),
        blocks=[
            text(INTRODUCTION),
            *(learners(runs, case, section) for case in runs.case.unique()),
            text(METHODS),
        ],
    )


def learners(runs: pd.DataFrame, case: str, section: dict) -> dict:
    """Errors and seconds of all learners on one problem."""
    settings, rows = section["cases"][case], []
    here = runs[runs.case == case]
    for (learner, start), of in here.groupby(["learner", "start"], sort=False):
        done = of[of.status == DONE]
        errors = [spread(done[m].mean(), done[m].std(), 2) for m in ("subspace", "aligned")]
        scale = f"{of.scale.iloc[0]:g}" if of.scale.iloc[0] != 1 else ""
        rows.append(
            [learner, start, *errors, spread(done.seconds.mean(), done.seconds.std(), 1), scale,
             outcome(of)]
        )  # fmt: skip
    model = settings["model"]
    caption = (
        f"{case}: n = {model['n']}, {model['groups']} groups of {model['group_size']}, "
        f"{model['active_groups']} active, {model['samples']} samples, {model['snr_db']:g} dB, "
        f"{settings['passes']} passes, at most {settings['budget_s']} s; "
        f"{replicates(settings['replicates'])}"
    )
    head = ["learner", "start", "subspace error / oracle's", "aligned", "seconds",
            "multiple of lambda", "note"]  # fmt: skip
    return table([head], rows, caption=caption, name=f"learners_{case}")


def findings(runs: pd.DataFrame, section: dict) -> list[str]:
    """The best here and of the others on every problem, from near and without a near start."""
    ours, lines = section["shown"]["ours"], []
    for case, here in runs[runs.status == DONE].groupby("case", sort=False):
        sentences = []
        for near in (True, False):
            chosen = here[(here.start == "near") == near]
            means = chosen.groupby(["learner", "start"]).subspace.mean()
            mine = means.index.get_level_values("learner").isin(ours)
            if mine.any() and not mine.all():
                sentences.append(_best(means[mine], means[~mine]))
        if sentences:
            first, *rest = sentences
            said = " ".join([first, *(words[0].upper() + words[1:] for words in rest)])
            lines.append(f"On the problem “{case}”, {said}")
    return lines


def _best(mine: pd.Series, others: pd.Series) -> str:
    """The least mean error of ours and of the others by (learner, start), as a sentence."""
    (us, start), (them, other) = mine.idxmin(), others.idxmin()
    return (
        f"{SENTENCES.get(us, us)} ends at {number(mine.min(), 2)} times the oracle's error "
        f"{STARTS[start]}, and {SENTENCES.get(them, them)}, the best of the others, at "
        f"{number(others.min(), 2)}{'' if other == start else f' {STARTS[other]}'}."
    )


if __name__ == "__main__":
    main()
