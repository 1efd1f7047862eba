"""Pictures on disk that know where they come from."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from latentlab.core.errors import InputError, cannot_write
from latentlab.core.messages import Images
from latentlab.core.picture_origin import FORMAT, KEYWORD, Origin, parse_origin

__all__ = ["FORMAT", "KEYWORD", "Origin", "read_origin", "write_png"]


def write_png(path: Path, picture: Images, origin: Origin | None = None) -> None:
    """Write a picture (H,W,1 or 3) uint8 as PNG with its origin in a text chunk; whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    chunk = PngInfo()
    if origin is not None:
        chunk.add_itxt(KEYWORD, origin.text(), zip=True)
    image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
    part = path.with_name(path.name + ".part")
    try:
        image.save(part, format="PNG", pnginfo=chunk)
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        part.unlink(missing_ok=True)


def read_origin(path: Path) -> Origin | None:
    """Return where a picture came from; None for a picture that latentlab did not write.

    Raises
    ------
    InputError
        If ``path`` is not a picture, or its origin is damaged or of a newer version.
    """
    try:
        with Image.open(path) as image:
            image.load()
            text = image.info.get(KEYWORD)
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"{path.name} is not a picture: {error}", where=str(path)) from None
    return None if text is None else parse_origin(str(text), path.name, str(path))
