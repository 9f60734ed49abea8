"""What the config of the recovery must not contradict."""

import pytest
from conftest import changed
from validate import config_errors

from recovery.check import inconsistencies

SPARSE = {"prox": "soft", "lambda": 2.0, "encoder": "shallow", "layers": 1}


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        (
            "recovery.model.active_groups",
            501,
            "recovery.model.active_groups: more than the 500 groups",
        ),
        ("recovery.model.group_size", 951, "recovery.model.group_size: larger than the dimension"),
        ("recovery.model.amplitude", [5.0, 4.0], "recovery.model.amplitude: the lower bound"),
        ("recovery.model.samples", 10, "recovery.model.samples: fewer samples than atoms"),
        ("recovery.sweep.model.active_groups", 21, "recovery.sweep.model.active_groups: more"),
        ("recovery.other_snr_db", [2], "recovery.other_snr_db: {2} is not in recovery.snr_db"),
        ("recovery.other_snr_db", [5], "recovery.shown.snr_db: 1 is not in recovery.other_snr_db"),
        ("recovery.inits.near.methods", ["sparze"], "recovery.inits.near.methods: 'sparze' is not"),
        ("recovery.inits.near.snr_db", [1, 2], "recovery.inits.near.snr_db: {2} is not in"),
        ("recovery.inits.near.snr_db", [5], "recovery.shown.snr_db: 1 is not a noise level of"),
        ("recovery.inits.near.methods", ["sparse"], "recovery.shown.init: its methods lack"),
        (
            "recovery.methods.sparse.lambda",
            {"matched_to": "oracle"},
            "'oracle' is not a method with",
        ),
        (
            "recovery.shown.method",
            "group_sparze",
            "recovery.shown.method: 'group_sparze' is not in",
        ),
        ("recovery.shown.method", "oracle", "recovery.shown.method: 'oracle' is a control"),
        ("recovery.shown.baseline", "chance", "recovery.shown.baseline: 'chance' is a control"),
        (
            "recovery.methods.group_sparse.lambda",
            {"matched_to": "sparse"},
            "recovery.methods.group_sparse.lambda.matched_to: is for an element-wise activation",
        ),
        (
            "recovery.methods.sparse.lambda",
            {"matched_to": "sparse_too"},
            "recovery.methods.sparse.lambda.matched_to: 'sparse_too' is not a group method",
        ),
        ("recovery.methods.sparse.step", 0.1, "recovery.methods.sparse.step: does nothing in"),
        ("recovery.methods.sparse.layers", 2, "recovery.methods.sparse.layers: does nothing in"),
        ("recovery.methods.sparse.backprop", 1, "recovery.methods.sparse.backprop: does nothing"),
        ("recovery.shown.baseline", "sparze", "recovery.shown.baseline: 'sparze' is not in"),
        ("recovery.shown.init", "afar", "recovery.shown.init: 'afar' is not in recovery.inits"),
        ("recovery.shown.snr_db", 3, "recovery.shown.snr_db: 3 is not in recovery.other_snr_db"),
    ],
)
def test_a_contradiction_is_refused_with_its_key_and_reason(key, value, error):
    config = changed(key, value)
    config["recovery"]["methods"]["sparse_too"] = SPARSE
    assert error in "\n".join(inconsistencies(config))


def test_a_shallow_network_may_train_its_decoder_alone_and_an_unfolded_one_has_layers():
    config = changed("recovery.methods.sparse.backprop", 0)
    config["recovery"]["methods"]["deep"] = {
        **SPARSE, "encoder": "fista", "layers": 5, "step": 0.1, "backprop": 2
    }  # fmt: skip
    assert inconsistencies(config) == []


def test_all_that_is_wrong_with_the_noise_levels_is_said_at_once():
    config = changed("recovery.other_snr_db", [2])
    config["recovery"]["inits"]["near"] |= {"snr_db": [5], "methods": ["sparse"]}
    assert [line.partition(": ")[0] for line in inconsistencies(config)] == [
        "recovery.other_snr_db",
        *("recovery.shown.snr_db", "recovery.shown.snr_db", "recovery.shown.init"),
    ]


def test_no_other_noise_levels_are_needed_where_there_is_one_sampling():
    config = changed("recovery.other_snr_db", [])
    (error,) = config_errors(config)
    assert error.endswith("recovery.other_snr_db, the noise levels of fixed")
    config["recovery"]["sampling"] = ["fixed"]
    assert config_errors(config) == []


def test_a_lambda_of_zero_cannot_be_matched():
    config = changed("recovery.methods.group_sparse.lambda", 0)
    config["recovery"]["methods"]["sparse"]["lambda"] = {"matched_to": "group_sparse"}
    (error,) = inconsistencies(config)
    assert "group_sparse.lambda: 0 cannot be matched" in error


def test_the_sizes_of_a_sweep_that_is_off_are_not_checked():
    config = changed("recovery.sweep.model.active_groups", 21)
    config["recovery"]["sweep"]["lambda"] = []
    assert inconsistencies(config) == []


def test_the_noise_level_shown_need_not_be_fixed_where_sampling_is_fresh():
    config = changed("recovery.sampling", ["fresh"])
    config["recovery"]["shown"]["snr_db"] = 5
    assert inconsistencies(config) == []
