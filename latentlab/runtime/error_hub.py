"""One place where every error of the process ends up: logged, told once, never a traceback in the face."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, Slot, qInstallMessageHandler

from latentlab.core.errors import Cancelled
from latentlab.core.messages import ErrorReport
from latentlab.core.paths import config_dir

LOG_FILE = "latentlab.log"
REPEAT_AFTER_S = 10.0
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
QtHandler = Callable[[QtMsgType, QMessageLogContext, str], object]


class ErrorHub(QObject):
    """Collects errors from every thread and tells the window about each once.

    ``reported`` is always emitted in the GUI thread, whichever thread the error came from, so a
    slot may touch widgets. Everything is written to a log file in the settings folder as well.

    Parameters
    ----------
    repeat_after_s
        The same sentence from the same place is told again only after this many seconds; in
        between it is counted and logged.
    """

    reported = Signal(object)  # ErrorReport
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None, *, repeat_after_s: float = REPEAT_AFTER_S) -> None:
        super().__init__(parent)
        self._repeat_after_s = repeat_after_s
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], float] = {}
        self._log = logging.getLogger("latentlab")
        self._handler: logging.Handler | None = None
        self._previous: tuple[Any, Any, Any] | None = None
        self._arrived.connect(self._on_arrived)  # A bound slot: queued when the error comes from a worker.

    def report(self, error: ErrorReport | BaseException, doing: str = "") -> None:
        """Log ``error`` and tell the window, unless it was told the same a moment ago.

        Thread: any. ``Cancelled`` is what the user asked for and is ignored.
        """
        if isinstance(error, Cancelled):
            return
        report = error if isinstance(error, ErrorReport) else ErrorReport.of(error, doing)
        self._log.error("%s [%s] %s\n%s", report.what, report.where, report.hint, report.details)
        if self._is_news(report):
            self._arrived.emit(report)

    def install(self, log_dir: Path | None = None) -> Path:
        """Take over ``sys.excepthook``, ``threading.excepthook`` and Qt's messages; return the log file.

        Thread: GUI. Installing twice changes nothing.
        """
        path = (log_dir or config_dir()) / LOG_FILE
        if self._previous is None:
            self._handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=1, delay=True, encoding="utf-8")
            self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(message)s"))
            self._log.addHandler(self._handler)
            self._previous = (sys.excepthook, threading.excepthook, qInstallMessageHandler(self._on_qt_message))
            sys.excepthook = self._on_exception
            threading.excepthook = self._on_thread_exception
        return path

    def uninstall(self) -> None:
        """Give the hooks back to their previous owners and close the log."""
        if self._previous is None:
            return
        sys.excepthook, threading.excepthook, qt_handler = self._previous
        qInstallMessageHandler(qt_handler)
        self._previous = None
        if self._handler is not None:
            self._log.removeHandler(self._handler)
            self._handler.close()
            self._handler = None

    def _is_news(self, report: ErrorReport) -> bool:
        now = time.monotonic()
        key = (report.what, report.where)
        with self._lock:
            last = self._told.get(key)
            if last is not None and now - last < self._repeat_after_s:
                return False
            self._told[key] = now
            return True

    @Slot(object)
    def _on_arrived(self, report: ErrorReport) -> None:
        self.reported.emit(report)

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Thread: any; PySide calls this in the worker for an exception that left ``QThread.run``."""
        if not issubclass(kind, Exception) and self._previous is not None:
            self._previous[0](kind, error, trace)  # Ctrl+C and exits are not errors.
            return
        self.report(error)

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and isinstance(args.exc_value, Exception):
            self.report(args.exc_value, doing=args.thread.name if args.thread else "")

    def _on_qt_message(self, kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        """Log what Qt says; what it calls critical is told to the user too. Thread: any."""
        self._log.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", text)
        if kind == QtMsgType.QtCriticalMsg and self._is_news(ErrorReport(text, "Qt")):
            self._arrived.emit(ErrorReport(text, "Qt", "The log in the settings folder holds what led to it."))
        previous: QtHandler | None = self._previous[2] if self._previous is not None else None
        if previous is not None:
            previous(kind, context, text)
