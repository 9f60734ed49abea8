"""A data set from a file of the user's: what :data:`READERS` lists, checked with clear errors.

A reader returns arrays: ``train_data`` and ``test_data``, or ``data`` of which a share is held out;
and labels of the same names, if there are any. Nothing is unpickled.
"""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.model_selection import train_test_split

from data.entries import images, inputs, kind

HELD_OUT = 0.25  # share of test samples where none are given
IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
PARTS = ("train", "test")
LARGEST = {"uint8": 2**8 - 1, "uint16": 2**16 - 1}
Arrays = dict[str, np.ndarray]


def read(entry: dict, seed: int) -> tuple[Arrays, dict]:
    """Training and test samples (N, n) of an entry of the config, and what is known of them.

    The second part has ``shape`` of a sample, ``features``, the names of the columns of a table,
    and ``classes``, the names of the labels, if there are any. Labels become 0, 1, ... in the order
    of their names.

    Raises
    ------
    ValueError in one line that names the file and what is wrong with it.
    """
    path = entry["file"]
    try:
        arrays = READERS[kind(path)](path, entry.get("labels"))
        if other := entry.get("test_file"):
            test = READERS[kind(other)](other, entry.get("test_labels", entry.get("labels")))
            arrays = {f"train_{k}": v for k, v in arrays.items()}
            arrays |= {f"test_{k}": v for k, v in test.items()}
    except KeyError as error:
        raise ValueError(f"{path}: nothing here reads such a file ({error})") from error
    except (OSError, EOFError, ValueError, ImportError, zipfile.BadZipFile) as error:
        words = " ".join(str(error).split())
        if not any(file in words for file in inputs(entry)):
            words = f"{path} cannot be read: {words}"
        raise ValueError(words) from error
    return checked(arrays, entry, seed, path)


def checked(arrays: Arrays, entry: dict, seed: int, where: str) -> tuple[Arrays, dict]:
    """What a reader or a function of the user's returned, split and checked; see :func:`read`."""
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    if entry.get("labels") is False:
        arrays = {name: array for name, array in arrays.items() if "labels" not in name}
    _finite(arrays, where)
    if "data" in arrays:
        arrays = split(arrays, entry.get("held_out", HELD_OUT), seed, where)
    if missing := [f"{part}_data" for part in PARTS if f"{part}_data" not in arrays]:
        raise ValueError(
            f"{where}: holds {', '.join(arrays) or 'nothing'}, but neither data nor "
            f"{' and '.join(missing)}"
        )
    found, shapes = {}, set()
    names = [arrays[name].tolist() for name in arrays if name.endswith("features")]
    if names[1:] and names[0] != names[1]:
        raise ValueError(f"{where}: columns of the test samples differ in name or order")
    for part in PARTS:
        data = arrays[f"{part}_data"]
        if data.dtype.kind not in "fiub" or data.ndim < 2 or not len(data):
            kind_of = f"{data.dtype} of shape {data.shape}"
            raise ValueError(f"{where}: {part}_data must be numbers (samples, ...), not {kind_of}")
        shapes.add(data.shape[1:])
        rows = data.reshape(len(data), -1)
        # Whole numbers of 8 and 16 bits without a sign are pixels.
        found[f"{part}_data"] = rows.astype(np.float32) / LARGEST.get(data.dtype.name, 1)
        if f"{part}_rows" in arrays:
            found[f"{part}_rows"] = arrays[f"{part}_rows"]
    if len(shapes) > 1:
        raise ValueError(f"{where}: training and test samples differ in shape: {sorted(shapes)}")
    if not found["train_data"].any():
        raise ValueError(f"{where}: all entries of train_data are 0")
    labels = [arrays.get(f"{part}_labels") for part in PARTS]
    about = {"shape": [int(size) for size in shapes.pop()]}
    if names:
        about["features"] = names[0]
    if all(one is None for one in labels):
        if entry.get("labels") is not False:
            raise ValueError(f"{where}: it has no labels; if that is right, say `labels: false`")
        return found, about
    return found | numbered(labels, found, where, about), about


def numbered(labels: list, found: Arrays, where: str, about: dict) -> Arrays:
    """Labels as 0, 1, ...; their names go to ``about``."""
    # Whole numbers that have been with missing ones are floats.
    labels = [
        x.astype(np.int64)
        if x is not None and x.dtype.kind == "f" and (x == x.round()).all()
        else x
        for x in labels
    ]
    for part, given in zip(PARTS, labels, strict=True):
        count = len(found[f"{part}_data"])
        if given is None or given.shape != (count,) or given.dtype.kind not in "iubUSO":
            said = "missing" if given is None else f"{given.dtype} of shape {given.shape}"
            wanted = f"{count} whole numbers or words"
            raise ValueError(f"{where}: {part}_labels must be {wanted}, but they are {said}")
    train, test = ([str(x) for x in one] for one in labels)
    whole = all(one.dtype.kind in "iub" for one in labels)
    names = sorted(set(train), key=int if whole and labels[0].dtype.kind != "b" else str)
    if new := sorted(set(test) - set(names)):
        raise ValueError(
            f"{where}: test samples have the label {new[0]!r}, training samples do not"
        )
    if len(names) < 2:
        raise ValueError(f"{where}: all labels are {names[0]!r}; `labels: false` ignores them")
    place = {name: number for number, name in enumerate(names)}
    about["classes"] = names
    return {
        f"{part}_labels": np.array([place[x] for x in one], np.int64)
        for part, one in zip(PARTS, (train, test), strict=True)
    }


def split(arrays: Arrays, share: float, seed: int, where: str) -> Arrays:
    """Training and test samples, by chance; each class in the same share, if there are labels."""
    data, labels = arrays["data"], arrays.get("labels")
    if data.ndim < 2:
        raise ValueError(f"{where}: data must be (samples, ...), not of shape {data.shape}")
    rows = np.arange(len(data))
    if labels is not None and labels.shape != (len(data),):
        raise ValueError(f"{where}: {len(data)} samples, but labels of shape {labels.shape}")
    if labels is not None:
        names, counts = np.unique(labels.astype(str), return_counts=True)
        if counts.min() < 2:
            lonely = str(names[counts.argmin()])
            raise ValueError(
                f"{where}: the label {lonely!r} has a single sample, but training and test samples "
                "need one each; leave it out, or join it with another"
            )
    try:
        train, test = train_test_split(
            rows, test_size=share, random_state=seed, stratify=labels
        )  # fmt: skip
    except ValueError as error:
        raise ValueError(f"{where}: {share:.0%} of it cannot be held out: {error}") from error
    parts = {"train": np.sort(train), "test": np.sort(test)}
    named = {"data": data} | ({} if labels is None else {"labels": labels})
    found = {f"{part}_{k}": v[index] for part, index in parts.items() for k, v in named.items()}
    found |= {"features": arrays["features"]} if "features" in arrays else {}
    return found | {f"{part}_rows": index for part, index in parts.items()}


def _finite(arrays: Arrays, where: str) -> None:
    """ValueError that names the first row and column, from 0, without a finite value."""
    for name, data in arrays.items():
        if "data" not in name or data.dtype.kind != "f" or not data.ndim:
            continue
        bad = ~(np.abs(data) <= np.finfo(np.float32).max)
        if bad.any():
            row, *column = (int(place[0]) for place in np.nonzero(bad))
            place = f"row {row}" + (f", column {column[0]}" if len(column) == 1 else "")
            raise ValueError(
                f"{where}: {int(bad.sum())} entries of {name} are not finite numbers of 32 bits, "
                f"the first in {place}, both counted from 0; leave them out, or fill them in"
            )


def npz(path: str, labels: object) -> Arrays:
    with np.load(path, allow_pickle=False) as held:
        names = [n for n in held.files if n.removeprefix("train_").removeprefix("test_")
                 in ("data", "labels")]  # fmt: skip
        if not names:
            there = ", ".join(held.files) or "nothing"
            raise ValueError(
                f"{path}: it holds {there}; name the samples `data` and their labels `labels`"
            )
        return {name: held[name] for name in names}


def npy(path: str, labels: object) -> Arrays:
    return {"data": np.load(path, allow_pickle=False)}


def table(path: str, labels: str | bool | None) -> Arrays:
    """Rows are samples and columns features, but the one of the labels."""
    if kind(path) == ".parquet":
        frame = pd.read_parquet(path)
        longer = False
    else:
        frame = _separated(path, "\t" if kind(path) == ".tsv" else ",")
        # Of rows longer than the first line pandas takes the first entries for row numbers.
        longer = not isinstance(frame.index, pd.RangeIndex)
    names = [str(name) for name in frame.columns]
    if longer or any(name.startswith("Unnamed:") for name in names):
        raise ValueError(f"{path}: a column has no name; write the table without its row numbers")
    if names and all(_number(name.partition(".")[0]) or _number(name) for name in names):
        raise ValueError(f"{path}: the first line holds numbers; it must name the columns")
    found = {}
    if labels:
        if labels not in frame:
            columns = ", ".join(map(str, frame.columns[:8]))
            raise ValueError(f"{path}: no column {labels!r} for labels; the first are {columns}")
        found["labels"] = frame.pop(labels).to_numpy()
        if missing := np.flatnonzero(pd.isna(found["labels"])).tolist():
            raise ValueError(
                f"{path}: {len(missing)} labels in {labels!r} are missing, the first in row "
                f"{missing[0]}, counted from 0"
            )
    words = [c for c in frame if frame[c].dtype.kind not in "fiub"]
    if words:
        raise ValueError(
            f"{path}: column {words[0]!r} does not hold numbers; if it holds labels, say "
            f"`labels: {words[0]}`, else take it out"
        )
    features = np.array(frame.columns.astype(str), str)
    return found | {"data": frame.to_numpy(np.float32), "features": features}


def _separated(path: str, separator: str) -> pd.DataFrame:
    names = pd.read_csv(path, sep=separator, nrows=0).columns
    if len(names) == 1 and (other := next((s for s in ";\t,|" if s in names[0]), None)):
        raise ValueError(
            f"{path}: its columns are separated by {other!r}, not by {separator!r}; convert it: "
            f"pandas.read_csv with sep={other!r}, and decimal=',' if it has decimal commas, then "
            f"to_csv with sep={separator!r} and index=False"
        )
    return pd.read_csv(path, sep=separator)


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def idx(path: str, labels: str | None) -> Arrays:
    """The format of MNIST: one file of images, ``labels`` another one."""
    return {"data": _idx(path)} | ({"labels": _idx(labels)} if labels else {})


def _idx(path: str) -> np.ndarray:
    content = Path(path).read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES:
        raise ValueError(f"{path}: not an idx file: it begins with {content[:4]!r}")
    start = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:start], ">u4").astype(int)
    values = np.frombuffer(content[start:], np.uint8)
    kind_of = np.dtype(IDX_TYPES[content[2]])
    if len(shape) != content[3] or len(values) != shape.prod() * kind_of.itemsize:
        raise ValueError(f"{path}: {len(values)} bytes of data do not fit its shape {tuple(shape)}")
    return values.view(kind_of).reshape(shape).astype(kind_of.newbyteorder("="))


def folder(path: str, labels: object) -> Arrays:
    """Images as shades of grey; a folder for each class, if there are folders.

    At the top may be the folders ``train`` and ``test``.
    """
    top = Path(path)
    if all((top / part).is_dir() for part in PARTS):
        return {f"{p}_{k}": v for p in PARTS for k, v in folder(str(top / p), labels).items()}
    files = images(top)
    if not files:
        raise ValueError(f"{path}: there is no image in this folder")
    arrays = [_grey(file) for file in files]
    first = arrays[0].shape
    for file, array in zip(files, arrays, strict=True):
        if array.shape != first:
            sizes = f"{array.shape} pixels, {files[0].name} {first}"
            raise ValueError(f"{file}: images must be of one size, but it has {sizes}")
    found = {"data": np.stack(arrays)}
    classes = [file.relative_to(top).parts[0] for file in files]
    if any(file.parent == top for file in files):
        return found
    return found | {"labels": np.array(classes)}


def _grey(file: Path) -> np.ndarray:
    """Shades of grey; one of 16 bits or of floats as it is, where a conversion would cut it off."""
    image = Image.open(file)
    return np.asarray(image if image.mode[0] in "IF" else image.convert("L"))


READERS: dict[str, Callable[[str, object], Arrays]] = {
    ".npz": npz, ".npy": npy, ".csv": table, ".tsv": table, ".parquet": table, "idx": idx,
    "folder": folder,
}  # fmt: skip
