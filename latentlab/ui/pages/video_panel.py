"""Panels beside the pictures of the Video page: each is a tab that somebody else writes and the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QScrollArea, QTabWidget, QToolButton, QWidget

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage


class VideoPanel(QWidget):
    """A tab beside the pictures. Subclasses set the class attributes and override the hooks they need.

    Everything about the open film is read from ``page``: ``clip``, ``frame``, ``range``, ``crop``, ``shown``
    and its signals (see ``VideoPage``). The page calls every hook in the GUI thread.
    """

    key: ClassVar[str] = ""
    title: ClassVar[str] = ""
    tooltip: ClassVar[str] = ""

    def __init__(self, page: VideoPage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.page = page
        self.setAccessibleName(self.title)

    def tick(self) -> None:
        """Refresh from slots whose version moved. Called at 30 Hz while the panel is on screen."""

    def restart(self) -> None:
        """Forget the model: a new training started or another run was opened."""

    def apply_theme(self) -> None:
        """Recolour what style sheets do not reach."""

    def save_state(self) -> dict[str, object]:
        """Return JSON-able choices to remember."""
        return {}

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; must accept anything, however old."""

    def close_down(self) -> None:
        """Release timers and threads; called once at shutdown."""


class SidePanels(QTabWidget):
    """The tabs. Hidden until one is asked for, and gone again at a second click on the page's button.

    Thread: GUI.
    """

    wanted = Signal(bool)  # whether the tabs are to be seen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Panels beside the pictures")
        self.setToolTip("Panels about the film; choose one by its tab")
        self.setDocumentMode(True)
        self.setMinimumWidth(260)
        self.panels: dict[str, VideoPanel] = {}
        for button, words in zip(
            self.tabBar().findChildren(QToolButton), ("Tabs to the left", "Tabs to the right"), strict=False
        ):
            button.setToolTip(words)
            button.setAccessibleName(words)
        self.hide()

    def add(self, panel: VideoPanel) -> None:
        """Append a panel as the last tab.

        Raises
        ------
        ValueError
            If there is a panel of this key already.
        """
        if panel.key in self.panels:
            raise ValueError(f"there is a panel {panel.key} already")
        self.panels[panel.key] = panel
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(panel)
        area.setAccessibleName(panel.title)
        area.setToolTip(panel.tooltip)
        area.setMinimumWidth(panel.minimumSizeHint().width() + area.verticalScrollBar().sizeHint().width())
        self.setTabToolTip(self.addTab(area, panel.title), panel.tooltip)
        # A minimum set by hand overrules what the tabs ask for: without this the widest panel is cut at its right.
        self.setMinimumWidth(max(self.minimumWidth(), self.minimumSizeHint().width()))

    def show_panel(self, key: str) -> None:
        """Bring a panel to the front and the tabs on screen."""
        for place, known in enumerate(self.panels):
            if known == key:
                self.setCurrentIndex(place)
                self.set_wanted(True)

    def current(self) -> str:
        """Return the key of the panel in front, empty when there is none."""
        keys = list(self.panels)
        return keys[self.currentIndex()] if keys else ""

    @Slot(bool)
    def set_wanted(self, wanted: bool) -> None:
        """Show or hide the tabs."""
        wanted = wanted and bool(self.panels)
        if wanted == self.isHidden():
            self.setVisible(wanted)
            self.wanted.emit(wanted)

    def tick(self) -> None:
        """Refresh the panel in front, while it is on screen."""
        panel = self.panels.get(self.current())
        if panel is not None and panel.isVisible():
            panel.tick()

    def save_state(self) -> dict[str, object]:
        """Return which panel is in front, and every panel's own choices."""
        own = {key: panel.save_state() for key, panel in self.panels.items()}
        return {"shown": not self.isHidden(), "current": self.current(), "panels": own}

    def restore_state(self, state: object) -> None:
        """Take over what ``save_state`` returned, as far as it still means something."""
        if not isinstance(state, dict):
            return
        own = state.get("panels")
        for key, panel in self.panels.items():
            choices = own.get(key) if isinstance(own, dict) else None
            panel.restore_state(choices if isinstance(choices, dict) else {})
        if state.get("current") in self.panels:
            self.setCurrentIndex(list(self.panels).index(str(state["current"])))
        self.set_wanted(state.get("shown") is True)
