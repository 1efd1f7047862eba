"""The table of runs on screen: a picture and two lines for each, any number of them chosen for comparing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFontMetrics, QImage, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from latentlab.core.messages import Images
from latentlab.core.run_facts import RunFacts
from latentlab.core.run_listing import Listing
from latentlab.ui import style
from latentlab.ui.pages.runs_model import DIFFERS, FACTS, SUBTITLE, THUMBNAIL, RunsFilter, RunsModel

ROW_HEIGHT = 54
PICTURE = QSize(80, 45)
SWATCH = 4
WIDTHS = (290, 92, 108, 80, 76, 84, 68, 190, 120)
RUN_COLOURS = ("pixel", "beta", "kld", "feature", "active", "generator", "discriminator", "neutral")
MAX_COMPARED = 24


def run_colour(place: int) -> QColor:
    """Return the colour of the compared run at ``place``: eight hues, then the same paler."""
    hue = style.colour(RUN_COLOURS[place % len(RUN_COLOURS)])
    return style.mix(hue, style.colour("text"), shade_of(place))


def shade_of(place: int) -> float:
    """Return how far the colour at ``place`` is moved towards the text's."""
    return min(0.75, 0.4 * (place // len(RUN_COLOURS)))


class RunDelegate(QStyledItemDelegate):
    """Paints the first column: colour, picture, name and recipe."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.compared: list[Path] = []

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return a row's height."""
        return QSize(WIDTHS[0], ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one run."""
        # Qt's Python types know none of an option's fields.
        rect: QRect = option.rect  # type: ignore[attr-defined]
        state: QStyle.StateFlag = option.state  # type: ignore[attr-defined]
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, style.colour("accent_soft"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, style.colour("line"))
        facts: RunFacts = index.data(FACTS)
        if facts.path in self.compared:
            colour = run_colour(self.compared.index(facts.path))
            painter.fillRect(QRect(rect.left(), rect.top() + 4, SWATCH, rect.height() - 8), colour)
        picture = QRect(rect.left() + SWATCH + 6, rect.top() + (rect.height() - PICTURE.height()) // 2, 0, 0)
        picture.setSize(PICTURE)
        self._paint_picture(painter, picture, index.data(THUMBNAIL))
        self._paint_text(painter, rect.adjusted(SWATCH + PICTURE.width() + 16, 0, -6, 0), index)
        painter.restore()

    @staticmethod
    def _paint_picture(painter: QPainter, rect: QRect, pixels: Images | None) -> None:
        if pixels is None:
            painter.fillRect(rect, style.colour("line"))
            return
        height, width, _ = pixels.shape
        image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(rect, image)

    @staticmethod
    def _paint_text(painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        font = painter.font()
        metrics = QFontMetrics(font)
        middle = rect.center().y()
        lines = (
            (str(index.data()), "text", middle - metrics.height()),
            (str(index.data(SUBTITLE)), "muted", middle + 1),
        )
        for text, colour, top in lines:
            painter.setPen(style.colour(colour))
            line = QRect(rect.left(), top, rect.width(), metrics.height())
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


class RunsTable(QTableView):
    """The runs. ``compared_changed``: the chosen runs, in the order of the rows.

    Thread: GUI.
    """

    compared_changed = Signal(object)  # list[Path]
    opened = Signal(object)  # Path
    trash_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs = RunsModel(self)
        self.rows = RunsFilter(self.runs, self)
        self.delegate = RunDelegate(self)
        self._chosen: list[Path] = []
        self._filling = False
        self.setModel(self.rows)
        self.setItemDelegateForColumn(0, self.delegate)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setSortingEnabled(True)
        self.setAccessibleName("Runs")
        self.setToolTip("Choose runs to compare them below: Ctrl+click adds one, Shift+click a range. Enter opens one.")
        self._set_up_headers()
        self.sortByColumn(1, Qt.SortOrder.DescendingOrder)
        self.selectionModel().selectionChanged.connect(self._on_selection)
        self.doubleClicked.connect(self._on_double_click)
        self.rows.modelReset.connect(self._reselect)

    def _set_up_headers(self) -> None:
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionsMovable(True)
        header.setStretchLastSection(True)
        header.setAccessibleName("Columns")
        header.setToolTip("Click a heading to sort, drag one to move its column")
        for column, width in enumerate(WIDTHS):
            self.setColumnWidth(column, width)
        header.setSectionResizeMode(DIFFERS, QHeaderView.ResizeMode.Interactive)

    def set_listing(self, listing: Listing) -> None:
        """Show a listing; what was chosen stays chosen."""
        self._filling = True
        self.runs.set_listing(listing)
        self._filling = False
        if not self._chosen and self.rows.rowCount():
            self.selectRow(0)

    @property
    def compared(self) -> list[Path]:
        """The chosen runs, in the order of the rows."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.rows.path_at(row) for row in rows[:MAX_COMPARED]]

    def facts_of(self, paths: Sequence[Path]) -> list[RunFacts]:
        """Return what is known of these runs, in their order."""
        known = {facts.path: facts for facts in self.runs.listing.runs}
        return [known[path] for path in paths if path in known]

    def choose(self, paths: Sequence[Path]) -> None:
        """Choose these runs, those of them that are listed."""
        selection = QItemSelection()
        for row in range(self.rows.rowCount()):
            if self.rows.path_at(row) in paths:
                index = self.rows.index(row, 0)
                selection.select(index, index)
        flags = QItemSelectionModel.SelectionFlag
        if not selection.isEmpty():
            self.selectionModel().setCurrentIndex(selection.indexes()[0], flags.NoUpdate)
        self.selectionModel().select(selection, flags.ClearAndSelect | flags.Rows)

    @Slot()
    def _reselect(self) -> None:
        self.choose(self._chosen)

    @Slot()
    def _on_selection(self) -> None:
        if self._filling and not self.selectionModel().hasSelection():
            return  # A reset forgets what was chosen; it comes back in a moment.
        compared = self.compared
        if compared != self._chosen:
            self._chosen = compared
            self.delegate.compared = compared
            self.viewport().update()
            self.compared_changed.emit(compared)

    @Slot(QModelIndex)
    def _on_double_click(self, index: QModelIndex) -> None:
        self.opened.emit(self.rows.path_at(index.row()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Enter, throw away with Delete; the rest is for the table."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.rows.path_at(self.currentIndex().row()))
        elif event.key() == Qt.Key.Key_Delete and self.compared:
            self.trash_wanted.emit()
        else:
            super().keyPressEvent(event)
