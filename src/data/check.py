"""Rules on the data sets of the config; workflow/validate.py calls them."""

import csv
import zipfile
from pathlib import Path

from data.entries import FILES, arrays, columns, entries, has_labels, kind

# Why `labels` is not read where labels have a place of their own.
PLACES = {
    ".npy": "a .npy file holds samples alone; write data and labels into a .npz file",
    ".npz": "a .npz file holds them under the name labels; leave this key out",
    "folder": "subfolders are the classes; leave this key out",
    "load": "the function returns them; leave this key out",
}
BUILT_IN = ("digits", "mnist", "fashion_mnist", "kmnist", "usps")


def inconsistencies(config: dict) -> list[str]:
    """What cannot be read, as ``key: reason``."""
    errors = []
    for name, entry in entries(config).items():
        key = f"datasets.{name}"
        if not entry and name not in BUILT_IN:
            errors.append(
                f"{key}: not one of {', '.join(BUILT_IN)}; say where it is: "
                f"datasets: {{{name}: {{file: {name}.npz}}}}"
            )
        elif name == "default":
            errors.append(f"{key}: this name belongs to settings of all data sets")
        elif entry:
            errors += [f"{key}{reason}" for reason in _unreadable(entry)]
    return errors


def _unreadable(entry: dict) -> list[str]:
    if ("file" in entry) == ("load" in entry):
        return [": give either a file or load, the path of a function"]
    if "load" in entry:
        foreign = [key for key in ("test_file", "test_labels") if key in entry]
        errors = [f".{key}: goes with a file, not with load" for key in foreign]
        return errors + _misplaced(entry, "labels", "load")
    errors = []
    for key, labels in (("file", "labels"), ("test_file", "test_labels")):
        path = entry.get(key)
        if path is None:
            continue
        if not Path(path).exists():
            errors.append(f".{key}: there is no file {path}")
        elif not kind(path):
            known = ", ".join(FILES)
            errors.append(f".{key}: {path} is none of {known}, idx, or a folder of images")
        else:
            errors += _misplaced(entry, labels, kind(path))
    if errors:
        return errors
    if kind(entry["file"]) == "idx":
        for key in ("labels", "test_labels"):
            path = entry.get(key)
            if isinstance(path, str) and not Path(path).exists():
                errors.append(f".{key}: there is no file {path}")
    for key in ("file", "test_file"):
        if path := entry.get(key):
            try:
                errors += _lacking(entry, key)
            except (OSError, ValueError, csv.Error, zipfile.BadZipFile) as error:
                errors.append(f".{key}: {path} cannot be read: {error}")
    return errors


def _lacking(entry: dict, key: str) -> list[str]:
    """What a file does not hold, as far as its head says."""
    path, what = entry[key], kind(entry[key])
    if what in (".csv", ".tsv", ".parquet"):
        labels = entry.get("labels")
        if key == "test_file":
            labels = entry.get("test_labels", labels)
        if not labels or labels in (names := columns(path)):
            return []
        return [f".labels: {path} has no column {labels!r}; the first are {', '.join(names[:8])}"]
    if what != ".npz":
        return []
    held = arrays(path)
    parts = [""] if "data" in held or "test_file" in entry else ["train_", "test_"]
    wanted = [f"{part}data" for part in parts]
    wanted += [f"{part}labels" for part in parts] if has_labels(entry) else []
    if missing := [name for name in wanted if name not in held]:
        found = ", ".join(held) or "nothing"
        return [f".{key}: {path} holds {found}, and lacks {', '.join(missing)}"]
    return []


def _misplaced(entry: dict, key: str, what: str) -> list[str]:
    return [f".{key}: {PLACES[what]}"] if what in PLACES and isinstance(entry.get(key), str) else []
