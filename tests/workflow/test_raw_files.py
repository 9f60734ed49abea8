"""A changed raw file reruns what reads it; a download reruns nothing; nothing placed is deleted."""

import raw_files
from conftest import ROOT
from raw_files import RAW_FILES, raw_state

from groupsparse.datasets import CLASSES, DATASETS, archives


def test_the_files_and_sums_are_those_that_are_downloaded():
    assert set(RAW_FILES) == set(DATASETS)
    for name in CLASSES:
        expected = {f"{CLASSES[name]}/raw/{a.name}": a.md5 for a in archives(name)}
        assert RAW_FILES[name] == expected


def test_the_page_about_data_names_every_file_and_its_sum():
    text = (ROOT / "data/README.md").read_text()
    for files in RAW_FILES.values():
        for name, md5 in files.items():
            assert f"| `data/raw/{name}` | `{md5}` |" in text


def test_a_missing_file_has_the_state_of_the_right_one(tmp_path, monkeypatch):
    monkeypatch.setitem(RAW_FILES, "one", {"a.gz": raw_files._md5(ROOT / "LICENSE")})
    absent = raw_state(str(tmp_path), "one")
    (tmp_path / "a.gz").write_bytes((ROOT / "LICENSE").read_bytes())
    assert raw_state(str(tmp_path), "one") == absent
    (tmp_path / "a.gz").write_bytes(b"other")
    assert raw_state(str(tmp_path), "one") != absent


def test_a_raw_file_that_changes_makes_the_data_anew(fresh_workflow):
    target = "results/smoke/data/digits.safetensors"
    fresh_workflow.edit("workflow/raw_files.py", '"digits": {},', '"digits": {"mine.gz": None},')
    fresh_workflow.run(target)
    assert fresh_workflow.planned(target) == {}
    file = fresh_workflow.folder / "data/raw/mine.gz"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"one")
    assert fresh_workflow.planned(target) == {"data_prepare": 1}
    fresh_workflow.run(target)
    assert fresh_workflow.planned(target) == {}
    assert file.exists(), "what was placed is not deleted"
    how = "--config", "download={retries: 5, timeout: 9, files: {usps: usps.npz}}"
    assert fresh_workflow.planned(target, *how) == {}, "how to download changes no data"
