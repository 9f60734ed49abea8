"""Tables of clustering scores for the report."""

from collections.abc import Collection

import pandas as pd

from clustering.conditions import of_data, scored_epochs, settings_of
from clustering.supervision import uses_labels
from clustering.words import named, sample
from evidence.names import method_name
from evidence.paper import paper_table
from evidence.section import percent, replicates, spread, table

ALGORITHMS = {"kmeans": "k-means", "spectral": "spectral"}
FEATURES = {"group": "active group", "norms": "group norms"}
KEYS = ["method", "features", "centered"]
PAPER_EPOCHS = 300


def papers(dataset: str) -> dict[tuple[str, str], dict[str, str]]:
    """The paper's accuracies on a data set: (method, features) -> algorithm -> per cent."""
    printed = paper_table("table1")
    printed = printed[printed.dataset == dataset]
    return {
        key: {row.algorithm: f"{100 * row.accuracy:.1f}" for row in part.itertuples()}
        for key, part in printed.groupby(["method", "features"])
    }


def summary(table1: pd.DataFrame, config: dict, own: Collection[str] = ()) -> dict:
    """Accuracies on every data set from the init that the figures show, beside the paper's."""
    init = config["shown"]["init"]
    here = table1[~table1.uses_labels & ~table1.centered & table1.init.isin([init, "none"])]
    columns, trained = {}, []
    for dataset, part in here.groupby("dataset", sort=False):
        columns[dataset] = {
            key: " / ".join(percent(s.acc_mean, s.acc_std) for s in scores.itertuples())
            for key, scores in part.groupby(["method", "features"], sort=False)
        }
        trained.append(f"{dataset}, {training(part, config)}")
        if printed := papers(dataset):
            columns[f"{dataset} in the paper"] = {
                k: " / ".join(v.values()) for k, v in printed.items()
            }
            trained[-1] += f" (the paper: {PAPER_EPOCHS} epochs)"
    mine = not set(columns).isdisjoint(own)
    rows = [
        [
            named(method, mine),
            FEATURES.get(features, features),
            *(c.get((method, features), "–") for c in columns.values()),
        ]
        for method, features in dict.fromkeys(zip(here.method, here.features, strict=True))
    ]
    return table(
        [["method", "features", *columns]],
        rows,
        caption="Accuracy in % of k-means / spectral clustering on the test codes (the active "
        f"group is itself a cluster), init {init}, {sample(mine)}s not centred, no label used; "
        f"{'; '.join(trained)}",
    )


def training(table1: pd.DataFrame, config: dict) -> str:
    """Epochs and replicates of the methods on one data set: the usual ones, then exceptions."""
    dataset = table1.dataset.iloc[0]
    usual = of_data(config, dataset)["training"]["epochs"], int(table1.replicates.max())
    words = [f"{usual[0]} epochs, {replicates(usual[1])}"]
    for method, part in table1[table1.method.isin(config["methods"])].groupby("method", sort=False):
        epochs = settings_of({"clustering": config}, dataset, method)["training"]["epochs"]
        own = epochs, int(part.replicates.max())
        if own != usual:
            words.append(f"{method_name(method)}: {own[0]} epochs, {own[1]} replicates")
    return "; ".join(words)


def averaged(table1: pd.DataFrame, config: dict) -> str:
    """Over which dictionaries of a training scores are means: of the shown method, then exceptions.

    A training of few epochs has fewer of them.
    """

    def count(dataset: str, method: str) -> int:
        return len(scored_epochs({"clustering": config}, dataset, method))

    usual = {name: count(name, config["shown"]["method"]) for name in table1.dataset.unique()}
    words = "those of the last dictionary of a training"
    if max(usual.values()) > 1:
        words = f"means over {_last(usual)} dictionaries of a training"
        words += f", {config['average']['every']} epochs apart"
    others = []
    for method, part in table1[table1.method.isin(config["methods"])].groupby("method", sort=False):
        own = {name: count(name, method) for name in part.dataset.unique()}
        if any(own[name] != usual[name] for name in own):
            others.append(f"{method_name(method)}: {_last(own)}")
    return f"{words} ({'; '.join(others)})" if others else words


def _last(counts: dict[str, int]) -> str:
    ends = dict.fromkeys([min(counts.values()), max(counts.values())])
    return "the last" if max(ends) == 1 else f"the last {' to '.join(map(str, ends))}"


def accuracies(table1: pd.DataFrame, note: str = "", own: Collection[str] = ()) -> list[dict]:
    """Table 1 by data set: a row per method, features and centring, ACC per init and algorithm."""
    blocks = []
    for dataset, here in table1.groupby("dataset", sort=False):
        inits = [init for init in here.init.unique() if init != "none"]
        printed = papers(dataset)
        rows = []
        for (method, features, centered), part in here.groupby(KEYS, sort=False):
            control = (part.init == "none").all()
            centring = "–" if control else "yes" if centered else "no"
            scores = part.set_index(["init", "algorithm"])[["acc_mean", "acc_std"]]
            if not control:
                cells = init_cells(scores, inits)
            elif dataset in own:  # in both columns of every init, which is none of the control's
                cells = init_cells(scores, ["none"] * max(1, len(inits)))
            else:
                cells = [control_cell(scores, len(inits))]
            if printed:
                cells += [printed.get((method, features), {}).get(a, "") for a in ALGORITHMS]
            name = named(method, dataset in own)
            rows.append([name, FEATURES.get(features, features), centring, *cells])
        columns = [f"init {init}" for init in inits] or ["no init"]
        head = headings(columns + (["paper"] if printed else []))
        blocks.append(
            table(
                head, rows, caption=f"ACC (%) on {dataset}{note}",
                name="" if note else f"scores-{dataset}",
            )
        )  # fmt: skip
    return blocks


def unscored(clustering: pd.DataFrame, datasets: list[str]) -> list[dict]:
    """What can be said of the user's own data without labels: a row per method and init."""
    blocks = []
    for dataset in datasets:
        here = clustering[(clustering.dataset == dataset) & ~clustering.centered]
        here = here[~uses_labels(here) & (here.method != "chance")]
        rows = []
        for (method, init), part in here.groupby(["method", "init"], sort=False):
            codes = part[part.features.isin(["codes", "raw"])]
            values = codes.groupby(["metric", "algorithm"]).value
            mean, std = values.mean(), values.std()
            # Two seeds are one pair: nothing to spread.
            std = std.mask(
                (std.index.get_level_values("metric") == "agreement") & (values.count() < 3)
            )
            cells = [
                show(mean[key], std[key]) if key in mean.index else "–"
                for key, show in (
                    (("explained", "none"), percent), (("active_groups", "none"), spread),
                    (("unused_groups", "none"), spread), (("active_entries", "none"), percent),
                    (("agreement", "kmeans"), spread), (("agreement", "spectral"), spread),
                )
            ]  # fmt: skip
            rows.append([named(method, True), init, *cells])
        head = [
            "method", "init", "variance explained (%)", "active groups", "unused groups",
            "nonzero entries (%)", "seeds agree, k-means", "seeds agree, spectral",
        ]  # fmt: skip
        caption = (
            f"{dataset}: held-out samples, no label used. Active groups are counted in a sample; "
            "unused ones are active in none. Agreement is the adjusted Rand index between seeds: 1 "
            "is the same clusters"
        )
        blocks.append(table([head], rows, caption=caption))
    return blocks


def headings(columns: list[str]) -> list[list[dict | str]]:
    """Two rows of headings: each column has a place for either algorithm."""
    first = [{"text": name, "rows": 2} for name in ("method", "features", "centred")]
    first += [{"text": column, "span": 2} for column in columns]
    return [first, list(ALGORITHMS.values()) * len(columns)]


def control_cell(scores: pd.DataFrame, inits: int) -> dict:
    """One cell below all inits, which a control does not have."""
    values = [(ALGORITHMS.get(a, ""), percent(*value)) for (_, a), *value in scores.itertuples()]
    named = (f"{name} {value}" if len(values) > 1 else value for name, value in values)
    return {"text": ", ".join(named), "span": 2 * max(1, inits)}


def init_cells(scores: pd.DataFrame, inits: list[str]) -> list[dict]:
    """A cell per init and algorithm; what has one score, or none, takes both places."""
    cells = []
    for init in inits:
        values = [percent(*value) for (of, _), *value in scores.itertuples() if of == init]
        span = 1 if len(values) > 1 else 2
        cells += [{"text": value, "span": span} for value in values or ["–"]]
    return cells


def every_score(table1: pd.DataFrame, own: Collection[str] = ()) -> dict:
    """Table 1 with all scores, a row per clustering."""
    head = ["data", "method", "init", "centred", "features", "clustering", "ACC", "NMI", "ARI"]
    rows = [
        [
            row.dataset, named(row.method, row.dataset in own), row.init,
            "yes" if row.centered else "no", row.features, row.algorithm,
            spread(row.acc_mean, row.acc_std),
            spread(row.nmi_mean, row.nmi_std), spread(row.ari_mean, row.ari_std),
            str(row.replicates),
        ]
        for row in table1.itertuples()
    ]  # fmt: skip
    caption = "Every row with ACC, NMI and ARI"
    return table([[*head, "replicates"]], rows, caption=caption, folded=True)


def against_epochs(convergence: pd.DataFrame | None) -> list[dict]:
    """ACC of the longer runs at every snapshot, a row per method and algorithm."""
    blocks = []
    if convergence is None:
        return blocks
    scores = convergence[convergence.metric.str.startswith("acc_")]
    for dataset, here in scores.groupby("dataset", sort=False):
        epochs = sorted(here.epoch.unique())
        rows = []
        for (method, metric), part in here.groupby(["method", "metric"], sort=False):
            by_epoch = part.groupby("epoch").value
            algorithm = metric.removeprefix("acc_")
            name = ALGORITHMS.get(algorithm, "active group")
            cells = zip(by_epoch.mean(), by_epoch.std(), strict=True)
            rows.append([method_name(method), name, *(percent(*cell) for cell in cells)])
        count = replicates(here.replicate.nunique())
        caption = f"ACC (%) of the codes on {dataset}, by epochs of training, {count}"
        blocks.append(table([["method", "clustering", *map(str, epochs)]], rows, caption=caption))
    return blocks


def over_lambda(sweep: pd.DataFrame | None) -> list[dict]:
    """The sweep as a table: a row per penalty, unit or free atoms; what uses labels comes last."""
    blocks = []
    if sweep is None:
        return blocks
    for dataset, here in sweep.groupby("dataset", sort=False):
        keys = ["normalize", "lambda", "replicate"]
        wide = here.pivot_table(index=keys, columns="metric", values="value", sort=False)
        groups = wide.groupby(level=keys[:2], sort=False)
        # Earlier runs did not measure it.
        explained = [m for m in ("explained",) if m in wide]
        rows = [
            [
                "unit" if unit else "free", f"{value:g}",
                spread(part.active_groups.mean(), part.active_groups.std(), 2),
                *(percent(part[m].mean(), part[m].std()) for m in explained),
                spread(part.loss.mean(), part.loss.std()),
                *(percent(part[m].mean(), part[m].std()) for m in ("acc_argmax", "acc_kmeans")),
            ]
            for (unit, value), part in groups
        ]  # fmt: skip
        head = [
            "atoms", "penalty", "active groups", *("explained" for _ in explained), "loss",
            "ACC active group", "ACC k-means",
        ]  # fmt: skip
        count = replicates(here.replicate.nunique())
        caption = f"Penalties on {dataset}, {count}; ACC uses labels and only judges"
        blocks.append(table([head], rows, caption=caption, folded=True))
    return blocks
