"""Warnings about trainings on simulated data: which get one, and its advice."""

import pandas as pd
import pytest

from recovery.advice import recovery_advice

GOOD = {"squared_error": 10.0, "active_groups": 3.0, "group_precision": 0.9, "group_recall": 0.9}


def simulated(*, start: float = 100.0, stages=("init", "final"), **final: float) -> pd.DataFrame:
    """Two replicates of one training, which ends well unless ``final`` says otherwise."""
    values = {"init": GOOD | {"squared_error": start}, "final": GOOD | final}
    return pd.DataFrame(
        [
            {
                "snr": 5.0, "sampling": "fixed", "init": "near", "method": "group_sparse",
                "stage": stage, "replicate": replicate, "metric": metric, "value": value,
            }
            for stage in stages
            for replicate in range(2)
            for metric, value in values[stage].items()
        ]
    )  # fmt: skip


def test_a_training_that_improves_gets_no_warning():
    assert recovery_advice(simulated(), groups=60) == []
    # A poor support alone is a result, not a failure of the training.
    assert recovery_advice(simulated(group_precision=0.1, group_recall=0.1), groups=60) == []


@pytest.mark.parametrize(
    ("final", "words"),
    [
        (
            {"squared_error": 308.0, "group_precision": 0.08},
            [
                "error rose from 100 to 308",
                "only 8% of the active groups are right",
                "larger lambda",
            ],
        ),
        (
            {"squared_error": 308.0, "group_recall": 0.2},
            ["rose", "only 20% of the true groups are found", "smaller lambda"],
        ),
        ({"squared_error": 308.0}, ["rose", "smaller learning rate"]),
        (
            {"group_precision": 0.15, "group_recall": 0.97},
            [
                "97% of the true groups are found, but only 15% of the active ones are true",
                "raise recovery.methods.group_sparse.lambda.",
            ],
        ),
        ({"active_groups": 59.9}, ["all 60 groups are active", "too small: raise it"]),
        (
            {"active_groups": 60.0, "squared_error": 101.0},
            ["error rose from 100 to 101", "all 60 groups", "raise it"],
        ),
        (
            {"active_groups": 0.0, "group_precision": 0.0, "group_recall": 0.0},
            ["all codes are zero", "too large: lower it"],
        ),
    ],
)
def test_a_failed_training_says_what_to_try(final, words):
    (line,) = recovery_advice(simulated(**final), groups=60)
    assert line.startswith("recovery, 5 dB, fixed, init near, group_sparse: ")
    assert [word for word in words if word not in line] == []


def test_the_error_is_a_mean_over_replicates():
    table = simulated()
    final = (table.stage == "final") & (table.metric == "squared_error")
    table.loc[final & (table.replicate == 0), "value"] = 150.0
    assert recovery_advice(table, groups=60) == [], "150 and 10 are below 100 on average"
    table.loc[final & (table.replicate == 1), "value"] = 60.0
    assert len(recovery_advice(table, groups=60)) == 1


def test_a_control_gets_no_warning():
    assert recovery_advice(simulated(stages=["final"], squared_error=999.0), groups=60) == []
