"""What the measurements say in a sentence: conclusions of the figures, findings for the page."""

import pandas as pd

from evidence.claims import Tables, tally
from theory.claims import inside, points

SWEEP = "theory_sweep"


def findings(tables: Tables, claims: pd.DataFrame) -> list[str]:
    """Sentences with their numbers, most important first."""
    counts = tally(claims) if len(claims) else {}
    tests = sum(counts.values())
    listed = ", ".join(f"{count} “{verdict}”" for verdict, count in counts.items())
    verdicts = f"Theory: {tests} tests of what Sec. 3.2 states as printed: {listed}."
    sentences = [f"{verdicts} {interval(tables)}" if tests else "", contraction(tables)]
    return [sentence.strip() for sentence in sentences if sentence]


def conclusion(name: str, tables: Tables) -> str:
    """What a figure shows, in a sentence; "" where there is nothing to tell."""
    return {
        "theory_constants": fates, "theory_gradients": gradients, "theory_support": interval,
    }[name](tables)  # fmt: skip


def interval(tables: Tables) -> str:
    """How often λ in Lemma 1's interval gives the exact support, as printed and corrected."""
    if not measured(tables, SWEEP):
        return ""
    shares = []
    for suffix in ("", "_rank"):
        exact = inside(tables, suffix).support_exact
        shares.append(f"{int((exact == 1).sum())} of {len(exact)}")
    printed, corrected = shares
    return (
        f"In Lemma 1's interval every support is exact at {printed} points of the sweep as "
        f"printed, at {corrected} with d μ_B for μ_B."
    )


def fates(tables: Tables) -> str:
    """In how many regimes the errors fall along training."""
    if not measured(tables, "theory"):
        return ""
    means = points(tables)[["raw", "unit"]].groupby(["regime", "epoch"], sort=False).mean()
    regimes = means.groupby("regime", sort=False)
    fell = regimes.last() < regimes.first()
    return (
        f"Training lowers ‖A − A*‖² in {fell.raw.sum()} of {len(fell)} regimes, and the "
        f"error of unit atoms in {fell.unit.sum()}."
    )


def gradients(tables: Tables) -> str:
    """How far the approximate gradient and the printed main term are from what is measured."""
    if not measured(tables, "theory"):
        return ""
    table = points(tables)
    approximate, main = table.approximate_error.dropna(), table.printed_error.dropna()
    derived = table.derived_error.dropna()
    return (
        f"The approximate gradient is {approximate.min():.0%} to {approximate.max():.0%} away from "
        f"the exact one; eq. 32's main term misses the empirical mean by {main.median():.0%} and "
        f"the mean derived here by {derived.median():.0%} (medians)."
    )


def contraction(tables: Tables) -> str:
    """The contraction factor of Theorem 2 as printed."""
    if not measured(tables, "theory"):
        return ""
    rho = points(tables).rho_printed.dropna()
    low, high = (f"{value:.3g}".replace("-", "−") for value in (rho.min(), rho.max()))
    return (
        f"Theorem 2's factor ρ as printed, which should be in (0, 1), is {low} to {high} at the "
        "measured points."
    )


def measured(tables: Tables, name: str) -> bool:
    """Whether there are rows of a table."""
    return name in tables and len(tables[name]) > 0
