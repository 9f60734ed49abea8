"""A fit with a process and a budget of its own; what is over budget is stopped."""

import time
from importlib.util import find_spec
from multiprocessing import get_context

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from learners.methods import LEARNERS, Task

DONE, OVER, MISSING, FAILED = range(4)  # the metric `status`


def fitted(candidate: str, task: Task, budget: float) -> tuple[dict[str, float], Tensor | None]:
    """How a fit in a process of its own ended, its seconds, and the dictionary if there is one."""
    package = LEARNERS[candidate].package
    if package and find_spec(package) is None:
        return {"status": MISSING}, None
    context = get_context("forkserver")
    # To load torch takes longer than many a fit.
    context.set_forkserver_preload(["learners.methods"])
    ours, theirs = context.Pipe()
    process = context.Process(target=_fit, args=(theirs, candidate, task))
    process.start()
    theirs.close()
    # Beyond its budget of computing, a process may take a while to start.
    answered = ours.poll(budget + 30)
    try:
        seconds, found = ours.recv() if answered else (float("inf"), None)
    except EOFError:  # it died
        return {"status": FAILED}, None
    finally:
        process.kill()
        process.join()
    if seconds > budget:
        return {"status": OVER, "seconds": budget}, None
    found = torch.from_numpy(found)
    # Of a group of zeros there is no span.
    good = torch.isfinite(found).all() and found.any(0).all()
    return {"status": DONE if good else FAILED, "seconds": seconds}, found


def _fit(pipe: object, candidate: str, task: Task) -> None:
    """Learn with one thread and send (seconds, dictionary)."""
    torch.set_num_threads(1)
    rival = LEARNERS[candidate]
    with threadpool_limits(1):
        began = time.perf_counter()
        found = rival.learn(task)
        seconds = time.perf_counter() - began
    pipe.send((seconds, found.numpy()))  # a tensor would live in this process
