"""The look of the app: themes, colours by meaning, spacing, fonts, and formatted numbers.

Widgets ask for a look with dynamic properties (``widget.setProperty("kind", "primary")``):

- ``kind`` of QPushButton: ``primary``, ``danger``, ``quiet``; of QToolButton: ``primary``, ``chip``, ``rail``
- ``role`` of QLabel: ``title``, ``heading``, ``section``, ``muted``, ``value``, ``error``, ``warning``;
  of QFrame: ``card``, ``rule``
- ``invalid`` of line edits, spin boxes and combo boxes: red edge · ``bipolar`` of QSlider: no filled side
"""

from __future__ import annotations

from typing import Literal, cast

from PySide6.QtCore import QDir, QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QApplication, QWidget

from latentlab.ui import theme
from latentlab.ui.formatting import format_bytes, format_duration, format_steps, format_value

__all__ = [
    "SPACING",
    "apply_theme",
    "colour",
    "current_theme",
    "figure_font",
    "format_bytes",
    "format_duration",
    "format_steps",
    "format_value",
    "mix",
    "repolish",
    "theme_choice",
    "theme_events",
]

SPACING = 8
ThemeName = Literal["dark", "light"]
ThemeChoice = Literal["dark", "light", "system"]


class ThemeEvents(QObject):
    """Tells when the colours changed; connect ``changed`` to a bound method of a QObject.

    Thread: GUI.
    """

    changed = Signal(str)  # the theme now in force: "dark" or "light"

    def __init__(self) -> None:
        super().__init__()
        self.choice: ThemeChoice = "system"
        self.name: ThemeName = "dark"
        self.watching: QApplication | None = None

    @Slot()
    def follow_system(self) -> None:
        """Re-apply when the system switched between dark and light, and the user follows it."""
        app = cast("QApplication | None", QApplication.instance())
        if app is not None and self.choice == "system" and _system_theme(app) != self.name:
            _apply(app, _system_theme(app))


_events: list[ThemeEvents] = []


def theme_events() -> ThemeEvents:
    """Return the object whose ``changed`` signal follows the theme."""
    if not _events:
        _events.append(ThemeEvents())
    return _events[0]


def apply_theme(app: QApplication, choice: str = "system") -> None:
    """Dress the whole application in ``dark``, ``light``, or what the system says, now and from now on.

    Raises
    ------
    ValueError
        For any other name.
    """
    if choice not in ("dark", "light", "system"):
        raise ValueError(f"theme {choice!r}: choose dark, light or system")
    events = theme_events()
    events.choice = cast("ThemeChoice", choice)
    hints = app.styleHints()
    if events.watching is not app:
        events.watching = app
        app.setStyle("Fusion")
        app.setFont(figure_font(app.font()))
        hints.colorSchemeChanged.connect(events.follow_system)
    scheme = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}.get(choice, Qt.ColorScheme.Unknown)
    hints.setColorScheme(scheme)  # so that the title bar and native dialogs agree
    _apply(app, _system_theme(app) if choice == "system" else cast("ThemeName", choice))


def _apply(app: QApplication, name: ThemeName) -> None:
    events = theme_events()
    events.name = name
    QDir.setSearchPaths("glyph", [str(theme.glyph_folder(name))])
    app.setPalette(theme.qt_palette(name))
    sheet = theme.style_sheet(name)
    if app.styleSheet() != sheet:  # Qt styles every widget again even when nothing changed.
        app.setStyleSheet(sheet)
    events.changed.emit(name)


def _system_theme(app: QApplication) -> ThemeName:
    # A desktop that states no preference gets dark: pictures are judged best on a dark ground.
    return "light" if app.styleHints().colorScheme() == Qt.ColorScheme.Light else "dark"


def current_theme() -> ThemeName:
    """Return the theme in force: ``dark`` or ``light``."""
    return theme_events().name


def theme_choice() -> ThemeChoice:
    """Return what was asked for: ``dark``, ``light`` or ``system``."""
    return theme_events().choice


def colour(key: str) -> QColor:
    """Return a colour of the theme in force.

    ``key`` is a metric's ``colour`` (pixel, kld, beta, feature, discriminator, generator, active,
    neutral) or a widget colour (window, surface, text, muted, accent, danger, ground, grid, ...).
    """
    return QColor(theme.load_theme(current_theme()).colour(key))


def mix(first: QColor, second: QColor, share: float) -> QColor:
    """Return the opaque colour ``share`` (0..1) of the way from ``first`` to ``second``."""
    ends = ((first.red(), second.red()), (first.green(), second.green()), (first.blue(), second.blue()))
    return QColor(*(round(start + (end - start) * share) for start, end in ends))


def figure_font(font: QFont, *, points: float | None = None, bold: bool = False) -> QFont:
    """Return a copy of ``font`` with digits of equal width, so that changing numbers stand still."""
    copy = QFont(font)
    copy.setFeature(QFont.Tag("tnum"), 1)
    if points is not None:
        copy.setPointSizeF(points)
    if bold:
        copy.setWeight(QFont.Weight.DemiBold)
    return copy


def repolish(widget: QWidget) -> None:
    """Apply the style sheet again after a dynamic property of ``widget`` changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
