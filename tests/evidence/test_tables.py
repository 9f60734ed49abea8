"""Long-form tables of a training and of the values of one condition."""

import pandas as pd
import torch

from evidence.tables import long_form, over_oracle, records


def test_a_history_becomes_a_row_for_each_value_that_was_observed():
    nan = float("nan")
    history = {
        "loss": torch.tensor([[nan, nan], [3.0, 4.0]]),
        "error": torch.tensor([[1.0, 2.0], [0.5, nan]]),
    }
    table = long_form(history, "recovery", {"method": "ours"})
    columns = ["experiment", "method", "replicate", "epoch", "metric", "value"]
    assert table.columns.tolist() == columns
    assert [tuple(row) for row in table.itertuples(index=False)] == [
        ("recovery", "ours", 0, 1, "loss", 3.0),
        ("recovery", "ours", 1, 1, "loss", 4.0),
        ("recovery", "ours", 0, 0, "error", 1.0),
        ("recovery", "ours", 1, 0, "error", 2.0),
        ("recovery", "ours", 0, 1, "error", 0.5),
    ]


def test_the_values_of_a_condition_become_a_row_each():
    assert records({"method": "ours", "replicate": 1}, {"acc": 0.5, "nmi": 0.4}) == [
        {"method": "ours", "replicate": 1, "metric": "acc", "value": 0.5},
        {"method": "ours", "replicate": 1, "metric": "nmi", "value": 0.4},
    ]
    assert records({"method": "ours"}, {}) == []


def test_a_run_without_an_error_is_a_failure_whether_others_have_one():
    runs = pd.DataFrame({"error": [3.0, None], "oracle_error": [2.0, None]})
    assert over_oracle(runs).tolist() == [1.5, float("inf")]
    assert over_oracle(runs[["error"]][1:]).tolist() == [float("inf")]
