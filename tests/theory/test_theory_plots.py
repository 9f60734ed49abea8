"""Figures of the theory: what a run that diverged or has an empty interval shows."""

import pandas as pd
import pytest

from theory import plots


def table(**regimes: dict[str, list[float]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"regime": regime, "replicate": 0, "epoch": epoch, "metric": metric, "value": value}
            for regime, metrics in regimes.items()
            for metric, values in metrics.items()
            for epoch, value in enumerate(values)
        ]
    )


def regime(low: float, high: float, diverged: float = 0.0) -> dict[str, list[float]]:
    return {"lemma1_low": [low] * 2, "lemma1_high": [high] * 2, "diverged": [diverged] * 2}


def test_a_regime_that_diverged_is_not_drawn():
    figure = plots.theory_constants(table(good=regime(0.2, 0.4), bad=regime(0.2, 0.4, 1.0)))
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == ["good"]


@pytest.mark.parametrize(("low", "high", "empty"), [(0.2, 0.4, False), (0.4, 0.2, True)])
def test_an_interval_of_lambda_that_is_empty_is_called_so(low, high, empty):
    figure = plots.theory_constants(table(only=regime(low, high)))
    said = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert said == (["empty throughout"] if empty else [])
