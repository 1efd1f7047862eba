"""The button that chooses how differences are drawn."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from latentlab.core.video_messages import DifferenceKind

ROOM_FOR_ARROW = "QToolButton { padding-right: 18px; }"
GAINS = (1.0, 2.0, 3.0, 5.0, 10.0)
KINDS: tuple[tuple[str, DifferenceKind, str], ...] = (
    ("Heat", "heat", "How large the difference is: black for equal, pale yellow for the most"),
    ("Signed", "signed", "In which direction: brighter than grey where the reconstruction is too bright"),
)


class DifferenceButton(QToolButton):
    """A kind of picture and a factor, in one menu. Thread: GUI."""

    chosen = Signal(str, float)  # kind and gain

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setToolTip("How the difference is drawn, and the factor on it, so that small ones can be seen")
        self.setAccessibleName("Difference")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setStyleSheet(ROOM_FOR_ARROW)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self._kinds = self._group(menu, "Difference", [(text, kind, words) for text, kind, words in KINDS])
        self._gains = self._group(menu, "Times", [(f"×{gain:g}", gain, f"Draw {gain:g} times it") for gain in GAINS])
        self.setMenu(menu)
        self.show_choice("heat", 3.0)

    def show_choice(self, kind: DifferenceKind, gain: float) -> None:
        """Take over a choice without telling it."""
        for group, value in ((self._kinds, kind), (self._gains, gain)):
            for action in group.actions():
                if action.data() == value:
                    action.setChecked(True)
        words = next(text for text, known, _ in KINDS if known == kind)
        self.setText(f"{words} ×{gain:g}")

    def choose(self, kind: DifferenceKind, gain: float) -> None:
        """Take over a choice and tell it."""
        self.show_choice(kind, gain)
        self.chosen.emit(kind, gain)

    def _group(self, menu: QMenu, title: str, choices: list[tuple[str, object, str]]) -> QActionGroup:
        menu.addSection(title)
        group = QActionGroup(self)
        for text, value, words in choices:
            action = QAction(text, group)
            action.setCheckable(True)
            action.setData(value)
            action.setToolTip(words)
            action.triggered.connect(self._on_chosen)
            menu.addAction(action)
        return group

    @Slot()
    def _on_chosen(self) -> None:
        kind, gain = self._kinds.checkedAction(), self._gains.checkedAction()
        if kind is not None and gain is not None:
            self.choose(kind.data(), float(gain.data()))
