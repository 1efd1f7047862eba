"""One start of the app from the command line: what happens after the first paint, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Slot

from latentlab.core.errors import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_OK, InputError, LatentLabError
from latentlab.core.messages import ErrorReport
from latentlab.core.recipe_io import find_recipe
from latentlab.runtime.error_hub import ErrorHub
from latentlab.ui import screenshots, window_memory
from latentlab.ui.opening import identify
from latentlab.ui.page_area import PAGES
from latentlab.ui.status import sentence

if TYPE_CHECKING:
    from latentlab.ui.main_window import MainWindow

PAGE_NAMES = {spec.title.lower(): spec.name for spec in PAGES}


def check_arguments(
    path: Path | None, *, recipe: str | None, screenshot: Path | None, page: str | None, after_s: float
) -> None:
    """Refuse what cannot work before a window opens.

    Raises
    ------
    InputError
        Naming the argument, the reason and what to do.
    """
    if path is not None:
        identify(path)
    if recipe is not None:
        find_recipe(recipe)
    if page is not None and page not in PAGE_NAMES:
        raise InputError(f"There is no page {page}", where="--page", hint=f"Pages: {', '.join(PAGE_NAMES)}")
    if not 0 <= after_s < 1e6:
        raise InputError(f"{after_s} seconds is not a time to wait", where="--after", hint="Give 0 or more seconds.")
    if screenshot is not None:
        _check_screenshot(screenshot)


def _check_screenshot(path: Path) -> None:
    folder = path.expanduser().absolute().parent
    if path.is_dir():
        raise InputError(f"{path} is a folder", where="--screenshot", hint="Give the name of a PNG file.")
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}", where="--screenshot", hint="Make it first.")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise InputError(f"{path} cannot be written", where="--screenshot", hint="Choose a place you may write to.")


@contextmanager
def hooks_installed(errors: ErrorHub, interrupt: Callable[[], None]) -> Iterator[None]:
    """Let the error hub hear every stray exception, and let Ctrl+C and SIGTERM close the window in order.

    Python runs a signal's handler between two instructions of the main thread; the 30 Hz poll
    sees to it that there are some. Thread: main.
    """

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        interrupt()

    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        errors.install()
    except (OSError, LatentLabError) as error:
        errors.report(ErrorReport(f"No log can be written: {error}", "settings folder"))
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, previous[number])
        errors.uninstall()


class Launch(QObject):
    """Drives one start: opens and trains what was asked for once the window is on screen, takes the picture.

    Attributes
    ----------
    exit_code
        What the process should return once the window is closed.

    Thread: GUI.
    """

    def __init__(
        self,
        window: MainWindow,
        *,
        path: Path | None = None,
        recipe: str | None = None,
        screenshot: Path | None = None,
        after_s: float = 0.0,
        page: str | None = None,
    ) -> None:
        super().__init__()
        self.exit_code = EXIT_OK
        self._window = window
        self._path, self._recipe, self._page = path, recipe, page
        self._screenshot = screenshot
        self._after_ms = round(after_s * 1000)
        self._unmade = [spec.name for spec in PAGES]
        window.closed.connect(QCoreApplication.quit)
        window.first_painted.connect(self._on_first_paint)
        if screenshot is not None:
            window.context.training.failed.connect(self._on_failed)
        self._show_first_slot()

    def _show_first_slot(self) -> None:
        """Show the place of the first page, so that nothing else flashes by; it is made after the first paint."""
        if self._page is not None:
            self._window.show_page(PAGE_NAMES[self._page], make=False)
        elif self._recipe is not None:
            self._window.show_page("monitorPage", make=False)
        elif self._screenshot is not None:
            self._window.choose_recipe()
        else:
            window_memory.show_last_page(self._window, make=False)

    @Slot()
    def _on_first_paint(self) -> None:
        if self._window.area.shown in self._unmade:
            self._window.area.page(self._window.area.shown)
        if self._path is not None:
            self._window.commands.open_path(self._path)
            if self._page is not None:
                self._window.show_page(PAGE_NAMES[self._page])
        if self._recipe is not None:
            self._window.control.train_preset(self._recipe)
        if self._screenshot is not None:
            QTimer.singleShot(self._after_ms, self, self._take_picture)
        else:
            window_memory.restore_torn_off(self._window)
        QTimer.singleShot(0, self, self._make_next_page)

    @Slot()
    def _make_next_page(self) -> None:
        """Make the other pages one by one, with the event loop in between."""
        if self._unmade and not self._window.shutdown.begun:
            self._window.area.page(self._unmade.pop(0))
            QTimer.singleShot(0, self, self._make_next_page)

    @Slot()
    def _take_picture(self) -> None:
        assert self._screenshot is not None
        if self._window.shutdown.begun:
            return
        exporter = self._window.commands.exporter
        exporter.finished.connect(self._on_picture)
        path = self._screenshot.expanduser().absolute()
        try:
            exporter.save(screenshots.grab(self._window), path, self._window.area.current_page())
        except Exception as error:  # noqa: BLE001 - nobody is there to close the window.
            self._window.context.errors.report(error, "--screenshot")
            self._fail(ErrorReport.of(error, "--screenshot"))

    @Slot(object)
    def _on_picture(self, path: Path | None) -> None:
        if path is None:
            self._fail(ErrorReport(f"{self._screenshot} cannot be written", "--screenshot"))
        else:
            self._window.close()

    @Slot(object)
    def _on_failed(self, report: ErrorReport) -> None:
        self._fail(report)

    def _fail(self, report: ErrorReport) -> None:
        self.exit_code = EXIT_FAILURE
        sys.stderr.write(f"latentlab: {sentence(report)}\n")
        self._window.close()

    def interrupt(self) -> None:
        """Close the window as its button would; the run is kept. Thread: main, from a signal handler."""
        self.exit_code = EXIT_INTERRUPTED
        QTimer.singleShot(0, self._window, self._window.close)
