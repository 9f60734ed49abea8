"""Results that use labels are marked."""

import pandas as pd

from clustering.supervision import uses_labels


def test_the_oracle_and_inits_by_class_use_labels_and_nothing_else_does():
    rows = [
        ("group_sparse", "class", True),
        ("group_sparse", "kmeans", False),
        ("sparse", "random", False),
        ("raw", "none", False),
        ("oracle", "none", True),
        ("chance", "none", False),
    ]
    table = pd.DataFrame(rows, columns=["method", "init", "expected"])
    assert uses_labels(table).tolist() == table.expected.tolist()
