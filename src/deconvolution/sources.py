"""Where recordings come from: files of the authors, files of users, and packages that hold some."""

import csv
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from deconvolution.kernels import read_kernels
from deconvolution.recording import EVENTS, NUMBERS, Arrays, recording
from deconvolution.traces import detrended, noise
from groupsparse.likelihood import law_of

BOLD_RUN = 280  # samples: every such stretch has mean 0 and 8 events of each of the 6 kinds
INSTALL = {"nitime": "nitime", "pywt": "PyWavelets"}
RECEPTOR_S = 10  # duration of the stimulus


class Source(NamedTuple):
    """What was read: arrays, and a sentence on where they are from and what was done to them."""

    arrays: Arrays
    about: str


def prepare(
    entry: dict, file: str | None = None, kernels: str | None = None
) -> tuple[dict[str, Tensor], dict]:
    """Tensors and header of the recording of an entry of the config.

    ``file`` and ``kernels`` are where its files are. ValueError says what is wrong, in one line.
    """
    law, options = entry["law"], entry.get("law_options", {})
    law_of(law, **options)
    if file:
        arrays, about = FORMATS[entry.get("format", "npz")](file, entry)
    else:
        arrays, about = PACKAGES[entry["package"]](entry["name"], entry)
    notes = [about]
    if kernels:
        arrays["kernels"] = read_kernels(kernels, entry["bin_ms"]).numpy()
    y = arrays.get("y", np.empty(0))
    if y.ndim == 3 and y.dtype.kind in NUMBERS:  # otherwise it is refused
        if "trial_ms" in entry:
            arrays["y"] = windows(arrays["y"], round(entry["trial_ms"] / entry["bin_ms"]))
        notes += _smooth(arrays, entry)
    tensors = recording(arrays, law, options, entry["length"])
    if "silent_ms" in entry:
        tensors["baseline"] = silent(tensors["y"], law, options, entry)
        notes.append(
            f"baseline: of the mean of the first {entry['silent_ms']} ms of all trials, in which "
            "there are no events"
        )
    header = {
        "law": law,
        "law_options": options,
        "bin_ms": float(entry["bin_ms"]),
        "length": entry["length"],
        "source": {"recording": entry, "notes": notes},
    }
    return tensors, header


def windows(y: np.ndarray, size: int) -> np.ndarray:
    """One long trial (1, C, T) as trials of ``size`` bins; what is left at the end is dropped."""
    if len(y) != 1 or not 0 < size <= y.shape[2]:
        raise ValueError(
            f"trial_ms cuts one trial into some of {size} bins, but there are {len(y)} of "
            f"{y.shape[2]}: leave it out or change it"
        )
    count = y.shape[2] // size
    return y[0, :, : count * size].reshape(-1, count, size).swapaxes(0, 1)


def silent(y: Tensor, law: str, options: dict, entry: dict) -> Tensor:
    """Baselines (N, C) from the start of the trials, pooled over them."""
    size = round(entry["silent_ms"] / entry["bin_ms"])
    if size >= y.shape[2]:
        raise ValueError(f"silent_ms: {size} bins are all of a trial, which has {y.shape[2]}")
    mean = y[..., :size].nanmean((0, 2))
    if not torch.isfinite(mean).all():
        raise ValueError("nothing was observed in the first silent_ms: leave that key out")
    return law_of(law, **options).link(mean).expand(y.shape[:2]).contiguous()


def _smooth(arrays: Arrays, entry: dict) -> list[str]:
    """Detrend and scale traces in place where the entry says so: what was done."""
    y, notes = arrays["y"].astype(float), []
    if "detrend_ms" in entry:
        y = detrended(y, round(entry["detrend_ms"] / entry["bin_ms"]))
        notes.append(f"minus the running median over {entry['detrend_ms']} ms")
    if "noise" in entry:
        scale = noise(y, entry["noise"])
        y = y / scale[:, None]
        shown = ", ".join(f"{x:.6g}" for x in scale[:10]) + ", ..." * (len(scale) > 10)
        notes.append(f"divided by the noise of each neuron, from its {entry['noise']}: {shown}")
    arrays["y"] = y
    return notes


def read_npz(file: str, entry: dict) -> Source:
    """A user's file: arrays under the names that :mod:`deconvolution.recording` lists."""
    try:
        with np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
    except FileNotFoundError:
        raise ValueError(f"there is no file {file}: correct the key file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise ValueError(
            f"{file} is no .npz file of plain arrays; nothing is unpickled: write it with "
            f"numpy.savez ({str(error).splitlines()[0]})"
        ) from error
    return Source(arrays, f"file {Path(file).name}")


def read_dunl(file: str, entry: dict) -> Source:
    """A file of the authors of DUNL: rates ``y``, event indicators ``x``, baselines ``a``.

    Counts are rates times the ms of a bin, of which they are binomial.
    """
    held = read_npz(file, entry).arrays
    if missing := {"y", "x", "a", "time_bin_resolution"} - held.keys():
        raise ValueError(f"{file} lacks {sorted(missing)}: it is no file of format dunl")
    size = int(held["time_bin_resolution"])
    if size != entry["bin_ms"] or entry.get("law_options", {}).get("trials") != size:
        raise ValueError(f"{file} has bins of {size} ms: bin_ms and law_options.trials must be so")
    trial, kernel, time = np.nonzero(held["x"])
    arrays = {
        "y": np.round(held["y"].astype(float) * size),
        "baseline": held["a"][:, :, 0],
        **dict(zip(EVENTS, (trial, kernel, time), strict=True)),
    }
    return Source(arrays, f"file {Path(file).name}, simulated by the authors of DUNL (MIT)")


def read_nitime(name: str, entry: dict) -> Source:
    """BOLD of one voxel or region with six kinds of events; spikes of an auditory receptor."""
    if name == "bold":
        with open(packaged("nitime", "event_related_fmri.csv"), newline="") as file:
            table = np.array([[float(x) for x in row.values()] for row in csv.DictReader(file)])
        trace, kind = table.T
        at = kind.nonzero()[0]
        arrays = {"y": trace.reshape(-1, 1, BOLD_RUN), "event_trial": at // BOLD_RUN}
        arrays |= {"event_kernel": kind[at] - 1, "event_time": at % BOLD_RUN}
        return Source(
            arrays,
            "event_related_fmri.csv of nitime (BSD): BOLD every 2 s, events of six kinds; cut into "
            f"stretches of {BOLD_RUN} samples, which are runs (mean 0, 8 events of each kind)",
        )
    number = {"receptor": 1, "receptor_fast": 2}[name]
    path = packaged("nitime", f"grasshopper_spike_times{number}.txt")
    times = np.loadtxt(path, comments="#") / 1000  # microseconds
    bins = round(1000 * RECEPTOR_S / entry["bin_ms"])
    counts, _ = np.histogram(times, bins, (0, bins * entry["bin_ms"]))
    return Source(
        {"y": counts[None, None].astype(float)},
        f"{path.name} of nitime (BSD): spikes of an auditory receptor of a grasshopper, counted in "
        f"bins of {entry['bin_ms']} ms",
    )


def read_pywt(name: str, entry: dict) -> Source:
    """An electrocardiogram of three beats."""
    data = read_npz(str(packaged("pywt", f"{name}.npz")), entry).arrays["data"]
    return Source(
        {"y": data[None, None].astype(float)},
        f"{name}.npz of PyWavelets (MIT): the package states no rate; at 360 Hz, which is assumed, "
        "the heart beats 66 times a minute",
    )


def packaged(package: str, file: str) -> Path:
    """A data file of an installed package, which is not imported."""
    spec = find_spec(package)
    path = Path(spec.origin).parent / "data" / file if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ValueError(
            f"{INSTALL[package]} with its file {file} is not installed: pip install "
            f"{INSTALL[package]}, in the version of envs/requirements.txt"
        )
    return path


FORMATS: dict[str, Callable[[str, dict], Source]] = {"npz": read_npz, "dunl": read_dunl}
PACKAGES: dict[str, Callable[[str, dict], Source]] = {"nitime": read_nitime, "pywt": read_pywt}
