"""The settings in which the compared runs differ, a column for each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from latentlab.core.recipe_io import recipe_fields
from latentlab.core.run_facts import RunFacts, differences, setting_text
from latentlab.ui.pages.runs_table import run_colour


class RunSettings(QTableWidget):
    """Keys down, runs across. Thread: GUI."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Settings that differ")
        self.setToolTip(
            "Settings in which the chosen runs differ; all settings of one run are in the panel once it is open"
        )
        self.verticalHeader().hide()
        self._words = {key: field.description or "" for key, field in recipe_fields()}
        self._facts: list[RunFacts] = []
        self._labels: list[str] = []

    def show_runs(self, facts: Sequence[RunFacts], labels: Sequence[str]) -> None:
        """Compare these runs."""
        if [one.recipe for one in facts] == [one.recipe for one in self._facts] and list(labels) == self._labels:
            return
        self._facts, self._labels = list(facts), list(labels)
        self._fill()

    def _fill(self) -> None:
        differing = differences([one.recipe for one in self._facts])
        self.setColumnCount(1 + len(self._facts))
        self.setRowCount(max(1, len(differing)))
        self.setHorizontalHeaderLabels(["Setting", *self._labels])
        for place in range(len(self._labels)):
            item = self.horizontalHeaderItem(place + 1)
            if item is not None:
                item.setForeground(run_colour(place))
        self.clearContents()
        if not differing:
            self._set(0, 0, "These runs have the same settings" if len(self._facts) > 1 else "Choose two runs or more")
        for row, (key, values) in enumerate(differing.items()):
            self._set(row, 0, key, self._words.get(key, ""))
            for column, value in enumerate(values, 1):
                self._set(row, column, setting_text(value))
        self.resizeColumnsToContents()
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)

    def _set(self, row: int, column: int, text: str, tip: str = "") -> None:
        item = QTableWidgetItem(text)
        item.setToolTip(tip or text)
        self.setItem(row, column, item)

    def apply_theme(self) -> None:
        """Recolour the headings."""
        for place in range(len(self._labels)):
            item = self.horizontalHeaderItem(place + 1)
            if item is not None:
                item.setForeground(QColor(run_colour(place)))
