"""Warnings about trainings on images: which get one, and its advice."""

import numpy as np
import pandas as pd
import pytest

from clustering.advice import clustering_advice
from clustering.cases import controls


def clustered(method="m", grouped=True, init="kmeans", centered=False, **codes) -> pd.DataFrame:
    """Sparsity and a score of one trained dictionary."""
    values = {"active_entries": 0.3, "zero_codes": 0.0, "active_groups": 2.0} | codes
    head = {"dataset": "digits", "method": method, "init": init, "centered": centered}
    rows = [{"features": "codes", "metric": k, "value": v} for k, v in values.items()]
    rows += [{"features": "group", "metric": "acc", "value": 0.5}] if grouped else []
    return pd.DataFrame([head | row for row in rows])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (clustered(active_groups=10.0), ["all 10 groups", "group-sparse: raise it"]),
        (clustered(zero_codes=1.0, active_groups=0.0), ["all codes are zero", "lower it"]),
        (clustered(grouped=False, active_entries=1.0), ["all entries", "raise it"]),
    ],
)
def test_codes_that_are_all_active_or_all_zero_say_what_to_try(table, words):
    (line,) = clustering_advice(table, {"digits": 10})
    assert line.startswith("clustering, digits, m, init kmeans: ")
    assert [word for word in words if word not in line] == []


def test_codes_that_are_sparse_get_no_warning():
    assert clustering_advice(clustered(active_groups=9.0), {"digits": 10}) == []
    # Without group thresholds an entry of every group is nothing unusual.
    assert clustering_advice(clustered(grouped=False, active_groups=10.0), {"digits": 10}) == []
    control = clustered(method="raw").query("features == 'group'")
    assert clustering_advice(control, {"digits": 10}) == []


def test_a_feature_that_outweighs_all_others_is_told():
    random = np.random.default_rng(0)
    for scale, told in ((1.0, 0), (100.0, 1)):
        data = random.normal(size=(50, 6)) * [1, 1, scale, 1, 1, 1]
        cases = controls(data, None, 2, [0, 1])
        rows = [
            {**case.condition, "dataset": "mine", "features": "codes", "metric": k, "value": v}
            for case in cases
            for k, v in case.values.items()
        ]
        lines = clustering_advice(pd.DataFrame(rows), {})
        assert len(lines) == told
        assert all("one feature has 100% of the variance" in line for line in lines)


def test_conditions_of_one_problem_share_a_line():
    parts = [
        clustered(active_groups=10.0),
        clustered(init="data", centered=True, active_groups=10.0),
        clustered(init="random"),
        clustered(init="class", zero_codes=1.0),
    ]
    lines = clustering_advice(pd.concat(parts), {"digits": 10})
    assert len(lines) == 2
    assert "init kmeans; data, centred: all 10 groups" in lines[0]
    assert "init class: all codes are zero" in lines[1]
