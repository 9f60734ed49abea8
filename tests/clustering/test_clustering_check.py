"""Where clustering runs, and what its config must not contradict."""

import copy

import pytest
from conftest import CONFIG, changed
from validate import config_errors

from clustering.check import ELEMENT_WISE, inconsistencies, is_off
from clustering.conditions import (
    control_settings,
    inits_of,
    long_settings,
    of_data,
    replicates_of,
    scored_epochs,
    scoring,
    settings_of,
    spec_of,
    sweep_settings,
    train_settings,
    trainings,
)
from groupsparse.prox import PROX

SPARSE = CONFIG["clustering"]["methods"]["sparse"]
DIGITS = CONFIG["clustering"]["settings"]["digits"]


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        (
            "clustering.methods.sparse.lambda",
            {"matched_to": "relu"},
            "sparse.lambda: must be a number",
        ),
        (
            "clustering.methods.raw",
            SPARSE,
            "clustering.methods.raw: this name belongs to a control",
        ),
        ("clustering.settings", {}, "clustering.settings: no entry for the data set 'digits'"),
        (
            "clustering.centering",
            [True],
            "clustering.shown.method: group_sparse must run on digits",
        ),
        (
            "clustering.methods.sparse.inits",
            ["data"],
            "clustering.shown.baseline: sparse must run on",
        ),
        ("clustering.convergence.snapshots", [1000], "snapshots: later than the last epoch"),
        (
            "clustering.convergence.methods",
            ["spars"],
            "clustering.convergence.methods: 'spars' is not",
        ),
        (
            "clustering.convergence.methods",
            ["silhouette"],
            "methods: silhouette must run on digits from init pca",
        ),
        ("clustering.shown.method", "sparze", "clustering.shown.method: 'sparze' is not in"),
        ("clustering.shown.baseline", "sparze", "clustering.shown.baseline: 'sparze' is not in"),
        ("clustering.shown.init", "spektral", "clustering.shown.init: 'spektral' is not in"),
        ("clustering.shown.init", "class", "clustering.shown.init: 'class' uses labels, which no"),
        # 10 groups of 50 atoms, and one of 65.
        (
            "clustering.methods.sparse.group_size",
            50,
            "clustering.methods.sparse: init pca needs 500 principal directions, and images of",
        ),
        (
            "clustering.methods.group_sparse.group_size",
            65,
            "clustering.methods.group_sparse: init pca needs 65 principal directions, and",
        ),
        (
            "clustering.shown.silhouettes",
            ["sparze"],
            "clustering.shown.silhouettes: 'sparze' is not",
        ),
        (
            "clustering.methods.silhouette.encoder",
            "shallow",
            "silhouette.step: a shallow encoder has none",
        ),
    ],
)
def test_a_contradiction_is_refused_with_its_key_and_reason(key, value, error):
    assert error in "\n".join(inconsistencies(changed(key, value)))


def test_only_principal_directions_are_as_many_as_pixels_and_only_where_those_are_known():
    assert inconsistencies(changed("clustering.methods.group_sparse.group_size", 64)) == []
    assert inconsistencies(changed("clustering.methods.silhouette.group_size", 256)) == []
    config = changed("clustering.methods.sparse.group_size", 50)
    config["download"]["files"]["digits"] = {}
    assert inconsistencies(config) == []


def test_activations_without_groups_are_known_to_the_check():
    names = [name for name, found in PROX.items() if not getattr(found, "grouped", True)]
    assert set(names) == set(ELEMENT_WISE)


def test_one_of_the_silhouettes_must_run_from_any_init_and_none_is_as_good():
    config = changed("clustering.methods.silhouette.datasets", ["mnist"])
    assert inconsistencies(config) == []
    config["clustering"]["shown"]["silhouettes"] = ["silhouette"]
    assert "silhouettes: silhouette must run on digits" in "".join(inconsistencies(config))
    assert inconsistencies(changed("clustering.shown.silhouettes", ["silhouette"])) == []
    assert inconsistencies(changed("clustering.shown.silhouettes", [])) == []


def test_a_method_overrides_settings_of_its_data_and_no_more():
    config = changed("clustering.methods.sparse.training", {"normalize": True, "epochs": 7})
    config["clustering"]["methods"]["sparse"] |= {"group_size": 3, "replicates": 9}
    before, own = (
        config["clustering"]["settings"]["digits"],
        settings_of(config, "digits", "sparse"),
    )
    assert own["training"] == before["training"] | {"normalize": True, "epochs": 7}
    assert own["group_size"] == 3
    assert own["mean_norm"] == before["mean_norm"]
    assert replicates_of(config, "digits", "sparse") == 3, "no more than the data set has"
    config["clustering"]["settings"]["digits"]["replicates"] = 5
    assert replicates_of(config, "digits") == replicates_of(config, "digits", "relu") == 5
    assert not {"training", "group_size", "replicates", "inits"} & set(spec_of(config, "sparse"))


def test_a_job_is_told_nothing_of_the_settings_that_it_does_not_read():
    def told(**changes):
        config = changed("clustering.settings.digits", copy.deepcopy(DIGITS) | changes)
        pair = config, "digits"
        return {
            "train": train_settings(*pair, "sparse"), "long": long_settings(*pair, "sparse"),
            "sweep": sweep_settings(*pair), "scores": scoring(*pair),
            "controls": control_settings(*pair),
        }  # fmt: skip

    def rerun(**changes):
        return {job for job, settings in told(**changes).items() if settings != told()[job]}

    training = DIGITS["training"]
    assert rerun(neighbors=7) == {"long", "scores", "controls"}
    assert rerun(unit_norm=True) == {"train", "long", "sweep", "controls"}
    assert rerun(training=training | {"epochs": 7}) == {"train"}
    assert rerun(training=training | {"decay": "cosine"}) == {"train", "long", "sweep"}
    assert rerun(training=training | {"checkpoint_every": 7}) == {"train", "long"}


def test_an_entry_of_settings_says_what_differs_from_the_default():
    config = changed("clustering.settings.digits", {"groups": 20, "training": {"epochs": 7}})
    default, own = (of_data(config["clustering"], name) for name in ("default", "digits"))
    assert own == default | {"groups": 20, "training": default["training"] | {"epochs": 7}}
    assert config_errors(config) == []
    assert "mean_norm" in default
    unscaled = changed("clustering.settings.digits", {"mean_norm": None})
    assert "mean_norm" not in of_data(unscaled["clustering"], "digits")
    assert config_errors(unscaled) == []


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("digits", {"group": 20}, "clustering.settings.digits: there is no key 'group': did"),
        ("digits", {"groups": None}, "clustering.settings.digits.groups: expected integer"),
        ("default", {"groups": 20}, "clustering.settings.default: 'training' is missing"),
    ],
)
def test_an_entry_of_settings_is_checked_and_the_default_is_whole(key, value, error):
    assert error in "\n".join(config_errors(changed(f"clustering.settings.{key}", value)))


@pytest.mark.parametrize(
    ("snapshots", "every", "epochs", "expected"),
    [(3, 5, 50, [40, 45, 50]), (3, 5, 6, [1, 6]), (1, 5, 6, [6]), (4, 1, 2, [1, 2])],
)
def test_the_last_epochs_are_scored(snapshots, every, epochs, expected):
    config = changed("clustering.average", {"snapshots": snapshots, "every": every})
    config["clustering"]["methods"]["sparse"]["training"] = {"epochs": epochs}
    assert scored_epochs(config, "digits", "sparse") == expected


def test_clustering_without_data_sets_is_off():
    assert is_off(changed("datasets", []))
    assert not is_off(changed("datasets", ["digits"]))


def test_a_method_runs_where_its_entry_says_and_nowhere_else():
    config = changed("clustering.methods.relu.inits", ["data", "class"])
    config["clustering"]["centering"] = [False, True]
    config["clustering"]["methods"]["relu"]["centering"] = [True]
    config["clustering"]["methods"]["sparse"]["datasets"] = ["mnist"]
    config["clustering"]["inits"] = ["kmeans", "data"]
    config["clustering"]["methods"]["sparse"].pop("inits")
    found = trainings(config)
    assert [c for c in found if c[1] == "relu"] == [("digits", "relu", True)]
    assert inits_of(config, "relu", "digits") == ["data"]
    assert {c[1] for c in found} == {"relu", "group_sparse"}
    assert sum(c[1] == "group_sparse" for c in found) == 2, "everywhere"
    assert inits_of(config, "group_sparse", "digits") == ["kmeans", "data"]


def test_a_method_without_any_of_the_inits_does_not_run():
    config = changed("clustering.inits", ["kmeans"])
    config["clustering"]["methods"]["relu"]["inits"] = ["data"]
    assert "relu" not in {method for _, method, _ in trainings(config)}


def test_a_config_without_clustering_has_no_conditions():
    assert trainings({"datasets": ["digits"]}) == []
