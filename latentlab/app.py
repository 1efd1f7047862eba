"""The composition root of the window: makes the services, the window, and the event loop around them."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.core.errors import LatentLabError
from latentlab.core.memory import use_huge_pages
from latentlab.core.messages import ErrorReport
from latentlab.core.paths import APP_NAME, runs_dir
from latentlab.launch import Launch, check_arguments, hooks_installed

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from latentlab.runtime.shutdown import Shutdown
    from latentlab.runtime.warmup import WarmupThread
    from latentlab.ui.context import AppContext
    from latentlab.ui.main_window import MainWindow

DEMO_RECIPE = "quickstart"
SCREENSHOT_SIZE = (1280, 800)
_alive: list[object] = []  # Windows whose threads have not ended: dropping them would abort the process.


def limit_thread_environment() -> None:
    """Leave one core to the window: numeric libraries read these when they are first loaded.

    Measured on 2 cores: with a team as large as the machine, training steps fell twenty-fold.
    """
    from latentlab.runtime.threads import torch_threads

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, str(torch_threads()))


def build_application() -> QApplication:
    """Return the running QApplication, or make it; with its name and icon.

    Raises
    ------
    LatentLabError
        If there is no display to show a window on.
    """
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance()
    if not isinstance(app, QApplication):
        _require_display()
        app = QApplication([APP_NAME])
    app.setApplicationName(APP_NAME)
    app.setApplicationDisplayName(APP_NAME)
    app.setDesktopFileName(APP_NAME)
    if app.windowIcon().isNull():
        from latentlab.ui.app_icon import app_icon

        app.setWindowIcon(app_icon())
    return app


def _require_display() -> None:
    """Refuse in a sentence what Qt would refuse by aborting."""
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not chosen and not display:
        raise LatentLabError(
            "There is no display to open a window on",
            where="DISPLAY",
            hint="Set DISPLAY or WAYLAND_DISPLAY; for pictures without a screen set QT_QPA_PLATFORM=offscreen.",
        )


def build_window(
    runs_root: Path | None = None, *, theme: str | None = None, size: tuple[int, int] | None = None, keep: bool = True
) -> MainWindow:
    """Make the services and the window around them; nothing is shown yet.

    ``keep`` False leaves the remembered layout as it is: for pictures and tests.
    """
    from latentlab.runtime.dataset_preview import DatasetPreviewService
    from latentlab.runtime.error_hub import ErrorHub
    from latentlab.runtime.inference import InferenceService
    from latentlab.runtime.kept_weights import KeepService
    from latentlab.runtime.latent_map import MapService
    from latentlab.runtime.latent_survey import SurveyService
    from latentlab.runtime.poll import Poller
    from latentlab.runtime.shutdown import Shutdown
    from latentlab.runtime.threads import share_interpreter
    from latentlab.runtime.training_session import TrainingSession
    from latentlab.runtime.video import VideoService
    from latentlab.runtime.video_export import ExportService
    from latentlab.runtime.warmup import WarmupThread
    from latentlab.runtime.weights_history import HistoryService
    from latentlab.ui import style, window_memory
    from latentlab.ui.context import AppContext
    from latentlab.ui.dialogs.video_export_chip import show_exports
    from latentlab.ui.main_window import MainWindow
    from latentlab.ui.settings_store import SettingsStore

    app = build_application()
    share_interpreter()
    store = SettingsStore(read_only=not keep)
    style.apply_theme(app, theme or window_memory.theme(store))
    context = AppContext(TrainingSession(), InferenceService(), VideoService(), ErrorHub(), runs_root or runs_dir())
    context.exports, context.datasets = ExportService(), DatasetPreviewService()
    context.survey, context.history, context.keeper = SurveyService(), HistoryService(), KeepService()
    context.maps = MapService()
    for follower in (context.inference, context.survey):
        follower.bind(context.training.weights)
    poller, shutdown, warmup = Poller(), Shutdown(), WarmupThread()
    window = MainWindow(context, store, poller, shutdown)
    shutdown.add("the training", context.training)
    shutdown.add("the explorer", context.inference)
    shutdown.add("the survey", context.survey)
    _add_run_services(context, shutdown)
    shutdown.add("the weights' history", context.history)
    shutdown.add("the exported pictures", context.keeper)
    shutdown.add("the map", context.maps)
    shutdown.add("the video", context.video)
    shutdown.add("the export", context.exports)
    shutdown.add("the look at films", context.datasets)
    shutdown.add("torch's first import", warmup)
    show_exports(window, context.exports)
    window_memory.restore(window, size)
    _keep_until_done(window, warmup, shutdown)
    window.first_painted.connect(warmup.start)
    if store.problem:
        context.errors.report(ErrorReport(store.problem, str(store.path)))
    poller.start()
    return window


def _add_run_services(context: AppContext, shutdown: Shutdown) -> None:
    """Make what lists runs, works on them and runs sweeps."""
    from latentlab.runtime.run_jobs import RunJobs
    from latentlab.runtime.run_list import RunListService
    from latentlab.runtime.sweep_service import SweepService

    context.runs, context.sweeps, context.run_jobs = RunListService(context.runs_root), SweepService(), RunJobs()
    shutdown.add("the sweep", context.sweeps)
    shutdown.add("the work on runs", context.run_jobs)
    shutdown.add("the list of runs", context.runs)


def _keep_until_done(window: MainWindow, warmup: WarmupThread, shutdown: Shutdown) -> None:
    """Hold on to everything with a thread until it has ended, at the latest when the process does."""
    from PySide6.QtCore import QTimer

    bundle = (window, warmup, shutdown)
    _alive.append(bundle)

    def let_go() -> None:
        if bundle in _alive:
            _alive.remove(bundle)

    def end_at_exit() -> None:
        if bundle in _alive:
            shutdown.run()

    window.closed.connect(lambda: QTimer.singleShot(0, let_go))  # Not while its close event is being handled.
    atexit.register(end_at_exit)


def create_window(path: Path | None = None, runs_root: Path | None = None) -> MainWindow:
    """Return the shown main window, all pages made, inside a running QApplication.

    Parameters
    ----------
    path
        A run folder, recipe, video, folder of images or exported picture to open; None for the welcome.
    runs_root
        Where new runs are written; the user's runs folder by default.
    """
    from latentlab.ui import window_memory

    window = build_window(runs_root)
    window.show()
    window.make_all_pages()
    window_memory.show_last_page(window)
    if path is not None:
        window.commands.open_path(path)
    return window


def run_app(
    path: Path | None = None,
    *,
    demo: bool = False,
    recipe: str | None = None,
    screenshot: Path | None = None,
    after_s: float = 0.0,
    runs_root: Path | None = None,
    theme: str | None = None,
    page: str | None = None,
    size: tuple[int, int] | None = None,
    on_first_paint: Callable[[MainWindow], None] | None = None,
) -> int:
    """Show the window until it is closed, and return the exit code.

    Parameters
    ----------
    path
        What to open first.
    demo, recipe
        Train the quickstart recipe, or the recipe of this name or file, at once.
    screenshot, after_s
        Save a picture of the window to this PNG so many seconds after it shows, then end.
    runs_root
        Where new runs are written.
    theme, page, size
        Colours (dark, light, system), first page (monitor, explore, condition, video, map), and width and
        height in pixels for this start.
    on_first_paint
        Called once the window's first picture is on screen, for measurements.

    Returns
    -------
    int
        0 done, 1 a training failed before the picture was taken, 130 interrupted.

    Raises
    ------
    LatentLabError
        Before a window shows: a path that does not exist or is nothing latentlab opens, an unknown
        recipe or page, a picture file that cannot be written (exit code 2), no display (1).
    """
    limit_thread_environment()
    use_huge_pages()
    recipe = recipe or (DEMO_RECIPE if demo else None)
    check_arguments(path, recipe=recipe, screenshot=screenshot, page=page, after_s=after_s)
    app = build_application()
    window = build_window(
        runs_root, theme=theme, size=size or (SCREENSHOT_SIZE if screenshot else None), keep=screenshot is None
    )
    launch = Launch(window, path=path, recipe=recipe, screenshot=screenshot, after_s=after_s, page=page)
    if on_first_paint is not None:
        window.first_painted.connect(lambda: on_first_paint(window))
    with hooks_installed(window.context.errors, launch.interrupt):
        window.show()
        app.exec()
        while not window.shutdown.run():
            continue  # A session manager may end the loop before the threads have; they are never cut off.
    return launch.exit_code
