"""Pictures that a person brings: from a file, a drop or the clipboard, as the arrays an encoder takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeData, QRect, Qt
from PySide6.QtGui import QColor, QImage, QImageReader, QPainter

from latentlab.core.errors import InputError
from latentlab.core.messages import Images

LARGEST_SIDE = 1024


@dataclass(frozen=True, slots=True, eq=False)
class ChosenImage:
    """A picture to encode: ``images`` (1, H, W, C) uint8, its class when known, and a name for people."""

    images: Images
    name: str
    label: int | None = None


def image_suffixes() -> frozenset[str]:
    """Return the endings of files that Qt can read here, e.g. ``{".png", ".jpg"}``."""
    return frozenset("." + bytes(name.data()).decode().lower() for name in QImageReader.supportedImageFormats())


def file_filter() -> str:
    """Return the filter of a file dialog for pictures."""
    return f"Pictures ({' '.join(sorted('*' + suffix for suffix in image_suffixes()))})"


def read_image(path: Path) -> QImage:
    """Read a picture file, turned upright as its EXIF data says.

    Raises
    ------
    InputError
        If the file is missing or not a picture.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path.name}", where=str(path))
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    reader.setDecideFormatFromContent(True)
    image = reader.read()
    if image.isNull():
        hint = "PNG, JPEG, BMP, GIF and WebP files can be opened."
        raise InputError(f"{path.name} is not a picture that can be read", where=str(path), hint=hint)
    return image


def to_array(image: QImage, shape: tuple[int, int, int]) -> Images:
    """Return ``image`` as (1, h, w, C) uint8 for a model of ``shape`` (height, width, channels).

    The middle of the picture in the model's aspect ratio is kept, so that nothing is squeezed; what
    is transparent becomes white; sides beyond ``LARGEST_SIDE`` are scaled down. The array is fresh.
    """
    height, width, channels = shape
    side = min(image.width() * height, image.height() * width)
    w, h = max(1, side // height), max(1, side // width)
    cut = image.copy(QRect((image.width() - w) // 2, (image.height() - h) // 2, w, h))
    if max(w, h) > LARGEST_SIDE:
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        cut = cut.scaled(LARGEST_SIDE, LARGEST_SIDE, keep, smooth)
    if cut.hasAlphaChannel():
        ground = QImage(cut.size(), QImage.Format.Format_RGB32)
        ground.fill(QColor("white"))
        painter = QPainter(ground)
        painter.drawImage(0, 0, cut)
        painter.end()
        cut = ground
    cut = cut.convertToFormat(QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888)
    rows = np.frombuffer(cut.constBits(), dtype=np.uint8).reshape(cut.height(), cut.bytesPerLine())
    pixels = rows[:, : cut.width() * channels].reshape(1, cut.height(), cut.width(), channels)
    return np.array(pixels, dtype=np.uint8, order="C")


def image_path(mime: QMimeData) -> Path | None:
    """Return the first picture file of a drop or the clipboard, or None."""
    suffixes = image_suffixes()
    for url in mime.urls():
        path = Path(url.toLocalFile()) if url.isLocalFile() else None
        if path is not None and path.suffix.lower() in suffixes:
            return path
    return None


def has_image(mime: QMimeData) -> bool:
    """Whether a drop or the clipboard holds a picture."""
    return mime.hasImage() or image_path(mime) is not None


def image_of(mime: QMimeData) -> tuple[QImage, str]:
    """Return the picture of a drop or the clipboard, and its name.

    Raises
    ------
    InputError
        If there is none, or its file cannot be read.
    """
    path = image_path(mime)
    if path is not None:
        return read_image(path), path.name
    image = QImage(mime.imageData()) if mime.hasImage() else QImage()
    if image.isNull():
        raise InputError("There is no picture to take", hint="Copy a picture, or a picture file, first.")
    return image, "pasted picture"
