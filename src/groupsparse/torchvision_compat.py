"""torchvision's data sets, even if its CUDA wheel is installed with a CPU-only torch."""

from importlib.util import find_spec
from pathlib import Path

import torch

try:
    folder = Path(find_spec("torchvision").submodule_search_locations[0])
    torch.ops.load_library(next(folder.glob("_C*")))
except (OSError, StopIteration):
    # The wheel's operators cannot be loaded. Without these declarations importing torchvision
    # fails: "operator torchvision::nms does not exist". The library object must stay alive.
    _LIBRARY = torch.library.Library("torchvision", "DEF")
    _LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _LIBRARY.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision import datasets

__all__ = ["datasets"]
