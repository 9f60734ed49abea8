"""The images that a network sees: scaled and centred as the settings of the data set say."""

from torch import Tensor

from groupsparse.preprocess import preprocess


def images(tensors: dict[str, Tensor], settings: dict, center: bool) -> tuple[Tensor, Tensor]:
    """Training and test images (N, n) of an artefact of data.prepare."""
    train, test = preprocess(
        tensors["train_data"],
        tensors["test_data"],
        center=center,
        unit_norm=settings["unit_norm"],
        mean_norm=settings.get("mean_norm"),
    )
    return train, test
