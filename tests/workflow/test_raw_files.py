"""A changed raw file reruns what reads it; a download reruns nothing; nothing placed is deleted."""

import numpy as np
import pytest
import raw_files
from conftest import ROOT
from raw_files import RAW_FILES, raw_state

from groupsparse.artifacts import load_tensors
from groupsparse.datasets import CLASSES, DATASETS, archives

# A data set of one's own: 8 x 8 digits in an npz file that somebody placed by hand.
OWN = """    if name == "mine":
        import numpy as np

        tensors = np.load(Path(raw_dir) / "mine.npz", allow_pickle=False)
        return {key: torch.from_numpy(tensors[key]) for key in tensors}
    if name == "digits":
"""


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


@pytest.fixture
def own_data(fresh_workflow):
    """A workflow with the data set ``mine``, added as workflow/README.md says."""
    edit = fresh_workflow.edit
    edit("src/groupsparse/datasets.py", 'DATASETS = ("digits", ', 'DATASETS = ("digits", "mine", ')
    edit("src/groupsparse/datasets.py", '    if name == "digits":\n', OWN)
    edit("workflow/schemas/config.schema.yaml", "{enum: [digits, ", "{enum: [digits, mine, ")
    edit("workflow/raw_files.py", '"digits": {},', '"digits": {}, "mine": {"mine.npz": None},')
    return fresh_workflow


def place(file, value: float) -> None:
    """A tiny data set of which every entry has this value."""
    save(file, np.full((4, 6), value), np.arange(4))


def save(file, data: np.ndarray, labels: np.ndarray) -> None:
    """The same samples for training and test, in an npz file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for part in ("train", "test"):
        arrays |= {f"{part}_data": data.astype(np.float32), f"{part}_labels": labels}
    np.savez(file, allow_pickle=False, **arrays)


def test_a_changed_file_of_ones_own_makes_the_data_anew(own_data):
    target = "results/smoke/data/mine.safetensors"
    file = own_data.folder / "data/raw/mine.npz"
    place(file, 0.5)
    own_data.run(target)
    assert own_data.planned(target) == {}
    place(file, 0.25)
    assert own_data.planned(target) == {"data_prepare": 1}
    own_data.run(target)
    assert load_tensors(own_data.folder / target)[0]["test_data"].max() == 0.25
    assert own_data.planned(target) == {}
    assert file.exists()


def test_vectors_that_are_no_images_get_their_page(own_data):
    labels = np.arange(60) % 3
    random = np.random.default_rng(0)
    data = random.normal(size=(3, 97))[labels] + 0.3 * random.normal(size=(60, 97))
    save(own_data.folder / "data/raw/mine.npz", data, labels)
    settings = (
        "    mine: {groups: 3, group_size: 4, unit_norm: true, neighbors: 5, training: {epochs: 2, "
        "optimizer: adam, lr: 1.0e-3, batch_size: 20, normalize: false, checkpoint_every: 1}}\n"
    )
    own_data.edit("workflow/presets/smoke.yaml", "    digits:\n", f"{settings}    digits:\n")
    own_data.run("--config", "datasets=[mine]", "experiments=[clustering]")
    page = (own_data.folder / "reports/smoke/report.html").read_text()
    for figure in ("fig4", "fig5", "silhouettes", "table1", "convergence"):
        assert f'id="{figure}-mine"' in page
