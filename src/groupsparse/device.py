"""Selection of device, number of threads and precision."""

import torch

# Names of the config -> torch's: how products of float32 matrices may round their factors.
PRECISIONS = {"float32": "highest", "tf32": "high", "bfloat16": "medium"}


def choose_device(name: str, threads: int = 1, precision: str = "float32") -> torch.device:
    """Set threads and precision of this process and return its device.

    Parameters
    ----------
    name : ``auto`` is CUDA where there is a GPU, else the CPU; other names are torch's own
    threads : CPU threads
    precision : ``float32``; with ``tf32`` and ``bfloat16`` the hardware may round the factors of a
        product to 11 and 8 significant bits, where it has fast instructions for that
    """
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(PRECISIONS[precision])
    cuda = torch.cuda.is_available()
    return torch.device(("cuda" if cuda else "cpu") if name == "auto" else name)
