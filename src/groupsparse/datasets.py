"""Real data: bundled with scikit-learn, or downloaded, verified and read through torchvision.

Archives are in ``<raw_dir>/<Class>/raw`` (torchvision's layout), whether downloaded or placed by
hand. Their MD5 sums (those of torchvision) are verified at every load, and the data set is
unpacked into a private folder each time, so no unpacked file is ever trusted.
"""

import hashlib
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

import requests
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from groupsparse.files import atomic, remove_leftovers

log = logging.getLogger(__name__)

CLASSES = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST", "usps": "USPS"}
DATASETS = ("digits", *CLASSES)
STALLED = 600.0  # seconds after which an attempt at one file is given up, even if data still arrive
IDENTITY = {"Accept-Encoding": "identity"}


class DownloadError(RuntimeError):
    """A file could not be downloaded, or its checksum is wrong."""


class Archive(NamedTuple):
    """One file of a data set: ``name``, ``md5`` and torchvision's addresses."""

    name: str
    md5: str
    urls: tuple[str, ...]


def load(
    name: str,
    raw_dir: str | Path = "data/raw",
    mirrors: Sequence[str] = (),
    seed: int = 0,
    retries: int = 3,
    timeout: float = 30.0,
) -> dict[str, Tensor]:
    """Load a data set as flat images in [0, 1] with integer labels.

    Parameters
    ----------
    name : one of :data:`DATASETS`
    raw_dir : folder of the archives
    mirrors : base URLs that serve ``<mirror>/<archive name>``, tried in order before
        torchvision's
    seed : of the stratified 75/25 split of ``digits``; the others are published with a split
    retries, timeout : attempts per address; seconds without an answer

    Returns
    -------
    ``train_data`` and ``test_data`` (N, n) float32; ``train_labels`` and ``test_labels`` (N,) int64

    Raises
    ------
    ValueError for an unknown name or retries < 1; DownloadError naming files and addresses.
    """
    if name not in DATASETS:
        raise ValueError(f"unknown data set {name!r}; known are {', '.join(DATASETS)}")
    if retries < 1:
        raise ValueError(f"retries must be at least 1, not {retries}")
    if name == "digits":
        data, labels = load_digits(return_X_y=True)
        parts = train_test_split(
            torch.tensor(data / 16, dtype=torch.float32), torch.tensor(labels, dtype=torch.int64),
            test_size=0.25, stratify=labels, random_state=seed,
        )  # fmt: skip
        return dict(
            zip(("train_data", "test_data", "train_labels", "test_labels"), parts, strict=True)
        )
    folder = Path(raw_dir) / CLASSES[name] / "raw"
    failures = []
    for archive in archives(name):
        urls = [f"{m.rstrip('/')}/{archive.name}" for m in mirrors]
        try:
            fetch(folder, archive, [*urls, *archive.urls], retries, timeout)
        except DownloadError as error:
            failures.append(str(error))
    if failures:
        raise DownloadError("\n".join(failures))
    return _read(name, folder)


def archives(name: str) -> list[Archive]:
    """The files of a downloadable data set, as torchvision knows them."""
    cls = _dataset_class(name)
    if name == "usps":
        return [Archive(Path(url).name, md5, (url,)) for url, _, md5 in cls.split_list.values()]
    return [
        Archive(file, md5, tuple(f"{m.rstrip('/')}/{file}" for m in cls.mirrors))
        for file, md5 in cls.resources
    ]


def fetch(
    folder: Path, archive: Archive, urls: Sequence[str], retries: int, timeout: float
) -> Path:
    """Return the verified archive in ``folder``, downloading it from the first URL that works.

    A file is put in place only once its checksum is right. A download replaces an
    existing file with a wrong checksum; if it fails, the file stays and the error names it.
    """
    path = folder / archive.name
    remove_leftovers(path, STALLED)
    found = _md5(path) if path.exists() else None
    if found == archive.md5:
        return path
    failures = []
    if found:
        log.warning("%s has MD5 %s instead of %s: downloading it again", path, found, archive.md5)
        failures.append(f"{path}: MD5 {found} instead of {archive.md5}")
    for url in urls:
        for attempt in range(1, retries + 1):
            try:
                return _download(url, path, archive.md5, timeout)
            except (requests.RequestException, OSError, DownloadError) as error:
                log.warning("attempt %d at %s: %s", attempt, url, error)
                reason = f"{url}: {error}"
                status = getattr(getattr(error, "response", None), "status_code", 500)
                # A wrong checksum or a refusal will not change by asking again.
                final = 400 <= status < 500 and status not in (408, 429)
                if isinstance(error, DownloadError) or final:
                    break
                if attempt < retries:
                    time.sleep(min(2.0 ** (attempt - 1) / 2, 5.0))
        failures.append(reason)
    raise DownloadError(
        f"cannot get {archive.name}. Without internet, place the file by hand at {path} "
        f"(MD5 {archive.md5}). Tried:\n" + "\n".join(f"  {f}" for f in failures)
    )


def _download(url: str, path: Path, md5: str, timeout: float) -> Path:
    """One attempt at one file, within STALLED seconds."""
    # In a thread: requests bounds each silence, but not headers that trickle, nor all redirects.
    attempt: Future[Path] = Future()

    def transfer() -> None:
        try:
            attempt.set_result(_transfer(url, path, md5, timeout))
        except Exception as error:
            attempt.set_exception(error)

    threading.Thread(target=transfer, daemon=True).start()
    try:
        return attempt.result(STALLED)
    except TimeoutError:
        raise DownloadError(f"not complete after {STALLED:.0f} s") from None


def _transfer(url: str, path: Path, md5: str, timeout: float) -> Path:
    start = reported = time.monotonic()
    digest, received = hashlib.md5(), 0
    try:
        with requests.get(url, headers=IDENTITY, stream=True, timeout=timeout) as answer:
            answer.raise_for_status()
            expected = int(answer.headers.get("Content-Length", 0))
            # Another job may be downloading the same file: the last one that is right stays.
            with atomic(path, patience=STALLED) as file:
                # raw: a server that labels .gz as Content-Encoding must not have it unpacked;
                # read1: returns what has come, so that a trickle cannot outlast STALLED.
                while chunk := answer.raw.read1(1 << 16, decode_content=False):
                    file.write(chunk)
                    digest.update(chunk)
                    received += len(chunk)
                    now = time.monotonic()
                    if now - start > STALLED:
                        raise DownloadError(f"not complete after {STALLED:.0f} s")
                    if now - reported > 2:
                        reported = now
                        log.info("%s: %.1f of %.1f MB", url, received / 1e6, expected / 1e6)
                if expected and received < expected:
                    raise requests.ConnectionError(
                        f"truncated after {received} of {expected} bytes"
                    )
                if digest.hexdigest() != md5:
                    raise DownloadError(f"MD5 {digest.hexdigest()} instead of {md5}")
    except Exception as error:
        # urllib3 raises its own errors while a raw stream is read.
        if isinstance(error, (requests.RequestException, OSError, DownloadError)):
            raise
        raise requests.ConnectionError(str(error)) from error
    log.info("%s: %.1f MB", url, received / 1e6)
    return path


def _read(name: str, folder: Path) -> dict[str, Tensor]:
    with tempfile.TemporaryDirectory() as root:
        private = Path(root) if name == "usps" else Path(root) / CLASSES[name] / "raw"
        private.mkdir(parents=True, exist_ok=True)
        for archive in archives(name):
            copy = shutil.copy(folder / archive.name, private / archive.name)
            # torchvision would replace what is wrong from the internet, without our time limits.
            if _md5(copy) != archive.md5:
                raise DownloadError(f"{folder / archive.name} has changed while it was read")
        result = {}
        for part, train in (("train", True), ("test", False)):
            # The archives are there and verified, so download=True only unpacks them.
            dataset = _dataset_class(name)(root, train=train, download=True)
            images = torch.as_tensor(dataset.data)
            labels = torch.as_tensor(dataset.targets, dtype=torch.int64)
            if len(images) != len(labels):
                raise DownloadError(f"{name}: {len(images)} images but {len(labels)} labels")
            result[f"{part}_data"] = images.flatten(1).to(torch.float32) / 255
            result[f"{part}_labels"] = labels
    return result


def _dataset_class(name: str) -> type:
    # Imported here: torchvision takes seconds, and digits does not need it.
    from groupsparse.torchvision_compat import datasets

    return getattr(datasets, CLASSES[name])


def _md5(path: str | Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
