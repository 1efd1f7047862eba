"""Pictures of the app that remember where they came from: run, step and recipe travel as PNG text."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QImage, QImageReader, QImageWriter, QPixmap
from PySide6.QtWidgets import QWidget

from latentlab.core.errors import InputError
from latentlab.core.paths import screenshots_dir
from latentlab.core.picture_origin import KEYWORD, Origin, parse_origin
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import recipe_toml
from latentlab.ui import style

RUN_KEY, STEP_KEY, RECIPE_KEY, SOFTWARE_KEY = "latentlab.run", "latentlab.step", "latentlab.recipe", "Software"
TEXT_BYTES = 65_536


@dataclass(frozen=True)
class PictureFacts:
    """Where a picture came from; ``run`` is None and ``step`` -1 while there is none.

    ``origin``: everything else that brings its state back.
    """

    run: Path | None = None
    step: int = -1
    recipe: Recipe | None = None
    origin: Origin | None = None

    def texts(self) -> dict[str, str]:
        """Return the facts as PNG text, by keyword."""
        texts = {SOFTWARE_KEY: "latentlab"}
        if self.run is not None:
            texts[RUN_KEY] = str(self.run.resolve())
        if self.step >= 0:
            texts[STEP_KEY] = str(self.step)
        if self.recipe is not None:
            texts[RECIPE_KEY] = recipe_toml(self.recipe)
        if self.origin is not None:
            texts[KEYWORD] = self.origin.text()
        return texts


@dataclass(frozen=True)
class FoundFacts:
    """What a picture's text says: run folder (which may be gone), step, recipe as TOML, and the whole origin."""

    run: Path | None
    step: int
    recipe_toml: str
    origin: Origin | None = None


def grab(widget: QWidget, scale: int = 1) -> QImage:
    """Return what ``widget`` shows, at ``scale`` times the screen's resolution: letters and lines stay sharp."""
    if scale == 1:
        return widget.grab(QRect(QPoint(0, 0), widget.size())).toImage()
    picture = QPixmap(widget.size() * scale)
    picture.setDevicePixelRatio(scale)
    picture.fill(style.colour("window"))
    widget.render(picture, QPoint(0, 0))
    image = picture.toImage()
    image.setDevicePixelRatio(1.0)
    return image


def magnified(image: QImage, scale: int) -> QImage:
    """Return ``image`` with every pixel ``scale`` times as large, none of them changed."""
    size = image.size() * scale
    return image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.FastTransformation)


def picture_path(name: str, folder: Path | None = None) -> Path:
    """Return a free file name with the date and what is shown, in the screenshots folder.

    Raises
    ------
    InputError
        If that folder cannot be made.
    """
    root = folder or screenshots_dir()
    words = re.sub(r"[^\w.-]+", "-", name).strip("-") or "latentlab"
    stem = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{words}"
    path = root / f"{stem}.png"
    number = 2
    while path.exists():
        path = root / f"{stem}_{number}.png"
        number += 1
    return path


def save_picture(image: QImage, path: Path, facts: PictureFacts) -> Path:
    """Write a PNG with its facts, whole or not at all, and return its path.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    for key, text in facts.texts().items():
        image.setText(key, text)
    part = path.with_name(f".{path.name}.part")
    if not QImageWriter(str(part), b"PNG").write(image):
        part.unlink(missing_ok=True)
        raise InputError(
            f"{path.name} cannot be written",
            where=str(path),
            hint="Check that the folder exists, can be written and has room.",
        )
    os.replace(part, path)
    return path


def copy_picture(image: QImage) -> None:
    """Put a picture on the clipboard."""
    QGuiApplication.clipboard().setPixmap(QPixmap.fromImage(image))


def read_facts(path: Path) -> FoundFacts:
    """Return what a picture's text says about its run.

    Raises
    ------
    InputError
        If the file is no picture.
    """
    reader = QImageReader(str(path))
    reader.setDecideFormatFromContent(True)
    image = reader.read()  # The reader's own text() would squeeze the line ends out of the recipe.
    if image.isNull():
        raise InputError(f"{path.name} is not a picture that can be read", where=str(path))
    told = image.text(KEYWORD)
    if told:
        origin = parse_origin(told, path.name, str(path))
        return FoundFacts(Path(origin.run) if origin.run else None, origin.step, origin.recipe, origin)
    run, step = image.text(RUN_KEY), image.text(STEP_KEY)
    return FoundFacts(Path(run) if run else None, int(step) if step.isdecimal() else -1, image.text(RECIPE_KEY))


def is_exported(path: Path) -> bool:
    """Whether ``path`` is a picture that latentlab exported from a run; reads no more than its text."""
    with suppress(OSError):
        head = path.read_bytes()[:TEXT_BYTES] if path.suffix.lower() == ".png" else b""
        return any(kind + KEYWORD.encode() in head for kind in (b"tEXt", b"zTXt", b"iTXt"))
    return False
