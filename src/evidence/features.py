"""What is clustered of the codes of a network: the features that the paper may mean."""

import numpy as np
from torch import Tensor

from groupsparse.autoencoder import Autoencoder
from groupsparse.clustering import active_group, nonnegative_normalized
from groupsparse.groups import group_norms
from groupsparse.topk import acts_on_groups


def features_of(codes: Tensor, network: Autoencoder) -> dict[str, np.ndarray]:
    """Features (N, k) of codes (N, m): themselves, nonnegative and normalised, norms of groups."""
    found = {"codes": codes.numpy(), "codes+": nonnegative_normalized(codes.numpy())}
    if acts_on_groups(network.activation):
        found["norms"] = group_norms(codes, network.group_size).numpy()
    return found


def active_groups(codes: Tensor, network: Autoencoder) -> dict[tuple[str, str], np.ndarray]:
    """Clusters (N,) by the most active group, which need no algorithm; none without groups."""
    if not acts_on_groups(network.activation):
        return {}
    return {("group", "argmax"): active_group(codes, network.group_size)}
