"""Time training steps of the convolutional autoencoder: library, plain autograd, bare products.

Each case of the settings is one problem; in ``axes`` one of times, length and kernels varies. The
floor is what the convolutions of one pass through the layers cost as dense products of the same
number of operations.
"""

import logging

import torch

from bench import plain
from bench.timing import arguments, interleaved, rows, save
from groupsparse.convolutional import ConvolutionalAutoencoder
from groupsparse.seeds import generator

BINOMIAL = 5  # trials of the law


def main() -> None:
    args = arguments(__doc__)
    settings, threads = args.settings, args.threads[-1]
    torch.set_num_threads(threads)
    cases = dict(settings["cases"])
    for axis, values in settings["axes"].items():
        cases |= {f"{axis} {value}": settings["base"] | {axis: value} for value in values}
    table = []
    for name, case in cases.items():
        logging.info("%s: %s", name, case)
        times = interleaved(candidates(case, args.seed), settings["repetitions"])
        condition = {
            "case": name, "n": case["length"], "m": case["kernels"], "group_size": case["neurons"],
            "samples": case["trials"], "times": case["times"], "layers": case["layers"],
        }  # fmt: skip
        table += rows(times, "plain autograd", device="cpu", threads=threads, **condition)
    save(args.output, "convolutional", table)


def candidates(case: dict, seed: int) -> dict:
    """Loss and gradient of one batch, two ways, and the bare products."""
    random = generator(seed, "bench", "convolutional")
    shape = case["trials"], case["neurons"], case["times"]
    kernels = torch.randn(case["kernels"], case["length"], generator=random)
    kernels = torch.nn.functional.normalize(kernels, dim=-1)
    y = torch.randint(0, BINOMIAL + 1, shape, generator=random).float()
    baseline = torch.zeros(shape[:2])
    penalties = case["lambda"], case["group_lambda"], case["layers"]
    model = ConvolutionalAutoencoder(
        kernels, "binomial", *penalties, law_options={"trials": BINOMIAL}
    )
    recording, weights = model.recording(y, baseline), kernels.clone().requires_grad_()

    def library() -> None:
        model.dictionary.grad = None
        model.loss(recording).backward()

    def by_hand() -> None:
        weights.grad = None
        plain.loss(y, baseline, weights, BINOMIAL, *penalties).backward()

    # Every layer convolves once and correlates once: P K L N C products each.
    places = case["times"] - case["length"] + 1
    left = torch.randn(places, case["length"], generator=random)
    right = torch.randn(case["length"], case["kernels"] * shape[0] * shape[1], generator=random)

    def floor() -> None:
        for _ in range(2 * case["layers"]):
            left @ right

    return {"library": library, "plain autograd": by_hand, "bare products": floor}


if __name__ == "__main__":
    main()
