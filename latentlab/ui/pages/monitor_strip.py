"""The thin strip over the plots: smoothing, axes, and whether they follow the newest values."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QSlider, QToolButton, QWidget

from latentlab.ui import icons, style
from latentlab.ui.formatting import format_duration, format_steps
from latentlab.ui.views.plot_group import PlotGroup
from latentlab.ui.views.plot_smoothing import MAX_SMOOTHING

DEFAULT_SMOOTHING = 0.6
CAPTION_FROM = 590
COMPACT_CHIP = 40
FOLLOWING = "Following newest"
FOLLOW_AGAIN = "Follow newest"


class ControlStrip(QWidget):
    """Controls of a ``PlotGroup``. The chip at the right says whether the plots follow, and brings them back."""

    log_changed = Signal(bool)

    def __init__(self, group: PlotGroup, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = group
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.smoothing = self._make_smoothing()
        self.smoothing_text = QLabel()
        self.smoothing_text.setFixedWidth(QFontMetrics(self.font()).horizontalAdvance("0.000"))
        self.log = self._make_chip("Log y", "Logarithmic y axis where a metric is best read so (L)", "L")
        self.to_end = self._make_chip("To end", "Show the axis up to the recipe's last step (E)", "E")
        self.time = self._make_chip("Time", "Draw against the time trained (m:ss) instead of the step (T)", "T")
        self.plots = self._make_plots()
        self.range_text = QLabel()
        self.range_text.setProperty("role", "muted")
        self.range_text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.range_text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.follow = self._make_follow()
        self._lay_out()
        self.log.setChecked(True)
        self.log.toggled.connect(self.log_changed)
        self.to_end.toggled.connect(group.set_to_end)
        self.smoothing.valueChanged.connect(self._on_smoothing)
        self.time.toggled.connect(self._on_time)
        group.mode_changed.connect(self._show_mode)
        self.smoothing.setValue(round(100 * DEFAULT_SMOOTHING))
        self._show_mode()

    def _make_smoothing(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, round(100 * MAX_SMOOTHING))
        slider.setMinimumWidth(48)
        slider.setMaximumWidth(160)
        slider.setAccessibleName("Smoothing")
        slider.setToolTip(
            "Smoothing: share of the past kept per logged value, 0 to 0.99 (debiased moving average).\n"
            "The raw curve stays behind, faded."
        )
        return slider

    def _make_chip(self, text: str, tip: str, key: str) -> QToolButton:
        chip = QToolButton()
        chip.setText(text)
        chip.setCheckable(True)
        chip.setProperty("kind", "chip")
        chip.setToolTip(tip)
        chip.setAccessibleName(text)
        shortcut = QShortcut(QKeySequence(key), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(chip.toggle)
        return chip

    def _make_plots(self) -> QToolButton:
        button = QToolButton()
        icons.set_icon(button, "panel")
        button.setIconSize(QSize(16, 16))
        button.setProperty("kind", "tool")
        button.setToolTip("Choose the plots, any metric, and saved layouts (P)")
        button.setAccessibleName("Choose the plots")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(QMenu(button))
        shortcut = QShortcut(QKeySequence("P"), button)
        shortcut.activated.connect(button.showMenu)
        return button

    def _make_follow(self) -> QToolButton:
        chip = QToolButton()
        chip.setCheckable(True)
        chip.setProperty("kind", "chip")
        chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        chip.setAccessibleName(FOLLOW_AGAIN)
        icons.set_icon(chip, "follow")
        self._chip_width = QFontMetrics(self.font()).horizontalAdvance(FOLLOWING) + 6 * style.SPACING
        chip.setFixedWidth(self._chip_width)
        chip.clicked.connect(self._group.follow_newest)
        shortcut = QShortcut(QKeySequence("F"), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self._group.follow_newest)
        return chip

    def _lay_out(self) -> None:
        self._label = label = QLabel("Smoothing")
        label.setProperty("role", "muted")
        label.setBuddy(self.smoothing)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(style.SPACING)
        for widget in (label, self.smoothing, self.smoothing_text, self.log, self.time, self.to_end):
            row.addWidget(widget)
        row.addWidget(self.range_text, 1)
        row.addWidget(self.follow)

    # -- reactions ------------------------------------------------------------------------------------

    @Slot(int)
    def _on_smoothing(self, percent: int) -> None:
        self.smoothing_text.setText(f"{percent / 100:.2f}")
        self._group.set_smoothing(percent / 100)

    @Slot(bool)
    def _on_time(self, time: bool) -> None:
        self._group.set_x_axis("time" if time else "step")
        self.to_end.setEnabled(not time)

    @Slot()
    def _show_mode(self) -> None:
        following = self._group.following
        with QSignalBlocker(self.follow):
            self.follow.setChecked(following)
        self.follow.setText(FOLLOWING if following else FOLLOW_AGAIN)
        self.follow.setToolTip(
            "The plots keep up with the newest values. Scroll or drag in a plot to stay somewhere."
            if following
            else "The plots stay where you zoomed. Click to keep up with the newest values again (F)."
        )
        text = format_duration if self._group.x_axis == "time" else format_steps
        first, last = self._group.x_range
        shown = f"{text(max(0.0, first))} to {text(last)}"
        fits = self.range_text.fontMetrics().horizontalAdvance(shown) <= self.range_text.width()
        self.range_text.setText(shown if fits and not following else "")

    def minimumSizeHint(self) -> QSize:
        """Return the size without the caption and without the words of the chip."""
        return QSize(self._width_with_words() - self._chip_width + COMPACT_CHIP, super().minimumSizeHint().height())

    def _width_with_words(self) -> int:
        """Return the width that everything but the caption needs."""
        caption = 0 if self._label.isHidden() else self._label.sizeHint().width() + style.SPACING
        return super().minimumSizeHint().width() - caption + self._chip_width - self.follow.width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show or leave out the range and a caption, by the room there is."""
        super().resizeEvent(event)
        self._label.setVisible(self.width() >= CAPTION_FROM)
        words = self.width() >= self._width_with_words()
        styles = Qt.ToolButtonStyle
        self.follow.setToolButtonStyle(styles.ToolButtonTextBesideIcon if words else styles.ToolButtonIconOnly)
        self.follow.setFixedWidth(self._chip_width if words else COMPACT_CHIP)
        self._show_mode()

    def set_time_known(self, known: bool) -> None:
        """Offer the time axis only while steps can be placed in time."""
        self.time.setEnabled(known or self.time.isChecked())

    # -- memory -----------------------------------------------------------------------------------------

    def save_state(self) -> dict[str, object]:
        """Return the controls' values."""
        return {
            "smoothing": self.smoothing.value() / 100,
            "log": self.log.isChecked(),
            "to_end": self.to_end.isChecked(),
        }

    def restore_state(self, state: dict[str, object]) -> None:
        """Set the controls to saved values of the right kind."""
        smoothing = state.get("smoothing")
        if isinstance(smoothing, int | float) and 0 <= smoothing <= MAX_SMOOTHING:
            self.smoothing.setValue(round(100 * smoothing))
        for key, chip in (("log", self.log), ("to_end", self.to_end)):
            if isinstance(state.get(key), bool):
                chip.setChecked(bool(state[key]))
