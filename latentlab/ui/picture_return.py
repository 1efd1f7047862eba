"""The way back from an exported picture: its run, its step, its page, its point."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.errors import InputError
from latentlab.core.messages import ErrorReport, ModelInfo
from latentlab.core.picture_origin import Origin
from latentlab.core.recipe_io import recipe_toml
from latentlab.runtime.weights_history import LoadedState
from latentlab.ui.formatting import format_steps
from latentlab.ui.page_area import TITLES
from latentlab.ui.page_state import bring_back
from latentlab.ui.widgets.weights_follow import WeightsFollow

if TYPE_CHECKING:
    from latentlab.ui.main_window import MainWindow

POINT_PAGE = "explorePage"


@dataclass(frozen=True)
class _Way:
    """What is being gone back to."""

    name: str
    run: Path
    origin: Origin


class PictureReturn(QObject):
    """Opens the run of an exported picture, pins its step, and shows its page as it was. Thread: GUI.

    Signals
    -------
    returned
        The picture's page shows its state.
    """

    returned = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._way: _Way | None = None
        self._follow: WeightsFollow | None = None
        window.context.training.run_started.connect(self._on_run_started)

    def go(self, picture: Path, run: Path, origin: Origin) -> None:
        """Go back to where ``picture`` was exported."""
        window = self._window
        self._way = _Way(picture.name, run, origin)
        info = window.context.training.info
        if info is not None and info.run is not None and info.run.resolve() == run.resolve():
            self._pin()
        else:
            window.control.open_run(run)

    @Slot(object)
    def _on_run_started(self, info: ModelInfo) -> None:
        way = self._way
        if way is not None and info.run is not None and info.run.resolve() == way.run.resolve():
            self._pin()
        else:
            self._way = None  # Another run was opened in the meantime.

    def _pin(self) -> None:
        assert self._way is not None
        if self._follow is None:
            self._follow = WeightsFollow.of(self._window.context)
            self._follow.arrived.connect(self._on_arrived)
        self._show_page()
        if not self._follow.pin(self._way.origin.step, self._way.origin.fingerprint, quiet=True):
            self._fail(f"{self._way.name} cannot be gone back to: the run has no weights to look at")

    def _show_page(self) -> None:
        assert self._way is not None
        page = self._way.origin.page or POINT_PAGE
        self._window.show_page(page if page in TITLES else "monitorPage")

    @Slot(object)
    def _on_arrived(self, state: LoadedState) -> None:
        way, self._way = self._way, None
        if way is None:
            return
        page = self._window.area.page(way.origin.page or POINT_PAGE)
        if page is not None:
            bring_back(page, way.origin)
        if state.snapshot is None:
            self._window.context.errors.report(
                ErrorReport(
                    f"{way.name} shows step {format_steps(way.origin.step)}, which its run no longer has",
                    str(way.run),
                    "The same point is shown with the newest weights.",
                    expected=True,
                )
            )
        else:
            self._tell(way, state)
        self.returned.emit()

    def _tell(self, way: _Way, state: LoadedState) -> None:
        """Say where one is, and what is not as it was."""
        assert state.snapshot is not None
        step, context = format_steps(way.origin.step), self._window.context
        if not state.exact:
            context.errors.report(
                ErrorReport(
                    f"The weights of step {step} are not those that made {way.name}",
                    str(way.run),
                    "The run was trained again, or its files were replaced: the picture may differ.",
                    expected=True,
                )
            )
        elif way.origin.recipe and way.origin.recipe != recipe_toml(state.snapshot.info.recipe):
            context.show_message(f"{way.name}: step {step}, as exported; settings were changed after the run's start.")
        else:
            sure = "exactly as exported" if way.origin.fingerprint else "as exported"
            context.show_message(f"{way.name}: step {step} of {way.run.name}, {sure}.")

    def _fail(self, what: str) -> None:
        way, self._way = self._way, None
        self._window.context.errors.report(InputError(what, where=str(way.run) if way is not None else ""))
