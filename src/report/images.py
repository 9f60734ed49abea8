"""Figures of a run as they are read again: a PNG holds a checksum of each of its parts."""

import struct
from pathlib import Path

from PIL import Image

from groupsparse.files import CorruptArtifactError


def open_png(path: str | Path) -> Image.Image:
    """Open a PNG as RGB; CorruptArtifactError if a bit of it has changed or its end is missing."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.verify()  # afterwards nothing can be read: open it again
        with Image.open(path, formats=["PNG"]) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise CorruptArtifactError(path, str(error)) from error
