"""Figures as files, and their legends."""

import os
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from evidence.style import legend_right, save


def test_figures_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    paths = [str(tmp_path / f"f.{ending}") for ending in ("png", "svg")]
    save({"f": Figure()}, paths)
    first = [Path(path).read_bytes() for path in paths]
    save({"f": Figure()}, paths)
    assert [Path(path).read_bytes() for path in paths] == first, "no timestamps"

    def killed(*arguments):
        raise OSError("killed")

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(OSError, match="killed"):
        save({"g": Figure()}, [str(tmp_path / "g.png")])
    assert not list(tmp_path.glob("*g.png*"))


def test_a_path_that_is_named_after_no_figure_is_refused(tmp_path):
    with pytest.raises(KeyError, match="other"):
        save({"f": Figure()}, [str(tmp_path / "other.png")])


def test_a_legend_to_the_right_shows_what_the_panel_holds_or_what_it_is_given():
    ax = Figure().subplots()
    (line,) = ax.plot([0, 1], label="drawn")
    legend_right(ax, title="title")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["drawn"]
    assert ax.get_legend().get_title().get_text() == "title"
    legend_right(ax, handles=[line, line])
    assert len(ax.get_legend().get_texts()) == 2
