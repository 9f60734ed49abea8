"""Small trials with events, under every law, for the tests of the deconvolution."""

import pytest
import torch

from groupsparse.likelihood import law_of
from groupsparse.slots import Slots, Trials

LAWS = {
    "gaussian": ("gaussian", {"std": 0.7}),
    "binomial": ("binomial", {"trials": 5}),
    "poisson": ("poisson", {"largest": 20.0}),
}
every_law = pytest.mark.parametrize("name", LAWS)
N, C, T, K, L, S = 4, 3, 20, 2, 5, 4
P = T - L + 1


def generator(seed):
    return torch.Generator().manual_seed(seed)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def kernels(seed=0, count=K, length=L):
    return torch.nn.functional.normalize(random(count, length, seed=seed), dim=-1)


def trials(name, hidden=False, seed=1, count=N, neurons=C, times=T, starts=P, kinds=K):
    """Draws from a law at a random eta; a third of the entries hidden if asked for."""
    kind, options = LAWS[name]
    law, draw = law_of(kind, **options), generator(seed)
    y = law.draw(0.5 * random(count, neurons, times, seed=seed), draw).to(torch.float64)
    seen = None
    if hidden:
        seen = (torch.rand(y.shape, generator=draw) > 1 / 3).to(y)
        y = y * seen
    baseline = 0.3 * random(count, neurons, 1, seed=seed + 1)
    return Trials(law, y, seen, baseline, torch.ones(count, kinds, starts, dtype=torch.bool))


def slots(seed=2, empty=True, count=N, neurons=C, number=S, positive=False):
    """Random events; those of a trial overlap, some of one kernel; some slots are empty."""
    draw = generator(seed)
    kernel = torch.randint(K, (count, number), generator=draw)
    time = torch.randint(P, (count, number), generator=draw)
    time[:, 1] = (time[:, 0] + 1).clamp_max(P - 1)  # overlapping
    time[1, 0], time[1, 2] = 3, 3 + L - 1  # they share one time
    kernel[0, :2], kernel[1, 0], kernel[1, 1] = 0, 0, 1  # of one kernel, of two
    active = torch.ones(count, number, dtype=torch.bool)
    if empty:
        active[2, 1] = False
        active[3] = False
    amplitude = random(count, number, neurons, seed=seed)
    amplitude = amplitude.abs() + 0.2 if positive else amplitude
    return Slots(kernel, time, active, amplitude * active.unsqueeze(-1))
