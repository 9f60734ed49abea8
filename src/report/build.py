"""Assemble the report: one self-contained page with claims, figures, tables and provenance."""

import argparse
import base64
import io
import json
from pathlib import Path

import jinja2
import pandas as pd
import yaml
from PIL import Image

from clustering.advice import clustering_advice
from evidence import published
from evidence.claims import tally
from evidence.tables import load_table
from groupsparse.files import provenance, read_checked, write_checked
from recovery.advice import recovery_advice
from theory.statements import theory_table

PANELS = {
    "fig3a": "Fig. 3a: dictionary error of {method} per epoch, one colour per SNR",
    "fig3b": "Fig. 3b: training loss of {method} per epoch",
    "fig3c": "Fig. 3c: dictionary error of all methods at {snr} dB, with both controls",
    "fig3d": "Fig. 3d: support recovery after training against SNR",
    "inits": "Fig. D (not in the paper): dictionary error of {method} per epoch from every "
    "initialisation, at {snr} dB",
    "lambda_sweep": "Fig. E (not in the paper): small problems (n = {sweep[model][n]}, "
    "{sweep[model][groups]} groups of {sweep[model][group_size]}, fixed data) after training "
    "against lambda",
    "fig4": "Fig. 4: atoms (up to 8 of each group) and the code of the first test sample (inset)",
    "fig5": "Fig. 5: pairwise distances of {per_class} test samples per class, sorted by class",
    "silhouettes": "Fig. A (not in the paper): atoms and mean activation of every class (labels "
    "only sort)",
    "table1": "Fig. B (not in the paper): Table 1 as a figure, every initialisation and centring",
    "convergence": "Fig. C (not in the paper): are the epochs of Table 1 enough? The first "
    "replicate, trained for longer",
}

THEORY = {
    "theory_constants": (
        "Theory 1: errors, constants, Lemma 1's interval (shaded where not empty) and support "
        "recovery along training, per regime; {replicates}. "
        "Atoms grow to undo the shrinkage, so the error of Theorem 2 counts their length and the "
        "others do not. Regimes that diverge are in the table only: {diverged}"
    ),
    "theory_gradients": (
        "Theory 2: contraction per step from each measured epoch to the next, with Theorem 2's ρ "
        "(with Adam: ρ at the largest step that the theorem allows); then the approximate gradient "
        "of eq. 27 against the exact one, and the main term of eq. 32 (whole, and without the part "
        "in the span of the group itself) and the mean derived here against the empirical mean of "
        "eq. 27. Near a stationary point the gradient vanishes and sampling error rules relative "
        "errors"
    ),
    "theory_support": (
        "Theory 3: sweep of δ and λ without training or noise; bars mark Lemma 1's interval as "
        "printed and with d μ_B for μ_B. Theorem 1 takes the printed bound on V, and its O-term "
        "with constant 1; it promises nothing where its right side is not positive"
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template", required=True)
    parser.add_argument("--claims", required=True)
    parser.add_argument("--recovery", nargs="?", help="summary/recovery.csv, if any")
    parser.add_argument("--history", nargs="?", help="summary/recovery_history.csv, if any")
    parser.add_argument("--clustering", nargs="?", help="summary/clustering.csv, if any")
    parser.add_argument("--table1", nargs="?", help="tables/table1.csv, if any")
    parser.add_argument("--figures", nargs="*", default=[], help="PNG files")
    parser.add_argument("--theory", nargs="?", help="summary/theory.csv, if any")
    parser.add_argument("--theory-figures", nargs="*", default=[], help="PNG files")
    parser.add_argument(
        "--config", type=json.loads, required=True, help="config of what is on (JSON)"
    )
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    config = args.config
    recovery, history, clustering, table1, theory = (
        load_table(path) if path else None
        for path in (args.recovery, args.history, args.clustering, args.table1, args.theory)
    )
    warnings = []
    if recovery is not None:
        warnings += recovery_advice(recovery, config["simulation"]["model"]["groups"])
    if clustering is not None:
        settings = config["clustering"]["settings"]
        warnings += clustering_advice(clustering, {k: v["groups"] for k, v in settings.items()})
    figures = [
        {
            "name": Path(path).stem,
            "caption": caption(Path(path).stem, config, recovery, history),
            "source": embedded(path),
        }
        for path in args.figures
    ]
    theory_figures = [
        {
            "name": Path(path).stem,
            "caption": theory_caption(Path(path).stem, config, theory),
            "source": embedded(path),
        }
        for path in args.theory_figures
    ]
    claims = load_table(args.claims)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(Path(args.template).read_text()).render(
        config=config,
        config_text=yaml.safe_dump(config, sort_keys=False),
        warnings=warnings,
        claims=claims.to_dict("records"),
        tally=tally(claims),
        figures=figures,
        headline=[] if table1 is None else compact(table1[~table1.uses_labels]),
        supervised=[] if table1 is None else compact(table1[table1.uses_labels]),
        table1=[] if table1 is None else table1.to_dict("records"),
        end_points=[] if recovery is None else end_points(recovery),
        theory=[] if theory is None else theory_table(theory),
        theory_figures=theory_figures,
        provenance=provenance(),
    )
    write_checked(args.output, page.encode())


def embedded(path: str) -> str:
    """A figure as base64 of a WebP, much smaller than its PNG: pages are mailed and committed."""
    content = io.BytesIO()
    image = Image.open(io.BytesIO(read_checked(path))).convert("RGB")
    image.thumbnail((1200, 1200))
    image.save(content, "WEBP", quality=40, method=6)
    return base64.b64encode(content.getvalue()).decode()


def compact(table) -> list[dict]:
    """Table 1 by data set: a row per method, features and centring, ACC per init and algorithm.

    A cell is (columns it spans, scores), a score (algorithm or "", mean, standard deviation).
    """
    blocks = []
    for dataset, here in table.groupby("dataset", sort=False):
        inits = [i for i in here.init.unique() if i != "none"]
        paper = published.TABLE1 if dataset == published.TABLE1_DATASET else {}
        rows = []
        for key, part in here.groupby(["method", "features", "centered"], sort=False):
            scores = part.set_index(["init", "algorithm"])[["acc_mean", "acc_std"]]
            cells = []
            if "none" in scores.index:
                named = [(a if len(scores) > 1 else "", *v) for (_, a), *v in scores.itertuples()]
                cells.append((2 * len(inits), named))
            for init in inits if not cells else ():
                algorithms = [a for i, a in scores.index if i == init]
                span = 1 if len(algorithms) > 1 else 2
                values = [[("", *scores.loc[(init, a)])] for a in algorithms]
                cells += [(span, value) for value in values or [[]]]
            row = dict(zip(("method", "features", "centered"), key, strict=True))
            row |= {"control": "none" in scores.index, "cells": cells}
            rows.append(row | {"paper": paper.get(key[:2])})
        blocks.append({"dataset": dataset, "inits": inits, "rows": rows, "published": bool(paper)})
    return blocks


def end_points(recovery) -> list[dict]:
    """Final error and support scores, mean and standard deviation over replicates."""
    metrics = [
        "squared_error", "noise_floor", "aligned_squared_error", "entry_recall", "entry_precision",
        "group_recall", "group_precision", "group_f1", "group_exact",
    ]  # fmt: skip
    table = recovery[(recovery.stage == "final") & recovery.metric.isin(metrics)]
    keys = ["init", "sampling", "snr", "method"]
    table = table.groupby([*keys, "metric"], sort=False).value.agg(["mean", "std"]).reset_index()
    return [
        dict(zip(keys, key, strict=True)) | {m: group.set_index("metric").loc[m] for m in metrics}
        for key, group in table.groupby(keys, sort=False)
    ]


def caption(name: str, config: dict, recovery, history) -> str:
    """Caption of a figure; its numbers are read from config and results."""
    figure, _, dataset = name.partition("-")
    choices, simulation = config["report"], config.get("simulation", {})
    text = PANELS[figure].format(
        method=choices["method"], snr=choices["snr_db"], per_class=choices["distances_per_class"],
        sweep=simulation.get("sweep"),
    )  # fmt: skip
    if figure == "lambda_sweep":
        count = simulation["sweep"]["replicates"]
        return (
            f"{text}; {f'mean and range of {count} replicates' if count > 1 else 'one replicate'}."
        )
    if figure == "table1":
        count = config["clustering"]["replicates"]
        return (
            f"{text}. Data: {dataset}; {f'{count} replicates' if count > 1 else 'one replicate'}."
        )
    if dataset:
        return f"{text}. Data: {dataset}; init {choices['init']}; first replicate."
    metric, label = {
        "fig3b": ("loss", "loss in the last epoch"),
        "fig3d": ("entry_recall", "recall of active entries"),
    }.get(figure, ("squared_error", "final squared error"))
    ends = pd.concat(
        [recovery[recovery.stage == "final"], history[history.epoch == history.epoch.max()]]
    )
    ends = ends[(ends.method == choices["method"]) & (ends.metric == metric)]
    if figure in ("fig3c", "inits"):
        ends = ends[ends.snr == choices["snr_db"]]
    if figure == "inits":
        level = "init " + ends.init
    else:
        ends = ends[ends.init == choices["simulation_init"]]
        level = ends.snr.map("{:g} dB".format)
    ends = ends.groupby([ends.sampling, level], sort=False).value.mean()
    numbers = "; ".join(f"{s}, {level}: {value:.3g}" for (s, level), value in ends.items())
    count = simulation["replicates"]
    bands = f"Bands span all {count} replicates" if count > 1 else "One replicate"
    return f"{text}. {bands}. Mean {label} of {choices['method']}: {numbers}."


def theory_caption(name: str, config: dict, theory) -> str:
    """Caption of a figure of the theory section; ``theory`` is None where no regime ran."""
    diverged = []
    if theory is not None:
        diverged = theory[(theory.metric == "diverged") & (theory.value > 0)].regime.unique()
    count = config["theory"]["replicates"]
    means = f"means of {count} replicates, bands span them" if count > 1 else "one replicate"
    text = THEORY[name].format(replicates=means, diverged=", ".join(diverged) or "none")
    return f"{text}."


if __name__ == "__main__":
    main()
