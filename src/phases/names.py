"""What readers call the starts, axes and limits of the phase diagrams."""

from evidence.names import method_name

METHODS = {"refined": "group-sparse, then alternating,"}
SENTENCES = {
    "group_sparse": "the group-sparse network",
    "sparse": "the sparse network (soft threshold)",
    "relu": "the sparse network (one-sided ReLU)",
    "alternating": "alternation",
    "refined": "the group-sparse network and then alternation",
}
STARTS = {
    "near": "from near",
    "random": "from random atoms",
    "discover": "from no start",
    "truth": "from the truth (control)",
}
AXES = {
    "samples": "samples N",
    "active_groups": "active groups",
    "snr_db": "SNR (dB)",
    "coherence": "block coherence μ_B",
    "group_size": "atoms per group d",
    "groups": "groups Γ",
    "n": "dimension n",
}
LIMITS = {
    "counting": "as many equations as unknowns",
    "activity": "every group active d times",
    "oracle": "the oracle overlaps by half",
}


def panel_name(method: str, start: str) -> str:
    """A method and its start, in words.

    Examples
    --------
    >>> panel_name("group_sparse", "near")
    'group-sparse from near'
    """
    return f"{METHODS.get(method, method_name(method))} {STARTS[start]}"


def in_words(method: str, start: str) -> str:
    """A method as the agent of a sentence, with its start unless that is near.

    Examples
    --------
    >>> in_words("alternating", "near"), in_words("group_sparse", "random")
    ('alternation', 'the group-sparse network from random atoms')
    """
    name = SENTENCES.get(method, method_name(method))
    if start == "near":
        return name
    return f"{name} from {'discovered groups' if start == 'discover' else 'random atoms'}"


def plane_name(plane: dict) -> str:
    """The two axes of a plane, in words."""
    (across,), (up,) = plane["across"], plane["up"]
    return f"{AXES[up]} against {AXES[across]}"
