"""Draw what the groups of a network stand for: their atoms, and the samples that use them most."""

import argparse

from clustering import pictures
from evidence.options import add_figures
from evidence.style import save
from groupsparse.artifacts import load_tensors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="artefact of data.prepare")
    parser.add_argument("--model", required=True, help="of clustering.train")
    parser.add_argument("--codes", required=True, help="of the model")
    parser.add_argument("--init", required=True, help="of the training that is drawn")
    add_figures(parser)
    args = parser.parse_args()
    data, header = load_tensors(args.data)
    model, about = load_tensors(args.model)
    codes = load_tensors(args.codes)[0][f"codes.{args.init}"].numpy()
    figure = pictures.members(
        model[f"dictionary.{args.init}"][0].numpy(),
        codes,
        data["test_data"].numpy(),
        about["settings"]["group_size"],
        header,
        data["test_labels"].numpy() if "test_labels" in data else None,
    )
    save({f"members-{header['dataset']}": figure}, args.output)


if __name__ == "__main__":
    main()
