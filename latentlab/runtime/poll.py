"""The window's heartbeat: 30 Hz callbacks, and how late the event loop runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from latentlab.runtime.rolling import Rolling

POLL_HZ = 30
PROBE_MS = 20


class EventLoopMonitor(QObject):
    """Measures how long an event would have waited for the event loop.

    A precise timer is due every ``PROBE_MS``; how late it fires is what a click at that moment
    would have waited. The probe itself costs about 20 µs.

    Thread: GUI. ``delay`` may be read from any thread; its unit is milliseconds.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.delay = Rolling(3000)
        self._due = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(PROBE_MS)
        self._timer.timeout.connect(self._on_timeout)

    def start(self) -> None:
        """Begin measuring."""
        self._due = time.perf_counter() + PROBE_MS / 1000
        self._timer.start()

    def stop(self) -> None:
        """Stop measuring; what was measured stays readable."""
        self._timer.stop()

    @Slot()
    def _on_timeout(self) -> None:
        now = time.perf_counter()
        self.delay.add(max(0.0, (now - self._due) * 1000))
        self._due = now + PROBE_MS / 1000


class Poller(QObject):
    """Calls every registered callback about 30 times a second in the GUI thread.

    A callback that raises is reported through ``sys.excepthook`` and keeps its place, so that one
    broken view cannot stop the others.

    Attributes
    ----------
    monitor
        Event-loop delay since ``start``; ``monitor.delay.summary().median`` is the status bar's "window 4 ms".
    cost
        Milliseconds that one round of all callbacks took.
    """

    def __init__(self, parent: QObject | None = None, *, hz: float = POLL_HZ) -> None:
        super().__init__(parent)
        self.monitor = EventLoopMonitor(self)
        self.cost = Rolling(300)
        self._callbacks: list[Callable[[], None]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(round(1000 / hz))
        self._timer.timeout.connect(self._on_timeout)

    def add(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` at every tick from now on; adding it twice changes nothing."""
        if callback not in self._callbacks:
            self._callbacks.append(callback)

    def remove(self, callback: Callable[[], None]) -> None:
        """Stop calling ``callback``; unknown callbacks are ignored."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def start(self) -> None:
        """Begin ticking and measuring."""
        self._timer.start()
        self.monitor.start()

    def stop(self) -> None:
        """Stop ticking and measuring."""
        self._timer.stop()
        self.monitor.stop()

    @property
    def running(self) -> bool:
        """Whether the timer ticks."""
        return self._timer.isActive()

    @property
    def delay_ms(self) -> float:
        """Median event-loop delay of the last half minute, in milliseconds."""
        return self.monitor.delay.median()

    @Slot()
    def _on_timeout(self) -> None:
        began = time.perf_counter()
        for callback in tuple(self._callbacks):
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - any view may be broken in any way; the others go on.
                sys.excepthook(type(error), error, error.__traceback__)
        self.cost.add((time.perf_counter() - began) * 1000)
