"""Other ways to kernels from the same trials, each a function of one task: (kernels, events).

All see what the library sees. Nothing is chosen by true kernels: the lambda of convolutional
dictionary learning is the one that gives the number of events that is told. `regression` needs
times of events; the others go without, too. sporco is imported where it is used, and nothing else
needs it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from deconvolution.task import Task
from groupsparse.events import Events, events_of

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)  # lambda, of the norm of the largest window
ITERATIONS, RHO = 200, 2.0  # of ADMM, for signals of unit size
Found = tuple[Tensor, Events]


def average(task: Task, starts: int) -> Found:
    """Mean of y after events, as eta: what a peri-event histogram shows. Overlap stays in it.

    Without times the events are the windows with most spikes, sorted into kinds by k-means.
    """
    events = _peaks(task) if task.events is None else task.events
    after = task.windows(task.y)[events.trial, :, events.time]  # (E, C, L)
    base = task.base[events.trial]
    shapes = []
    for k in range(task.count):
        own = events.kernel == k
        above = task.model.link(after[own].nanmean(0)) - base[own].mean(0).unsqueeze(-1)
        shapes.append(above.nan_to_num(0.0))
    return _by_neurons(torch.stack(shapes), events)


def _peaks(task: Task) -> Events:
    """The windows with most of all, the kernel of each by k-means of their means over neurons."""
    from sklearn.cluster import KMeans  # here: slow to import

    rest = task.rest().mean(1, keepdim=True)
    sums = task.windows(rest).sum(-1).unsqueeze(2)  # (N, 1, 1, P)
    apart = max(task.spacing, task.length // 2)
    found = events_of(sums.clamp_min(0), task.count * task.each, spacing=apart)
    windows = task.windows(rest)[found.trial, 0, found.time]
    means = KMeans(task.count, n_init=10, random_state=task.seed).fit(windows.double().numpy())
    blank = torch.ones(found.size, task.y.shape[1])
    return found._replace(kernel=torch.from_numpy(means.labels_).long(), amplitude=blank)


def regression(task: Task, starts: int) -> Found:
    """Least squares on the times of events (FIR): overlapping events are taken apart."""
    if task.events is None:
        raise ValueError("regression needs the times of the events")
    trials, neurons, times = task.y.shape
    alike = task.events._replace(amplitude=torch.ones(task.events.size, 1))
    codes = alike.codes(trials, task.count, times - task.length + 1)[:, 0]
    # Row (n, t), column (k, l): whether kernel k began l before t.
    padded = pad(codes, (task.length - 1, task.length - 1))
    design = padded.unfold(-1, task.length, 1).flip(-1).transpose(1, 2).flatten(2).flatten(0, 1)
    seen = ~task.y.isnan()
    rows = seen.all(1).flatten()
    design, rest = design[rows].double(), task.rest().transpose(1, 2).flatten(0, 1)[rows].double()
    # Kernels that always begin together leave some directions empty: the least norm.
    gram, right = design.mT @ design, design.mT @ rest
    fitted = torch.linalg.lstsq(gram, right, driver="gelsd").solution  # (K L, C)
    shapes = fitted.view(task.count, task.length, neurons).mT.to(task.y)
    return _by_neurons(shapes, task.events)


def _by_neurons(shapes: Tensor, events: Events) -> Found:
    """The kernel that the responses (K, C, L) of neurons share, and its amplitude in each."""
    left, size, right = torch.linalg.svd(shapes, full_matrices=False)
    kernels, amplitude = right[:, 0], left[..., 0] * size[:, :1]
    up = torch.where(amplitude.sum(1, keepdim=True) < 0, -1.0, 1.0)
    return kernels * up, events._replace(amplitude=(amplitude * up)[events.kernel])


def dictionary_learning(task: Task, starts: int) -> Found:
    """Gaussian convolutional dictionary learning (sporco: ADMM for events and kernels).

    Of several starts the one with the least loss counts; of the penalties, the one whose number of
    events is nearest the one told. With known times only their number is used.
    """
    from sporco.dictlrn.cbpdndl import ConvBPDNDictLearn  # optional, and slow to import

    rest, random = task.rest(), torch.Generator().manual_seed(task.seed)
    trials, neurons, _ = rest.shape
    windows = task.windows(rest).flatten(0, 2)
    energy = windows.square().sum(-1)
    size = rest.std()
    whole = (rest / size).flatten(0, 1).mT.double().numpy()
    wanted = task.count * task.each if task.events is None else task.events.size / trials
    drawn = [
        normalize(windows[torch.multinomial(energy, task.count, generator=random)], dim=-1)
        for _ in range(starts)
    ]
    tried = []
    for share in SHARES:
        lambda_ = share * float(energy.max().sqrt() / size)
        settings = {
            "MaxMainIter": ITERATIONS,
            "AccurateDFid": True,
            "CBPDN": {"NonNegCoef": True, "rho": RHO, "AutoRho": {"Enabled": True}},
        }
        # Its default for kernels, gradient steps of fixed length, diverges on counts.
        options = ConvBPDNDictLearn.Options(settings, dmethod="cns")
        fits = []
        for start in drawn:
            model = ConvBPDNDictLearn(
                start.mT.double().numpy(), whole, lambda_, options, dmethod="cns", dimK=1, dimN=1
            )
            kernels = torch.from_numpy(model.solve().reshape(task.length, -1).T.copy())
            codes = torch.from_numpy(model.getcoef()).reshape(len(whole), trials, neurons, -1)
            fits.append((model.getitstat().ObjFun[-1], kernels.float(), codes.float() * size))
        _, kernels, codes = min(fits, key=lambda fit: fit[0])
        codes = codes.permute(1, 2, 3, 0)[..., : len(whole) - task.length + 1]
        found = events_of(codes, task.each, spacing=task.spacing)
        number = events_of(codes, spacing=task.spacing).size / trials
        tried.append((abs(number - wanted), kernels, found))
    return min(tried, key=lambda one: one[0])[1:]


PEERS: dict[str, Callable[[Task, int], Found]] = {
    "averages": average,
    "regression": regression,
    "sporco": dictionary_learning,
}
