"""What the config makes of runs and sweeps: jobs, points, files, and what methods are told."""

import pytest
from conftest import CONFIG, ROOT
from small_recording import SECTION

from deconvolution import conditions
from deconvolution.conditions import (
    Job,
    artefacts,
    entry_of,
    jobs,
    methods,
    places,
    points,
    replicates,
    simulations,
    spacing,
    swept,
    told,
)


def test_a_sweep_of_a_simulation_makes_simulations_that_differ_in_one_property():
    found = simulations(SECTION)
    names = ["long", "long_trials_6", "long_trials_25", "long_rate_hz_0p5", "long_rate_hz_8"]
    assert list(found) == names
    plain = found["long"]
    assert found["long_trials_25"] == plain | {"trials": 25}
    assert found["long_rate_hz_0p5"] == plain | {"rate_hz": 0.5}
    assert plain["trials"] == 6, "the one that is swept stays as it is"


def test_the_entry_of_a_recording_or_simulation_is_found_by_its_name():
    section = SECTION | {"recordings": {"mine": {"file": "mine.npz"}}}
    assert entry_of(section, "mine") == {"file": "mine.npz"}
    assert entry_of(section, "long_trials_25")["trials"] == 25


def test_a_sweep_over_the_number_of_kernels_makes_methods():
    found = methods(SECTION)
    assert found.keys() - SECTION["methods"].keys() == {"search_assumed_2", "search_assumed_3"}
    assert found["search_assumed_3"] == {"kind": "search", "assumed": 3}
    assert found["search"] == {"kind": "search"}


@pytest.mark.parametrize(
    ("key", "value", "names"),
    [
        ("trials", 100, ("_trials_100", "")),
        ("rate_hz", 0.5, ("_rate_hz_0p5", "")),
        ("assumed", 3, ("", "_assumed_3")),
    ],
)
def test_names_of_a_sweep_are_names_of_files(key, value, names):
    assert swept({"key": key}, value) == names


def test_points_of_a_sweep_go_by_value_and_then_by_method():
    assert points(SECTION, "trials") == [
        (6, Job("long_trials_6", "known_times")), (6, Job("long_trials_6", "search")),
        (25, Job("long_trials_25", "known_times")), (25, Job("long_trials_25", "search")),
    ]  # fmt: skip
    assert points(SECTION, "assumed")[1] == (3, Job("long", "search_assumed_3"))


def test_every_job_is_made_once():
    found = jobs(SECTION)
    assert len(found) == len(set(found)) == 12 + 1 + 4 + 2 + 2
    twice = SECTION["sweeps"] | {"again": SECTION["sweeps"]["trials"]}
    assert jobs(SECTION | {"sweeps": twice}) == found
    every = simulations(SECTION).keys() | SECTION["recordings"].keys()
    assert {job.data for job in found} <= every
    assert {job.method for job in found} <= methods(SECTION).keys()


def test_without_runs_and_sweeps_there_is_nothing_to_do():
    assert jobs(SECTION | {"runs": {}, "sweeps": {}}) == []


def test_a_simulation_has_a_file_for_each_draw_and_a_recording_one():
    assert artefacts(SECTION, "long_trials_6") == [f"long_trials_6-{i}" for i in range(3)]
    assert artefacts(SECTION, "bold") == ["bold"]
    assert [replicates(SECTION, name) for name in ("long", "mine", "bold")] == [3, 3, 5]


def test_spacing_is_in_bins_and_at_least_one():
    # 200 ms of 25, no key, 5000 ms of 2000.
    assert [spacing(SECTION, name) for name in ("long", "mine", "bold")] == [8, 1, 2]
    assert spacing(SECTION, "long_trials_25") == 8


def test_methods_are_told_the_distance_and_the_most_events():
    assert told(SECTION, "long") == {"spacing": 8, "most": 1, "count": 1}
    assert told(SECTION, "bold") == {"spacing": 2, "most": 9, "count": 1}


def test_events_start_after_the_silence_and_end_before_the_next():
    entry = CONFIG["deconvolution"]["simulations"]["long"]
    found = places(entry)
    last = entry["ms"] - entry["silent_end_ms"] - 400
    assert (found[0], found.step) == (entry["silent_ms"] // 25, 8)
    assert found[-1] * 25 <= last < (found[-1] + found.step) * 25
    without = {key: value for key, value in entry.items() if key != "spacing_ms"}
    assert places(without).step == 1


def test_a_method_names_the_package_that_it_needs_and_its_rule_asks_for_it():
    assert conditions.packages({"kind": "peer", "peer": "sporco"}) == ["sporco"]
    for spec in ({"kind": "search"}, {"kind": "peer", "peer": "averages"}):
        assert conditions.packages(spec) == []
    rule = (ROOT / "workflow/rules/deconvolution.smk").read_text()
    measure = rule.split("rule deconvolution_measure:")[1].split("rule ")[0]
    assert "installed(\n            *deconvolution.conditions.packages(" in measure
