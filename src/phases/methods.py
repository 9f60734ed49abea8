"""The methods of the phase diagrams: a network that is trained, or alternating least squares."""

import torch
from torch import Tensor

from evidence.names import ONE_SIDED
from groupsparse.alternating import alternate
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.thresholds import matched_threshold, noise_threshold
from groupsparse.training import train


def threshold(data: Tensor, group_size: int, prox: str, false_activations: float) -> float:
    r"""The threshold at which an inactive group is active by chance with a given probability.

    .. math:: \lambda = s \sqrt{\chi^2_d(1 - p)}, \quad s^2 = \textrm{mean} ||y||^2 / n

    s is the standard deviation of a^T y for an atom that has nothing to do with y: data (N, n) are
    all it needs. An element-wise activation gets the threshold with the same rate per atom.
    """
    scale = float(data.square().mean().sqrt())
    group = noise_threshold(false_activations, group_size, scale)
    if prox == "group_soft":
        return group
    return matched_threshold(group, group_size, scale, one_sided=prox in ONE_SIDED)


def learn(settings: dict, starts: Tensor, data: Tensor, group_size: int) -> Tensor:
    """Dictionaries (R, n, m) learnt from starts (R, n, m) and data (R, N, n), all at once.

    With ``prox`` a network is trained. With ``passes`` alternating least squares follows, or runs
    alone.
    """
    batches, learnt = FixedData(data, [0] * len(data)), starts
    if "prox" in settings:
        prox, rate = settings["prox"], settings["false_activations"]
        lambdas = torch.tensor([threshold(y, group_size, prox, rate) for y in data])
        network = Autoencoder(starts, prox, lambdas.to(data), group_size).to(data.device)
        train(network, batches, **settings["training"])
        learnt = network.dictionary.detach()
    if "passes" in settings:
        learnt = alternate(learnt, batches, group_size, passes=settings["passes"]).dictionary
    return learnt
