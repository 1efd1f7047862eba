"""One start of latentlab, measured from inside; ``bench.py`` runs it in a process of its own.

``python bench_window.py start OUT``            time from process start to the first paint
``python bench_window.py demo OUT SECONDS``     event-loop delay and decode latency while the demo trains
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from PySide6.QtCore import QObject, Qt, QTimer, Slot

from latentlab.app import run_app

if TYPE_CHECKING:
    from latentlab.core.messages import InferenceResult
    from latentlab.ui.main_window import MainWindow

PROBE_MS = 10
DECODE_EVERY_MS = 50
PANE = "bench"


class StartMeasure:
    """Notes when the first picture is on screen, then closes."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def __call__(self, window: MainWindow) -> None:
        """Write the figure and end."""
        seconds = time.time() - psutil.Process().create_time()
        self.out.write_text(json.dumps({"first_paint_s": seconds, "torch_loaded": "torch" in sys.modules}))
        QTimer.singleShot(0, window.close)


class DemoMeasure(QObject):
    """Samples how late a 10 ms timer fires, and how long a decode takes, while the demo trains."""

    def __init__(self, out: Path, seconds: float) -> None:
        super().__init__()
        self.out, self.seconds = out, seconds
        self.delays: list[tuple[float, float]] = []
        self.decodes: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timer)
        self._decode_timer = QTimer(self)
        self._decode_timer.timeout.connect(self._decode)
        self._due = self._asked = self._training_since = 0.0
        self._generation = -1

    def __call__(self, window: MainWindow) -> None:
        """Begin once the window is on screen."""
        self.window = window
        window.context.inference.result_ready.connect(self._on_result)
        self._due = time.perf_counter() + PROBE_MS / 1000
        self._timer.start(PROBE_MS)

    @Slot()
    def _on_timer(self) -> None:
        now = time.perf_counter()
        status = self.window.context.training.status.get()[1]
        if not self._training_since and status is not None and status.step > 0:
            self._training_since = now
            self._first_step = status.step
            QTimer.singleShot(round(self.seconds * 500), self._start_decoding)
            QTimer.singleShot(round(self.seconds * 1000), self._finish)
        if self._training_since:
            self.delays.append((now - self._training_since, max(0.0, now - self._due) * 1000))
        self._due = time.perf_counter() + PROBE_MS / 1000

    @Slot()
    def _start_decoding(self) -> None:
        self._images_per_s = self.window.context.training.status.get()[1].images_per_s
        self._decode_timer.start(DECODE_EVERY_MS)

    @Slot()
    def _decode(self) -> None:
        import numpy as np

        from latentlab.core.messages import DecodeRequest

        dim = self.window.context.training.info.latent_dim
        z = np.random.default_rng(len(self.decodes)).normal(size=(1, dim)).astype(np.float32)
        self._asked = time.perf_counter()
        self._generation = self.window.context.inference.request(PANE, DecodeRequest(z))

    @Slot(str, object)
    def _on_result(self, pane: str, result: InferenceResult) -> None:
        if pane == PANE and result.request.generation == self._generation:
            self.decodes.append((time.perf_counter() - self._asked) * 1000)

    @Slot()
    def _finish(self) -> None:
        self._timer.stop()
        self._decode_timer.stop()
        half = self.seconds / 2  # The second half also decodes; the first only trains.
        self.out.write_text(
            json.dumps(
                {
                    "delays_ms": [delay for at, delay in self.delays if at < half],
                    "settled_delays_ms": [delay for at, delay in self.delays if at >= 10],
                    "decode_ms": self.decodes,
                    "images_per_s": self._images_per_s,
                }
            )
        )
        self.window.close()


def main() -> int:
    """Measure one start."""
    what, out = sys.argv[1], Path(sys.argv[2])
    measure: Any = StartMeasure(out) if what == "start" else DemoMeasure(out, float(sys.argv[3]))
    with tempfile.TemporaryDirectory() as runs:
        return run_app(demo=what == "demo", runs_root=Path(runs), on_first_paint=measure)


if __name__ == "__main__":
    sys.exit(main())
