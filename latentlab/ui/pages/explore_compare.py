"""What the picture is wiped against: the picture it began with, a kept point, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from latentlab.core.latent_state import LatentPoint
from latentlab.core.messages import DecodeRequest, Images, InferenceResult
from latentlab.core.saved_points import SavedPoint
from latentlab.ui import icons
from latentlab.ui.context import AppContext
from latentlab.ui.pages.explore_decode import PointDecoder
from latentlab.ui.pages.explore_moves import Moves
from latentlab.ui.pages.explore_points import PointStore
from latentlab.ui.views.wipe import WipeView
from latentlab.ui.widgets.image_start import labels_of
from latentlab.ui.widgets.pane_requests import PaneRequests
from latentlab.ui.widgets.shortcuts import click_on_key

OFF, ORIGINAL, START = "", "the original", "where the move began"


@dataclass(frozen=True, slots=True)
class Subject:
    """Where the pictures to compare with come from."""

    moves: Moves
    decoder: PointDecoder
    points: PointStore


class WipeButton(QToolButton):
    """A menu that says what to wipe against; pressing W turns the wipe on and off.

    Signals
    -------
    chosen
        ``OFF``, ``ORIGINAL``, ``START``, or the letter of a kept point.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.target = OFF
        self._last = START
        self.setObjectName("wipeButton")
        self.setAccessibleName("Wipe the picture against another")
        self.setToolTip(
            "Before and after: wipe the picture against the original, a kept point, or where the move began (W)\n"
            "Drag the line on the picture; Ctrl+← and Ctrl+→ move it"
        )
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.setCheckable(True)
        icons.set_icon(self, "wipe")
        self._menu = QMenu(self)
        self._group = QActionGroup(self)
        self.setMenu(self._menu)
        self.clicked.connect(self._on_clicked)
        self._group.triggered.connect(self._on_action)
        click_on_key(self, "W")
        self.offer([], False)

    def offer(self, points: Sequence[SavedPoint], original: bool) -> None:
        """Offer these points, and the original where there is one."""
        wanted = [OFF, *([ORIGINAL] if original else []), START, *(saved.name for saved in points)]
        texts = {OFF: "No wipe", ORIGINAL: f"Against {ORIGINAL}", START: f"Against {START}"}
        texts |= {saved.name: f"Against {saved.name} {saved.note}".strip()[:60] for saved in points}
        if [action.data() for action in self._group.actions()] != wanted or any(
            action.text() != texts[action.data()] for action in self._group.actions()
        ):
            for action in self._group.actions():
                self._group.removeAction(action)
                self._menu.removeAction(action)
                action.deleteLater()
            for name in wanted:
                action = self._menu.addAction(texts[name])
                action.setData(name)
                action.setCheckable(True)
                action.setChecked(name == self.target)
                self._group.addAction(action)
        if self.target not in wanted:
            self.set_target(OFF)

    def set_target(self, target: str) -> None:
        """Choose what to wipe against."""
        self._last = target or self._last
        self.setChecked(bool(target))
        for action in self._group.actions():
            action.setChecked(action.data() == target)
        if target != self.target:
            self.target = target
            self.chosen.emit(target)

    @Slot()
    def _on_clicked(self) -> None:
        known = [action.data() for action in self._group.actions()]
        last = self._last if self._last in known else START
        self.set_target(OFF if self.target else last)

    @Slot(object)
    def _on_action(self, action: QAction) -> None:
        self.set_target(str(action.data()))


class Comparison(QObject):
    """Keeps the picture under the wipe: the original as it is, a point decoded by the weights in force."""

    def __init__(self, context: AppContext, view: WipeView, parent: QObject) -> None:
        super().__init__(parent)
        self.button = WipeButton()
        self._view = view
        self._requests = PaneRequests(context.inference, "explore.before", self)
        self._requests.answered.connect(self._on_answer)
        self._name = ""
        self._shown: tuple[object, ...] | None = None

    def update(self, subject: Subject, weights: object, conditional: bool) -> None:
        """Show what is chosen, by these weights; what is there already stays."""
        target = self.button.target
        saved = subject.points.of(target)
        if target == ORIGINAL:
            self.show_original(subject.decoder.original)
        elif target == START:
            self.show_point(subject.moves.state.origin_of_move, "before the move", weights, conditional)
        elif saved is not None:
            self.show_point(saved.point, f"{saved.name} {saved.note}".strip(), weights, conditional)
        else:
            self.clear()

    def show_original(self, original: Images | None) -> None:
        """Put the original (1, H, W, C) under the line, or nothing while there is none."""
        key = ("original", id(original))
        if key != self._shown:
            self._shown = key
            self._requests.cancel()
            self._view.set_before(None if original is None else original[0], "original")

    def show_point(self, point: LatentPoint, name: str, weights: object, conditional: bool) -> None:
        """Decode a point and put it under the line; nothing is asked twice."""
        key = (point.z.tobytes(), point.label, name, weights)
        if key != self._shown and not self._requests.busy:
            self._shown, self._name = key, name
            self._requests.ask(DecodeRequest(point.z[None].copy(), labels_of(point.label, 1, conditional)))

    def clear(self) -> None:
        """Take the picture away."""
        if self._shown is not None:
            self._shown = None
            self._requests.cancel()
            self._view.set_before(None)

    @Slot(object)
    def _on_answer(self, result: InferenceResult) -> None:
        if result.images is not None and self._shown is not None:
            self._view.set_before(result.images[0], self._name)
