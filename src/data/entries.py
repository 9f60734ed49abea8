"""Data sets of the config: those built in, and the user's own; imports nothing heavy.

``datasets`` is a list of names, or a mapping from names to entries. An entry says where the data
set is: in a ``file``, or what the function ``load`` returns. An empty one is for a built-in name.
"""

import csv
import zipfile
from contextlib import suppress
from pathlib import Path

from groupsparse.plugins import module_file

FILES = (".npz", ".npy", ".csv", ".tsv", ".parquet")
IDX = ("idx1", "idx2", "idx3", "ubyte")  # in the names of such files, which may end with .gz
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif")


def entries(config: dict) -> dict[str, dict]:
    """Name -> entry, which is empty for a data set that is built in."""
    given = config["datasets"]
    if not isinstance(given, dict):
        return {name: {} for name in given}
    return {name: entry or {} for name, entry in given.items()}


def kind(path: str | Path) -> str:
    """What reads a file: its ending, ``idx``, ``folder``, or "" for what nothing reads."""
    path = Path(path)
    if path.is_dir():
        return "folder"
    if path.suffix.lower() in FILES:
        return path.suffix.lower()
    return "idx" if any(word in path.name.lower() for word in IDX) else ""


def images(folder: str | Path) -> list[Path]:
    """All images below a folder, in order."""
    return sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in IMAGES)


def inputs(entry: dict) -> list[str]:
    """Files that a data set is read from: when one changes, the data are made again."""
    paths = [entry[key] for key in ("file", "test_file") if entry.get(key)]
    if paths and kind(paths[0]) == "idx":
        paths += [entry[key] for key in ("labels", "test_labels") if entry.get(key)]
    if "load" in entry and (module := module_file(entry["load"])):
        paths.append(module)
    found: list[str] = []
    for path in paths:
        found += map(str, images(path)) if Path(path).is_dir() else [path]
    return found


def told(config: dict) -> dict:
    """The config with ``labels: false`` in every entry that has none; files need not be right."""
    given = config.get("datasets")
    if not isinstance(given, dict):
        return config
    found = dict(given)
    for name, entry in given.items():
        # What is wrong with an entry is said elsewhere.
        with suppress(OSError, KeyError, TypeError, AttributeError, zipfile.BadZipFile):
            if entry and not has_labels(entry):
                found[name] = entry | {"labels": False}
    return config | {"datasets": found}


def columns(path: str | Path) -> list[str]:
    """Names of the columns of a table, from its head alone."""
    if kind(path) == ".parquet":
        from pyarrow.parquet import read_schema  # only where it is needed: that takes a while

        return read_schema(path).names
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file, delimiter="\t" if kind(path) == ".tsv" else ",")
        return next((row for row in rows if row), [])


def arrays(path: str | Path) -> list[str]:
    """Names of the arrays in a .npz file, from its directory alone."""
    with zipfile.ZipFile(path) as held:
        return [name.removesuffix(".npy") for name in held.namelist()]


def has_labels(entry: dict) -> bool:
    """Whether a data set has labels, as far as its entry and the names in its file say."""
    if not entry:
        return True
    labels = entry.get("labels")
    if labels is not None:
        return labels is not False
    if "load" in entry:
        return True
    path = entry["file"]
    what = kind(path)
    if what == ".npz":
        return bool({"labels", "train_labels"} & set(arrays(path)))
    return what == "folder" and any(len(Path(i).relative_to(path).parts) > 1 for i in images(path))
