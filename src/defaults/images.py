"""How much of images the estimator explains, beside others."""

import time
from collections.abc import Iterator

import numpy as np
import torch
from sklearn.decomposition import PCA as Principal
from sklearn.decomposition import MiniBatchDictionaryLearning

from defaults.conditions import CHANCE, CODER, FREE, PCA
from groupsparse.artifacts import load_tensors
from groupsparse.dictionary import from_blocks
from groupsparse.estimator import GroupSparseCoder
from groupsparse.seeds import generator


def explained(
    path: str, sizes: dict, seed: int
) -> Iterator[tuple[dict, dict[str, float], np.ndarray]]:
    """Explained variance of test images, beside others with as many active atoms."""
    tensors, _ = load_tensors(path)
    train, test = tensors["train_data"][: sizes["samples"]], tensors["test_data"]
    train, test = (x.flatten(1).double().numpy() for x in (train, test))
    mean, state = train.mean(0), seed % 2**31
    train, test = train - mean, test - mean
    groups, d = sizes["groups"], sizes["group_size"]
    random = torch.randn(groups, train.shape[1], d, generator=generator(seed, "chance"))
    began = time.perf_counter()
    coder = GroupSparseCoder(groups, d, random_state=state).fit(train)
    seconds = {CODER: time.perf_counter() - began}
    codes = coder.transform(test)
    active = max(1, round(float((codes != 0).sum(1).mean())))
    models = {
        PCA: Principal(active, random_state=state),
        FREE: MiniBatchDictionaryLearning(
            groups * d, transform_algorithm="omp", transform_n_nonzero_coefs=active,
            random_state=state,
        ),
    }  # fmt: skip
    found = {CODER: (coder.inverse_transform(codes), coder.components_)}
    for name, model in models.items():
        began = time.perf_counter()
        model.fit(train)
        seconds[name] = time.perf_counter() - began
        atoms = model.components_
        coded = model.transform(test)
        found[name] = (coded @ atoms + (model.mean_ if name == PCA else 0), atoms)
    # The same rule for what is active, with groups that nobody learnt.
    coder.components_ = from_blocks(torch.linalg.qr(random).Q).T.double().numpy()
    found[CHANCE] = (coder.inverse_transform(coder.transform(test)), coder.components_)
    for name, (reconstruction, atoms) in found.items():
        values = {"explained": 1 - ((test - reconstruction) ** 2).sum() / (test**2).sum()}
        if name == CODER:
            values |= {"active_atoms": float((codes != 0).sum(1).mean())}
        if name in seconds:
            values["seconds"] = seconds[name]
        yield {"method": name, "told": True}, values, atoms
