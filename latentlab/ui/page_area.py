"""The pages: made when first needed, shown one at a time, and torn off into windows of their own."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QStackedWidget, QVBoxLayout, QWidget

from latentlab.core.messages import ErrorReport
from latentlab.ui.context import AppContext
from latentlab.ui.guard import guard_package
from latentlab.ui.page import Page
from latentlab.ui.widgets.empty_state import EmptyState


@dataclass(frozen=True)
class PageSpec:
    """Where a page's class lives; its words and icon are those of its action."""

    name: str
    module: str
    cls: str
    title: str


PAGES = (
    PageSpec("monitorPage", "latentlab.ui.pages.monitor", "MonitorPage", "Monitor"),
    PageSpec("explorePage", "latentlab.ui.pages.explore", "ExplorePage", "Explore"),
    PageSpec("conditionPage", "latentlab.ui.pages.condition", "ConditionPage", "Condition"),
    PageSpec("videoPage", "latentlab.ui.pages.video", "VideoPage", "Video"),
    PageSpec("mapPage", "latentlab.ui.pages.map", "MapPage", "Map"),
    PageSpec("runsPage", "latentlab.ui.pages.runs", "RunsPage", "Runs"),
)
TITLES = {spec.name: spec.title for spec in PAGES}


class PageWindow(QWidget):
    """A page in a window of its own; closing it asks for the page to be put back."""

    put_back_requested = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__(None)
        self.name = name
        self.setObjectName(f"{name}Window")
        self.setWindowTitle(f"{TITLES[name]} – latentlab")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    def take(self, page: Page) -> None:
        """Adopt the page."""
        self._column.addWidget(page)
        page.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask for the page to be put back into the main window."""
        event.ignore()
        self.put_back_requested.emit(self.name)


class PageArea(QStackedWidget):
    """The middle of the window: one slot per page, and the welcome.

    Signals
    -------
    shown_changed
        Name of the slot now shown: a page's object name, or ``welcome``.
    page_added
        A page was made (its object name).

    Thread: GUI.
    """

    shown_changed = Signal(str)
    page_added = Signal(str)

    def __init__(self, context: AppContext, welcome: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.pages: dict[str, Page] = {}
        self.windows: dict[str, PageWindow] = {}
        self._failed: set[str] = set()
        self._slots: dict[str, QWidget] = {"welcome": welcome}
        self.addWidget(welcome)
        for spec in PAGES:
            slot = QWidget()
            column = QVBoxLayout(slot)
            column.setContentsMargins(0, 0, 0, 0)
            self._slots[spec.name] = slot
            self.addWidget(slot)
        self.states: dict[str, dict[str, object]] = {}

    @property
    def shown(self) -> str:
        """Name of the slot on screen."""
        return next(name for name, slot in self._slots.items() if slot is self.currentWidget())

    def show_slot(self, name: str, *, make: bool = True) -> None:
        """Show a page, or the welcome; a page that was torn off has its own window brought to the front.

        With ``make`` False a page that was not made yet leaves its place empty for now: at the start
        the window is on screen sooner that way.
        """
        if make and name != "welcome":
            self.page(name)
        changed = self._slots[name] is not self.currentWidget()
        self.setCurrentWidget(self._slots[name])
        if name in self.windows:
            self.windows[name].raise_()
            self.windows[name].activateWindow()
        if changed:
            self.shown_changed.emit(name)

    def page(self, name: str) -> Page | None:
        """Return a page, made now if need be; None if it cannot be made, which is reported once."""
        if name not in self.pages and name not in self._failed:
            spec = next(spec for spec in PAGES if spec.name == name)
            try:
                page: Page = getattr(importlib.import_module(spec.module), spec.cls)(self._context)
            except Exception as error:  # noqa: BLE001 - a page that cannot be built must not take the window down.
                self._failed.add(name)
                self._fill(name, EmptyState(f"The page {spec.title} could not be built."))
                self._context.errors.report(ErrorReport.of(error, f"page {spec.title}"))
                return None
            guard_package("latentlab.ui.")
            self.pages[name] = page
            self._fill(name, page)
            page.restore_state(self.states.get(name, {}))
            self.page_added.emit(name)
        return self.pages.get(name)

    def _fill(self, name: str, widget: QWidget) -> None:
        column = self._slots[name].layout()
        assert column is not None
        column.addWidget(widget)

    def current_page(self) -> Page | None:
        """Return the page of the active page window, else the one shown in the main window."""
        active = QApplication.activeWindow()
        if isinstance(active, PageWindow):
            return self.pages.get(active.name)
        return self.pages.get(self.shown)

    def visible_pages(self) -> Iterator[Page]:
        """Yield the pages a person can see now."""
        for name, page in self.pages.items():
            if page.isVisible() and (name in self.windows or name == self.shown):
                yield page

    def tear_off(self, name: str, geometry: str = "") -> PageWindow | None:
        """Move a page to its own window, at a remembered place when ``geometry`` is given."""
        page = self.page(name)
        if page is None or name in self.windows:
            return self.windows.get(name)
        window = PageWindow(name)
        window.put_back_requested.connect(self.put_back)
        window.resize(page.size().expandedTo(window.minimumSizeHint()))
        if geometry:
            window.restoreGeometry(QByteArray.fromBase64(geometry.encode("ascii", "ignore")))
        self.windows[name] = window
        self._fill(name, self._torn_off_note(name))
        window.take(page)
        window.show()
        return window

    def _torn_off_note(self, name: str) -> QWidget:
        note = EmptyState(f"{TITLES[name]} is in its own window.", "Put it back", lambda: self.put_back(name), "page")
        note.setObjectName(f"{name}Note")
        return note

    def put_back(self, name: str) -> None:
        """Move a torn-off page back into the main window."""
        window = self.windows.pop(name, None)
        if window is None:
            return
        note = self._slots[name].findChild(EmptyState, f"{name}Note")
        if note is not None:
            note.setParent(None)
            note.deleteLater()
        self._fill(name, self.pages[name])
        self.pages[name].show()
        window.hide()
        window.deleteLater()

    def save_state(self) -> tuple[dict[str, object], dict[str, object]]:
        """Return the pages' own states, and the places of torn-off windows, both by page name."""
        states: dict[str, object] = {**self.states}
        states.update({name: page.save_state() for name, page in self.pages.items()})
        places: dict[str, object] = {
            name: bytes(window.saveGeometry().toBase64().data()).decode("ascii")
            for name, window in self.windows.items()
        }
        return states, places

    def close_windows(self) -> None:
        """Put every torn-off page back, as the window closes."""
        for name in list(self.windows):
            self.put_back(name)
