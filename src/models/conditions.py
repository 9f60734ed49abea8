"""The generative models of the study, read off the config; imports nothing heavy."""

from evidence.names import ONE_SIDED

ORACLE, TRUTH = "oracle", "truth"  # least squares on the true codes; A* itself
NEAR, RANDOM, NOTHING = "near", "random", "discover"  # where a method starts
PER_GROUP = ("sizes", "frequencies")  # short lists in the config, repeated over the groups


def settings(section: dict, name: str) -> dict:
    """The generative model ``name``: the base with its changes, and a value for every group."""
    model = {**section["base"], **section["models"][name]}
    for key in PER_GROUP:
        if key in model:
            given, groups = model[key], model["groups"]
            model[key] = (given * -(-groups // len(given)))[:groups]
    return model


def one_sided(method: dict) -> bool:
    """Whether a method's codes are never negative."""
    return method.get("prox") in ONE_SIDED


def negative(model: dict) -> bool:
    """Whether a generative model has negative codes."""
    return not model.get("nonnegative", False)


def clusters(model: dict) -> bool:
    """Whether a sample has one active group, which then names its cluster."""
    return model["active_groups"] == 1


def shown(section: dict) -> dict:
    """What the claims are about: the methods, the two networks, and models with real groups."""
    grouped = [m for m in section["run"] if settings(section, m)["group_size"] > 1]
    return {**section["shown"], "grouped": grouped}
