"""Claims about the theory (Sec. 3.2), from measured points of trainings and of a sweep.

A statement that admits no exception is asked at its worst point: a single one refutes it. Points
are taken where the statement's assumptions hold, never where its outcome does.
"""

from functools import partial

import pandas as pd

from evidence.claims import Evidence, Tables, claim
from evidence.verdict import at_least, at_most

# Unit atoms keep A_g^T A_g = I up to cosines within a group: its eigenvalues stay within this of 1.
ORTHONORMAL = 0.2
RESOLVED = 0.1  # relative error of a gradient that counts as none
measured = partial(claim, needs=("theory",), table="statements")
swept = partial(claim, needs=("theory_sweep",), figure="theory_support")


def points(tables: Tables) -> pd.DataFrame:
    """Metrics along the trainings: (regime, replicate, epoch) x metric."""
    return _wide(tables["theory"], ["regime", "replicate", "epoch"])


def grid(tables: Tables) -> pd.DataFrame:
    """Metrics of the sweep: (delta, lambda, replicate) x metric."""
    return _wide(tables["theory_sweep"], ["delta", "lambda", "replicate"])


def inside(tables: Tables, suffix: str = "") -> pd.DataFrame:
    """Sweep points whose lambda is in Lemma 1's interval."""
    table = grid(tables)
    return table[table[f"lemma1_inside{suffix}"] == 1]


def worst(values: pd.Series, least: bool = False) -> pd.Series | None:
    """The largest (or least) value at any point, per seed; None where there is no point."""
    seeds = values.dropna().groupby("replicate")
    if not len(seeds):
        return None
    return seeds.min() if least else seeds.max()


def beyond_sampling(table: pd.DataFrame, error: str, sampling: str) -> pd.Series:
    """A relative error without the part that its sampling error explains."""
    return (table[error] ** 2 - table[sampling] ** 2).clip(lower=0) ** 0.5


def too_few(sampling: float) -> str:
    """Why samples cannot tell whether an error is within the rule, in words; "" if they can."""
    return f"too few samples: their error is {sampling:.2g}" if sampling > RESOLVED else ""


def everywhere(tables: Tables) -> pd.DataFrame:
    """Every measured point, of trainings and sweep."""
    parts = [read(tables) for name, read in PLACES.items() if name in tables]
    return pd.concat([part.set_index(part.index.get_level_values("replicate")) for part in parts])


PLACES = {"theory": points, "theory_sweep": grid}


def anywhere(tables: Tables, choices: dict):
    if tables.keys() & PLACES.keys():
        yield {}


def both_coherences(tables: Tables, choices: dict):
    """A bound as printed with the block coherence, and with d times it, which is what follows."""
    for suffix, mu, label in (("", "μ_B", ""), ("_rank", "d μ_B", ", with d μ_B")):
        yield {"suffix": suffix, "mu": mu, "label": label, "paper": not suffix}


@claim(
    "Prop. 1: ‖A_gᵀA*_g x*_g‖ ≥ B_min (1 − δ)",
    source="Prop. 1",
    statistic="largest share of violations at any measured point",
    reference="0",
    rule=at_most(0, always=True),
    cases=anywhere,
    table="statements",
)
def prop1(tables, case):
    table = everywhere(tables)
    empty = (table.prop1_bound.dropna() <= 0).mean()
    note = f"delta > 1 leaves the bound empty at {empty:.0%} of the measured points"
    return Evidence(worst(table.prop1_violated), note)


@claim(
    "Prop. 2: cross terms ≤ γ B_max ({mu} + δ)",
    source="Prop. 2{label}",
    statistic="largest share of violations at any measured point",
    reference="0",
    rule=at_most(0, always=True),
    cases=lambda tables, choices: (
        fields for _ in anywhere(tables, choices) for fields in both_coherences(tables, choices)
    ),
    table="statements",
)
def prop2(tables, case):
    note = "eq. 3 divides the block coherence by d and the norm of a block is not: d μ_B follows"
    return Evidence(worst(everywhere(tables)[f"prop2_violated{case.suffix}"]), note)


@swept(
    "λ inside the interval recovers the support in one step",
    source="Lemma 1{label}",
    statistic="least share of samples with exact support at any sweep point inside",
    reference="1",
    rule=at_least(1, always=True),
    cases=both_coherences,
)
def lemma1(tables, case):
    within = inside(tables, case.suffix)
    missed = (within.support_exact < 1).sum()
    note = f"{missed} of {len(within)} points inside miss samples"
    return Evidence(worst(within.support_exact, least=True), note)


def shared_inits(tables: Tables, choices: dict):
    """Regimes that differ in their training alone share the init: one test."""
    starts = points(tables).xs(0, level="epoch")
    ends = starts.groupby("regime", sort=False)[["lambda", "lemma1_low", "lemma1_high"]].mean()
    for _, here in ends.groupby(list(ends.columns), sort=False):
        yield {"regimes": " and ".join(here.index), "first": here.index[0]}


# Ours: the paper does not say that its experiment is inside.
@measured(
    "λ is in Lemma 1's interval at the init",
    source="Lemma 1",
    statistic="λ minus lower end, or upper end minus λ, whichever is less, regime {regimes}",
    reference="≥ 0",
    rule=at_least(0, always=True),
    cases=shared_inits,
    paper=False,
    figure="theory_constants",
)
def lambda_inside(tables, case):
    start = points(tables).xs((case.first, 0), level=("regime", "epoch"))
    margin = pd.concat([start["lambda"] - start.lemma1_low, start.lemma1_high - start["lambda"]])
    low, high = start.lemma1_low.mean(), start.lemma1_high.mean()
    empty = " is empty" if low > high else ""
    note = f"[{low:.2f}, {high:.2f}]{empty}, λ = {start['lambda'].mean():g}"
    return Evidence(worst(margin, least=True), note)


# An error of 0.1 is a cosine of at least 0.995; one of 0.5 still 0.87, so a descent direction.
@measured(
    "The approximate gradient can replace the exact one",
    source="eqs. 25-27",
    statistic="relative error at the worst measured epoch",
    reference="0",
    rule=at_most(0.1, partly=0.5),
    figure="theory_gradients",
)
def approximate_gradient(tables, case):
    table = points(tables)
    error = table.approximate_error.dropna().groupby(["regime", "replicate"], sort=False).max()
    return Evidence(error, f"cosine at least {table.approximate_cosine.min():.2f}")


# As above. Where the sampling error exceeds the bound, an error of its size would not be seen.
# Ours: eq. 32 adds a V, whose bound is asked below.
@swept(
    "The expected gradient is the main term of eq. 32, without its V",
    source="eq. 32 without V",
    statistic="relative error against the empirical mean, beyond sampling error, at the worst "
    "sweep point in Lemma 1's interval",
    reference="0",
    rule=at_most(RESOLVED, partly=0.5),
    paper=False,
)
def main_term(tables, case):
    within = inside(tables)
    error = worst(beyond_sampling(within, "printed_error", "monte_carlo_error"))
    sampling, derived = within.monte_carlo_error.max(), within.derived_error.max()
    note = f"sampling error at most {sampling:.2g}; the mean derived here, which keeps "
    note += f"−2(1 − τ)A*_g, has at most {derived:.2g} with it"
    return Evidence(error, note, blind=too_few(sampling))


# Ours: that V stays in the span of its own group is derived here.
@swept(
    "Outside the span of its own group, the expected gradient is the main term of eq. 32",
    source="eq. 32 without V",
    statistic="relative error without the parts in the span of A_g, beyond sampling error, at the "
    "worst λ in Lemma 1's interval, for every δ > 0",
    reference="0",
    rule=at_most(RESOLVED, partly=0.5),
    paper=False,
)
def outside_span(tables, case):
    # At δ = 0 both are zero.
    within = inside(tables)
    within = within[within.index.get_level_values("delta") > 0]
    sampling = within.outside_monte_carlo_error
    error = beyond_sampling(within, "outside_error", sampling.name).dropna()
    if error.empty:
        return None
    note = f"sampling error {sampling.min():.2g} to {sampling.max():.2g}"
    note += f"; cosine {within.outside_cosine.min():.3f} to {within.outside_cosine.max():.3f}"
    error = error.groupby(["delta", "replicate"]).max()
    return Evidence(error, note, blind=too_few(sampling.max()))


@swept(
    "V is within its printed bound",
    source="Theorem 1",
    statistic="largest share of atoms beyond the bound at any sweep point in Lemma 1's interval",
    reference="0",
    rule=at_most(0, always=True),
)
def bound_on_v(tables, case):
    within = inside(tables)
    own = within.residual_within_span.mean()
    note = f"at δ = 0 the bound is 0; {own:.1%} of ‖V‖² is in the span of its own group"
    return Evidence(worst(within.residual_violated), note)


@swept(
    "Theorem 1's inequality holds with the printed bound on V",
    source="Theorem 1",
    statistic="largest share of atoms that violate it at any sweep point in Lemma 1's interval",
    reference="0",
    rule=at_most(0, always=True),
)
def theorem1(tables, case):
    everything = grid(tables)
    empty, violated = everything.theorem1_vacuous.mean(), everything.theorem1_violated.mean()
    note = f"at all sweep points, {violated:.0%} of the atoms violate it and it promises nothing "
    note += f"(right side ≤ 0) for {empty:.0%}"
    return Evidence(worst(inside(tables).theorem1_violated), note)


# A step that takes off less than a thousandth of the error is no contraction to speak of.
@measured(
    "Theorem 2's printed ρ promises a contraction",
    source="Theorem 2",
    statistic="least ρ as printed at any measured epoch",
    reference="in (0, 1)",
    rule=at_least(0.001, always=True),
    figure="theory_gradients",
)
def printed_rho(tables, case):
    rho = points(tables).rho_printed.dropna().groupby(["regime", "replicate"], sort=False).min()
    note = "d(α_max√(d² + 1) + δ)² ≥ 2 α_min² for every d ≥ 1: ρ is negative wherever α_min > 0"
    return Evidence(rho, note)


def regimes(tables: Tables, choices: dict):
    yield from ({"regime": regime} for regime in tables["theory"].regime.unique())


# A theorem: every seed. Half of the error gone, far from the neighbourhood; in part a tenth.
@measured(
    "Training contracts ‖A − A*‖²",
    source="Theorem 2",
    statistic="last / first squared error, regime {regime}",
    reference="< 1, down to a neighbourhood",
    rule=at_most(0.5, partly=0.9, always=True),
    cases=regimes,
    figure="theory_constants",
)
def contracts(tables, case):
    table = points(tables).xs(case.regime, level="regime")
    start = table.xs(0, level="epoch")
    end = table.groupby("replicate").tail(1).droplevel("epoch")
    unit = (end.unit / start.unit).mean()
    note = f"unit atoms {unit:.3g}" + ("; training diverges" if table.diverged.max() else "")
    broken = ", ".join(broken_assumptions(table))
    return Evidence(end.raw / start.raw, note, broken and f"the theorem assumes {broken}")


def broken_assumptions(table: pd.DataFrame) -> list[str]:
    """What Theorem 2 assumes and a regime does not keep at every measured epoch, in words."""
    kept = {
        "A_gᵀA_g = I (assumption 4)": table.orthonormality_defect <= ORTHONORMAL,
        "E[x_g x_gᵀ] = I (assumption 3)": (table.energy - 1).abs() <= 0.05,
        "λ in Lemma 1's interval": table.lemma1_inside == 1,
        "plain gradient descent": table.gradient_descent == 1,
        # float32 sums in another order
        "no larger learning rate": table.lr <= table.step_limit * (1 + 1e-4),
    }
    known = table.delta.notna()
    return [words for words, here in kept.items() if not here[known].all()]


def _wide(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return table.pivot_table(index=keys, columns="metric", values="value", sort=False)
