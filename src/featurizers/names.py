"""What readers call the methods of the featurizers, from their settings."""

from featurizers.conditions import CHANCE, TRUTH

CONTROLS = {TRUTH: "the true dictionary, tied top-k", CHANCE: "a random dictionary"}
GROUPED = {"top_k": "group top-k", "batch_top_k": "batch group top-k", "lasso": "group lasso"}
RULES = {"top_k": "top-k", "batch_top_k": "batch top-k", "lasso": "lasso"}


def described(method: str, section: dict) -> str:
    """A method in words.

    Examples
    --------
    >>> described("a", {"methods": {"a": {"rule": "top_k", "group_size": 4}}})
    'group top-k, groups of 4'
    >>> described("b", {"methods": {"b": {"rule": "batch_top_k", "group_size": 1}}})
    'batch top-k'
    """
    if method in CONTROLS:
        return CONTROLS[method]
    settings = section["methods"][method]
    rule, d = RULES[settings["rule"]], settings["group_size"]
    words = rule if d == 1 else f"{GROUPED[settings['rule']]}, groups of {d}"
    tied = settings.get("tied") and settings["rule"] != "lasso"
    return f"{words}, tied" if tied else words
