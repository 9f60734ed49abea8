"""Draw Fig. 4 (atoms and a code), Fig. 5 (distances) and the silhouettes of one data set."""

import argparse

import numpy as np

from clustering import plots
from clustering.pictures import image_shape
from clustering.words import named
from evidence.options import add_figures, add_options
from evidence.style import save
from groupsparse.artifacts import load_tensors
from groupsparse.supervision import SUPERVISED_INITS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--models", nargs="+", required=True, help="of clustering.train")
    parser.add_argument("--codes", nargs="+", required=True, help="of the models, in their order")
    add_options(parser, "--shown")
    parser.add_argument("--own", action="store_true", help="the data are the user's own")
    add_figures(parser)
    args = parser.parse_args()
    data, header = load_tensors(args.data)
    test, labels = data["test_data"].numpy(), data["test_labels"].numpy()
    shape, names = image_shape(header, test.shape[1]), header.get("classes")
    per_class = args.shown["distances_per_class"]
    atoms, codes, sizes, notes = {}, {}, {}, {}
    for model, code in zip(args.models, args.codes, strict=True):
        tensors, about = load_tensors(model)
        method, init = about["method"], args.shown["init"]
        init = init if init in about["inits"] else about["inits"][0]  # of a silhouette
        atoms[method] = tensors[f"dictionary.{init}"][0].numpy()
        codes[method] = load_tensors(code)[0][f"codes.{init}"].numpy()
        sizes[method] = about["settings"]["group_size"]
        notes[method] = f", init {init} (uses labels)" if init in SUPERVISED_INITS else ""
    # The baseline is on the left, as in the paper.
    pair = [args.shown["baseline"], args.shown["method"]]
    size, present = sizes[pair[1]], [m for m in args.shown["silhouettes"] if m in codes]
    sample = plots.with_one_group(codes[pair[1]], size)
    chosen = np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in np.unique(labels)])
    figures = {
        "fig4": plots.atoms_and_activations(
            {m: atoms[m] for m in pair},
            {m: codes[m][sample] for m in pair},
            size,
            test[sample],
            shape,
        ),
        "fig5": plots.pairwise_distances(
            {named("raw", args.own): test[chosen], **{m: codes[m][chosen] for m in pair}},
            labels[chosen],
            names,
        ),
    }
    if present:
        figures["silhouettes"] = plots.silhouettes(
            {m: atoms[m] for m in present},
            {m: codes[m] for m in present},
            labels,
            sizes,
            notes,
            shape,
            names,
        )
    save({f"{k}-{header['dataset']}": v for k, v in figures.items()}, args.output)


if __name__ == "__main__":
    main()
