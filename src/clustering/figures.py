"""Draw Fig. 4 (atoms and a code), Fig. 5 (distances) and the silhouettes of one data set."""

import argparse
import json

import numpy as np

from evidence import plots
from groupsparse.artifacts import load_tensors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of prepare_dataset.py")
    parser.add_argument("--models", nargs="+", required=True, help="of train_clustering.py")
    parser.add_argument("--codes", nargs="+", required=True, help="of the models, in their order")
    parser.add_argument("--choices", type=json.loads, required=True, help="config.report (JSON)")
    parser.add_argument(
        "--output", nargs="+", required=True, help="PNG and/or SVG files named after the figures"
    )
    args = parser.parse_args()
    data, header = load_tensors(args.data)
    test, labels = data["test_data"].numpy(), data["test_labels"].numpy()
    init, per_class = args.choices["init"], args.choices["distances_per_class"]
    atoms, codes = {}, {}
    for model, code in zip(args.models, args.codes, strict=True):
        tensors, about = load_tensors(model)
        atoms[about["method"]] = tensors[f"dictionary.{init}"][0].numpy()
        codes[about["method"]] = load_tensors(code)[0][f"codes.{init}"].numpy()
    size = about["settings"]["group_size"]
    # The baseline is on the left, as in the paper.
    pair = [args.choices["baseline"], args.choices["method"]]
    present = [method for method in args.choices["silhouettes"] if method in codes]
    chosen = np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in np.unique(labels)])
    figures = {
        "fig4": plots.atoms_and_activations(
            {m: atoms[m] for m in pair}, {m: codes[m][0] for m in pair}, size, test[0]
        ),
        "fig5": plots.pairwise_distances(
            {"raw pixels": test[chosen], **{m: codes[m][chosen] for m in pair}}, labels[chosen]
        ),
    }
    if present:
        figures["silhouettes"] = plots.silhouettes(
            {m: atoms[m] for m in present}, {m: codes[m] for m in present}, labels, size
        )
    plots.save({f"{k}-{header['dataset']}": v for k, v in figures.items()}, args.output)


if __name__ == "__main__":
    main()
