"""A config of the deconvolution that contradicts itself is refused, with the key and the reason."""

import re

import pytest
import yaml
from conftest import CONFIG, ROOT, changed, merged
from validate import config_errors, meant

from deconvolution.check import inconsistencies
from deconvolution.conditions import KERNELS, LAW_OPTIONS, PACKAGED, jobs
from deconvolution.kernels import FORMULAS
from deconvolution.sources import FORMATS, PACKAGES
from groupsparse.likelihood import LAWS

SECTION = CONFIG["deconvolution"]


def errors(kind: str, name: str, changes: dict) -> list[str]:
    """Of the default section in which one entry has changed (a value None: without that key)."""
    entry = SECTION[kind].get(name, {}) | changes
    entry = {key: value for key, value in entry.items() if value is not None}
    section = SECTION | {kind: SECTION[kind] | {name: entry}}
    return inconsistencies({"deconvolution": section})


def test_the_tolerance_of_claims_and_tables_is_asked_for():
    (error,) = inconsistencies({"deconvolution": SECTION | {"tolerances": [0, 2]}})
    assert error == "deconvolution.tolerances: claims and tables need 1"


def test_the_default_section_is_accepted():
    assert inconsistencies({"deconvolution": SECTION}) == []


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("long", {"ms": 6010}, "ms: 6010 is no multiple of bin_ms, 25"),
        ("long", {"spacing_ms": 30}, "spacing_ms: 30 is no multiple"),
        ("long", {"silent_ms": 10}, "silent_ms: 10 is no multiple"),
        ("long", {"silent_end_ms": 10}, "silent_end_ms: 10 is no multiple"),
        ("long", dict.fromkeys(("bin_ms", "spacing_ms", "silent_ms", "silent_end_ms"), 500),
         "bin_ms: longer than the kernels, 400 ms"),
        ("long", {"at": [[[0, 0]]]}, "events: give either events or at"),
        ("long", {"events": None}, "events: give either events or at"),
        ("long", {"events": [0, 0]}, "events: there are none"),
        ("long", {"events": [3, 2]}, "events: the fewest are more"),
        ("long", {"events": [3, 26]}, "events: 26 do not fit 25 times"),
        ("long", {"ms": 300}, "events: 3 do not fit 0 times"),
        ("structured", {"at": [[[2, 700]]]}, "at: kernel 2 of 2, counted from 0"),
        ("structured", {"at": [[[0, 1700]]]}, "at: 1700 ms is no multiple of bin_ms up to 1600"),
        ("structured", {"at": [[[0, 710]]]}, "at: 710 ms"),
        ("structured", {"at": [[[0, 700], [0, 700]]]}, "at: a kernel starts twice"),
        ("structured", {"shared_events": False}, "shared_events: events at given times are shared"),
        ("long", {"amplitude": {"mean": [1], "std": 1, "shared": "event"}},
         "amplitude.mean: 1 numbers for 2 kernels"),
        ("long", {"baseline": {"mean": 0, "std": 1}}, "rate_hz: give either rate_hz or baseline"),
        ("long", {"rate_hz": None}, "rate_hz: give either rate_hz or baseline"),
        ("long", {"rate_hz": 1000}, "rate_hz: must be below 1000"),
        ("long", {"law": "gaussian"}, "rate_hz: traces have no rate"),
        ("long", {"law": "poisson"}, "law_options: law poisson needs largest"),
        ("long", {"law_options": {"std": 1.0}}, "law_options.std: law binomial has no such option"),
    ],
)  # fmt: skip
def test_a_simulation_that_contradicts_itself_is_refused(name, changes, reason):
    (error,) = errors("simulations", name, changes)
    assert error.startswith(f"deconvolution.simulations.{name}.{reason}")


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("bold", {"file": "mine.npz"}, "file: give either file, or package and name"),
        ("dunl_25", {"file": None}, "file: give either file, or package and name"),
        ("bold", {"name": "ecg"}, "name: nitime holds bold, receptor, receptor_fast"),
        ("bold", {"bin_ms": 1000}, "bin_ms: bold has one value every 2000 ms"),
        ("receptor", {"law": "gaussian", "law_options": {}}, "law: receptor has spikes"),
        ("bold", {"format": "npz"}, "format: only with file"),
        ("dunl_25", {"name": "bold"}, "name: only with package"),
        ("dunl_25", {"trial_ms": 1000}, "trial_ms: only with package"),
        ("dunl_25", {"noise": "spread"}, "noise: only with law gaussian"),
        ("bold", {"detrend_ms": 1}, "detrend_ms: shorter than a bin of 2000 ms"),
        ("receptor", {"trial_ms": 10}, "length: kernels of 10 bins do not fit trial_ms"),
        ("dunl_25", {"law_options": {}}, "law_options: law binomial needs trials"),
    ],
)
def test_a_recording_that_contradicts_itself_is_refused(name, changes, reason):
    (error,) = errors("recordings", name, changes)
    assert error.startswith(f"deconvolution.recordings.{name}.{reason}")


def test_a_name_stands_for_one_thing():
    (error,) = errors("recordings", "long", SECTION["recordings"]["bold"])
    assert error == "deconvolution.recordings.long: a simulation has this name"


SWEEP = {"of": "long", "key": "trials", "values": [25, 50], "methods": ["search"]}
ASSUMED = SWEEP | {"key": "assumed", "values": [1, 3]}
NETWORK = {"kind": "network", "lambda": 1.0, "layers": 5, "epochs": 1, "lr": 0.1}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"methods": {"net": NETWORK}}, "methods.net: a network needs ['batch_size']"),
        ({"methods": {"net": {"kind": "network"}}},
         "methods.net: a network needs ['batch_size', 'epochs', 'lambda', 'layers', 'lr']"),
        *(
            ({"methods": {"search": {key: 1}}}, f"methods.search.{key}: a method of kind search")
            for key in ("lambda", "layers", "known", "smooth", "peer")
        ),
        ({"methods": {"known_times": {"sweeps": 9}}},
         "methods.known_times.sweeps: a method of kind known_times has none"),
        ({"methods": {"chance": {"starts": 2}}}, "methods.chance.starts: a method of kind chance"),
        ({"methods": {"average": {"starts": 2}}}, "methods.average.starts: only with peer sporco"),
        ({"runs": {"nothing": ["search"]}},
         "runs.nothing: there is no simulation or recording nothing"),
        ({"runs": {"bold": ["gaussian"]}}, "runs.bold: gaussian takes counts for traces"),
        ({"runs": {"long": ["guess"]}}, "runs.long: there is no method guess"),
        ({"runs": {"bold": ["known_kernels"]}}, "runs.bold: known_kernels needs true kernels"),
        ({"sweeps": {"mine": SWEEP | {"of": "nothing"}}},
         "sweeps.mine: there is no simulation or recording nothing"),
        ({"sweeps": {"mine": SWEEP | {"of": "bold"}}}, "sweeps.mine.of: bold is no simulation"),
        ({"sweeps": {"mine": SWEEP | {"methods": ["guess"]}}},
         "sweeps.mine: there is no method guess"),
        ({"sweeps": {"mine": SWEEP | {"values": [25, 50.5]}}},
         "sweeps.mine.values: must be whole numbers"),
        ({"sweeps": {"mine": SWEEP | {"values": [25, 50.0]}}},
         "sweeps.mine.values: must be whole numbers"),
        ({"sweeps": {"mine": SWEEP | {"values": [50, 25]}}},
         "sweeps.mine.values: must be ascending"),
        ({"sweeps": {"mine": SWEEP | {"key": "bin_ms", "values": [16, 25]}}},
         "sweeps, long_bin_ms_16: spacing_ms: 200 is no multiple of bin_ms, 16"),
        ({"sweeps": {"mine": SWEEP | {"key": "rate_hz", "values": [8, 1000.5]}}},
         "sweeps, long_rate_hz_1000p5: rate_hz: must be below 1000"),
        ({"sweeps": {"mine": SWEEP},
          "recordings": {"long_trials_25": SECTION["recordings"]["bold"]}},
         "sweeps.mine: long_trials_25 is the name of something else"),
        ({"sweeps": {"mine": ASSUMED}, "methods": {"search_assumed_1": {"kind": "search"}}},
         "sweeps.mine: search_assumed_1 is the name of something else"),
        ({"sweeps": {"mine": ASSUMED | {"methods": ["known_times"]}}},
         "sweeps.mine: known_times does not choose its kernels"),
        ({"shown": {"structured": "chance"}},
         "shown: structured is not given to chance"),
        ({"shown": {"nothing": "search"}},
         "shown: nothing is not given to search"),
        *(
            ({"runs": {"long": [name]}, "shown": {"long": name}},
             f"shown: {name} has no events of all neurons to draw")
            for name in ("smooth_hidden", "apart")
        ),
    ],
)  # fmt: skip
def test_runs_and_sweeps_of_what_there_is_not_are_refused(changes, reason):
    (error,) = inconsistencies({"deconvolution": merged(SECTION, changes)})
    assert error.startswith(f"deconvolution.{reason}")


def test_what_is_right_is_accepted_in_runs_and_sweeps():
    for changes in (
        {"sweeps": {"mine": SWEEP}, "shown": {"long_trials_25": "search"}},
        {"sweeps": {"mine": SWEEP | {"key": "rate_hz", "values": [0.5, 8]}}},
        {"sweeps": {"mine": ASSUMED},
         "shown": {"long": "search_assumed_1"}},
        {"recordings": {"mine": {"file": "mine.npz", "law": "gaussian", "bin_ms": 5, "length": 9}},
         "runs": {"mine": ["known_kernels"]}},
        {"runs": {"dunl_50": ["known_kernels", "apart", "network", "smooth_hidden"]}},
    ):  # fmt: skip
        assert inconsistencies({"deconvolution": merged(SECTION, changes)}) == []


def test_a_slip_is_reported_before_what_rests_on_it():
    """Runs are checked once all simulations and recordings are right."""
    slip = {"simulations": {"long": {"ms": 6010}}, "runs": {"long": ["guess"]}}
    (error,) = inconsistencies({"deconvolution": merged(SECTION, slip)})
    assert error.startswith("deconvolution.simulations.long.ms")


def test_a_users_recording_is_accepted_by_the_schema_and_a_slip_is_not():
    mine = {"file": "a/mine.npz", "law": "gaussian", "bin_ms": 33.3, "length": 60}
    recordings = SECTION["recordings"] | {"mine": mine | {"noise": "spread", "detrend_ms": 5000}}
    assert config_errors(changed("deconvolution.recordings", recordings)) == []
    for slip, reason in (
        ({"mine": mine | {"lenght": 60}}, "lenght"),
        ({"mine": mine | {"bin_ms": 0}}, "minimum"),
        ({"mine": mine | {"law": "normal"}}, "normal"),
        ({"my-own": mine}, "my-own"),
        ({"mine": {key: value for key, value in mine.items() if key != "length"}}, "length"),
    ):
        (error,) = config_errors(changed("deconvolution.recordings", slip))
        assert error.startswith("deconvolution.recordings")
        assert reason in error


def test_names_in_config_code_and_schema_are_the_same():
    assert LAW_OPTIONS.keys() == LAWS.keys()
    assert PACKAGED.keys() == PACKAGES.keys()
    assert set(FORMATS) == {"npz", "dunl"}
    tables = {name: held.file for name, held in KERNELS.items() if held.file}
    assert tables.keys() | FORMULAS.keys() == KERNELS.keys()
    assert all((ROOT / file).is_file() for file in tables.values())


def test_the_config_of_the_page_runs_the_recording_of_the_user_alone():
    page = (ROOT / "docs/find-events.md").read_text()
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    config = meant(merged(CONFIG, yaml.safe_load(text)))
    assert config_errors(config) == []
    assert {job.data for job in jobs(config["deconvolution"])} == {"mine"}
    assert {job.data for job in jobs(SECTION)} == {"dunl_25", "structured"}, "of config.yaml"
