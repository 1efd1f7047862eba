"""The line under the pictures: which step they are of, and how they are shown."""

from __future__ import annotations

import time

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from latentlab.runtime.preview_history import PreviewHistory
from latentlab.runtime.training_session import TrainingSession
from latentlab.ui import icons, style
from latentlab.ui.formatting import format_steps
from latentlab.ui.pages.monitor_pictures import Look, PicturesPane

LIST_S = 2.0
"""How often the folder of previews is looked at, by a thread of its own."""
GAINS, GAMMAS = (10, 160), (25, 400)
"""Ranges of the sliders: gain in tenths, gamma in hundredths."""


class PreviewTimeline(QWidget):
    """A slider over all previews of the run. It follows the newest until it is moved, and then stays where it is.

    ``chosen`` is emitted with the step to show, or None to follow the newest.
    """

    chosen = Signal(object)
    look_changed = Signal(object)  # Look

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.step: int | None = None
        self._steps: tuple[int, ...] = ()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Step of the pictures")
        self.slider.setToolTip(
            "Earlier pictures of this run: same test images, same z ([ and ] go back and forth).\n"
            "New pictures do not move it."
        )
        self.slider.setMinimumWidth(48)
        self.slider.valueChanged.connect(self._on_value)
        self.text = QLabel()
        self.text.setFixedWidth(QFontMetrics(style.figure_font(self.font())).horizontalAdvance("100,000"))
        self.text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.text.setFont(style.figure_font(self.font()))
        self.live = QToolButton()
        self.live.setCheckable(True)
        self.live.setChecked(True)
        self.live.setProperty("kind", "chip")
        self.live.setIconSize(QSize(16, 16))
        icons.set_icon(self.live, "follow")
        self.live.setAccessibleName("Show the newest pictures")
        self.live.setToolTip("Show the newest pictures, and go on doing so (End)")
        self.live.clicked.connect(self.follow)
        self.looks = LookButton()
        self.looks.look_changed.connect(self.look_changed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(style.SPACING // 2)
        row.addWidget(self.slider, 1)
        for widget in (self.text, self.live, self.looks):
            row.addWidget(widget)
        for keys, move in (("[", -1), ("]", 1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(lambda move=move: self.slider.setValue(self.slider.value() + move))
        self.set_steps(())

    def set_steps(self, steps: tuple[int, ...]) -> None:
        """Offer these steps; the one chosen stays chosen, wherever it now stands."""
        self._steps = steps
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(len(steps) - 1, 0))
            self.slider.setPageStep(max(1, len(steps) // 10))
            if self.step is None:
                self.slider.setValue(self.slider.maximum())
            elif self.step in steps:
                self.slider.setValue(steps.index(self.step))
        self.slider.setEnabled(len(steps) > 1)
        self._show_text()

    @Slot()
    def follow(self) -> None:
        """Follow the newest pictures."""
        self.step = None
        with QSignalBlocker(self.slider):
            self.slider.setValue(self.slider.maximum())
        self._show_text()
        self.chosen.emit(None)

    @Slot(int)
    def _on_value(self, place: int) -> None:
        if place < len(self._steps):
            self.step = self._steps[place]
            self._show_text()
            self.chosen.emit(self.step)

    def _show_text(self) -> None:
        self.live.setChecked(self.step is None)
        shown = self.step if self.step is not None else self._steps[-1] if self._steps else None
        self.text.setText("" if shown is None else format_steps(shown))


class LookButton(QToolButton):
    """Gain, gamma and errors of the pictures, behind one button."""

    look_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        icons.set_icon(self, "theme")
        self.setIconSize(QSize(16, 16))
        self.setProperty("kind", "tool")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setAccessibleName("Look of the pictures")
        self.setToolTip("Brighten the pictures (gain, gamma), and show the errors of reconstructions")
        self.gain = self._slider(GAINS, 10, "Gain", "Values are multiplied by this before they are shown")
        self.gamma = self._slider(GAMMAS, 100, "Gamma", "Values are raised to 1 / gamma: above 1 lifts what is dark")
        self.errors = QCheckBox("Errors")
        self.errors.setToolTip("Under each reconstruction its difference from the original, three times")
        self.errors.setAccessibleName("Show the errors of reconstructions")
        self.errors.toggled.connect(self._changed)
        self._texts = [QLabel(), QLabel()]
        reset = QPushButton("Reset")
        reset.setToolTip("Show the pictures as they are")
        reset.clicked.connect(self._reset)
        box = QWidget()
        grid = QGridLayout(box)
        for row, (name, slider, text) in enumerate(
            zip(("Gain", "Gamma"), (self.gain, self.gamma), self._texts, strict=True)
        ):
            grid.addWidget(QLabel(name), row, 0)
            grid.addWidget(slider, row, 1)
            text.setFixedWidth(QFontMetrics(self.font()).horizontalAdvance("16.00"))
            grid.addWidget(text, row, 2)
        grid.addWidget(self.errors, 2, 0, 1, 2)
        grid.addWidget(reset, 2, 2)
        action = QWidgetAction(self)
        action.setDefaultWidget(box)
        menu = QMenu(self)
        menu.addAction(action)
        self.setMenu(menu)
        self._changed()

    def _slider(self, ends: tuple[int, int], value: int, name: str, tip: str) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(*ends)
        slider.setValue(value)
        slider.setFixedWidth(160)
        slider.setAccessibleName(name)
        slider.setToolTip(tip)
        slider.valueChanged.connect(self._changed)
        return slider

    def look(self) -> Look:
        """Return what is chosen."""
        return Look(self.gain.value() / 10, self.gamma.value() / 100, self.errors.isChecked())

    @Slot()
    def _reset(self) -> None:
        self.gain.setValue(10)
        self.gamma.setValue(100)
        self.errors.setChecked(False)

    @Slot()
    def _changed(self) -> None:
        if not hasattr(self, "_texts"):
            return
        look = self.look()
        self._texts[0].setText(f"{look.gain:.1f}")
        self._texts[1].setText(f"{look.gamma:.2f}")
        self.setProperty("kind", "tool" if look == Look() else "chip")
        style.repolish(self)
        self.look_changed.emit(look)


class PicturesColumn(QWidget):
    """The pictures over their line of steps: newest ones, or those of the step chosen, read in the background."""

    def __init__(self, session: TrainingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.pictures = PicturesPane()
        self.timeline = PreviewTimeline()
        self.past = PreviewHistory()
        self._version = -1
        self._past_seen, self._listed_at = (-1, -1), 0.0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(style.SPACING // 2)
        column.addWidget(self.pictures, 1)
        column.addWidget(self.timeline)
        self.timeline.chosen.connect(self._on_chosen)
        self.timeline.look_changed.connect(self.pictures.set_look)

    def tick(self) -> None:
        """Show what is new, if it is wanted."""
        if self._session.previews.version != self._version and self.timeline.step is None:
            self._version, preview = self._session.previews.get()
            if preview is None:
                self.pictures.clear()
            else:
                self.pictures.show_preview(preview)
        self._show_past()

    def look_for_steps(self) -> None:
        """Ask now and then which steps have pictures."""
        now, info = time.monotonic(), self._session.info
        if info is not None and now - self._listed_at >= LIST_S:
            self._listed_at = now
            self.past.list(info)

    def restart(self) -> None:
        """Start over with another run."""
        self._version, self._listed_at = -1, 0.0
        self.past.restart()
        self.timeline.follow()
        self.pictures.clear()

    @Slot(object)
    def _on_chosen(self, step: int | None) -> None:
        if step is None:
            self._version = -1
        elif self._session.info is not None:
            self.past.read(self._session.info, step)

    def _show_past(self) -> None:
        seen = (self.past.steps.version, self.past.pictures.version)
        if seen == self._past_seen:
            return
        old, self._past_seen = self._past_seen, seen
        if seen[0] != old[0]:
            self.timeline.set_steps(self.past.steps.get()[1] or ())
        preview = self.past.pictures.get()[1]
        if seen[1] != old[1] and preview is not None and preview.step == self.timeline.step:
            self.pictures.show_preview(preview)
