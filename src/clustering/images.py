"""The images that a network sees: scaled and centred as the settings of the data set say."""

from torch import Tensor

from groupsparse.preprocess import preprocess


def images(tensors: dict[str, Tensor], settings: dict, center: bool, *others: str) -> list[Tensor]:
    """Training images (N, n) of an artefact of data.prepare, and ``others``, by name."""
    return preprocess(
        tensors["train_data"],
        *(tensors[name] for name in others),
        center=center,
        unit_norm=settings["unit_norm"],
        mean_norm=settings.get("mean_norm"),
    )
