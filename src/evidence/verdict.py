"""One rule for all verdicts: an effect of stated size, and an interval over seeds.

A statistic has a value per condition (a noise level, a regime) and seed (``replicate``). In every
condition its mean over seeds gets a 95 % t-interval, and a :class:`Rule` says where that must be:

- *holds*: in every condition the whole interval keeps the rule;
- *not reproduced*: in some condition the whole interval breaks it (the weaker bound, if any);
- *holds in part*: in every condition the whole interval keeps the weaker bound;
- *undecided*: some interval contains the bound, so these seeds cannot tell;
- *one run*: some condition has a single seed, which has no interval and gets no verdict.

A rule that is ``always`` has no interval: every seed must keep it, and one that breaks it refutes,
also a single one.
So has a rule on counts, which are equal in all seeds more often than their spread would tell.

The half-width is t s / sqrt(n): 9.0 standard deviations s for two seeds, 2.5 for three, 1.2 for
five. Two seeds therefore decide only what is much larger than their spread. The interval covers
the seeds and nothing that they share, such as a test set. "Holds" errs in at most 2.5 % of studies
whose true mean is on the bound; with k conditions on it, "not reproduced" errs in at most 2.5 k %.
Successes have Wilson's interval of their share instead.
"""

import math
from dataclasses import dataclass

import pandas as pd
from scipy import stats

HOLDS, PARTLY, FAILED = "holds", "holds in part", "not reproduced"
UNDECIDED, ONE_RUN = "undecided", "one run"
OTHER_SIZE, OUTSIDE = "not compared: other size", "outside the assumptions"
LEVEL = 0.95
SHOWN = 6  # conditions whose interval a reason spells out


@dataclass(frozen=True)
class Rule:
    """Closed intervals: ``holds``, and ``partly`` around it for a weaker verdict."""

    holds: tuple[float, float]
    partly: tuple[float, float] | None = None
    always: bool = False

    def __post_init__(self) -> None:
        low, high = self.holds
        wide_low, wide_high = self.widest
        if not wide_low <= low <= high <= wide_high or self.partly == self.holds:
            raise ValueError(f"{self.partly} must be wider than {self.holds}")

    @property
    def widest(self) -> tuple[float, float]:
        """Outside of which the claim is not reproduced."""
        return self.partly or self.holds

    def __str__(self) -> str:
        text = f"holds {'without exception ' if self.always else ''}{_words(self.holds)}"
        return text + (f", in part {_words(self.partly)}" if self.partly else "")


def at_least(bound: float, partly: float | None = None, always: bool = False) -> Rule:
    weaker = None if partly is None else (partly, math.inf)
    return Rule((bound, math.inf), weaker, always)


def at_most(bound: float, partly: float | None = None, always: bool = False) -> Rule:
    weaker = None if partly is None else (-math.inf, partly)
    return Rule((-math.inf, bound), weaker, always)


def between(low: float, high: float, partly: tuple[float, float] | None = None) -> Rule:
    return Rule((low, high), partly)


def intervals(values: pd.Series, always: bool = False) -> pd.DataFrame:
    """Mean, std and seeds of every condition, and the interval from ``low`` to ``high``.

    ``values`` has the index levels ``replicate`` and, if any, the conditions'. The interval is
    that of the module's docstring; a single seed, ``always`` or an infinite value, by which a seed
    fails, has the range of the values. Of true and false it is :func:`wilson`'s, of the share.
    Missing values are left out. ValueError for no value, or two of one seed in one condition.
    """
    values = values.dropna()
    if values.empty:
        raise ValueError("no value to judge")
    if values.index.has_duplicates:
        raise ValueError(f"several values of one seed: {values[values.index.duplicated()]}")
    levels = [name for name in values.index.names if name != "replicate"]
    groups = values.groupby(level=levels, sort=False) if levels else [("", values)]
    rows = []
    for key, found in groups:
        group = found.astype(float)
        seeds, low, high = len(group), group.min(), group.max()
        finite = math.isfinite(low) and math.isfinite(high)
        # Sums of differences: equal values have exactly their mean, and no spread.
        first = group.iloc[0] if finite else 0.0
        mean, std = first + (group - first).mean(), (group - first).std() if finite else math.nan
        if seeds > 1 and finite and not always:
            half = stats.t.ppf((1 + LEVEL) / 2, seeds - 1) * std / math.sqrt(seeds)
            low, high = mean - half, mean + half
        if seeds > 1 and values.dtype == bool and not always:
            low, high = wilson(int(group.sum()), seeds)
        name = _name(levels, key)
        rows.append((name, mean, std, seeds, low, high))
    columns = ["condition", "mean", "std", "seeds", "low", "high"]
    return pd.DataFrame(rows, columns=columns).set_index("condition")


def wilson(successes: int, trials: int) -> tuple[float, float]:
    r"""Wilson's 95 % interval of a share: it keeps its level for 0 and ``trials`` successes too.

    .. math:: \frac{\hat p + z^2 / 2 n \pm z \sqrt{\hat p (1 - \hat p) / n + z^2 / 4 n^2}}
                   {1 + z^2 / n}

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", J. Amer.
    Statist. Assoc. 22 (1927).

    Examples
    --------
    >>> tuple(round(end, 2) for end in wilson(10, 10))
    (0.72, 1.0)
    """
    interval = stats.binomtest(successes, trials).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def judge(values: pd.Series, rule: Rule) -> tuple[str, str]:
    """The verdict of a rule on ``values`` as in :func:`intervals`, and its reason in words."""
    table = intervals(values, rule.always)
    met = _met(table, rule)
    refuted = rule.always and met == FAILED  # for which one seed is enough
    if table.seeds.min() < 2 and not refuted:
        does = {HOLDS: "keeps the rule", PARTLY: "keeps the weaker bound"}
        return ONE_RUN, f"it {does.get(met, 'breaks the rule')}; {_shown(table)}; {rule}"
    return met, f"{_shown(table)}; {rule}"


def _met(table: pd.DataFrame, rule: Rule) -> str:
    low, high = rule.widest
    broken = (table.high < low) | (table.low > high)
    if rule.always:
        broken = (table.low < low) | (table.high > high)
    if _inside(table, rule.holds):
        return HOLDS
    if broken.any():
        return FAILED
    return PARTLY if rule.partly and _inside(table, rule.partly) else UNDECIDED


def _inside(table: pd.DataFrame, bounds: tuple[float, float]) -> bool:
    return bool(((table.low >= bounds[0]) & (table.high <= bounds[1])).all())


def _words(bounds: tuple[float, float]) -> str:
    low, high = bounds
    if math.isinf(high):
        return f"if at least {low:.3g}"
    return f"if at most {high:.3g}" if math.isinf(low) else f"if in [{low:.3g}, {high:.3g}]"


def _name(levels: list[str], key: object) -> str:
    keys = key if isinstance(key, tuple) else (key,)
    written = (f"{k:g}" if isinstance(k, float) else str(k) for k in keys)
    return ", ".join(f"{n} {k}" for n, k in zip(levels, written, strict=False))


def _shown(table: pd.DataFrame) -> str:
    """Every condition with its interval, or the two extreme ones of many."""
    few = len(table) <= SHOWN
    shown = table if few else table.loc[[table["mean"].idxmin(), table["mean"].idxmax()]]
    text = "; ".join(
        (f"{row.Index}: " if row.Index else "")
        + f"{row.mean:.4g}"
        + (f" [{row.low:.4g}, {row.high:.4g}]" if row.low < row.high else "")
        for row in shown.itertuples()
    )
    return text if few else f"extremes of {len(table)} conditions: {text}"
