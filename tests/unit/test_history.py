"""Long-form tables of a training."""

import torch

from evidence.tables import long_form


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
