"""The app's own line icons, drawn in the colours of the theme."""

from __future__ import annotations

import weakref
from functools import cache
from typing import Protocol

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from latentlab.core.paths import resources_dir
from latentlab.ui import style, theme

SIZES = (16, 20, 24, 32, 40, 48, 64)
"""Sides in device pixels: 16, 20, 24 and 32 at both densities, and 64 to scale down from."""


class TakesIcon(Protocol):
    """An action or a button."""

    def setIcon(self, icon: QIcon) -> None:
        """Show ``icon``."""


def icon_names() -> list[str]:
    """Return the names that ``icon`` knows, in alphabetical order."""
    return sorted(path.stem for path in (resources_dir() / "icons").glob("*.svg"))


def icon(name: str, colour: str = "text") -> QIcon:
    """Return an icon in a colour of the theme in force; greyed when disabled, accented when checked.

    The icon keeps its colours when the theme changes: use ``set_icon`` for what stays on screen.

    Raises
    ------
    FileNotFoundError
        If there is no icon of that name.
    """
    return _icon(name, colour, style.current_theme())


def pixmap(name: str, size: int, colour: str = "text", ratio: float = 1.0) -> QPixmap:
    """Return an icon as a pixmap of ``size`` logical pixels for a screen of the given pixel ratio."""
    image = _render(_renderer(name, style.colour(colour).name()), round(size * ratio))
    image.setDevicePixelRatio(ratio)
    return QPixmap.fromImage(image)


@cache
def _icon(name: str, colour: str, theme_name: str) -> QIcon:
    found = theme.load_theme(theme_name)
    result = QIcon()
    states = (
        (found.colour(colour), QIcon.Mode.Normal, QIcon.State.Off),
        (found.colour("disabled"), QIcon.Mode.Disabled, QIcon.State.Off),
        (found.colour("accent_hover" if theme_name == "dark" else "accent"), QIcon.Mode.Normal, QIcon.State.On),
    )
    for shade, mode, state in states:
        renderer = _renderer(name, shade)
        for size in SIZES:
            result.addPixmap(QPixmap.fromImage(_render(renderer, size)), mode, state)
    return result


def _renderer(name: str, shade: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(theme.svg_source(name, shade)))


def _render(renderer: QSvgRenderer, side: int) -> QImage:
    image = QImage(QSize(side, side), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, side, side))
    painter.end()
    return image


class _Followers(QObject):
    """Actions and buttons whose icons are drawn again after a theme change."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted: weakref.WeakKeyDictionary[TakesIcon, tuple[str, str]] = weakref.WeakKeyDictionary()
        style.theme_events().changed.connect(self.redraw)

    def add(self, target: TakesIcon, name: str, colour: str) -> None:
        self._wanted[target] = (name, colour)
        target.setIcon(icon(name, colour))

    @Slot()
    def redraw(self) -> None:
        for target, (name, colour) in list(self._wanted.items()):
            try:
                target.setIcon(icon(name, colour))
            except RuntimeError:  # Qt has deleted the widget; Python still holds its shell.
                self._wanted.pop(target, None)


_followers: list[_Followers] = []


def set_icon(target: TakesIcon, name: str, colour: str = "text") -> None:
    """Give an action or a button an icon that follows the theme for as long as it lives."""
    if not _followers:
        _followers.append(_Followers())
    _followers[0].add(target, name, colour)
