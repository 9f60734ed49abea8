"""Data sets of the user's own: read from files of every kind, checked, and taken through a run."""

import gzip
import json
import re
import struct

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from conftest import CONFIG, ROOT, merged
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from validate import config_errors, meant

from clustering.conditions import inits_of, labelled, long_runs, of_data, own, sweeps, trainings
from clustering.settings import resolved
from data.check import BUILT_IN
from data.entries import has_labels, inputs, kind
from data.prepare import loaded
from data.readers import HELD_OUT, checked, read
from groupsparse.artifacts import load_tensors
from groupsparse.datasets import DATASETS

SAMPLES = np.arange(40 * 6, dtype=np.float32).reshape(40, 6) + 1
WORDS = np.array(["b", "a"] * 20)


def npz(folder, **arrays) -> str:
    path = folder / "mine.npz"
    np.savez(path, **arrays)
    return str(path)


def write_idx(path, array: np.ndarray) -> str:
    content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


def write_images(folder, arrays: dict[str, np.ndarray]) -> str:
    for name, array in arrays.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(folder / name)
    return str(folder)


def found(arrays: dict, part: str) -> set[tuple]:
    return {tuple(row) for row in arrays[f"{part}_data"].tolist()}


def test_a_share_is_held_out_by_class_and_nothing_is_lost(tmp_path):
    arrays, about = read({"file": npz(tmp_path, data=SAMPLES, labels=WORDS)}, seed=0)
    assert about == {"shape": [6], "classes": ["a", "b"]}
    train, test = found(arrays, "train"), found(arrays, "test")
    assert len(test) == HELD_OUT * 40
    assert train | test == {tuple(row) for row in SAMPLES.tolist()}
    assert not train & test
    assert np.bincount(arrays["test_labels"]).tolist() == [5, 5]
    for part in ("train", "test"):
        first = arrays[f"{part}_data"][:, 0].astype(int) // 6
        assert (arrays[f"{part}_labels"] == first % 2 ^ 1).all(), "labels stay with their samples"
    again, _ = read({"file": npz(tmp_path, data=SAMPLES, labels=WORDS)}, seed=0)
    other, _ = read({"file": npz(tmp_path, data=SAMPLES, labels=WORDS)}, seed=1)
    assert found(again, "test") == test != found(other, "test")


def test_parts_that_are_given_are_kept(tmp_path):
    path = npz(tmp_path, train_data=SAMPLES[:30], test_data=SAMPLES[30:])
    arrays, _ = read({"file": path, "labels": False}, seed=0)
    assert (arrays["train_data"] == SAMPLES[:30]).all()
    assert (arrays["test_data"] == SAMPLES[30:]).all()


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
def test_a_table_has_a_column_of_labels_or_none(tmp_path, ending):
    frame = pd.DataFrame(SAMPLES, columns=list("uvwxyz")).assign(species=WORDS)
    path = str(tmp_path / f"mine{ending}")
    write = {
        ".csv": lambda: frame.to_csv(path, index=False),
        ".tsv": lambda: frame.to_csv(path, index=False, sep="\t"),
        ".parquet": lambda: frame.to_parquet(path),
    }
    write[ending]()
    arrays, about = read({"file": path, "labels": "species"}, seed=0)
    assert about["classes"] == ["a", "b"]
    assert about["features"] == list("uvwxyz")
    assert found(arrays, "train") | found(arrays, "test") == {tuple(r) for r in SAMPLES.tolist()}
    with pytest.raises(ValueError, match="'species' does not hold numbers; if it holds labels"):
        read({"file": path, "labels": False}, seed=0)
    with pytest.raises(ValueError, match="no column 'kind' for labels; the first are u, v"):
        read({"file": path, "labels": "kind"}, seed=0)


def test_test_samples_have_the_columns_of_the_training_samples(tmp_path):
    names = list("uvwxyz")
    train, test = str(tmp_path / "train.csv"), str(tmp_path / "test.csv")
    pd.DataFrame(SAMPLES[:30], columns=names).to_csv(train, index=False)
    entry = {"file": train, "test_file": test, "labels": False}
    pd.DataFrame(SAMPLES[30:], columns=names).to_csv(test, index=False)
    arrays, about = read(entry, seed=0)
    assert about == {"shape": [6], "features": names}
    assert (arrays["test_data"] == SAMPLES[30:]).all()
    pd.DataFrame(SAMPLES[30:], columns=names[::-1]).to_csv(test, index=False)
    with pytest.raises(ValueError, match="columns of the test samples differ in name or order"):
        read(entry, seed=0)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_the_format_of_mnist_is_read(tmp_path, ending):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 4, 5), np.uint8)
    labels = write_idx(tmp_path / f"labels-idx1-ubyte{ending}", (np.arange(40) % 4).astype("u1"))
    images = write_idx(tmp_path / f"images-idx3-ubyte{ending}", pixels)
    arrays, about = read({"file": images, "labels": labels}, seed=0)
    assert about == {"shape": [4, 5], "classes": ["0", "1", "2", "3"]}
    assert arrays["train_data"].max() <= 1, "bytes are pixels"
    rows = {tuple(row) for row in (pixels.reshape(40, 20) / np.float32(255)).tolist()}
    assert found(arrays, "train") | found(arrays, "test") == rows


def test_a_folder_of_images_has_a_folder_for_each_class(tmp_path):
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (16, 4, 3), np.uint8)
    names = [f"{'cat' if i % 2 else 'dog'}/{i}.png" for i in range(16)]
    path = write_images(tmp_path / "photos", dict(zip(names, pictures, strict=True)))
    assert has_labels({"file": path})
    arrays, about = read({"file": path}, seed=0)
    assert about == {"shape": [4, 3], "classes": ["cat", "dog"]}
    assert sorted(inputs({"file": path})) == sorted(f"{path}/{name}" for name in names)
    flat = write_images(tmp_path / "flat", {f"{i}.png": p for i, p in enumerate(pictures)})
    assert not has_labels({"file": flat})
    split = {f"{'train' if i < 12 else 'test'}/{n}": pictures[i] for i, n in enumerate(names)}
    arrays, _ = read({"file": write_images(tmp_path / "split", split)}, seed=0)
    assert len(arrays["test_data"]) == 4
    write_images(tmp_path / "flat", {"odd.png": pictures[0][:2]})
    with pytest.raises(ValueError, match=r"odd\.png: images must be of one size"):
        read({"file": flat, "labels": False}, seed=0)


def test_rows_say_where_a_sample_was_in_the_file():
    arrays, _ = checked({"data": SAMPLES, "labels": WORDS}, {}, 0, "mine")
    for part in ("train", "test"):
        assert (arrays[f"{part}_data"] == SAMPLES[arrays[f"{part}_rows"]]).all()


def test_labels_that_are_floats_of_whole_numbers_are_taken():
    _, about = checked({"data": SAMPLES, "labels": np.arange(40) % 2 * 1.0}, {}, 0, "mine")
    assert about["classes"] == ["0", "1"]


def test_a_table_without_names_of_columns_is_refused(tmp_path):
    path = str(tmp_path / "mine.CSV")
    pd.DataFrame(SAMPLES).to_csv(path, index=False, header=False)
    with pytest.raises(ValueError, match="the first line holds numbers"):
        read({"file": path, "labels": False}, seed=0)
    pd.DataFrame(SAMPLES, columns=list("uvwxyz")).to_csv(path)
    with pytest.raises(ValueError, match="without its row numbers"):
        read({"file": path, "labels": False}, seed=0)
    frame = pd.DataFrame(SAMPLES, columns=list("uvwxyz")).assign(
        y=np.where(SAMPLES[:, 0] > 9, 1, np.nan)
    )
    frame.to_csv(path, index=False)
    with pytest.raises(ValueError, match="2 labels in 'y' are missing, the first in row 0"):
        read({"file": path, "labels": "y"}, seed=0)


@pytest.mark.parametrize(
    ("ending", "separator", "decimal"),
    [(".csv", ";", "."), (".csv", ";", ","), (".csv", "\t", "."), (".tsv", ",", ".")],
)
def test_a_table_with_another_separator_is_refused_with_the_way_to_convert_it(
    tmp_path, ending, separator, decimal
):
    path = str(tmp_path / f"mine{ending}")
    frame = pd.DataFrame(SAMPLES / 4, columns=list("uvwxyz"))
    frame.iloc[0, 0] = 3  # with decimal commas rows would differ in length
    frame.astype(object).to_csv(path, index=False, sep=separator, decimal=decimal)
    with pytest.raises(ValueError, match=r"its columns are separated by .*; convert it") as error:
        read({"file": path, "labels": False}, seed=0)
    assert f"separated by {separator!r}, not by" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_table_with_longer_rows_than_names_is_refused(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("u,v\n" + "".join(f"row{i},{i},{i}\n" for i in range(9)))
    with pytest.raises(ValueError, match="without its row numbers"):
        read({"file": str(path), "labels": False}, seed=0)


def test_arrays_with_other_names_are_named(tmp_path):
    with pytest.raises(ValueError, match="it holds X, y; name the samples `data`"):
        read({"file": npz(tmp_path, X=SAMPLES, y=WORDS)}, seed=0)


def test_images_of_sixteen_bits_and_of_floats_keep_their_values(tmp_path):
    whole = np.linspace(0, 65535, 12 * 16).astype(np.uint16).reshape(16, 3, 4)
    path = write_images(tmp_path / "deep", {f"{i:02}.png": p for i, p in enumerate(whole)})
    arrays, _ = read({"file": path, "labels": False}, seed=0)
    rows = arrays["train_rows"]
    expected = whole[rows].reshape(len(rows), -1) / np.float32(65535)
    assert np.allclose(arrays["train_data"], expected, rtol=0, atol=1e-6)
    floats = np.linspace(-1, 1, 12 * 16, dtype=np.float32).reshape(16, 3, 4)
    path = write_images(tmp_path / "floats", {f"{i:02}.tif": p for i, p in enumerate(floats)})
    arrays, _ = read({"file": path, "labels": False}, seed=0)
    assert (arrays["test_data"] == floats[arrays["test_rows"]].reshape(4, -1)).all()


def test_labels_that_are_numbers_are_in_their_order():
    labels = np.array([10, 9, 2, 10] * 10)
    _, about = checked({"data": SAMPLES, "labels": labels}, {}, 0, "mine")
    assert about["classes"] == ["2", "9", "10"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "neither data nor train_data and test_data"),
        ({"data": SAMPLES[:, 0], "labels": WORDS}, r"data must be \(samples, ...\)"),
        ({"data": SAMPLES, "labels": WORDS[:5]}, r"40 samples, but labels of shape \(5,\)"),
        ({"data": SAMPLES}, "has no labels; if that is right, say `labels: false`"),
        ({"data": SAMPLES, "labels": np.repeat("a", 40)}, "all labels are 'a'"),
        (
            {"data": SAMPLES, "labels": np.array(["c", *WORDS[1:]])},
            "the label 'c' has a single sample, .*; leave it out, or join it with another",
        ),
        ({"data": SAMPLES, "labels": np.arange(40) // 2}, "25% of it cannot be held out"),
        ({"data": SAMPLES, "labels": np.arange(40) % 2 / 2}, "must be .* whole numbers or words"),
        ({"data": SAMPLES * 0, "labels": WORDS}, "all entries of train_data are 0"),
        (
            {"data": np.where(SAMPLES == 9, np.nan, SAMPLES), "labels": WORDS},
            "1 entries of data are not finite numbers of 32 bits, the first in row 1, column 2",
        ),
        ({"data": SAMPLES.astype(float) * 1e38, "labels": WORDS}, "not finite numbers"),
        ({"data": SAMPLES.astype(str), "labels": WORDS}, "train_data must be numbers"),
        (
            {"train_data": SAMPLES, "test_data": SAMPLES[:, :4]},
            r"differ in shape: \[\(4,\), \(6,\)\]",
        ),
        (
            {"train_data": SAMPLES, "test_data": SAMPLES, "train_labels": WORDS},
            "test_labels must be 40 whole numbers or words, but they are missing",
        ),
        (
            {"train_data": SAMPLES, "test_data": SAMPLES, "train_labels": WORDS,
             "test_labels": np.repeat("c", 40)},
            "test samples have the label 'c', training samples do not",
        ),
    ],
)  # fmt: skip
def test_arrays_that_are_wrong_are_explained_in_one_line(arrays, message):
    with pytest.raises(ValueError, match=message) as error:
        checked(arrays, {}, 0, "mine.npz")
    assert str(error.value).startswith("mine.npz: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.csv", "a.parquet", "a-idx3-ubyte", "a.gz"])
@given(content=st.binary(max_size=60))
@settings(max_examples=25, deadline=None)
def test_a_damaged_file_is_named_in_one_line(tmp_path_factory, name, content):
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(content + b"\xff")
    with pytest.raises(ValueError, match=name) as error:
        read({"file": str(path), "labels": False}, seed=0)
    assert "\n" not in str(error.value)


def config(entry: dict | None, name: str = "mine", **more) -> dict:
    return merged(CONFIG, {"experiments": ["clustering"], **more}) | {"datasets": {name: entry}}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"file": "nothing.npz"}, "datasets.mine.file: there is no file nothing.npz"),
        ({"file": "config.yaml"}, "datasets.mine.file: config.yaml is none of .npz"),
        ({"file": "broken.npz"}, "datasets.mine.file: broken.npz cannot be read"),
        ({"file": "mine.npz", "load": "mine:f"}, "datasets.mine: give either a file or load"),
        ({}, "datasets.mine: not one of digits, mnist"),
        (None, "datasets.mine: not one of digits, mnist"),
        ({"load": "nowhere:f"}, "datasets.mine.load: there is no module 'nowhere'"),
        ({"file": "mine.npz", "test_file": "x.npz"}, "datasets.mine.test_file: there is no file"),
        ({"file": "mine.npz", "labels": "y.npy"}, "datasets.mine.labels: a .npz file holds them"),
        (
            {"file": "mine.npy", "labels": "y.npy"},
            "datasets.mine.labels: a .npy file holds samples",
        ),
        (
            {"file": "mine.npz", "test_file": "mine.npy", "test_labels": "y.npy"},
            "datasets.mine.test_labels: a .npy file holds samples alone; write data and labels",
        ),
        ({"file": "photos", "labels": "y.npy"}, "datasets.mine.labels: subfolders are the classes"),
        ({"load": "mine:f", "labels": "y"}, "datasets.mine.labels: the function returns them"),
        ({"file": "mine.npz", "held_out": 1}, "datasets.mine.held_out: 1 is greater than or equal"),
    ],
)
def test_a_data_set_that_cannot_be_read_is_refused(tmp_path, monkeypatch, entry, reason):
    monkeypatch.chdir(tmp_path)
    npz(tmp_path, data=SAMPLES)
    np.save(tmp_path / "mine.npy", SAMPLES)
    (tmp_path / "photos").mkdir()
    (tmp_path / "config.yaml").touch()
    (tmp_path / "broken.npz").write_bytes(b"PK")
    (error, *_) = config_errors(config(entry))
    assert error.startswith(reason)


LACKING = [
    ({"other": SAMPLES}, {}, "holds other, and lacks train_data, test_data"),
    ({"train_data": SAMPLES}, {}, "holds train_data, and lacks test_data"),
    ({"data": SAMPLES, "train_labels": WORDS}, {}, "holds data, train_labels, and lacks labels"),
    (
        {"train_data": SAMPLES, "test_data": SAMPLES, "train_labels": WORDS},
        {},
        "holds train_data, test_data, train_labels, and lacks test_labels",
    ),
    ({"train_data": SAMPLES}, {"test_file": "test.npz"}, "holds train_data, and lacks data"),
    ({"data": SAMPLES}, {}, ""),
    ({"data": SAMPLES}, {"test_file": "test.npz"}, ""),
    ({"data": SAMPLES, "train_labels": WORDS}, {"labels": False}, ""),
    ({"data": SAMPLES, "labels": WORDS}, {"test_file": "test.npz"}, "holds data, and lacks labels"),
]


@pytest.mark.parametrize(("held", "more", "reason"), LACKING)
def test_an_array_that_is_missing_is_refused_before_any_job_and_in_it(
    tmp_path, monkeypatch, held, more, reason
):
    monkeypatch.chdir(tmp_path)
    np.savez("mine.npz", **held)
    np.savez("test.npz", data=SAMPLES)
    entry = {"file": "mine.npz", **more}
    errors = config_errors(config(entry))
    assert [error.partition("npz ")[2] for error in errors] == ([reason] if reason else [])
    if reason:
        with pytest.raises(ValueError, match=r"mine\.npz"):
            read(entry, seed=0)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
def test_a_column_of_labels_that_is_missing_is_refused_before_any_job(
    tmp_path, monkeypatch, ending
):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(SAMPLES, columns=[*"uvwxy", 'a, "b"']).assign(species=WORDS)
    for name, table in (("mine", frame), ("test", frame.rename(columns={"species": "kind"}))):
        if ending == ".parquet":
            table.to_parquet(f"{name}{ending}")
        else:
            separator = "\t" if ending == ".tsv" else ","
            table.to_csv(f"{name}{ending}", index=False, sep=separator, encoding="utf-8-sig")
    entry = {"file": f"mine{ending}", "labels": "species"}
    assert config_errors(config(entry)) == []
    assert config_errors(config({"file": f"mine{ending}"})) == []
    (error,) = config_errors(config(entry | {"labels": "kind"}))
    assert error == (
        f"datasets.mine.labels: mine{ending} has no column 'kind'; the first are u, v, w, x, y, "
        'a, "b", species'
    )
    (error,) = config_errors(config(entry | {"test_file": f"test{ending}"}))
    assert f"test{ending} has no column 'species'" in error
    (tmp_path / f"mine{ending}").write_bytes(b"\xff\0")
    (error,) = config_errors(config(entry))
    assert error.startswith(f"datasets.mine.file: mine{ending} cannot be read: ")


def test_names_in_settings_and_restrictions_are_those_of_data_sets(tmp_path):
    entry = {"file": npz(tmp_path, data=SAMPLES, labels=WORDS)}
    given = of_data(CONFIG["clustering"], "digits")
    right = {"clustering": {"settings": {"mine": given}}}
    assert config_errors(config(entry, **right)) == []
    wrong = {"clustering": {"settings": {"mnie": given}}}
    assert "found 'mnie': did you mean 'mine'?" in config_errors(config(entry, **wrong))[0]


def test_without_labels_nothing_runs_that_needs_them(tmp_path):
    plain = meant(config({"file": npz(tmp_path, data=SAMPLES)}))
    assert plain["datasets"]["mine"]["labels"] is False
    assert labelled(plain, plain["datasets"]) == []
    assert own(plain) == ["mine"]
    assert long_runs(plain) == [] == sweeps(plain)
    assert "class" in CONFIG["clustering"]["inits"]
    assert "class" not in inits_of(plain, "group_sparse", "mine")
    methods = {method for _, method, _ in trainings(plain)}
    assert "group_sparse" in methods
    assert "silhouette" not in methods, "it starts from classes alone"
    named = meant(config({"file": npz(tmp_path, data=SAMPLES, labels=WORDS)}))
    assert "class" in inits_of(named, "group_sparse", "mine")


@pytest.mark.parametrize("key", ["convergence", "sweep"])
def test_what_is_scored_with_labels_is_refused_where_there_are_none(tmp_path, key):
    more = {"clustering": {key: {"datasets": ["mine"]}}}
    (error,) = config_errors(config({"file": npz(tmp_path, data=SAMPLES)}, **more))
    assert error == f"clustering.{key}.datasets: 'mine' has no labels, with which this is scored"
    assert config_errors(config({"file": npz(tmp_path, data=SAMPLES, labels=WORDS)}, **more)) == []


@pytest.mark.parametrize(
    ("name", "train", "test", "n"), [("digits", 1347, 450, 64), ("mnist", 60000, 10000, 784)]
)
def test_the_rule_of_settings_gives_those_that_were_chosen_by_hand(name, train, test, n):
    labels = torch.arange(train) % 10
    tensors = {
        "train_data": torch.empty(train, n), "test_data": torch.empty(test, n),
        "train_labels": labels,
    }  # fmt: skip
    chosen = CONFIG["clustering"]["settings"][name]
    ours = resolved(CONFIG["clustering"]["settings"]["default"], tensors)
    for key in ("groups", "group_size", "neighbors"):
        assert ours[key] == chosen[key], key
    assert ours["training"]["batch_size"] == chosen["training"]["batch_size"]
    assert resolved(chosen, tensors) == chosen


def test_images_of_another_size_than_mnist_have_no_settings_of_mnist():
    tensors = {
        "train_data": torch.empty(7291, 256), "test_data": torch.empty(2007, 256),
        "train_labels": torch.arange(7291) % 10,
    }  # fmt: skip
    usps = resolved(of_data(CONFIG["clustering"], "usps"), tensors)
    assert (usps["group_size"], usps["neighbors"], usps["mean_norm"]) == (9, 200, 9.21)


def test_small_data_have_settings_that_can_run():
    tensors = {"train_data": torch.empty(8, 3), "test_data": torch.empty(4, 3)}
    ours = resolved(CONFIG["clustering"]["settings"]["default"], tensors)
    assert ours["groups"] == 3, "principal directions start them, of which there are three"
    tensors["test_data"] = tensors["test_data"][:2]
    ours = resolved(CONFIG["clustering"]["settings"]["default"], tensors)
    assert ours["groups"] == 2, "held-out samples are clustered, of which there are two"
    assert ours["group_size"] == 1
    assert ours["neighbors"] == 2
    assert ours["training"]["batch_size"] == 32


def test_what_is_built_in_is_what_the_library_loads():
    assert BUILT_IN == DATASETS


def test_the_kind_of_a_file_is_told_by_its_name(tmp_path):
    assert kind("a/b.CSV") == ".csv"
    assert kind("train-images-idx3-ubyte.gz") == "idx"
    assert kind("a.txt") == ""
    assert kind(tmp_path) == "folder"


ACTIVATION = """
def halved(v, threshold, group_size):
    return v / 2 * (v.abs() > threshold)


halved.grouped, halved.convex, halved.penalty, halved.value = False, False, None, None
"""

LOADER = """
import numpy as np


def load():
    data = np.arange(240.0).reshape(40, 6)
    return {"data": data, "labels": np.arange(40) % 3}


def broken():
    return 1 / 0


def nothing():
    pass
"""


def test_a_function_returns_the_arrays_or_says_why_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "myloader.py").write_text(LOADER)
    arrays, about = loaded({"load": "myloader:load"}, seed=0)
    assert about["classes"] == ["0", "1", "2"]
    assert len(arrays["test_data"]) == 10
    assert inputs({"load": "myloader:load"}) == ["myloader.py"]
    for name, reason in (
        ("broken", "failed: ZeroDivisionError"), ("nothing", "returned NoneType"),
        ("missing", "cannot be imported: AttributeError"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"myloader:{name}.*{reason}") as error:
            loaded({"load": f"myloader:{name}"}, seed=0)
        assert "\n" not in str(error.value)


def test_own_data_and_an_own_activation_go_through_a_run(fresh_workflow):
    folder = fresh_workflow.folder
    labels = np.arange(120) % 3
    random = np.random.default_rng(0)
    data = random.normal(size=(3, 97))[labels] + 0.3 * random.normal(size=(120, 97))
    frame = pd.DataFrame(data.round(3)).assign(kind=np.array(["x", "y", "z"])[labels])
    frame.to_csv(folder / "mine.csv", index=False)
    np.savez(folder / "plain.npz", data=data)
    (folder / "mymodule.py").write_text(ACTIVATION)
    custom = {
        "run": "custom",
        "experiments": ["clustering"],
        "datasets": {
            "mine": {"file": "mine.csv", "labels": "kind"}, "plain": {"file": "plain.npz"},
        },
        "clustering": {
            "replicates": 2,
            "inits": ["pca"],
            "methods": {
                "relu": None, "silhouette": None, "group_sparse_penalty": None,
                "sparse_penalty": None,
                "own": {"prox": "mymodule:halved", "lambda": 1.0, "encoder": "shallow",
                        "layers": 1},
            },
            "convergence": {"methods": []},
            "sweep": {"lambda": []},
            "settings": {"default": {"training": {"epochs": 2}}},
            "shown": {"silhouettes": []},
        },
    }  # fmt: skip
    (folder / "workflow/presets/smoke.yaml").write_text(yaml.safe_dump(custom))
    fresh_workflow.run(forked=True)
    section = json.loads((folder / "results/custom/clustering/section.json").read_text())
    claims = pd.read_csv(folder / "results/custom/clustering/claims.csv")
    assert claims.empty, "claims are about the paper's data, and about those that we chose"
    assert [words.split(" (")[0] for words in section["findings"]] == ["Clusters", "Groups"]
    page = (folder / "reports/custom/report.html").read_text()
    for figure in ("fig4-mine", "table1-mine", "members-mine", "members-plain"):
        assert f'id="{figure}"' in page
    assert 'id="table1-plain"' not in page
    tables = pd.read_csv(folder / "reports/custom/tables/table1.csv")
    assert set(tables.dataset) == {"mine"}
    assert tables[tables.method == "own"].acc_mean.notna().all()
    model = load_tensors(folder / "results/custom/clustering/mine/own-raw/model.safetensors")[1]
    assert model["settings"]["groups"] == 3
    assert model["spec"]["prox"] == "mymodule:halved"
    clusters = pd.read_csv(folder / "results/custom/clustering/plain/own-raw/clusters.csv")
    assert len(clusters) == HELD_OUT * 120
    assert "label" not in clusters
    clusters = pd.read_csv(folder / "results/custom/clustering/mine/own-raw/clusters.csv")
    assert (clusters.label == frame.kind[clusters.row].to_numpy()).all()

    assert fresh_workflow.planned() == {}
    (folder / "mymodule.py").write_text(ACTIVATION.replace("v / 2", "v / 3"))
    assert "clustering_train" in fresh_workflow.planned()
    assert "data_prepare" not in fresh_workflow.planned()
    (folder / "mymodule.py").write_text(ACTIVATION)
    frame.iloc[:100].to_csv(folder / "mine.csv", index=False)
    assert "data_prepare" in fresh_workflow.planned()


def test_an_edit_of_an_activation_runs_again_the_methods_that_name_it(fresh_workflow):
    (fresh_workflow.folder / "mymodule.py").write_text(ACTIVATION)
    own = {"prox": "mymodule:halved", "lambda": 1.0, "encoder": "shallow", "layers": 1}
    file = fresh_workflow.folder / "workflow/presets/smoke.yaml"
    over = {"clustering": {"methods": {"own": own}}}
    file.write_text(yaml.safe_dump(merged(yaml.safe_load(file.read_text()), over)))
    jobs = re.split(r"^(?:local)?rule ", fresh_workflow.run("--dry-run").stdout, flags=re.MULTILINE)
    reading = [job for job in jobs if re.search(r"^ +input:.*mymodule\.py", job, re.MULTILINE)]
    assert {job.partition(":")[0] for job in reading} == {
        "clustering_train", "clustering_evaluate", "clustering_controls",
    }  # fmt: skip
    trained = [job for job in reading if job.startswith("clustering_train")]
    assert len(trained) == 2, "centred and not"
    assert all("/own-" in job for job in trained)


def test_the_preset_for_own_data_is_a_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    npz(tmp_path, data=SAMPLES)
    preset = yaml.safe_load((ROOT / "workflow/presets/custom.yaml").read_text())
    whole = merged(CONFIG, preset) | {"datasets": preset["datasets"]}
    assert config_errors(whole) == []
