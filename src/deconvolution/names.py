"""Names of methods and recordings as readers see them."""

METHODS = {
    "known_times": "known times",
    "known_kernels": "known kernels",
    "search": "search",
    "apart": "search, neurons apart",
    "screened": "search in few neurons",
    "gaussian": "search, Gaussian law",
    "network": "unrolled network",
    "chance": "chance",
    "average": "peri-event averages",
    "average_known": "peri-event averages, known times",
    "regression": "least squares, known times",
    "sporco": "sporco (Gaussian)",
    "average_hidden": "peri-event averages, known times, bins hidden",
    "regression_hidden": "least squares, known times, bins hidden",
    "search_hidden": "search, bins hidden",
    "known_times_hidden": "known times, bins hidden",
    "smooth_hidden": "smoothed rate, bins hidden",
}
DATA = {
    "dunl_25": "authors' file, 25 trials",
    "dunl_50": "authors' file, 50 trials",
    "dunl_100": "authors' file, 100 trials",
    "dunl_own": "authors' file, 100 trials, its baselines",
    "bold": "BOLD, six kinds of events",
    "receptor": "auditory receptor",
    "ecg": "ECG",
    "ten": "simulation of 10 neurons",
    "thousand": "simulation of 1,000 neurons",
} | {
    name: f"simulation {name}"
    for name in ("long", "short", "structured", "whisker", "population", "pair", "dopamine")
}
AXES = {
    "trials": "trials",
    "neurons": "neurons",
    "bin_ms": "bin (ms)",
    "rate_hz": "baseline (Hz)",
    "assumed": "kernels assumed",
}


def called(method: str) -> str:
    """A method of the config in words; one of the reader's own keeps its name.

    Examples
    --------
    >>> called("known_times"), called("mine")
    ('known times', 'mine')
    """
    return METHODS.get(method, method)


def data_name(data: str) -> str:
    """A recording in words; one of the reader's own keeps its name.

    Examples
    --------
    >>> data_name("ecg"), data_name("long"), data_name("mine")
    ('ECG', 'simulation long', 'mine')
    """
    return DATA.get(data, data)
