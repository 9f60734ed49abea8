"""Samples that are not finite are refused, whichever part they are in."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from groupsparse.arrays import require_finite
from groupsparse.preprocess import preprocess


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_no_part_may_hold_what_is_not_finite(part, value):
    parts = [torch.ones(4, 3), torch.ones(5, 3)]
    parts[part][2, 1] = value
    with pytest.raises(ValueError, match=r"1 samples have NaN or infinite values, the first \[2\]"):
        preprocess(*parts, center=False, unit_norm=False)


def test_the_first_rows_that_are_not_finite_are_named():
    data = torch.ones(9, 2)
    data[[1, 4, 6, 8], 0] = torch.nan
    with pytest.raises(ValueError, match=r"4 pixels have NaN .*, the first \[1, 4, 6\]$"):
        require_finite(data, "pixels")


class Largest(TorchDispatchMode):
    """The largest tensor that any operation makes."""

    entries = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for value in result if isinstance(result, tuple) else (result,):
            if isinstance(value, torch.Tensor):
                self.entries = max(self.entries, value.numel())
        return result


def test_finite_data_are_not_copied_to_be_checked():
    data = torch.ones(50, 4)
    with Largest() as made:
        require_finite(data)
    assert made.entries == 2


def test_training_samples_of_zeros_give_no_scale():
    with pytest.raises(ValueError, match="training samples of zeros"):
        preprocess(torch.zeros(3, 2), torch.ones(3, 2), center=False, unit_norm=False, mean_norm=1)


def test_entries_of_a_vector_that_are_not_finite_are_named():
    with pytest.raises(
        ValueError, match=r"2 entries have NaN or infinite values, the first \[1, 3"
    ):
        require_finite(torch.tensor([0.0, torch.nan, 1.0, torch.inf]), "entries")
