"""The raw files of a data set and their state: when it changes, the data are made again.

Snakemake cannot have these files as inputs: the job that reads them downloads what is missing. Nor
as outputs: it deletes outputs before a job, and files may have been placed by hand.
"""

import hashlib
from pathlib import Path

# Data set -> file below raw_dir -> MD5. What is downloaded has the sum that torchvision publishes.
# A file that is only placed by hand has none: {"mine": {"mine.npz": None}}.
RAW_FILES: dict[str, dict[str, str | None]] = {
    "digits": {},
    "mnist": {
        "MNIST/raw/train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "MNIST/raw/train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "MNIST/raw/t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "MNIST/raw/t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
    "fashion_mnist": {
        "FashionMNIST/raw/train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "FashionMNIST/raw/train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "FashionMNIST/raw/t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "FashionMNIST/raw/t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    "kmnist": {
        "KMNIST/raw/train-images-idx3-ubyte.gz": "bdb82020997e1d708af4cf47b453dcf7",
        "KMNIST/raw/train-labels-idx1-ubyte.gz": "e144d726b3acfaa3e44228e80efcd344",
        "KMNIST/raw/t10k-images-idx3-ubyte.gz": "5c965bf0a639b31b8f53240b1b52f4d7",
        "KMNIST/raw/t10k-labels-idx1-ubyte.gz": "7320c461ea6c1c855c0b718fb2a4b134",
    },
    "usps": {
        "USPS/raw/usps.bz2": "ec16c51db3855ca6c91edd34d0e9b197",
        "USPS/raw/usps.t.bz2": "8ea070ee2aca1ac39742fdd1ef5ed118",
    },
}


def raw_state(raw_dir: str, dataset: str) -> list[str | None]:
    """The MD5 of every file of a data set; of a missing file the one that it will have."""
    return [
        _md5(path) if (path := Path(raw_dir, name)).is_file() else published
        for name, published in RAW_FILES.get(dataset, {}).items()
    ]


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
