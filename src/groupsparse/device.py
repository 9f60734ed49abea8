"""Where to compute."""

import torch


def choose_device(name: str) -> torch.device:
    """``auto`` is CUDA where there is a GPU, else the CPU; other names are torch's own."""
    cuda = torch.cuda.is_available()
    return torch.device(("cuda" if cuda else "cpu") if name == "auto" else name)
