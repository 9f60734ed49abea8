"""Draw Fig. 4 (atoms and a code), Fig. 5 (distances) or silhouettes of one data set."""

import argparse
import json

import numpy as np

from groupsparse import plots
from groupsparse.artifacts import load_tensors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", choices=["fig4", "fig5", "silhouettes"], required=True)
    parser.add_argument("--data", required=True, help="artefact of prepare_dataset.py")
    parser.add_argument("--models", nargs="+", required=True, help="model, codes; model, codes; ..")
    parser.add_argument("--settings", type=json.loads, required=True, help="settings of the data")
    parser.add_argument("--per-class", type=int, required=True, help="test samples per class")
    parser.add_argument("--output", nargs="+", required=True, help="PNG and/or SVG files")
    args = parser.parse_args()
    data, header = load_tensors(args.data)
    test, labels = data["test_data"].numpy(), data["test_labels"].numpy()
    dictionaries, codes = {}, {}
    for model, code in zip(args.models[::2], args.models[1::2], strict=True):
        tensors, about = load_tensors(model)
        dictionaries[about["method"]] = tensors["dictionary"][0].numpy()
        codes[about["method"]] = load_tensors(code)[0]["codes"].numpy()
    size = args.settings["group_size"]
    if args.figure == "silhouettes":
        figure = plots.silhouettes(dictionaries, codes, labels, size)
    elif args.figure == "fig4":
        one = {method: code[0] for method, code in codes.items()}
        figure = plots.atoms_and_activations(dictionaries, one, size, test[0])
    else:
        chosen = np.concatenate(
            [np.flatnonzero(labels == c)[: args.per_class] for c in np.unique(labels)]
        )
        features = {"raw pixels": test, **codes}
        figure = plots.pairwise_distances(
            {name: array[chosen] for name, array in features.items()}, labels[chosen]
        )
    plots.save({f"{args.figure}-{header['dataset']}": figure}, args.output)


if __name__ == "__main__":
    main()
