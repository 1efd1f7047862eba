"""Opens a run that is on disk, in the background."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, QThread, Signal

from latentlab.core.errors import Cancelled, InputError
from latentlab.core.messages import ErrorReport, ModelInfo, Progress, TrainingState, TrainingStatus
from latentlab.core.run_folder import METRICS
from latentlab.runtime.previews import newest_preview, read_preview
from latentlab.runtime.session_sink import Control, SessionSlots
from latentlab.runtime.threads import prepare_torch


class RunLoader(QThread):
    """Fills a session's slots from a run folder: curves first, then pictures, weights and the gallery.

    A run without a checkpoint or whose data set is gone still opens: curves and pictures are shown,
    and what is missing is reported once.
    """

    loaded = Signal(object)  # ModelInfo

    def __init__(self, info: ModelInfo, slots: SessionSlots, control: Control, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run loader")
        self.outcome = TrainingState.STOPPED
        self.error: ErrorReport | None = None
        self._info = info
        self._slots = slots
        self._control = control

    def run(self) -> None:
        """Read the run. Thread: loader."""
        try:
            self._load()
        except Cancelled:
            return
        except Exception as error:  # noqa: BLE001 - a damaged run must not take the window with it.
            self.error = ErrorReport.of(error, f"opening {self._info.run}")
            self.outcome = TrainingState.FAILED

    def _load(self) -> None:
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("Reading the curves", self._read_metrics),
            ("Reading the pictures", self._read_preview),
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

    def _read_metrics(self) -> None:
        from latentlab.training.metrics_db import read_metrics

        assert self._info.run is not None
        if not (self._info.run / METRICS).is_file():
            return
        for name, (steps, values) in read_metrics(self._info.run).items():
            self._slots.history.extend(name, np.asarray(steps), np.asarray(values))
        span = self._slots.history.span()
        speed = self._slots.history.last("images_per_s")
        self._slots.status.put(
            TrainingStatus(
                step=int(span[1]) if span else 0,
                steps=self._info.recipe.training.steps,
                images_per_s=speed[1] if speed else 0.0,
                elapsed_s=0.0,
                device="",
                memory_mb=0.0,
            )
        )

    def _read_preview(self) -> None:
        assert self._info.run is not None
        sheet = newest_preview(self._info.run)
        if sheet is not None:
            self._slots.previews.put(read_preview(sheet, self._info.image_shape))

    def _read_weights(self) -> None:
        from latentlab.models.weights import read_snapshot

        assert self._info.run is not None
        try:
            self._slots.weights.put(read_snapshot(self._info.run))
        except InputError as error:
            self.error = ErrorReport.of(error)

    def _read_gallery(self) -> None:
        """Load pictures of the data set, when it is still where it was."""
        from latentlab.data.catalog import load_dataset
        from latentlab.training.previews import gallery

        try:
            seed = self._info.recipe.training.seed
            self._slots.gallery.put(gallery(load_dataset(self._info.recipe.data, seed=seed, progress=self._progress)))
        except InputError:
            return  # Exploring works without them; encoding one's own pictures still does too.
