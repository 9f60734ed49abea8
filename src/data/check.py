"""Rules on the data sets of the config; workflow/validate.py calls them."""

import zipfile
from pathlib import Path

from data.entries import FILES, entries, has_labels, kind

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
        return [f".{key}: goes with a file, not with load" for key in foreign]
    errors = []
    for key in ("file", "test_file"):
        path = entry.get(key)
        if path is None:
            continue
        if not Path(path).exists():
            errors.append(f".{key}: there is no file {path}")
        elif not kind(path):
            known = ", ".join(FILES)
            errors.append(f".{key}: {path} is none of {known}, idx, or a folder of images")
    if errors:
        return errors
    what = kind(entry["file"])
    if what == "idx":
        for key in ("labels", "test_labels"):
            path = entry.get(key)
            if isinstance(path, str) and not Path(path).exists():
                errors.append(f".{key}: there is no file {path}")
    elif what == ".npz":
        try:
            has_labels(entry)
        except (OSError, zipfile.BadZipFile) as error:
            errors.append(f".file: {entry['file']} cannot be read: {error}")
    return errors
