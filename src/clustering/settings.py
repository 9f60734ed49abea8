"""Settings of a data set, where the config leaves them to its size."""

import math

from torch import Tensor

from clustering.conditions import AUTO

MNIST_SIZE, MNIST_SIDE = 16, 28  # atoms of a group in the paper, and the side of its images
GROUPS, LARGEST_GRAPH, BATCHES, LARGEST_BATCH, LEAST_BATCH = 10, 1000, 40, 256, 32


def resolved(settings: dict, tensors: dict[str, Tensor]) -> dict:
    """Settings without ``auto``, for the data of an artefact of data.prepare.

    With N training samples of n entries:

    - ``groups``: as many as there are classes, or 10 without labels, at most n, N and test samples;
    - ``group_size``: 16 sqrt(n) / 28 atoms, which are 16 for images of 28 x 28; never more atoms in
      all than n or N, as principal directions are to start them;
    - ``neighbors``: a tenth of the test samples, 2 to 1000;
    - ``training.batch_size``: the power of two nearest to N / 40, 32 to 256.
    """
    train, test, labels = (tensors.get(k) for k in ("train_data", "test_data", "train_labels"))
    most = min(train.shape)
    groups = min(GROUPS, most, len(test)) if labels is None else int(labels.max()) + 1
    if settings.get("groups", AUTO) != AUTO:
        groups = settings["groups"]
    batch = 2 ** round(math.log2(max(len(train) / BATCHES, 1)))
    rule = {
        "groups": groups,
        "group_size": max(
            1, min(round(MNIST_SIZE * math.sqrt(train.shape[1]) / MNIST_SIDE), most // groups)
        ),
        "neighbors": min(max(2, len(test) // 10), LARGEST_GRAPH, len(test)),
        "batch_size": min(max(LEAST_BATCH, batch), LARGEST_BATCH),
    }

    def made(part: dict) -> dict:
        return {key: rule[key] if value == AUTO else value for key, value in part.items()}

    whole = made({key: value for key, value in settings.items() if key != "training"})
    return whole | ({"training": made(settings["training"])} if "training" in settings else {})
