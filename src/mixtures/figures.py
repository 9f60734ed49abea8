"""Draw what one mixture made of a data set: the first replicate of the method that is shown."""

import argparse
import json

from evidence import style
from evidence.options import add_figures
from groupsparse.artifacts import load_tensors
from mixtures import plots
from mixtures.images import pixels
from mixtures.methods import mixture_of
from mixtures.outcome import energies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--learnt", required=True, help="artefact of mixtures.train")
    parser.add_argument("--settings", type=json.loads, required=True, help="of the data set (JSON)")
    add_figures(parser)
    args = parser.parse_args()
    tensors, about = load_tensors(args.learnt)
    images = pixels(args.data, about["protocol"], args.settings)
    # What the method changes of the settings is in the artefact.
    model = mixture_of(tensors["dictionary"][0], about["spec"], about["settings"])
    figure = plots.mixture(
        tensors["dictionary"][0].numpy(), images.scored.numpy(), images.scored_labels.numpy(),
        tensors["scored"][0].numpy(), energies(model, images.scored), args.settings["shape"],
    )  # fmt: skip
    style.save({f"mixtures-{about['dataset']}": figure}, args.output)


if __name__ == "__main__":
    main()
