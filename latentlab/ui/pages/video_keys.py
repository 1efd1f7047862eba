"""The keys of the Video page, as editors of films have them: one table for keyboard and list of shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage

_MODIFIERS = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


@dataclass(frozen=True)
class Binding:
    """``keys`` as QKeySequence reads them, what they do in words, and the doing. ``listed``: in the shortcuts."""

    keys: str
    words: str
    act: Callable[[VideoPage], object]
    listed: bool = True


def _step_by(frames: int) -> Callable[[VideoPage], object]:
    return lambda page: page.moves.step(frames)


def _steps() -> list[Binding]:
    found = []
    for modifier, count in (("", 1), ("Shift+", 10), ("Ctrl+", 100)):
        frames = "one frame" if count == 1 else f"{count} frames"
        found.append(Binding(f"{modifier}Left", f"Back {frames}", _step_by(-count)))
        found.append(Binding(f"{modifier}Right", f"On {frames}", _step_by(count)))
    return found


BINDINGS = (
    Binding("Space", "Play or pause", lambda page: page.moves.toggle_play()),
    *_steps(),
    Binding("Home", "First frame", lambda page: page.moves.go_to_first()),
    Binding("End", "Last frame", lambda page: page.moves.go_to_last()),
    Binding("J", "Play backwards; again: faster", lambda page: page.moves.backwards()),
    Binding("K", "Stop", lambda page: page.moves.playback.pause()),
    Binding("L", "Play forwards; again: faster", lambda page: page.moves.forwards()),
    Binding("R", "Begin again at the end (of the range)", lambda page: page.transport.loop.toggle()),
    Binding("I", "Let the range begin here", lambda page: page.moves.mark_in()),
    Binding("O", "Let the range end here", lambda page: page.moves.mark_out()),
    Binding("Shift+I", "Go to the beginning of the range", lambda page: page.moves.go_to_in()),
    Binding("Shift+O", "Go to the end of the range", lambda page: page.moves.go_to_out()),
    Binding("X", "Forget the range", lambda page: page.moves.clear_range()),
    Binding(
        "Ctrl+G", "Go to a frame: type a number or a time such as 1:05.5", lambda page: page.transport.edit_number()
    ),
    Binding("G", "Go to a frame", lambda page: page.transport.edit_number(), listed=False),
    Binding("N", "Next mark of a bad frame", lambda page: page.moves.next_worst()),
    Binding("P", "Previous mark of a bad frame", lambda page: page.moves.previous_worst()),
    Binding("W", "Worst frame; again: the next worst", lambda page: page.errors.go_to_worst()),
    Binding("S", "Next change of scene", lambda page: page.moves.next_scene()),
    Binding("Shift+S", "Previous change of scene", lambda page: page.moves.previous_scene()),
    Binding("B", "Original and reconstruction by turns", lambda page: page.tools.toggle_mode("blink")),
    Binding("V", "Wipe between original and reconstruction", lambda page: page.tools.toggle_mode("wipe")),
    Binding("F", "Show the whole frame too", lambda page: page.tools.film.toggle()),
    Binding("+", "Zoom in", lambda page: page.panes.zoom_by(1.5)),
    Binding("=", "Zoom in", lambda page: page.panes.zoom_by(1.5), listed=False),
    Binding("-", "Zoom out", lambda page: page.panes.zoom_by(1 / 1.5)),
    Binding("0", "Fit the pictures", lambda page: page.panes.fit()),
    Binding("1", "One pixel of the picture to one of the screen", lambda page: page.panes.actual_size()),
    Binding("Z", "Zoom the timeline to the range, or to all of the film", lambda page: page.moves.show_range()),
    Binding("Shift+Z", "Zoom the timeline in around this frame", lambda page: page.timeline.zoom_by(2.0)),
    Binding(
        "Escape", "Take back the last change of the region given to the model", lambda page: page.panes.film.undo()
    ),
)


def binding_for(event: QKeyEvent) -> Binding | None:
    """Return what a key press means on the page, or None."""
    pressed = QKeySequence(event.key() | (event.modifiers() & _MODIFIERS).value)
    for binding in BINDINGS:
        if pressed == QKeySequence(binding.keys):
            return binding
    # Plus needs Shift on some keyboards and not on others.
    sign = event.text()
    return next((binding for binding in BINDINGS if sign in ("+", "-") and binding.keys == sign), None)


def key_rows() -> list[tuple[str, str]]:
    """Return (keys, what they do) for the list of shortcuts."""
    native = QKeySequence.SequenceFormat.NativeText
    return [(QKeySequence(binding.keys).toString(native), binding.words) for binding in BINDINGS if binding.listed]
