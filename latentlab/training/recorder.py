"""The thread that writes metrics and preview pictures, so that a training step never waits for the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from latentlab.core.errors import LatentLabError
from latentlab.core.messages import Floats, Preview, StepMetrics
from latentlab.core.run_folder import METRICS, PREVIEWS
from latentlab.training.metrics_db import MetricsWriter
from latentlab.training.preview_files import write_preview
from latentlab.training.vectors_db import VectorsWriter

FLUSH_S = 0.4
PREVIEW_FILES_S = 2.0


class Recorder:
    """Takes metrics and previews from the trainer and writes them within half a second.

    Metrics after step ``truncate_after``, left by a training that was killed, are dropped first.
    Preview files are at most one every two seconds: a fast training would otherwise fill the disk.

    Thread: ``append``, ``preview`` and ``flush`` are for the trainer; one thread of its own does the writing.
    """

    def __init__(self, run: Path, *, truncate_after: int = 0) -> None:
        self._run = run
        self._truncate_after = truncate_after
        self._wake = threading.Condition()
        self._rows: list[StepMetrics] = []
        self._preview: Preview | None = None
        self._last_preview_at = float("-inf")
        self._closing = False
        self._flush_wanted = 0
        self._flush_done = 0
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="latentlab-recorder")

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def append(
        self, step: int, elapsed_s: float, values: Mapping[str, float], vectors: Mapping[str, Floats] | None = None
    ) -> None:
        """Hand over the metrics of one step; raises what went wrong in earlier writing."""
        self._raise_failure()
        with self._wake:
            self._rows.append(StepMetrics(step, elapsed_s, values, vectors or {}))
            if len(self._rows) == 1:
                self._wake.notify_all()

    def preview(self, preview: Preview, *, always: bool = False) -> None:
        """Hand over preview pictures; ``always`` writes them however recent the last ones are."""
        now = time.monotonic()
        with self._wake:
            if always or now - self._last_preview_at >= PREVIEW_FILES_S:
                self._last_preview_at = now
                self._preview = preview
                self._wake.notify_all()

    def flush(self) -> None:
        """Wait until everything handed over is on disk; raises what went wrong in writing it."""
        with self._wake:
            self._flush_wanted += 1
            wanted = self._flush_wanted
            self._wake.notify_all()
            self._wake.wait_for(lambda: self._flush_done >= wanted or not self._thread.is_alive())
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            writer = MetricsWriter(self._run / METRICS)
            try:
                writer.truncate(self._truncate_after)
                self._serve(writer, VectorsWriter(writer, self._truncate_after))
            finally:
                writer.close()
        except Exception as error:  # noqa: BLE001 - handed to the trainer, which reports it
            self._failure = error
        finally:
            with self._wake:
                self._flush_done = 2**62
                self._wake.notify_all()

    def _serve(self, writer: MetricsWriter, vectors: VectorsWriter) -> None:
        closing = False
        while not closing:
            with self._wake:
                self._wake.wait_for(self._has_work)
                if self._rows and not self._urgent():
                    self._wake.wait_for(self._urgent, FLUSH_S)  # Gather what comes in the meantime.
                rows, self._rows = self._rows, []
                preview, self._preview = self._preview, None
                wanted, closing = self._flush_wanted, self._closing
            for row in rows:
                writer.append(row.step, row.elapsed_s, row.values)
                vectors.append(row.step, row.vectors)
            writer.flush()
            vectors.flush()
            if preview is not None:
                self._write_preview(preview)
            with self._wake:
                self._flush_done = wanted
                self._wake.notify_all()

    def _has_work(self) -> bool:
        return bool(self._rows) or self._preview is not None or self._urgent()

    def _urgent(self) -> bool:
        return self._closing or self._flush_wanted > self._flush_done

    def _write_preview(self, preview: Preview) -> None:
        try:
            write_preview(self._run / PREVIEWS, preview)
        except OSError as error:
            raise LatentLabError(
                f"A preview cannot be written: {error.strerror}", where=str(self._run / PREVIEWS)
            ) from error
