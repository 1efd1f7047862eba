"""How quickly the Explore page answers while a training runs; ``bench.py`` runs it in a process of its own.

``python bench_explore.py DIMENSIONS OUT MOVES``   a 64x64 convolutional VAE trains on two cores; the page is opened,
sliders are moved one by one, then dragged at 125 moves a second for as long as 10 ms times MOVES

Written to OUT: ``open_ms`` from the wish for the page until its sliders are painted, ``move_ms`` from each move
until the pixels of its picture are drawn, ``frame_ms`` between different pictures drawn during the drag, ``stale`` how
often a picture was drawn after a newer one, ``last_is_newest`` whether the picture that stays is of the drag's last
point, and nothing more was under way within two seconds.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot

if TYPE_CHECKING:
    from latentlab.core.messages import Floats, InferenceResult
    from latentlab.ui.main_window import MainWindow
    from latentlab.ui.pages.explore import ExplorePage

CORES = 2
REST_MS = 40
DRAG_MS = 8
SETTLE_S = 3.0
LOOKS, LOOK_MS = 100, 20


class ExploreMeasure(QObject):
    """Opens the page of a window that trains, moves sliders and drags one."""

    def __init__(self, out: Path, moves: int) -> None:
        super().__init__()
        self.out, self.left, self.moves = out, moves, moves
        self.found: dict[str, Any] = {"move_ms": [], "frame_ms": [], "stale": 0}
        self._chooser = np.random.default_rng(1)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._wait_for_training)
        self._drag_timer = QTimer(self)
        self._drag_timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._drag_timer.timeout.connect(self._drag)
        self._asked = self._drag_began = self._last_frame = self._seen_at = 0.0
        self._generation = self._shown = -1
        self._dragging = False
        self._shown_z: Floats | None = None
        self._looks_left = LOOKS
        self.page: ExplorePage | None = None

    def __call__(self, window: MainWindow) -> None:
        """Begin once the window is on screen."""
        self.window = window
        self._timer.start(50)

    @Slot()
    def _wait_for_training(self) -> None:
        """Wait until steps are taken and there are weights, then open the page."""
        training = self.window.context.training
        status = training.status.get()[1]
        if training.weights.peek()[1] is None or status is None or status.step < 1:
            return
        self._seen_at = self._seen_at or time.monotonic()
        if time.monotonic() - self._seen_at < SETTLE_S:
            return
        self._timer.stop()
        began = time.perf_counter()
        self.window.show_page("explorePage")
        page = self.page = self.window.area.page("explorePage")
        page.tick()
        page.repaint()
        page.panel.sliders.slider(0).repaint()
        self.found["open_ms"] = [(time.perf_counter() - began) * 1000]
        page.decoder.pictured.connect(self._on_picture)
        page.stage.picture.installEventFilter(self)
        QTimer.singleShot(round(SETTLE_S * 1000), self._move)

    @Slot()
    def _move(self) -> None:
        """Move a slider far enough that the picture changes."""
        page = self.page
        assert page is not None
        if self.left == 0:
            self._begin_drag()
            return
        self.left -= 1
        axis = page.panel.sliders.order[int(self._chooser.integers(min(8, len(page.panel.sliders.order))))]
        slider = page.panel.sliders.slider(axis)
        self._asked = time.perf_counter()
        slider.assign(float(self._chooser.uniform(-2.5, 2.5)))

    @Slot(object, object, str)
    def _on_picture(self, result: InferenceResult, _original: object, _caption: str) -> None:
        page = self.page
        assert page is not None
        generation = result.request.generation
        if generation < self._shown:
            self.found["stale"] += 1
        self._shown, self._shown_z = generation, result.request.z[0]
        newest = np.array_equal(result.request.z[0], page.state.point.z)
        if self._asked and newest and not self._dragging:
            page.stage.picture.repaint()  # What is timed ends when the pixels are there, not when they are due.
            self.found["move_ms"].append((time.perf_counter() - self._asked) * 1000)
            self._asked = 0.0
            QTimer.singleShot(REST_MS + int(self._chooser.integers(40)), self._move)

    def _begin_drag(self) -> None:
        self._dragging = True
        self._drag_began = time.perf_counter()
        self._drag_timer.start(DRAG_MS)

    @Slot()
    def _drag(self) -> None:
        """Swing the current slider to and fro, as a hand does."""
        page = self.page
        assert page is not None
        spent = time.perf_counter() - self._drag_began
        slider = page.panel.sliders.slider(page.panel.sliders.current)
        if spent < self.moves / 100:
            slider.assign(float(2.5 * np.sin(2.5 * spent)))
            return
        self._drag_timer.stop()
        slider.assign(1.25)
        QTimer.singleShot(500, self._finish)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note each painting of a picture that was not on screen before."""
        if event.type() == QEvent.Type.Paint and self._dragging and self._shown != self._generation:
            now = time.perf_counter()
            if self._last_frame:
                self.found["frame_ms"].append((now - self._last_frame) * 1000)
            self._last_frame, self._generation = now, self._shown
        return False

    @Slot()
    def _finish(self) -> None:
        page = self.page
        assert page is not None
        # New weights come several times a second, and each asks for the picture once more.
        if page.decoder.busy and self._looks_left:
            self._looks_left -= 1
            QTimer.singleShot(LOOK_MS, self._finish)
            return
        assert self._shown_z is not None
        last = self._shown_z[page.panel.sliders.current]
        status = self.window.context.training.status.get()[1]
        self.found["last_is_newest"] = bool(abs(float(last) - 1.25) < 1e-6 and not page.decoder.busy)
        self.found["images_per_s"] = [status.images_per_s]
        self.out.write_text(json.dumps(self.found))
        self.window.close()


def main() -> int:
    """Measure one number of latent dimensions."""
    dimensions, out, moves = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    if hasattr(os, "sched_setaffinity"):  # Before any thread starts, so that all are counted on these cores.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    from latentlab.app import run_app
    from latentlab.core.recipe_io import apply_settings, find_recipe, recipe_toml

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = ["data.size=[64,64]", "data.limit=1200", f"model.latent_dim={dimensions}", f"training.steps={10**6}"]
        recipe = folder / "bench.toml"
        recipe.write_text(recipe_toml(apply_settings(find_recipe("vae-arena"), settings)))
        measure = ExploreMeasure(out, moves)
        return run_app(recipe=str(recipe), runs_root=folder / "runs", page="monitor", on_first_paint=measure)


if __name__ == "__main__":
    sys.exit(main())
