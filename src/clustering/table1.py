"""Table 1: clustering scores as mean and standard deviation over replicates."""

import argparse

from clustering.supervision import uses_labels
from evidence.tables import load_table, save_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clustering", required=True, help="summary/clustering.csv")
    parser.add_argument("--output", required=True, help="CSV, one row per clustering")
    args = parser.parse_args()
    table = load_table(args.clustering)
    table = table[table.metric.isin(["acc", "nmi", "ari"])]
    keys = ["dataset", "method", "init", "centered", "features", "algorithm"]
    table = table.pivot_table(
        index=keys, columns="metric", values="value", aggfunc=["mean", "std", "count"], sort=False
    )
    table.columns = [f"{metric}_{statistic}" for statistic, metric in table.columns]
    table = table.reset_index().rename(columns={"acc_count": "replicates"})
    table.insert(len(keys), "uses_labels", uses_labels(table))
    scores = [f"{m}_{s}" for m in ("acc", "nmi", "ari") for s in ("mean", "std")]
    # One replicate has no standard deviation: pandas drops the column.
    table = table.reindex(columns=[*keys, "uses_labels", "replicates", *scores])
    save_table(args.output, table)


if __name__ == "__main__":
    main()
