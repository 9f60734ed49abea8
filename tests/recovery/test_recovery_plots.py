"""Figures of Experiment 1: panels, and which curves they hold."""

import pandas as pd
import pytest

from evidence.fig3 import curves as paper_curves
from recovery import plots

EPOCHS = 3


def history(samplings=("fixed", "fresh")) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "method": method, "init": init, "sampling": sampling, "snr": snr, "replicate": 0,
                "epoch": epoch, "metric": "squared_error", "value": 10.0 - epoch,
            }
            for method in ("group_sparse", "sparse", "oracle")
            for init in ("near", "far")
            for sampling in samplings
            for snr in (1.0, 5.0)
            for epoch in range(EPOCHS)
        ]
    )  # fmt: skip


def curves(ax) -> int:
    return sum(len(line.get_xdata()) == EPOCHS for line in ax.lines)


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("samplings", [("fixed",), ("fresh", "fixed")])
def test_there_is_a_panel_for_each_sampling_of_the_run(samplings):
    here = history(samplings)
    for figure in (plots.methods_compared(here, 1.0), plots.error_per_epoch(here, "sparse")):
        assert len(figure.axes) == len(samplings)
        titles = [ax.get_title().split(",")[0] for ax in figure.axes]
        assert titles == [plots.SAMPLINGS[s] for s in ("fresh", "fixed") if s in samplings]


def test_an_error_has_a_curve_for_each_snr_and_one_of_the_oracle_beside_it():
    here = history()
    figure = plots.error_per_epoch(here[here.init == "near"], "group_sparse")
    assert [curves(ax) for ax in figure.axes] == [4, 4]
    assert texts(figure.axes[-1]) == ["1 dB", "5 dB", "oracle"]


def test_methods_are_compared_at_one_snr_by_the_names_of_figures():
    here = history()
    figure = plots.methods_compared(here[here.init == "near"], 5.0)
    expected = ["group-sparse", "sparse (soft threshold)", "oracle"]
    assert texts(figure.axes[-1]) == expected
    assert [curves(ax) for ax in figure.axes] == [3, 3]


def test_inits_are_compared_for_one_method():
    figure = plots.inits_compared(history(), "sparse", 1.0)
    assert texts(figure.axes[-1]) == ["near", "far"]
    assert figure.axes[-1].get_legend().get_title().get_text() == "sparse (soft threshold), init"
    assert [curves(ax) for ax in figure.axes] == [2, 2]


@pytest.mark.parametrize("sampling", list(plots.SAMPLINGS))
def test_the_papers_points_are_in_the_panel_of_its_sampling_alone(sampling):
    here = history((sampling,))
    here, papers = here[here.init == "near"], paper_curves("group_sparse")
    expected = sampling == plots.PAPERS
    for figure in (
        plots.error_per_epoch(here, "group_sparse", papers),
        plots.methods_compared(here, 1.0, papers),
        plots.loss_per_epoch(here.assign(metric="loss"), "group_sparse", 950, papers),
    ):
        assert any("the paper" in text for text in texts(figure.axes[0])) == expected
        lengths = {len(line.get_xdata()) for line in figure.axes[0].lines}
        assert bool(lengths & {14, 15, 16}) == expected


def test_a_loss_is_drawn_as_the_squared_error_of_an_entry():
    here = history().assign(metric="loss")
    figure = plots.loss_per_epoch(here[here.init == "near"], "group_sparse", 20)
    line = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == EPOCHS)
    assert list(line.get_ydata()) == pytest.approx([1.0, 0.9, 0.8])
