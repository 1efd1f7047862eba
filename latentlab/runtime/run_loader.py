"""Opens a run that is on disk, in the background."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QThread, Signal

from latentlab.core.errors import Cancelled, InputError
from latentlab.core.messages import ErrorReport, ModelInfo, Progress, TrainingState
from latentlab.runtime.run_reader import RunReader
from latentlab.runtime.session_sink import Control, SessionSlots
from latentlab.runtime.threads import prepare_torch


class RunLoader(QThread):
    """Fills a session's slots from a run folder: curves first, then pictures, weights and the gallery.

    A run without a checkpoint, or whose data set is gone, still opens: what there is, is shown, and
    a missing checkpoint is reported.

    Attributes
    ----------
    reader
        Knows what was read; a follower goes on with it.
    """

    loaded = Signal(object)  # ModelInfo

    def __init__(self, info: ModelInfo, slots: SessionSlots, control: Control, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run loader")
        self.reader = RunReader(info, slots)
        self.outcome = TrainingState.STOPPED
        self.error: ErrorReport | None = None
        self.complete = False
        self._info = info
        self._slots = slots
        self._control = control

    def run(self) -> None:
        """Read the run. Thread: loader."""
        try:
            self._load()
            self.complete = True
        except Cancelled:
            return
        except Exception as error:  # noqa: BLE001 - a damaged run must not take the window with it.
            self.error = ErrorReport.of(error, f"opening {self._info.run}")
            self.outcome = TrainingState.FAILED

    def _load(self) -> None:
        steps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("Reading the curves", self.reader.read_metrics),
            ("Reading the curves", self.reader.read_vectors),
            ("Reading the events", self.reader.read_events),
            ("Reading the pictures", self.reader.read_preview),
            ("Loading torch", prepare_torch),
            ("Reading the weights", self._read_weights),
        )
        for i, (what, step) in enumerate(steps):
            self._progress(Progress(what, i, len(steps) + 1))
            step()
        self.loaded.emit(self._info)
        self._read_gallery()

    def _progress(self, progress: Progress) -> None:
        if self._control.stopped:
            raise Cancelled
        self._slots.progress.put(progress)

    def _read_weights(self) -> None:
        try:
            self.reader.read_weights()
        except InputError as error:
            self.error = ErrorReport.of(error)

    def _read_gallery(self) -> None:
        """Load pictures of the data set, when it is still where it was."""
        from latentlab.data.catalog import load_dataset
        from latentlab.training.previews import gallery

        recipe = self._info.recipe
        try:
            data = load_dataset(recipe.data, seed=recipe.training.seed, progress=self._progress)
        except InputError:
            return  # Exploring works without them, and so does encoding one's own pictures.
        self._slots.gallery.put(gallery(data))
