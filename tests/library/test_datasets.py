"""Downloads, checksums and loading, against a mirror on the loopback interface."""

import bz2
import gzip
import hashlib
import multiprocessing
import os
import re
import shutil
import socket
import struct
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from groupsparse import datasets
from groupsparse.artifacts import load_tensors
from groupsparse.datasets import DownloadError, fetch, load
from groupsparse.torchvision_compat import datasets as tv

ROOT = Path(__file__).resolve().parents[2]
ORIGINALS = Path(os.environ.get("GROUPSPARSE_TEST_DATA", ROOT / ".." / "shared" / "data"))
IMAGES = "train-images-idx3-ubyte.gz"
LAST = "t10k-labels-idx1-ubyte.gz"
BUSY = {"flaky": 503, "timed_out": 408, "too_many": 429}  # at the first request
REDIRECTS = {
    "redirect": "/good/{name}",
    "loop": "/loop/{name}",
    "to_a_file": "file:///etc/hostname",
    "to_nowhere": "http://127.0.0.1:1/{name}",
}
download_fault = pytest.mark.fault(
    "downloads: silent, slow, corrupt, redirecting servers; wrong files; several jobs at once",
    "the right data or an error that names file and address, within the time limits",
)


class Mirror:
    """``<url>/<behaviour>/<file>``: the same files, served in good and bad ways."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.over = threading.Event()
        self.together = threading.Barrier(2)
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.requests.append(self.path)
                _, behaviour, name = self.path.split("/")
                if behaviour in BUSY and mirror.requests.count(self.path) == 1:
                    self.send_error(BUSY[behaviour])
                elif behaviour in REDIRECTS:
                    self.send_response(302)
                    self.send_header("Location", REDIRECTS[behaviour].format(name=name))
                    self.end_headers()
                elif behaviour == "endless_headers":
                    self.wfile.write(b"HTTP/1.0 200 OK\r\n")
                    while not mirror.over.wait(0.05):
                        self.wfile.write(b"X")
                elif behaviour == "missing" or name not in mirror.files:
                    self.send_error(404)
                else:
                    self.send_content(behaviour, mirror.files[name])

            def send_content(self, behaviour: str, content: bytes) -> None:
                self.send_response(200)
                if behaviour == "gzip":
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                half = len(content) // 2
                if behaviour == "wrong":
                    content = content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]
                if behaviour == "together":
                    self.wfile.write(content[:half])
                    mirror.together.wait(60)
                    content = content[half:]
                if behaviour in ("short", "stall"):
                    content = content[:half]
                if behaviour == "slow":
                    for start in range(0, len(content), len(content) // 8):
                        self.wfile.write(content[start : start + len(content) // 8])
                        mirror.over.wait(0.05)
                    return
                if behaviour == "trickle":
                    for byte in content[:40]:
                        self.wfile.write(bytes([byte]))
                        mirror.over.wait(0.1)
                    return
                self.wfile.write(content)
                self.wfile.flush()
                if behaviour == "stall":
                    mirror.over.wait()

            def handle(self) -> None:
                with suppress(ConnectionError):  # the client gave up
                    super().handle()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> str:
    """Base URL of a closed port, which also replaces every address that torchvision knows."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(datasets.time, "sleep", lambda seconds: None)
    for cls in (tv.MNIST, tv.FashionMNIST, tv.KMNIST, tv.USPS):
        if hasattr(cls, "mirrors"):
            monkeypatch.setattr(cls, "mirrors", [f"{dead}/own/"])
        else:
            own = {k: [f"{dead}/own/{v[1]}", *v[1:]] for k, v in cls.split_list.items()}
            monkeypatch.setattr(cls, "split_list", own)
    return dead


@pytest.fixture
def mirror():
    mirror = Mirror()
    yield mirror
    mirror.close()


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes())


@pytest.fixture
def tiny(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """MNIST shrunk to 12 train and 5 test images, served by the mirror."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("t10k", 5)):
        images = rng.integers(0, 256, (count, 28, 28))
        mirror.files[f"{split}-images-idx3-ubyte.gz"] = idx(images)
        mirror.files[f"{split}-labels-idx1-ubyte.gz"] = idx(np.arange(count) % 10)
    resources = [(name, md5(content)) for name, content in mirror.files.items()]
    monkeypatch.setattr(tv.MNIST, "resources", resources)
    return mirror.files


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def place(files: dict[str, bytes], raw_dir: Path) -> Path:
    folder = raw_dir / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def test_digits() -> None:
    tensors = load("digits", "never/used", seed=1)
    assert tensors["train_data"].shape == (1347, 64)
    assert tensors["test_data"].shape == (450, 64)
    assert tensors["train_data"].dtype == torch.float32
    assert tensors["train_data"].max() == 1
    assert tensors["train_labels"].dtype == torch.int64
    assert tensors["test_labels"].bincount().min() >= 43
    assert torch.equal(tensors["test_data"], load("digits", "", seed=1)["test_data"])
    assert not torch.equal(tensors["test_data"], load("digits", "", seed=2)["test_data"])


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match="digits, mnist, fashion_mnist, kmnist, usps"):
        load("cifar", "")


def test_download(tiny: dict, mirror: Mirror, tmp_path: Path) -> None:
    tensors = load("mnist", tmp_path, [f"{mirror.url}/good"])
    assert {k: tuple(t.shape) for k, t in tensors.items()} == {
        "train_data": (12, 784),
        "train_labels": (12,),
        "test_data": (5, 784),
        "test_labels": (5,),
    }
    pixels = np.frombuffer(gzip.decompress(tiny[IMAGES]), np.uint8, offset=16)
    assert np.array_equal(tensors["train_data"].numpy().ravel(), pixels.astype(np.float32) / 255)
    assert tensors["test_labels"].tolist() == [0, 1, 2, 3, 4]
    assert names(tmp_path) == sorted(tiny)
    load("mnist", tmp_path, [f"{mirror.url}/good"])
    assert len(mirror.requests) == 4, "verified files are not downloaded again"


@download_fault
@pytest.mark.parametrize("behaviour", ["short", "wrong", "missing", "stall"])
def test_bad_mirror_alone(
    behaviour: str, tiny: dict, mirror: Mirror, offline: str, tmp_path: Path
) -> None:
    start = time.monotonic()
    # A busy machine answers late, which must not be taken for a mirror that stalls.
    timeout = 0.3 if behaviour == "stall" else 5.0
    with pytest.raises(DownloadError) as caught:
        load("mnist", tmp_path, [f"{mirror.url}/{behaviour}/"], retries=2, timeout=timeout)
    assert time.monotonic() - start < 10
    message = str(caught.value)
    reason = {
        "short": "bytes",
        "wrong": f"instead of {md5(tiny[IMAGES])}",
        "missing": "404",
        "stall": "timed out",
    }[behaviour]
    assert re.search(f"{mirror.url}/{behaviour}/{IMAGES}: .*{reason}", message)
    assert re.search(f"{offline}/own/{IMAGES}: .*refused", message)
    assert f"{tmp_path / 'MNIST' / 'raw' / IMAGES} (MD5 {md5(tiny[IMAGES])})" in message
    assert names(tmp_path) == [], "nothing broken is left behind"
    attempts = 1 if behaviour in ("missing", "wrong") else 2
    assert len(mirror.requests) == 4 * attempts, "every missing file is named"


@download_fault
@pytest.mark.parametrize("behaviour", ["trickle", "endless_headers"])
def test_trickling_mirror_is_given_up(
    behaviour: str, tiny: dict, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "STALLED", 0.5)
    start = time.monotonic()
    with pytest.raises(DownloadError, match="not complete after"):
        load("mnist", tmp_path, [f"{mirror.url}/{behaviour}"], retries=1, timeout=0.5)
    assert time.monotonic() - start < 5, "four files of half a second each"


@download_fault
@pytest.mark.parametrize("behaviour", ["loop", "to_a_file", "to_nowhere"])
def test_a_redirect_to_where_no_archive_is_is_an_error(
    behaviour: str, tiny: dict, mirror: Mirror, tmp_path: Path
) -> None:
    start = time.monotonic()
    with pytest.raises(DownloadError, match=f"{mirror.url}/{behaviour}/{IMAGES}: "):
        load("mnist", tmp_path, [f"{mirror.url}/{behaviour}"], retries=1, timeout=0.5)
    assert time.monotonic() - start < 10
    assert names(tmp_path) == []


@download_fault
@pytest.mark.parametrize("behaviour", ["redirect", "slow"])
def test_a_mirror_that_redirects_or_is_slow_is_used(
    behaviour: str, tiny: dict, mirror: Mirror, tmp_path: Path
) -> None:
    tensors = load("mnist", tmp_path, [f"{mirror.url}/{behaviour}"], retries=1, timeout=0.5)
    assert len(tensors["test_data"]) == 5
    assert names(tmp_path) == sorted(tiny)


@download_fault
def test_jobs_that_download_the_same_file_at_once_all_get_it(
    tiny: dict, mirror: Mirror, tmp_path: Path
) -> None:
    archive = datasets.Archive(IMAGES, md5(tiny[IMAGES]), ())

    def job(behaviour: str) -> multiprocessing.Process:
        url = f"{mirror.url}/{behaviour}/{IMAGES}"
        process = multiprocessing.get_context("fork").Process(
            target=fetch, args=(tmp_path, archive, [url], 1, 60.0)
        )
        process.start()
        return process

    killed = job("stall")
    while not list(tmp_path.glob(".*.tmp")):
        mirror.over.wait(0.01)
    jobs = [job("together"), job("together")]  # both are half-way before one ends
    killed.kill()
    for process in (killed, *jobs):
        process.join(60)
    assert [process.exitcode for process in (killed, *jobs)] == [-9, 0, 0]
    assert (tmp_path / IMAGES).read_bytes() == tiny[IMAGES]
    # What the killed one left may be that of a job at work, until it is too old for one.
    (left,) = tmp_path.glob(".*.tmp")
    fetch(tmp_path, archive, [], 1, 1.0)
    assert left.exists()
    os.utime(left, (0, 0))
    fetch(tmp_path, archive, [], 1, 1.0)
    assert names(tmp_path) == [IMAGES]


@download_fault
def test_an_archive_that_names_a_path_elsewhere_writes_nothing_there(
    tiny: dict, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Flag 8: the name of the content follows the header of ten bytes.
    bare = gzip.compress(gzip.decompress(tiny[IMAGES]))
    named = bare[:3] + b"\x08" + bare[4:10] + b"../../../evil\0" + bare[10:]
    assert gzip.decompress(named) == gzip.decompress(bare)
    tiny[IMAGES] = named
    resources = [(name, md5(content)) for name, content in tiny.items()]
    monkeypatch.setattr(tv.MNIST, "resources", resources)
    assert len(load("mnist", tmp_path, [f"{mirror.url}/good"])["train_data"]) == 12
    assert names(tmp_path) == sorted(tiny)
    assert not list(tmp_path.parent.rglob("*evil*"))


@download_fault
def test_an_archive_that_changes_while_it_is_read_is_not_used(
    tiny: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tiny, tmp_path)
    copy = shutil.copy

    def other(source: Path, target: Path) -> Path:
        copy(source, target)
        target.write_bytes(b"other")
        return target

    monkeypatch.setattr(shutil, "copy", other)
    with pytest.raises(DownloadError, match=f"{IMAGES} has changed while it was read"):
        load("mnist", tmp_path)


@download_fault
@pytest.mark.parametrize("behaviour", ["short", "wrong", "missing", "stall", "dead", "bad url"])
def test_bad_mirror_then_good(
    behaviour: str, tiny: dict, mirror: Mirror, offline: str, tmp_path: Path
) -> None:
    first = {"dead": offline, "bad url": "no scheme"}.get(behaviour, f"{mirror.url}/{behaviour}")
    tensors = load("mnist", tmp_path, [first, f"{mirror.url}/good"], retries=1, timeout=0.5)
    assert len(tensors["train_data"]) == 12
    assert names(tmp_path) == sorted(tiny)


@download_fault
@pytest.mark.parametrize("behaviour", BUSY)
def test_retry_after_server_error(behaviour, tiny: dict, mirror: Mirror, tmp_path: Path) -> None:
    assert len(load("mnist", tmp_path, [f"{mirror.url}/{behaviour}"], retries=2)["test_data"]) == 5


def test_what_a_server_does_not_have_is_asked_for_once(
    tiny: dict, mirror: Mirror, tmp_path: Path
) -> None:
    with pytest.raises(DownloadError, match="404"):
        load("mnist", tmp_path, [f"{mirror.url}/missing"], retries=3)
    assert mirror.requests == [f"/missing/{name}" for name in tiny]


def test_mirrors_come_before_the_addresses_of_the_library(
    tiny: dict, mirror: Mirror, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(tv.MNIST, "mirrors", [f"{mirror.url}/own/"])
    load("mnist", tmp_path, [f"{mirror.url}/missing", f"{mirror.url}/good"])
    assert {path.split("/")[1] for path in mirror.requests} == {"missing", "good"}
    load("mnist", tmp_path / "other", [f"{mirror.url}/missing"])
    assert mirror.requests[-1].startswith("/own/")


@download_fault
def test_content_encoding_is_not_undone(tiny: dict, mirror: Mirror, tmp_path: Path) -> None:
    assert len(load("mnist", tmp_path, [f"{mirror.url}/gzip"])["test_data"]) == 5


def test_downloads_are_logged(tiny: dict, mirror: Mirror, tmp_path: Path, caplog) -> None:
    with caplog.at_level("INFO", "groupsparse.datasets"):
        load("mnist", tmp_path, [f"{mirror.url}/good"])
    assert f"{mirror.url}/good/{IMAGES}: 0.0 MB" in caplog.text


def test_download_continues_after_failure(tiny: dict, mirror: Mirror, tmp_path: Path) -> None:
    last = tiny.pop(LAST)
    with pytest.raises(DownloadError, match=LAST):
        load("mnist", tmp_path, [f"{mirror.url}/good"], retries=1)
    assert names(tmp_path) == sorted(tiny), "what was good stays"
    tiny[LAST] = last
    mirror.requests.clear()
    load("mnist", tmp_path, [f"{mirror.url}/good"])
    assert mirror.requests == [f"/good/{LAST}"]


def test_placed_by_hand(tiny: dict, tmp_path: Path) -> None:
    folder = place(tiny, tmp_path)
    for path in (*folder.iterdir(), folder):
        path.chmod(0o555)
    assert len(load("mnist", tmp_path)["train_data"]) == 12
    assert names(tmp_path) == sorted(tiny)
    folder.chmod(0o755)


@download_fault
def test_corrupt_file_placed_by_hand(tiny: dict, mirror: Mirror, tmp_path: Path) -> None:
    path = place(tiny, tmp_path) / LAST
    path.write_bytes(b"not labels")
    expected = md5(tiny[LAST])
    with pytest.raises(DownloadError) as caught:
        load("mnist", tmp_path, retries=1)
    assert f"{path}: MD5 {md5(b'not labels')} instead of {expected}" in str(caught.value)
    assert path.read_bytes() == b"not labels", "the file of the user stays"
    load("mnist", tmp_path, [f"{mirror.url}/good"])
    assert path.read_bytes() == tiny[LAST]


@download_fault
def test_unpacked_files_are_not_used(tiny: dict, tmp_path: Path) -> None:
    folder = place(tiny, tmp_path)
    expected = load("mnist", tmp_path)
    for name, content in tiny.items():
        raw = bytearray(gzip.decompress(content))
        raw[-1] ^= 1
        (folder / name).with_suffix("").write_bytes(raw)
    (tmp_path / "MNIST" / "processed").mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(1, 28, 28), torch.zeros(1)), folder.parent / "processed" / name)
    tensors = load("mnist", tmp_path)
    assert all(torch.equal(tensors[k], expected[k]) for k in expected)


@download_fault
def test_labels_must_match_data(tiny: dict, tmp_path: Path, monkeypatch) -> None:
    tiny[LAST] = idx(np.arange(4))
    resources = [(name, md5(content)) for name, content in tiny.items()]
    monkeypatch.setattr(tv.MNIST, "resources", resources)
    place(tiny, tmp_path)
    with pytest.raises(DownloadError, match="5 images but 4 labels"):
        load("mnist", tmp_path)


def test_usps(mirror: Mirror, tmp_path: Path, monkeypatch) -> None:
    splits = {}
    for split, name, count in (("train", "usps.bz2", 6), ("test", "usps.t.bz2", 3)):
        lines = (
            f"{i + 1} " + " ".join(f"{j + 1}:{(-1) ** (i + j)}" for j in range(256))
            for i in range(count)
        )
        content = bz2.compress("\n".join(lines).encode())
        mirror.files[name] = content
        splits[split] = [f"{mirror.url}/good/{name}", name, md5(content)]
    monkeypatch.setattr(tv.USPS, "split_list", splits)
    tensors = load("usps", tmp_path)
    assert tensors["train_data"].shape == (6, 256)
    assert tensors["train_data"][0, :2].tolist() == [1, 0]
    assert tensors["test_labels"].tolist() == [0, 1, 2]
    assert names(tmp_path / "USPS" / "raw") == ["usps.bz2", "usps.t.bz2"]


def test_script(tiny: dict, mirror: Mirror, offline: str, tmp_path: Path, monkeypatch) -> None:
    from data import prepare as data_prepare

    output = tmp_path / "mnist.safetensors"
    options = ["--dataset", "mnist", "--raw-dir", str(tmp_path / "raw"), "--output", str(output)]
    options += ["--subset", "4", "--retries", "1", "--mirror"]
    monkeypatch.setattr("sys.argv", ["prepare.py", *options, offline])
    with pytest.raises(SystemExit, match="by hand"):
        data_prepare.main()
    assert not output.exists()
    monkeypatch.setattr("sys.argv", ["prepare.py", *options, f"{mirror.url}/good"])
    data_prepare.main()
    tensors, header = load_tensors(output)
    assert header["kind"] == "dataset"
    assert header["dataset"] == "mnist"
    assert header["subset"] == 4
    assert [len(tensors[k]) for k in ("train_data", "test_data", "test_labels")] == [4, 4, 4]


@pytest.mark.parametrize(
    ("name", "folder"), [("mnist", "mnist"), ("fashion_mnist", "fashion-mnist")]
)
def test_original_files(
    name: str, folder: str, mirror: Mirror, offline: str, tmp_path: Path
) -> None:
    if not (ORIGINALS / folder).is_dir():
        pytest.skip(f"no {ORIGINALS / folder}; GROUPSPARSE_TEST_DATA may name another place")
    mirror.files = {p.name: p.read_bytes() for p in (ORIGINALS / folder).glob("*.gz")}
    tensors = load(name, tmp_path, [offline, f"{mirror.url}/good"], retries=1)
    assert tensors["train_data"].shape == (60000, 784)
    assert tensors["test_data"].shape == (10000, 784)
    assert tensors["train_data"].max() == 1
    assert torch.equal(tensors["test_labels"].unique(), torch.arange(10))


def test_original_files_placed_by_hand(tmp_path: Path) -> None:
    if not (ORIGINALS / "mnist").is_dir():
        pytest.skip(f"no {ORIGINALS / 'mnist'}; GROUPSPARSE_TEST_DATA may name another place")
    shutil.copytree(ORIGINALS / "mnist", tmp_path / "MNIST" / "raw")
    (tmp_path / "MNIST" / "raw").chmod(0o755)
    tensors = load("mnist", tmp_path)
    assert tensors["train_labels"][:5].tolist() == [5, 0, 4, 1, 9]
