"""What readers call a method of the limits, from its settings."""

from limits.conditions import CHANCE, ORACLE, is_network

CONTROLS = {
    ORACLE: "oracle: least squares on the true codes",
    CHANCE: "a random dictionary",
}


def described(method: str, settings: dict) -> str:
    """A method in words.

    Examples
    --------
    >>> described("a", {"basis": "isotropic"})
    'alternating, isotropic groups'
    >>> described("b", {"prox": "group_hard", "lambda": 2.0, "decay": "cosine"})
    'network: hard threshold, decaying step'
    """
    if method in CONTROLS:
        return CONTROLS[method]
    if not is_network(settings):
        rule = f", groups above λ = {settings['lambda']:g}" if "lambda" in settings else ""
        return f"alternating, {settings['basis']} groups{rule}"
    options = [
        *(["hard threshold"] if settings["prox"] == "group_hard" else []),
        *(["refitted codes"] if settings.get("refit") else []),
        *(["orthonormal groups"] if settings.get("normalize") == "orthonormal" else []),
        *(["decaying step"] if settings.get("decay") else []),
    ]
    return f"network: {', '.join(options) or 'as published'}"


def noise(snr: float) -> str:
    """A noise level in words."""
    return "no noise" if snr == float("inf") else f"{snr:g} dB"
