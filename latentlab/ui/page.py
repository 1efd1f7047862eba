"""The contract between the main window and its pages."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QWidget

from latentlab.core.messages import Floats
from latentlab.ui.context import AppContext


class Page(QWidget):
    """One page of the main window.

    Subclasses set the class attributes, build their widgets in ``__init__`` and override what they
    need of the hooks below. The window calls every hook in the GUI thread.
    """

    object_name: ClassVar[str] = "page"
    title: ClassVar[str] = "Page"
    icon: ClassVar[str] = "page"
    tooltip: ClassVar[str] = ""

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.setObjectName(self.object_name)
        self.setAccessibleName(self.title)

    def tick(self) -> None:
        """Refresh from slots whose version moved. Called at 30 Hz while the page is visible."""

    def status_text(self) -> str:
        """Return what the status bar should say about this page (e.g. the age of the weights)."""
        return ""

    def apply_theme(self) -> None:
        """Recolour what style sheets do not reach (plots). Called after a theme change."""

    def key_rows(self) -> list[tuple[str, str]]:
        """Return (keys, what they do) of keys that the page handles itself, for the list of shortcuts."""
        return []

    def restart(self) -> None:
        """Forget the previous run: called when a new training starts or another run is opened."""

    def set_point(self, z: Floats, label: int | None = None) -> None:
        """Go to a point in latent space, ``z`` (D,), and a class; pages that show none ignore it."""

    def save_state(self) -> dict[str, object]:
        """Return JSON-able layout to remember (splitter sizes, toggles)."""
        return {}

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; must accept anything, however old."""

    def close_down(self) -> None:
        """Release timers and threads the page owns; called once at shutdown."""
