"""Seeds derived from their purpose, so that no two purposes share a random stream."""

import hashlib

import torch


def derive_seed(*parts: object) -> int:
    """Hash a root seed and the names of a purpose into a seed in [0, 2**31).

    ``derive_seed(7, "simulation", "snr1", "replicate", 0)`` is the same number on every machine.
    31 bits, because scikit-learn and numpy accept no more everywhere. ValueError for a part with a
    ``/``, which stands between parts.
    """
    names = [str(part) for part in parts]
    if any("/" in name for name in names):
        raise ValueError(f"a part of a seed cannot have a /: {names}")
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return int.from_bytes(digest[:4], "big") % 2**31


def generator(*parts: object) -> torch.Generator:
    """A CPU torch generator seeded with :func:`derive_seed` of ``parts``."""
    return torch.Generator().manual_seed(derive_seed(*parts))


def as_generator(random: torch.Generator | int) -> torch.Generator:
    """A generator as it is, or one seeded with an integer."""
    if isinstance(random, torch.Generator):
        return random
    return torch.Generator().manual_seed(int(random))  # torch takes none of numpy's integers
