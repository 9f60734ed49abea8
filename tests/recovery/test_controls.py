"""Controls: one random stream for each replicate, and no value before training."""

import pytest
import torch

from groupsparse.batches import FixedData, FreshNoise
from groupsparse.generative import Codes, dense_codes, random_dictionary, sample_codes
from groupsparse.recovery import least_squares_dictionary, squared_error
from recovery.controls import CONTROLS, chance

EPOCHS, GROUPS, D = 3, 5, 2


def problem(replicates: int = 2) -> dict[str, torch.Tensor]:
    """Noiseless data of ``replicates`` dictionaries, as recovery.simulate keeps them."""
    rng = torch.Generator().manual_seed(0)
    truth = torch.stack([random_dictionary(20, GROUPS * D, rng) for _ in range(replicates)])
    codes = [sample_codes(60, GROUPS, D, 2, (4.0, 5.0), rng) for _ in range(replicates)]
    groups, values = (torch.stack(part) for part in zip(*codes, strict=True))
    dense = torch.zeros(replicates, 60, GROUPS, D)
    dense.scatter_(2, groups.unsqueeze(-1).expand_as(values), values)
    data = dense.flatten(2) @ truth.mT
    return {"dictionary": truth, "groups": groups, "values": values, "data": data}


def test_chance_differs_between_replicates_and_follows_the_seed_of_each():
    tensors = problem()
    batches = FixedData(tensors["data"], [3, 4])
    first, second = chance(tensors, batches, EPOCHS, [3, 4])[0]
    assert not torch.isclose(first, second).all(0).any()
    swapped = chance(tensors, batches, EPOCHS, [4, 3])[0]
    assert torch.equal(swapped, torch.stack([second, first]))


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_has_no_error_before_training_and_its_own_after_each_epoch(name):
    tensors = problem()
    batches = FixedData(tensors["data"], [3, 4])
    dictionary, history = CONTROLS[name](tensors, batches, EPOCHS, [3, 4])
    (errors,) = history.values()
    assert errors.shape == (EPOCHS + 1, 2)
    assert errors[0].isnan().all()
    expected = squared_error(dictionary, tensors["dictionary"])
    assert torch.equal(errors[1:], expected.expand(EPOCHS, 2))


def test_the_oracle_is_exact_without_noise():
    tensors = problem()
    estimate, _ = CONTROLS["oracle"](tensors, FixedData(tensors["data"], [3, 4]), 1, [3, 4])
    # The Gram matrix of 60 samples has a condition below 100, float32.
    torch.testing.assert_close(estimate, tensors["dictionary"], rtol=0, atol=1e-4)


def test_the_oracle_of_fresh_noise_is_least_squares_on_all_samples_so_far():
    tensors, epochs = problem(), 23
    codes = Codes(tensors["groups"], tensors["values"])
    batches = FreshNoise(tensors["dictionary"], codes, [0.5, 1.0], [3, 4])
    estimate, history = CONTROLS["oracle"](tensors, batches, epochs, [3, 4])
    seen = [batches.samples(epoch) for epoch in range(1, epochs + 1)]
    for last in (1, 10, 20, 23):  # epochs after which it is solved
        expected = torch.stack(
            [
                least_squares_dictionary(
                    torch.cat([samples[r].data for samples in seen[:last]]).double(),
                    dense_codes(seen[0][r].codes, GROUPS).double().repeat(last, 1),
                )
                for r in range(2)
            ]
        )
        # Sums of up to 600 terms in float32, 4e-5 of a squared error that is well conditioned.
        errors = squared_error(expected.float(), tensors["dictionary"])
        torch.testing.assert_close(history["squared_error"][last], errors, rtol=1e-3, atol=0)
    # The Gram matrix has a condition below 100: 100 * 600 * 2^-24 at the worst.
    torch.testing.assert_close(estimate, expected.float(), rtol=0, atol=4e-3)
    assert history["squared_error"][11].isnan().all()
