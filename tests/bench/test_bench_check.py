"""What the config of the benchmarks must not contradict."""

import pytest
from conftest import changed

from bench.check import inconsistencies


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        (
            "bench.settings.shallow.model.active_groups",
            501,
            "shallow.model.active_groups: more than",
        ),
        (
            "bench.settings.shallow.cuda_model.group_size",
            769,
            "shallow.cuda_model.group_size: larger",
        ),
        (
            "bench.settings.scale.models.groups.active_groups",
            251,
            "models.groups.active_groups: more",
        ),
        (
            "bench.settings.floor.axes.groups",
            [2, 500],
            "floor.model.active_groups: more than the 2",
        ),
        (
            "bench.settings.convolutional.axes.length",
            [5, 2001],
            "convolutional.axes.length: a kernel of 2001 bins, trials of 2000",
        ),
        (
            "bench.settings.convolutional.cases.population.times",
            79,
            "convolutional.cases.population: a kernel of 80 bins, trials of 79",
        ),
        (
            "bench.settings.peers.plain",
            "unfolded",
            "bench.settings.peers.plain: not a shallow method",
        ),
        (
            "bench.settings.cost.runs.streamed.model.active_groups",
            501,
            "cost.runs.streamed.model.active_groups: more than",
        ),
        (
            "bench.settings.peers.packages.spams, lasso",
            {"learner": "spams_lasso", "passes": 1},
            "packages.spams, lasso: no lambda or no batch_size",
        ),
        ("bench.settings.peers.plain", "none", "bench.settings.peers.plain: not a shallow method"),
    ],
)
def test_a_contradiction_is_refused_with_its_key_and_reason(key, value, error):
    assert error in "\n".join(inconsistencies(changed(key, value)))
