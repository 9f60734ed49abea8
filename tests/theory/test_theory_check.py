"""What the config of the theory must not contradict."""

import pytest
from conftest import CONFIG, changed

from theory.check import inconsistencies, is_off

PAPER = CONFIG["theory"]["settings"]["paper"]


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("theory.regimes", ["papr"], "theory.regimes: no entry for 'papr' in theory.settings"),
        ("theory.settings.sweep", PAPER, "theory.settings.sweep: this name belongs to the sweep"),
        ("theory.settings.paper.model.active_groups", 101, "paper.model.active_groups: more than"),
        ("theory.settings.paper.measure_at", [0, 201], "paper.measure_at: must rise from 0 to at"),
        ("theory.settings.paper.measure_at", [1, 2], "paper.measure_at: must rise from 0 to at"),
        ("theory.settings.paper.measure_at", [0, 2, 1], "paper.measure_at: must rise from 0 to at"),
        (
            "theory.settings.assumptions.init.delta",
            2.1,
            "theory.settings.assumptions: delta 2.1 exc",
        ),
        ("theory.settings.assumptions.init.delta", 1e308, "assumptions: delta 1e+308 exceeds"),
        ("theory.settings.assumptions.model.n", 3, "assumptions.model.n: no room to turn a group"),
        ("theory.sweep.delta", [0.1, 2.1], "theory.sweep: delta 2.1 exceeds sqrt(2 d)"),
        (
            "theory.sweep.model.active_groups",
            21,
            "theory.sweep.model.active_groups: more than the 20",
        ),
    ],
)
def test_a_contradiction_is_refused_with_its_key_and_reason(key, value, error):
    assert error in "\n".join(inconsistencies(changed(key, value)))


def test_the_theory_without_regimes_and_sweep_is_off():
    config = changed("theory.regimes", [])
    assert not is_off(config)
    config["theory"]["sweep"]["lambda"] = []
    assert is_off(config)
    assert not is_off(changed("theory.sweep.lambda", []))


@pytest.mark.parametrize("section", ["none", 3, {"regimes": []}, {"regimes": [], "sweep": 3}])
def test_whether_it_is_off_is_asked_before_the_schema_has_checked(section):
    assert is_off({"theory": section}) == isinstance(section, dict)
