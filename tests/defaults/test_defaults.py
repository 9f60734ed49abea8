"""The room of the defaults: its problems, what it measures, and verdicts that can fail."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT
from sklearn.datasets import load_digits

from defaults import claims, conditions, findings, images, measure, scores, tables
from defaults.check import inconsistencies, is_off
from evidence.claims import claims_of, collect
from evidence.tables import records
from evidence.verdict import FAILED, HOLDS, PARTLY
from groupsparse.artifacts import save_tensors

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())["defaults"]
MODEL = {
    "n": 40, "groups": 5, "samples": 400, "amplitude": [4.0, 5.0], "group_size": 4,
    "active_groups": 1, "snr_db": 10.0,
}  # fmt: skip


def test_all_combinations_are_tried_told_and_untold():
    found = conditions.problems(CONFIG)
    assert len(found) == 2 * 4 * 2 * 3
    assert {p.told for p in found} == {True, False}
    assert conditions.jobs(CONFIG) == ["planted", "digits"]
    assert conditions.jobs(CONFIG | {"axes": CONFIG["axes"] | {"snr_db": []}}) == ["digits"]


def test_a_job_depends_on_its_own_part_of_the_config_alone():
    changed = copy.deepcopy(CONFIG)
    changed["images"]["digits"]["groups"] = 3
    told = conditions.told
    assert told(changed, "planted") == told(CONFIG, "planted")
    assert told(changed, "digits") != told(CONFIG, "digits")
    assert conditions.problems(told(CONFIG, "planted")) == conditions.problems(CONFIG)
    changed = CONFIG | {"axes": {}, "model": {}}
    assert told(changed, "digits") == told(CONFIG, "digits")


def test_a_config_that_contradicts_itself_is_refused_and_an_empty_one_is_off():
    assert inconsistencies({"defaults": CONFIG}) == []
    section = copy.deepcopy(CONFIG)
    section["axes"]["active_groups"] = [30]
    errors = inconsistencies({"defaults": section})
    assert errors == ["defaults.model.active_groups: more than the 20 groups"]
    assert not is_off({"defaults": CONFIG})
    assert is_off({"defaults": section | {"images": {}, "axes": CONFIG["axes"] | {"snr_db": []}}})


@pytest.mark.parametrize("told", [True, False])
def test_planted_groups_are_recovered(told):
    condition, values, components = measure._planted(conditions.Problem(MODEL, told), 1)
    assert condition == {
        "group_size": 4, "active_groups": 1, "snr_db": 10.0, "method": "coder", "told": told,
    }  # fmt: skip
    assert components.shape == (20, 40)
    assert values["error"] < 1.2 * values["oracle_error"]
    assert (values["estimated_size"], values["estimated_groups"]) == (4, 5)


def test_images_are_explained_beside_others_with_as_many_atoms(tmp_path):
    pixels, _ = load_digits(return_X_y=True)
    path = str(tmp_path / "digits.safetensors")
    data = torch.from_numpy(pixels / 16).float()
    save_tensors(path, {"train_data": data[:600], "test_data": data[600:900]}, kind="dataset")
    sizes = {"groups": 8, "group_size": 3, "samples": 500}
    found = {c["method"]: (values, atoms) for c, values, atoms in images.explained(path, sizes, 1)}
    assert list(found) == ["coder", "pca", "free", "chance"]
    explained = {name: values["explained"] for name, (values, _) in found.items()}
    assert explained["chance"] < explained["pca"] < explained["coder"] < 1
    assert len(found["pca"][1]) == round(found["coder"][0]["active_atoms"])
    assert len(found["free"][1]) == len(found["coder"][1]) == 24
    # PCA by hand.
    train = (data[:500] - data[:500].mean(0)).double().numpy()
    test = (data[600:900] - data[:500].mean(0)).double().numpy()
    axes = np.linalg.svd(train, full_matrices=False)[2][: len(found["pca"][1])]
    rest = test - test @ axes.T @ axes
    assert explained["pca"] == pytest.approx(1 - (rest**2).sum() / (test**2).sum(), abs=1e-3)


RATIOS = {0.0: 1.1, 20.0: 1.0}
EXPLAINED = {"coder": 0.8, "pca": 0.7, "free": 0.9, "chance": 0.3}


def study(ratios=RATIOS, explained=EXPLAINED, seeds: int = 3) -> pd.DataFrame:
    """A made-up table: the oracle's error is 2; of two seeds in three the sizes are found."""
    rows = []
    for seed in range(seeds):
        head = {"experiment": "defaults", "replicate": seed}
        for snr, ratio in ratios.items():
            case = {"group_size": 4, "active_groups": 1, "snr_db": snr, "method": "coder"}
            for told in (True, False):
                values = {"estimated_size": 4, "estimated_groups": 20, "seconds": 1.0}
                if told:
                    values |= {"error": 2 * ratio, "oracle_error": 2.0}
                elif not seed:
                    values["estimated_groups"] = 19
                rows += records(head | {"job": "planted", "told": told} | case, values)
        for method, value in explained.items():
            case = {"job": "digits", "told": True, "method": method}
            rows += records(head | case, {"explained": value, "seconds": 2.0})
    return pd.DataFrame(rows)


def verdict(table: pd.DataFrame, title: str, case: str) -> str:
    found = collect(claims, {"defaults": table}, {})
    here = found[found.claim.str.startswith(title) & found.statistic.str.endswith(case)]
    return here.verdict.item()


@pytest.mark.parametrize(("ratio", "wanted"), [(1.1, HOLDS), (1.5, PARTLY), (2.5, FAILED)])
def test_recovery_is_judged_at_every_noise_level(ratio, wanted):
    table = study({0.0: ratio, 20.0: 1.0})
    found = collect(claims, {"defaults": table}, {})
    levels = found[found.claim.str.startswith("Told")].verdict.tolist()
    assert levels == [wanted, HOLDS]


@pytest.mark.parametrize(("pca", "wanted"), [(0.7, HOLDS), (0.85, FAILED)])
def test_images_are_judged_beside_pca(pca, wanted):
    assert verdict(study(explained=EXPLAINED | {"pca": pca}), "With as many", "digits") == wanted


def test_no_claim_is_left_without_a_test():
    assert len(claims_of(claims)) == 2


def test_tables_and_findings_say_the_numbers():
    table = study()
    recovered = tables.recovered(table, CONFIG)
    assert recovered["rows"] == [["4", "1", "1.10 ± 0.00", "2 of 3", "1.00 ± 0.00", "2 of 3"]]
    rows = tables.explained(table, CONFIG)["rows"]
    assert rows[0] == ["digits", "GroupSparseCoder", "0.800 ± 0.000", "–", "2.0"]
    first, second = findings.findings(table)
    assert "2 of 2 planted problems within 1.2 times the oracle's subspace error" in first
    assert "(digits): GroupSparseCoder 0.80, PCA 0.70" in second


def test_a_run_with_another_number_of_groups_counts_as_a_failure():
    table = study()
    few = table[table.metric != "error"]
    assert (scores.planted(few, True).ratio == float("inf")).all()
    lost = table[(table.metric != "error") | (table.replicate != 1)]
    found = collect(claims, {"defaults": lost}, {})
    assert HOLDS not in set(found[found.claim.str.startswith("Told")].verdict)
    assert "0 of 2 planted problems" in findings.findings(lost)[0]
    assert scores.planted(table[table.job != "planted"], True).empty
