"""The methods of the phase diagrams: a network that is trained, or alternating least squares."""

import torch
from torch import Tensor

from evidence.thresholds import threshold
from groupsparse.alternating import alternate
from groupsparse.autoencoder import Autoencoder
from groupsparse.batches import FixedData
from groupsparse.training import train


def learn(settings: dict, starts: Tensor, data: Tensor, group_size: int) -> Tensor:
    """Dictionaries (R, n, m) learnt from starts (R, n, m) and data (R, N, n), all at once.

    With ``prox`` a network is trained. With ``passes`` alternating least squares follows, or runs
    alone.
    """
    batches, learnt = FixedData(data, [0] * len(data)), starts
    if "prox" in settings:
        prox, rate = settings["prox"], settings["false_activations"]
        lambdas = torch.tensor([threshold(y, rate, group_size, prox) for y in data])
        network = Autoencoder(starts, prox, lambdas.to(data), group_size).to(data.device)
        train(network, batches, **settings["training"])
        learnt = network.dictionary.detach()
    if "passes" in settings:
        learnt = alternate(learnt, batches, group_size, passes=settings["passes"]).dictionary
    return learnt
