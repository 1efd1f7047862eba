"""A main window whose trainer, pages and video need no torch, and whose parts can be looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout

from latentlab.core.messages import ModelInfo, StepMetrics, TrainingState, TrainingStatus
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import recipe_toml, validate
from latentlab.core.run_folder import write_model_info
from latentlab.runtime.error_hub import ErrorHub
from latentlab.runtime.poll import Poller
from latentlab.runtime.shutdown import Shutdown
from latentlab.runtime.training_session import TrainingSession
from latentlab.ui.context import AppContext
from latentlab.ui.main_window import MainWindow
from latentlab.ui.page import Page
from latentlab.ui.page_area import PageSpec
from latentlab.ui.settings_store import SettingsStore


class RecordingPage(Page):
    """Counts what the window calls."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.ticks = self.restarts = self.themes = self.closings = 0
        self.state: dict[str, object] = {}
        column = QVBoxLayout(self)
        column.addWidget(QLabel(self.title))

    def tick(self) -> None:
        self.ticks += 1

    def status_text(self) -> str:
        return f"{self.title} says so"

    def apply_theme(self) -> None:
        self.themes += 1

    def restart(self) -> None:
        self.restarts += 1

    def save_state(self) -> dict[str, object]:
        return {"mark": self.object_name, **self.state}

    def restore_state(self, state: dict[str, object]) -> None:
        self.state = dict(state)

    def close_down(self) -> None:
        self.closings += 1


def _page(name: str, title: str) -> type[RecordingPage]:
    return type(title, (RecordingPage,), {"object_name": name, "title": title, "icon": title.lower()})


Monitor = _page("monitorPage", "Monitor")
Explore = _page("explorePage", "Explore")
Condition = _page("conditionPage", "Condition")


class Video(RecordingPage):
    """Notes which videos it was asked to open."""

    object_name, title = "videoPage", "Video"

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.videos: list[Path] = []

    def open_video(self, path: Path) -> None:
        self.videos.append(path)


FAKE_VIDEO_PAGE = PageSpec("videoPage", __name__, "Video", "Video")
FAKE_PAGES = (
    PageSpec("monitorPage", __name__, "Monitor", "Monitor"),
    PageSpec("explorePage", __name__, "Explore", "Explore"),
    PageSpec("conditionPage", __name__, "Condition", "Condition"),
    PageSpec("videoPage", __name__, "NotThere", "Video"),  # A page that cannot be built.
)


class Service(QObject):
    """Inference or video, at rest."""

    def shutdown(self, timeout_ms: int = 0) -> bool:
        return True


class Trainer:
    """Steps through a recipe like ``fit``; ``fail_at`` raises at that step, ``hold`` keeps a step from ending."""

    def __init__(self) -> None:
        self.fail_at = -1
        self.hold = threading.Event()
        self.hold.set()
        self.held = threading.Event()
        self.jobs: list[object] = []
        self.changes: dict[str, object] = {}

    def __call__(self, job, sink) -> bool:
        self.jobs.append(job)
        run = job.resume_run or make_run(job.runs_root / f"run-{len(self.jobs)}", job.recipe)
        sink.on_start(ModelInfo(job.recipe, (16, 16, 1), run=run), "CPU, fake")
        for step in range(1, job.recipe.training.steps + 1):
            sink.wait_if_paused()
            if sink.should_stop():
                return True
            if step == self.fail_at:
                raise RuntimeError("the loss went away")
            if not self.hold.is_set():
                self.held.set()
            assert self.hold.wait(20)
            self.changes |= sink.take_changes()
            threading.Event().wait(0.001)
            sink.on_step(
                StepMetrics(step, step * 0.1, {"pixel": 1.0 / step}),
                TrainingStatus(step, job.recipe.training.steps, 803.0, step * 0.1, "CPU, fake", 812.0),
            )
        return False


def make_run(path: Path, recipe: Recipe | None = None) -> Path:
    """Make a run folder that holds just what marks it as one."""
    path.mkdir(parents=True, exist_ok=True)
    recipe = recipe or Recipe()
    (path / "recipe.toml").write_text(recipe_toml(recipe), encoding="utf-8")
    write_model_info(path, ModelInfo(recipe, (16, 16, 1)), data_name="digits", num_train=10, num_test=2)
    return path


@dataclass
class Built:
    """A window and what is behind it."""

    window: MainWindow
    trainer: Trainer
    errors: list[object]


def build(runs_root: Path, store: SettingsStore | None = None) -> Built:
    """Return a window over fakes, its poll running; the caller shows and closes it."""
    trainer = Trainer()
    errors = ErrorHub(repeat_after_s=0.0)
    runs_root.mkdir(parents=True, exist_ok=True)
    context = AppContext(TrainingSession(engine=trainer), Service(), Service(), errors, runs_root)
    shutdown = Shutdown()
    window = MainWindow(context, store or SettingsStore(), Poller(), shutdown)
    shutdown.add("the training", context.training)
    found: list[object] = []
    errors.reported.connect(found.append)
    window.poller.start()
    return Built(window, trainer, found)


@contextmanager
def open_window(qtbot, runs_root: Path) -> Iterator[Built]:
    """Show a window over fakes; close it and wait for its end."""
    made = build(runs_root)
    made.window.resize(1280, 800)
    made.window.show()
    yield made
    finish(qtbot, made)


def finish(qtbot, made: Built) -> None:
    made.trainer.hold.set()
    finish_real(qtbot, made.window)


def finish_real(qtbot, window: MainWindow) -> None:
    """Close a window, wait until its threads have ended, and delete it."""
    window.close()
    qtbot.waitUntil(lambda: window.shutdown.done, timeout=60_000)
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def train(qtbot, made: Built, steps: int = 100_000, **values: object) -> None:
    made.window.form.set_recipe(validate({"training": {"steps": steps}, **values}), "test")
    made.window.actions_by_name["actionTrain"].trigger()
    training = made.window.context.training
    qtbot.waitUntil(lambda: training.state is not TrainingState.PREPARING, timeout=5000)


def page(made: Built, name: str) -> RecordingPage:
    found = made.window.area.page(name)
    assert isinstance(found, RecordingPage)
    return found


def message(made: Built) -> str:
    return made.window.status.messages.label.text()


def drop(window, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(200, 200), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)
