"""Errors of a dictionary against the seconds that its training took."""

import time

from torch import Tensor

from groupsparse.recovery import aligned_squared_error, squared_error


class Trajectory:
    """Seconds of training so far and errors against A* (n, m), a row for every pass.

    Called with the dictionary at the init and after every pass; the time it takes does not count.
    """

    def __init__(self, truth: Tensor, group_size: int) -> None:
        self.truth, self.group_size, self.rows = truth, group_size, []
        self.seconds, self.resumed = 0.0, time.perf_counter()

    def __call__(self, dictionary: Tensor) -> dict:
        if self.rows:  # the first call scores the init
            self.seconds += time.perf_counter() - self.resumed
        estimate = dictionary.detach().reshape(self.truth.shape)
        values = {
            "seconds": self.seconds,
            "squared_error": float(squared_error(estimate, self.truth)),
            "aligned_error": aligned_squared_error(estimate, self.truth, self.group_size),
        }
        self.rows.append(values)
        self.resumed = time.perf_counter()
        return {}

    def restart(self) -> None:
        """Begin another training from the start: its seconds count from here."""
        self.seconds, self.resumed = 0.0, time.perf_counter()
