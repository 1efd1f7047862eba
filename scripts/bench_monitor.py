"""What the Monitor costs; ``bench.py`` runs each part in a process of its own.

``python bench_monitor.py redraw OUT TIMES``   a new value until the page with eight curves is painted, by length of run
``python bench_monitor.py memory OUT ROWS``    bytes that a logged step of a metric takes
``python bench_monitor.py open OUT ROWS``      a finished run of 25 metrics: until its curves are painted
``python bench_monitor.py cost OUT SECONDS``   training with the page in view, and without a window, in turns
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from latentlab.ui.main_window import MainWindow

LENGTHS = (10**4, 10**6, 10**7)
CURVES = (
    *("kld_per_dim", "beta", "pixel", "feature_matching"),
    *("d_real", "d_recon", "g_fake", "active_units"),
)
METRICS = 25


def _wave(rows: int, phase: float) -> np.ndarray:
    steps = np.arange(1, rows + 1, dtype=np.float64)
    return 1.0 + 0.5 * np.sin(steps / 7000.0 + phase) + 0.2 * np.sin(steps * 1.7 + phase)


def _spin(app: QApplication, ready: Callable[[], Any], timeout_s: float = 120.0) -> None:
    end = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > end:
            raise SystemExit("bench: what was waited for did not come")
        app.processEvents()


def bench_redraw(times: int) -> dict[str, Any]:
    """Append a value, draw every plot, let Qt paint; again and again, at each length of run."""
    from latentlab.app import build_application
    from latentlab.core.messages import TrainingState
    from latentlab.core.recipe_io import find_recipe
    from latentlab.runtime.training_session import TrainingSession
    from latentlab.ui import style
    from latentlab.ui.context import AppContext
    from latentlab.ui.pages.monitor import MonitorPage

    app = build_application()
    style.apply_theme(app, "dark")
    found: dict[str, Any] = {}
    for rows in LENGTHS:
        session: Any = TrainingSession()
        session.recipe, session.state = find_recipe("vaegan-arena"), TrainingState.RUNNING
        steps = np.arange(1, rows + 1, dtype=np.float64)
        for phase, name in enumerate(CURVES):
            session.history.extend(name, steps, _wave(rows, phase))
        page = MonitorPage(AppContext(session, None, None, None, Path()))
        page.resize(1280, 800)
        page.show()
        _spin(app, lambda page=page: (page.tick(), len(page.grid.plots) == 6)[1])
        took = []
        for i in range(times + 3):
            session.history.append(rows + 1 + i, dict.fromkeys(CURVES, 1.0 + 0.1 * (i % 5)))
            start = time.perf_counter()
            page.group.draw_all()
            app.processEvents()
            took.append((time.perf_counter() - start) * 1000)
        found[str(rows)] = took[3:]
        page.close_down()
        page.close()
        page.deleteLater()
        del page, session
        gc.collect()
    return found


def bench_memory(rows: int) -> dict[str, Any]:
    """Fill a history and look at the process."""
    import psutil

    from latentlab.core.buffers import MetricHistory

    process, history = psutil.Process(), MetricHistory()
    steps, values = np.arange(1, rows + 1, dtype=np.float64), _wave(rows, 0.0)
    history.extend("warm", steps[:5000], values[:5000])
    gc.collect()
    before = process.memory_info().rss
    for number in range(METRICS):
        history.extend(f"m{number}", steps, values)
    gc.collect()
    return {"bytes": (process.memory_info().rss - before) / (rows * METRICS)}


def write_run(folder: Path, rows: int) -> Path:
    """Write a finished run of ``rows`` logged steps of 25 metrics; it has no checkpoint."""
    from latentlab.core.messages import ModelInfo
    from latentlab.core.metrics import METRICS as KNOWN
    from latentlab.core.recipe_io import find_recipe, recipe_toml
    from latentlab.core.run_folder import write_model_info
    from latentlab.training.metrics_db import BLOCK_ROWS, MetricsWriter

    recipe = find_recipe("vaegan-arena")
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(recipe_toml(recipe), encoding="utf-8")
    write_model_info(folder, ModelInfo(recipe, (36, 64, 3)), data_name="arena", num_train=10, num_test=2)
    names = [*CURVES, *(name for name in KNOWN if name not in CURVES)][:METRICS]
    writer = MetricsWriter(folder / "metrics.db")
    with writer.transaction() as db:
        db.execute("INSERT INTO layout(id, names) VALUES (1, ?)", (json.dumps(names),))
        waves = np.stack([_wave(rows, phase) for phase in range(METRICS)])
        for start in range(0, rows, BLOCK_ROWS):
            part = slice(start, min(start + BLOCK_ROWS, rows))
            steps = np.arange(part.start + 1, part.stop + 1, dtype=np.float64)
            block = np.concatenate([steps[None], 0.01 * steps[None], waves[:, part]])
            db.execute(
                "INSERT INTO block(layout, first_step, last_step, count, data) VALUES (1, ?, ?, ?, ?)",
                (int(steps[0]), int(steps[-1]), len(steps), block.astype("<f8").tobytes()),
            )
    writer.close()
    return folder


def _window(folder: Path) -> tuple[QApplication, MainWindow]:
    from latentlab.app import build_application, build_window

    app = build_application()
    window = build_window(folder / "runs", size=(1280, 800), keep=False)
    window.show()
    window.show_page("monitorPage")
    end = time.monotonic() + 20.0  # torch is imported meanwhile, as it is after any start.
    _spin(app, lambda: "torch._dynamo" in sys.modules or time.monotonic() > end)
    return app, window


def bench_open(rows: int) -> dict[str, Any]:
    """Open a run in the window and wait until its newest step is painted."""
    with tempfile.TemporaryDirectory() as folder:
        run = write_run(Path(folder) / "finished", rows)
        app, window = _window(Path(folder))
        page, training = window.area.page("monitorPage"), window.context.training
        took = []
        for _ in range(5):
            start = time.perf_counter()
            window.control.open_run(run)
            _spin(app, lambda: _drawn(page, training, rows))
            took.append(time.perf_counter() - start)
            _spin(app, lambda: not training.state.active)
        window.close()
        _spin(app, lambda: window.shutdown.done)
    return {"seconds": took[1:]}


def _drawn(page: Any, training: Any, rows: int) -> bool:
    span = training.history.span()
    if span is None or span[1] < rows or not page.grid.plots:
        return False
    return all(not plot.needs_drawing() and plot.curves[0].has_data for plot in page.grid.plots)


def bench_cost(seconds: float) -> dict[str, Any]:
    """Train in the window; show the page and take the window away, in turns; compare the speeds."""
    with tempfile.TemporaryDirectory() as folder:
        app, window = _window(Path(folder))
        training = window.context.training
        window.control.train_preset("quickstart")
        _spin(app, lambda: training.history.last("pixel") is not None)
        speeds: dict[str, list[float]] = {"shown": [], "headless": []}
        for turn in range(2 * max(3, int(seconds / 10))):
            shown = turn % 2 == 0
            window.setVisible(shown)
            (window.poller.start if shown else window.poller.stop)()
            _run(1.0, busy=shown)
            first = training.status.get()[1]
            _run(4.0, busy=shown)
            last = training.status.get()[1]  # Its own clock: a status comes every few steps only.
            speed = (last.step - first.step) / (last.elapsed_s - first.elapsed_s)
            speeds["shown" if shown else "headless"].append(speed)
        window.setVisible(True)
        window.poller.start()
        window.close()
        _spin(app, lambda: window.shutdown.done)
    pairs = zip(speeds["shown"], speeds["headless"], strict=True)
    return {"percent": [100.0 * (1.0 - a / b) for a, b in pairs], **speeds}


def _run(seconds: float, *, busy: bool) -> None:
    """Let time pass: in the window's event loop, as the app does, or with nothing but the trainer."""
    from PySide6.QtCore import QEventLoop, QTimer

    if not busy:
        time.sleep(seconds)
        return
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


PARTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "redraw": bench_redraw,
    "memory": bench_memory,
    "open": bench_open,
    "cost": bench_cost,
}


def main() -> int:
    """Measure one part."""
    from latentlab.app import limit_thread_environment

    limit_thread_environment()
    what, out, amount = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    found = PARTS[what](float(amount) if what == "cost" else int(amount))
    out.write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
