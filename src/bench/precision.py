"""Error and time of the shallow loss in float32, with and without reduced-precision products.

Errors are relative to plain autograd in float64. The error of the bare product tells which
arithmetic really ran: about 1e-7 is float32, 1e-4 tf32, 1e-3 bfloat16 with float32 sums.
"""

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from bench import reference
from bench.timing import arguments, interleaved, rows, save, simulate, size
from groupsparse.dictionary import perturb
from groupsparse.loss import shallow_loss
from groupsparse.prox import PROX
from groupsparse.seeds import generator


def main() -> None:
    args = arguments(__doc__)
    threads = args.threads[-1]
    torch.set_num_threads(threads)
    table = measure(args.settings, args.seed, "cpu", ("highest", "medium"), threads)
    if torch.cuda.is_available():
        table += measure(args.settings, args.seed, "cuda", ("highest", "high", "medium"), threads)
    save(args.output, "precision", table)


def measure(settings: dict, seed: int, device: str, precisions: tuple, threads: int) -> list[dict]:
    model = settings["model"]
    truth, data = simulate(model, seed)
    init = perturb(truth, settings["correlation"], generator(seed, "bench", "init"), True)
    data, init = data.to(device), init.to(device)
    exact_data, exact_init, table = data.double(), init.double(), []
    for prox, lambda_ in settings["methods"].items():
        logging.info("%s, %s", prox, device)
        problem = lambda_, model["group_size"]
        exact = [exact_data @ exact_init]
        exact += loss_and_gradient(
            lambda a, p=problem, x=prox: reference.shallow_loss(exact_data, a, x, *p), exact_init
        )
        exact = dict(zip(("product_error", "loss_error", "gradient_error"), exact, strict=True))
        functions = {
            "library": lambda p=problem, x=prox: loss_and_gradient(
                lambda a: shallow_loss(data, a, PROX[x], *p), init
            ),
            "plain autograd": lambda p=problem, x=prox: loss_and_gradient(
                lambda a: reference.shallow_loss(data, a, x, *p), init
            ),
            "bare product": lambda: (data @ init,),
        }
        candidates = {
            f"{name}, {precision}": at_precision(precision, function)
            for precision in precisions
            for name, function in functions.items()
        }
        candidates["bare product, cast to bfloat16"] = lambda: (data.bfloat16() @ init.bfloat16(),)
        condition = {"case": prox, "device": device, "threads": threads, **size(model)}
        baseline = "plain autograd, highest"
        table += rows(interleaved(candidates, settings["repetitions"]), baseline, **condition)
        for name, function in candidates.items():
            metrics = (
                ["loss_error", "gradient_error"] if "product" not in name else ["product_error"]
            )
            errors = {
                metric: error(result, exact[metric])
                for metric, result in zip(metrics, function(), strict=True)
            }
            for metric, value in errors.items():
                logging.info("  %s: %s %.3g", name, metric, value)
                table += rows({name: [value]}, baseline, metric, **condition)
    return table


def loss_and_gradient(loss: Callable[[Tensor], Tensor], dictionary: Tensor) -> tuple:
    dictionary = dictionary.clone().requires_grad_()
    value = loss(dictionary)
    (gradient,) = torch.autograd.grad(value, dictionary)
    return value.detach(), gradient


def at_precision(precision: str, function: Callable[[], tuple]) -> Callable[[], tuple]:
    """The function under torch.set_float32_matmul_precision, which is put back."""

    def run() -> tuple:
        torch.set_float32_matmul_precision(precision)
        try:
            return function()
        finally:
            torch.set_float32_matmul_precision("highest")

    return run


def error(estimate: Tensor, truth: Tensor) -> float:
    """||estimate - truth|| / ||truth||."""
    return float((estimate.double() - truth).norm() / truth.norm())


if __name__ == "__main__":
    main()
