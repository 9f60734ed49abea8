"""The rates of a machine from which formula.py predicts what an epoch costs."""

import torch

from bench.formula import Machine
from bench.timing import interleaved
from groupsparse import screening
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.training import train

PRODUCT, ARRAY = (2048, 512, 4096), 2**23  # what the rates are measured on
STEPS = 100  # of a network so small that its work is nothing


def machine(repetitions: int = 10) -> Machine:
    """The rates of this machine with the present number of threads: about three seconds."""
    # In a new process the first products of a second run at half their rate.
    rows, inner, columns = PRODUCT
    left, right = torch.randn(rows, inner), torch.randn(inner, columns)
    fast = screening.FAST_INT8
    low = [(32 * each).round().to(torch.int8) if fast else each for each in (left, right)]
    array, kept = torch.ones(ARRAY), torch.ones(ARRAY)
    tiny = Autoencoder(torch.randn(8, 64), "group_soft", 12.0, 4)
    batches = FixedData(torch.randn(1000, 8), batch_size=1000 // STEPS)
    candidates = {
        "product": lambda: left @ right,
        "screen": lambda: torch._int_mm(*low) if fast else torch.mm(*low),
        # An array that is asked for anew comes at 2 to 25 GB/s, from one moment to the next.
        "memory": lambda: torch.mul(array, 2.0, out=kept),
        "step": lambda: train(tiny, batches, epochs=1, lr=0.0, normalize=True),
    }
    best = {name: min(times) for name, times in interleaved(candidates, repetitions).items()}
    work = 2 * rows * inner * columns
    return Machine(
        work / best["product"],
        work / best["screen"],
        2 * array.nbytes / best["memory"],
        best["step"] / STEPS,
    )
