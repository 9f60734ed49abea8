"""What the recovery of dictionaries delivers to the report: tables, captions, warnings."""

import json

import numpy as np
import pandas as pd
import pytest

from evidence.names import method_name
from evidence.tables import save_table
from recovery import report
from recovery.tables import SUPPORTS, end_points, summary

METHODS = ("group_sparse", "sparse", "oracle")
METRICS = ("squared_error", "noise_floor", "aligned_squared_error", "entry_f1", "active_groups")
CONFIG = {
    "shown": {"method": "group_sparse", "baseline": "sparse", "init": "near", "snr_db": 1},
    "model": {"n": 50, "groups": 20, "group_size": 2, "active_groups": 3, "samples": 10,
              "amplitude": [4.0, 5.0]},
    "methods": {"group_sparse": {"prox": "group_soft"}, "sparse": {"prox": "soft"}},
    "inits": {"near": {"correlation": 0.56, "normalized": False, "epochs": 4},
              "far": {"correlation": 0.15, "normalized": True}},
    "training": {"epochs": 9},
    "replicates": 2,
    "sweep": {"model": {"n": 5, "groups": 3, "group_size": 2}, "replicates": 1},
}  # fmt: skip


def evaluated(replicates: int = 2, **changes: float) -> pd.DataFrame:
    """Two samplings and noise levels from two inits; every score is 0.5 or 0.7, errors 5 or 7."""
    index = pd.MultiIndex.from_product(
        [
            [1.0, 5.0], ["near", "far"], ["fresh", "fixed"], ["group_sparse", "sparse", "oracle"],
            ["init", "final"], range(replicates), [*METRICS, *SUPPORTS],
        ],
        names=["snr", "init", "sampling", "method", "stage", "replicate", "metric"],
    ).unique()  # fmt: skip
    table = index.to_frame(index=False)
    table["value"] = 0.5 + 0.2 * table.replicate
    table.loc[table.metric.isin(METRICS[:3]), "value"] *= 10
    for metric, value in changes.items():
        table.loc[(table.stage == "final") & (table.metric == metric), "value"] = value
    return table.drop(table.index[(table.method == "oracle") & (table.stage == "init")])


def history() -> pd.DataFrame:
    """Curves of the error and the loss, both of value epoch + 1."""
    keys = [[1.0, 5.0], ["near", "far"], ["fixed"], ["group_sparse", "sparse", "oracle"], [0, 1]]
    names = ["snr", "init", "sampling", "method", "replicate"]
    axes = [*keys, [0, 1, 2], ["squared_error", "loss"]]
    table = pd.MultiIndex.from_product(axes, names=[*names, "epoch", "metric"]).to_frame(
        index=False
    )
    return table.assign(value=table.epoch + 1.0)


def test_the_summary_shows_one_init_and_noise_level():
    table = evaluated()
    table.loc[(table.init == "far") | (table.snr == 5), "value"] = 99.0
    block = summary(table, CONFIG)
    assert block["head"] == [
        [
            "method",
            "error, fresh",
            "error, fixed",
            "entry recall, fresh",
            "recall of positive entries, fresh",
            "exact groups, fresh",
        ]
    ]
    spread = f"{np.std([5, 7], ddof=1):.2f}"
    scores = f"0.600 ± {np.std([0.5, 0.7], ddof=1):.3f}"
    row = [f"6.00 ± {spread}"] * 2 + [scores] * 3
    assert block["rows"] == [[method_name(method), *row] for method in METHODS]
    assert "after 4 epochs at 1 dB (dimension 50, 20 groups of 2)" in block["caption"]


def test_the_summary_of_one_sampling_has_its_columns_alone():
    table = evaluated()
    fresh = table[table.sampling == "fresh"]
    block = summary(fresh, CONFIG)
    assert block["head"] == [
        [
            "method",
            "error, fresh",
            "entry recall, fresh",
            "recall of positive entries, fresh",
            "exact groups, fresh",
        ]
    ]
    part = fresh[~((fresh.method == "oracle") & (fresh.metric == "group_exact"))]
    assert summary(part, CONFIG)["rows"][-1][-1] == "–"


def test_every_training_has_a_row_of_end_points():
    block = end_points(evaluated())
    assert len(block["rows"]) == 2 * 2 * 2 * 3
    assert {len(row) for row in [*block["head"], *block["rows"]]} == {14}
    assert block["rows"][0][:4] == ["near", "fresh", "1 dB", "group-sparse"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_spread_is_shown_where_there_is_one(count):
    words = json.dumps(
        [summary(evaluated(count), {**CONFIG, "replicates": count}), end_points(evaluated(count))],
        ensure_ascii=False,
    )
    assert ("0.500 ±" in words or "0.600 ±" in words) == (count > 1)
    assert ("mean ± standard deviation of 2 replicates" in words) == (count > 1)
    assert ("one run" in words) == (count == 1)
    assert "nan" not in words


def test_captions_quote_the_numbers_of_what_they_show():
    curves = history()
    curves = curves[curves.metric == "loss"]  # an error after training is in both tables

    def conclusion(name):
        return report.conclusion(name, CONFIG, evaluated(), curves)

    assert report.caption("fig3a", CONFIG) == (
        "Fig. 3a: dictionary error of group-sparse per epoch, one colour per SNR; bands span all 2 "
        "replicates."
    )
    assert conclusion("fig3a") == (
        "Mean final squared error of group-sparse: fresh, 1 dB: 6; fixed, 1 dB: 6; fresh, 5 dB: 6; "
        "fixed, 5 dB: 6."
    )
    assert conclusion("fig3b") == (
        "Mean squared error per entry in the last epoch of group-sparse: fixed, 1 dB: {0:.3g}; "
        "fixed, 5 dB: {0:.3g}.".format(3 * 2 / CONFIG["model"]["n"])
    )
    assert "5 dB" not in conclusion("fig3c")
    assert "init far: " in conclusion("inits")
    assert report.caption("lambda_sweep", CONFIG).endswith(
        "(n = 5, 3 groups of 2, fixed data) after training against lambda; one run."
    )
    assert conclusion("lambda_sweep") == ""


def delivered(folder, monkeypatch, table) -> dict:
    """The section that a run of report.py writes."""
    save_table(folder / "recovery.csv", table)
    save_table(folder / "recovery_history.csv", history())
    arguments = [
        "--tables", str(folder / "recovery.csv"), str(folder / "recovery_history.csv"),
        "--figures", "fig3a", "inits", "--config", json.dumps(CONFIG),
        "--claims", str(folder / "claims.csv"), "--section", str(folder / "section.json"),
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["report.py", *arguments])
    report.main()
    return json.loads((folder / "section.json").read_text())


def test_the_section_has_its_figures_in_their_order_and_claims_of_this_size(tmp_path, monkeypatch):
    section = delivered(tmp_path, monkeypatch, evaluated())
    assert [b["name"] for b in section["blocks"] if b["kind"] == "figure"] == ["fig3a", "inits"]
    assert section["warnings"] == []
    methods = section["blocks"][-1]["html"]
    assert "near with expected cosine 0.56, not normalised; far with expected" in methods
    claims = pd.read_csv(tmp_path / "claims.csv")
    assert set(claims.experiment) == {"recovery"}
    assert claims.reason.str.contains("this study n = 50, 20 groups of 2, 10 samples").any()


def test_an_init_under_a_second_name_is_said_to_be_the_same():
    near = {"correlation": 0.56, "normalized": True}
    words = report.inits({"near": near, "near_unshrunk": near, "far": near | {"correlation": 0.15}})
    assert words == (
        "near with expected cosine 0.56, normalised; near_unshrunk the same as near; "
        "far with expected cosine 0.15, normalised"
    )


def test_failed_trainings_come_with_advice_on_lambda(tmp_path, monkeypatch):
    *lines, hint = delivered(tmp_path, monkeypatch, evaluated(active_groups=0.0))["warnings"]
    assert all("all codes are zero" in line for line in lines)
    assert "recovery.sweep" in hint
