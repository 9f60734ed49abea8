"""Learn from one generative model with every method, and score what was learnt."""

import argparse
import json
import logging

import pandas as pd
import torch

from evidence.options import add_options
from evidence.tables import records, save_table
from groupsparse.artifacts import save_tensors
from models.conditions import ORACLE, TRUTH, clusters, settings
from models.methods import Learnt, coded, learn
from models.problem import draw, oracle
from models.scores import measure, traits

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", type=json.loads, required=True, help="models (JSON)")
    parser.add_argument("--model", required=True, help="a name in the section")
    add_options(parser, "--seed", "--threads")
    parser.add_argument("--dictionaries", required=True, help="artefact with what is learnt")
    parser.add_argument("--output", required=True, help="CSV of metrics, one row per value")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    section, name = args.section, args.model
    model = settings(section, name)

    problems = [
        draw(model, section["correlation"], args.seed, name, r)
        for r in range(section["replicates"])
    ]
    d = model["group_size"]
    learnt = {
        ORACLE: [Learnt(oracle(p), p.codes) for p in problems],
        TRUTH: [Learnt(p.truth, coded(p.sample.data, p.truth, d)) for p in problems],
    }
    for method, entry in section["methods"].items():
        learnt[method] = learn(entry, problems, section, args.seed)
        log.info("%s learnt", method)
    rows, head = [], {"experiment": "models", "model": name}
    for r, problem in enumerate(problems):
        rows += records({**head, "method": TRUTH, "replicate": r}, traits(problem))
        for method, results in learnt.items():
            values = measure(results[r], problem, clusters(model), known=method == ORACLE)
            rows += records({**head, "method": method, "replicate": r}, values)
    save_table(args.output, pd.DataFrame(rows))
    dictionaries = {
        f"{method}.{r}": result.dictionary
        for method, results in learnt.items()
        for r, result in enumerate(results)
    }
    save_tensors(
        args.dictionaries, dictionaries, kind="dictionaries", model=name, seed=args.seed,
        section=section,
    )  # fmt: skip


if __name__ == "__main__":
    main()
