"""A section of the recipe form: a heading, its settings, and the rarely needed ones behind a fold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from latentlab.ui.icons import set_icon
from latentlab.ui.style import SPACING
from latentlab.ui.widgets.setting_row import SettingRow


class SettingSection(QWidget):
    """The settings under one heading.

    ``fold_toggled`` is emitted when the user opens or closes the advanced settings.
    """

    fold_toggled = Signal()

    def __init__(self, name: str, rows: Iterable[SettingRow], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.rows = list(rows)
        self.title = QLabel(name.capitalize())
        self.revert = QToolButton()
        self.fold = QToolButton()
        self.advanced = QWidget()
        self._build()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, SPACING)
        column.setSpacing(SPACING - 2)
        column.addLayout(self._heading())
        inner = QVBoxLayout(self.advanced)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(SPACING - 2)
        for row in self.rows:
            (inner if row.advanced else column).addWidget(row)
        self.fold.setText("More")
        self.fold.setCheckable(True)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setStyleSheet("QToolButton, QToolButton:checked { background: transparent; padding: 4px 8px 4px 0; }")
        self.fold.setToolTip(f"Show or fold away the rarely needed settings of {self.name}")
        self.fold.setAccessibleName(f"More settings of {self.name}")
        self.fold.toggled.connect(self._on_fold_toggled)
        column.addWidget(self.fold)
        column.addWidget(self.advanced)
        self._on_fold_toggled(False)

    def _heading(self) -> QHBoxLayout:
        self.title.setProperty("role", "heading")
        self.revert.setFixedWidth(24)
        self.revert.setToolTip(f"Put every setting of {self.name} back to the recipe's values")
        self.revert.setAccessibleName(f"Revert section {self.name}")
        set_icon(self.revert, "reset", "muted")
        self.revert.clicked.connect(self.revert_all)
        keep = self.revert.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.revert.setSizePolicy(keep)
        line = QHBoxLayout()
        line.addWidget(self.title)
        line.addStretch(1)
        line.addWidget(self.revert)
        return line

    def _on_fold_toggled(self, opened: bool) -> None:
        set_icon(self.fold, "chevron_down" if opened else "chevron_right", "muted")
        self.fold.setText("Fewer" if opened else "More")
        self.advanced.setVisible(opened)
        self.fold_toggled.emit()

    def revert_all(self) -> None:
        """Put every setting back to the recipe's value."""
        for row in self.rows:
            row.revert_to_baseline()

    def refresh(self, values: Mapping[str, Any], kind: str, errors: Mapping[str, str]) -> None:
        """Show what applies to a model ``kind`` beside these section ``values``, and the problems at their fields."""
        hidden_advanced = 0
        for row in self.rows:
            shown = applies(row, values, kind)
            row.setVisible(shown)
            row.set_error(errors.get(row.key, "") if shown else "")
            hidden_advanced += row.advanced and not shown
            if row.advanced and row.message and not self.fold.isChecked():
                self.fold.setChecked(True)
        self.fold.setVisible(sum(row.advanced for row in self.rows) > hidden_advanced)
        self.revert.setVisible(any(row.modified for row in self.rows))


def applies(row: SettingRow, values: Mapping[str, Any], kind: str) -> bool:
    """Return whether a setting has an effect for this model kind and these neighbours."""
    if row.kinds and kind not in row.kinds:
        return False
    return all(values.get(key) in allowed for key, allowed in row.when.items())
