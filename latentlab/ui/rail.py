"""The rail of pages at the left edge: an icon over a name for each."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolBar, QToolButton, QWidget

from latentlab.ui.actions import PAGE_ACTIONS

BUTTON_WIDTH = 72


class PageRail(QToolBar):
    """One checkable button per page; the checked one is on screen."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__("Pages", parent)
        self.setObjectName("pageRail")
        self.setMovable(False)
        self.setFloatable(False)
        self.setOrientation(Qt.Orientation.Vertical)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._actions = {page: actions[name] for page, name in PAGE_ACTIONS.items()}
        for page, action in self._actions.items():
            button = QToolButton()
            button.setObjectName(f"{page}Button")
            button.setProperty("kind", "rail")
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setIconSize(QSize(22, 22))
            button.setFixedWidth(BUTTON_WIDTH)
            button.setAccessibleName(f"Page {action.iconText()}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.addWidget(button)

    def mark(self, shown: str) -> None:
        """Check the button of the page on screen; none while the welcome is."""
        for page, action in self._actions.items():
            action.setChecked(page == shown)
