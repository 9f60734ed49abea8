"""What readers call the settings of the discovery."""

from discovery.conditions import ALTERNATE, NO_START

AXES = {
    "samples": "samples N", "snr_db": "SNR (dB)", "active_groups": "active groups",
    "group_size": "group size d", "n": "dimension n", "groups": "groups Γ",
}  # fmt: skip
STARTS = {NO_START: "no start", "random": "random atoms", "data": "random samples",
          "pairwise": "pairwise candidates"}  # fmt: skip


def start_name(start: str) -> str:
    """A start in words."""
    return STARTS.get(start, start)


def method_words(method: str, start: str) -> str:
    """A method and its start in words.

    Examples
    --------
    >>> method_words("discover", "none"), method_words("alternate", "kmeans")
    ('discovery, no start', 'alternation alone, kmeans')
    """
    return f"{'alternation alone' if method == ALTERNATE else 'discovery'}, {start_name(start)}"
