"""torchvision's data sets, also where its CUDA wheel meets a CPU-only torch."""

import torch

if not torch.backends.cuda.is_built():
    # Without these declarations importing torchvision fails: "operator torchvision::nms does not
    # exist". The library object must stay alive.
    _LIBRARY = torch.library.Library("torchvision", "DEF")
    _LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _LIBRARY.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision import datasets

__all__ = ["datasets"]
