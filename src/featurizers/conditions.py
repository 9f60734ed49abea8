"""The rows of the comparison, read off the config; imports nothing heavy."""

TRUTH, CHANCE = "truth", "chance"  # encoders of the true dictionary, and of a random one
CONTROLS = (TRUTH, CHANCE)
FOUND = 0.9  # share of a concept that a feature spans, from which on it counts as found


def methods(section: dict) -> list[str]:
    """Methods of the config, large groups first, then the controls."""
    found = section["methods"]
    return [*sorted(found, key=lambda name: (-found[name]["group_size"], name)), *CONTROLS]


def told(section: dict, method: str) -> dict:
    """What the job of a method depends on: neither other methods nor what is shown."""
    rest = {key: value for key, value in section.items() if key != "shown"}
    return rest | {"methods": {k: v for k, v in section["methods"].items() if k == method}}


def compared(shown: dict) -> dict:
    """The methods that claims compare, by role; earlier configs do not name the tied one."""
    return shown | {"tied": shown.get("tied", "group_top_k_tied")}


def sizes(truth: dict) -> list[int]:
    """The dimensions of every concept: those of the config, in turn.

    Examples
    --------
    >>> sizes({"concepts": 5, "sizes": [1, 4]})
    [1, 4, 1, 4, 1]
    """
    turn = truth["sizes"]
    return [turn[i % len(turn)] for i in range(truth["concepts"])]


def frequencies(truth: dict) -> list[float]:
    r"""Weights of the concepts, :math:`r^{-s}` for rank r and skew s; all sizes have all ranks.

    Examples
    --------
    >>> frequencies({"concepts": 4, "sizes": [1, 2], "skew": 1.0})
    [1.0, 1.0, 0.5, 0.5]
    """
    several = len(truth["sizes"])
    return [(1 + i // several) ** -truth["skew"] for i in range(truth["concepts"])]


def active_groups(section: dict, group_size: int) -> int:
    """Groups of a dictionary that are active in a sample, of the atoms that are."""
    return section["active_atoms"] // group_size
