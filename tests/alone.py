"""Tests of the installed library without the workflow's packages, run by `make alone`."""

import json
import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

import groupsparse as gs

WORKFLOW = ("snakemake", "matplotlib", "seaborn", "pandas", "torchvision", "requests")


def nothing_of_the_workflow_is_here() -> None:
    assert [name for name in WORKFLOW if find_spec(name)] == []
    assert "site-packages" in gs.__file__, gs.__file__


def every_public_name_can_be_had() -> None:
    for name in gs.__all__:
        assert getattr(gs, name) is not None
    assert (Path(gs.__file__).parent / "py.typed").exists()


def problem(dtype: type = np.float32) -> tuple[np.ndarray, torch.Tensor]:
    truth = gs.random_dictionary(20, 16, gs.generator(0))
    drawn = gs.sample(truth, 2, 1, (4.0, 5.0), 200, gs.generator(1), snr_db=10.0)
    return drawn.data.numpy().astype(dtype), gs.perturb(truth, 0.7, gs.generator(2))


def network(start: torch.Tensor) -> gs.Autoencoder:
    return gs.Autoencoder(start, "group_soft", lambda_=1.0, group_size=2, encoder="fista", layers=5)


def training_resumes_from_a_checkpoint(folder: Path) -> None:
    data, start = problem()
    options = {"lr": 1e-2, "normalize": True, "optimizer": torch.optim.AdamW}
    batches = gs.FixedData(data, batch_size=50)
    straight, broken, resumed = network(start), network(start), network(start)
    expected = gs.train(straight, batches, epochs=6, **options)
    assert expected["loss"][-1] < expected["loss"][1]
    checkpoint = folder / "checkpoint"
    gs.train(broken, batches, epochs=4, checkpoint=checkpoint, checkpoint_every=2, **options)
    gs.train(resumed, batches, epochs=6, checkpoint=checkpoint, **options)
    assert torch.equal(resumed.dictionary, straight.dictionary)
    header = gs.load_tensors(checkpoint)[1]
    # The folder of this environment may be inside another repository.
    assert header["provenance"]["commit"] == "unknown"
    assert header["provenance"]["groupsparse"] == gs.__version__
    assert "snakemake" not in header["provenance"]


def a_model_is_saved_and_loaded(folder: Path) -> None:
    data, start = problem(np.float64)
    model = network(start)
    gs.train(model, gs.FixedData(data), epochs=2)
    model.save(folder / "model")
    again = gs.Autoencoder.load(folder / "model")
    codes = gs.encode_in_batches(again, data)
    assert torch.equal(codes, gs.encode_in_batches(model, data))
    assert torch.equal(again.decode(codes), model(data).reconstruction)
    assert json.loads((folder / "model" / "config.json").read_text())["prox"] == "group_soft"
    fresh = network(start)
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(fresh.dictionary, model.dictionary)


def codes_and_dictionaries_are_scored() -> None:
    data, start = problem()
    codes = gs.encode_in_batches(network(start), data).numpy()
    assert 0 < gs.sparsity(codes, 2)["active_groups"] < 8
    assert gs.invariant_squared_error(start, problem()[1], 2) < 1e-6
    labels = gs.cluster(codes, 4, "spectral", seed=0)
    assert gs.scores(labels, labels)["acc"] == 1
    assert 0 < gs.matched_threshold(2.0, 2, 0.5) < 2


def main() -> None:
    warnings.simplefilter("error")
    nothing_of_the_workflow_is_here()
    every_public_name_can_be_had()
    with tempfile.TemporaryDirectory() as folder:
        training_resumes_from_a_checkpoint(Path(folder))
        a_model_is_saved_and_loaded(Path(folder))
    codes_and_dictionaries_are_scored()
    print(f"groupsparse {gs.__version__} works by itself with Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
