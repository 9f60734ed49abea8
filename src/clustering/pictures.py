"""Atoms and samples as images, or as lines where they are none, and what groups stand for."""

import math

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

LONGEST = 20  # letters of a name beside a row


def image_shape(header: dict, n: int) -> tuple[int, int] | None:
    """Height and width of the samples (n,) of an artefact; None if they are no images.

    A file of the user's says the shape of its samples; built-in data sets have square images.
    """
    if "shape" not in header:
        return math.isqrt(n), math.isqrt(n)
    shape = [size for size in header["shape"] if size > 1]
    return (shape[0], shape[1]) if len(shape) == 2 else None


def draw_atoms(
    ax, dictionary: np.ndarray, group_size: int, shown: int, shape: tuple[int, int] | None
) -> np.ndarray:
    """The first ``shown`` atoms of each group, one row a group; the height of every row.

    Atoms are images of a ``shape``, or lines without one. What is not finite stays blank.
    """
    n, m = dictionary.shape
    atoms = dictionary.T.reshape(m // group_size, group_size, n)[:, :shown]
    rows = np.arange(len(atoms))
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    if shape:
        ax.imshow(_mosaic(atoms.reshape(*atoms.shape[:2], *shape)), cmap="gray")
        return rows * (shape[0] + 1) + shape[0] / 2
    scale = np.maximum(np.abs(atoms).max(-1, keepdims=True), 1e-12)
    places, columns = np.indices(atoms.shape[:2])[..., None]
    x = columns + np.linspace(0.05, 0.95, n)
    y = places - 0.45 * atoms / scale  # the axis points down, as that of images
    lines = np.stack([x, y], -1).reshape(-1, n, 2)
    ax.hlines(rows, 0, atoms.shape[1], color="0.85", lw=0.6)
    ax.add_collection(mpl.collections.LineCollection(lines, colors="k", linewidths=0.8))
    ax.set(xlim=(0, atoms.shape[1]), ylim=(len(atoms) - 0.4, -0.6))
    return rows


def _mosaic(atoms: np.ndarray) -> np.ndarray:
    """Images (groups, shown, height, width), each from black to white, as one image."""
    shown, width = atoms.shape[1], atoms.shape[-1]
    low, high = atoms.min((2, 3), keepdims=True), atoms.max((2, 3), keepdims=True)
    atoms = (atoms - low) / np.maximum(high - low, 1e-12)
    atoms = np.pad(atoms, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=1.0)
    return atoms.transpose(0, 2, 1, 3).reshape(-1, shown * (width + 1))


def members(
    dictionary: np.ndarray,
    codes: np.ndarray,
    samples: np.ndarray,
    group_size: int,
    header: dict,
    labels: np.ndarray | None = None,
    shown: int = 8,
) -> Figure:
    """Atoms by group (one row a group), and beside them the samples in which it is strongest.

    Groups that no sample uses are left out. Beside a row is in how many samples no group is
    stronger, the class of most of them, and the two features whose means there are furthest from
    those of all samples, in standard deviations.

    Parameters
    ----------
    dictionary, codes, samples : (n, m), (N, m) and (N, n); a place is empty where a group is active
        in fewer than ``shown`` samples
    header : of the artefact of the data: its ``shape``, ``classes`` and ``features``
    labels : (N,), which only describe
    """
    norms = np.linalg.norm(codes.reshape(len(codes), -1, group_size), axis=-1)
    every = norms.shape[1]
    used = np.flatnonzero(norms.any(0)) if norms.any() else np.arange(every)
    owners = np.where(norms.any(1), norms.argmax(1), -1)
    strongest = np.argsort(-norms, axis=0, kind="stable")[:shown].T[used]  # (groups, shown)
    seen = np.take_along_axis(norms.T[used], strongest, 1) > 0
    drawn = np.where(seen[..., None], samples[strongest], np.nan)
    atoms = dictionary.reshape(len(dictionary), every, group_size)[:, used]
    shape = image_shape(header, len(dictionary))
    aspect = np.clip(shape[1] / shape[0], 1 / 3, 3) if shape else 1.5
    sizes = min(group_size, shown), strongest.shape[1]
    width = min(0.6 * math.sqrt(aspect), 9 / sum(sizes))
    height = max(width / aspect, 0.4)
    figure = Figure(
        figsize=(width * sum(sizes) + 3.2, height * len(used) + 1.1), layout="constrained"
    )
    left, right = figure.subplots(1, 2, width_ratios=sizes)
    atoms = atoms.reshape(len(dictionary), -1)
    rows = draw_atoms(left, atoms, group_size, shown, shape)
    left.set_yticks(rows, labels=used)
    vectors = drawn.reshape(-1, samples.shape[1]).T
    rows = draw_atoms(right, vectors, strongest.shape[1], shown, shape)
    right.yaxis.tick_right()
    spread = samples.std(0)
    unlike = (samples - samples.mean(0)) / np.where(spread > 0, spread, 1)
    right.set_yticks(rows, labels=[_about(owners == g, header, labels, unlike) for g in used])
    for ax in (left, right):
        ax.tick_params(length=0)
    kind = "" if shape else f", each a line over {len(dictionary)} entries"
    left.set(title="(a) atoms", xlabel="atom of the group", ylabel="group")
    right.set(title=f"(b) held-out samples{kind}")
    right.set_xlabel("samples in which the group is strongest")
    if not norms.any():
        figure.suptitle("All codes are zero: no group is active")
    elif len(used) < every:
        figure.suptitle(f"Left out: {every - len(used)} of {every} groups, active in no sample")
    return figure


def _about(own: np.ndarray, header: dict, labels: np.ndarray | None, unlike: np.ndarray) -> str:
    """Samples (N,) of a group in words: how many, their class, and features that set them apart."""
    count = int(own.sum())
    if not count:
        return "strongest in none"
    words = f"strongest in {count}"
    if labels is not None:
        counts = np.bincount(labels[own])
        classes = header.get("classes", range(len(counts)))
        words += f", {100 * counts.max() / count:.0f} % {_short(classes[counts.argmax()])}"
    if names := header.get("features"):
        means = unlike[own].mean(0)
        first = np.argsort(-np.abs(means), kind="stable")[:2]
        words += "\n" + ", ".join(f"{_short(names[i])} {means[i]:+.1f}" for i in first)
    return words


def _short(name: object) -> str:
    name = str(name)
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
