"""The runs as a table: what each column says, how it sorts, and which rows a search leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from latentlab.core.run_facts import RunFacts
from latentlab.core.run_listing import Listing
from latentlab.ui.formatting import MISSING, format_duration, format_steps, format_value
from latentlab.ui.toolbar import short_run_name

Index = QModelIndex | QPersistentModelIndex
FACTS, THUMBNAIL, SORT, SUBTITLE = (Qt.ItemDataRole.UserRole + i for i in range(4))
STATE_WORDS = {
    "training": "training",
    "finished": "finished",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "failed": "failed",
    "new": "not begun",
}


def display_name(facts: RunFacts) -> str:
    """Return what a run is called on screen: short, with its sweep's number where it has one."""
    return short_run_name(facts.path.name)


def latest(facts: RunFacts, metric: str) -> float | None:
    """Return the newest test value of a metric, or the training's where there is none."""
    value = facts.latest.get(f"test_{metric}", facts.latest.get(metric))
    return None if value is None else float(value)


@dataclass(frozen=True)
class Column:
    """One column: its heading and tooltip, what it shows, and what it sorts by."""

    title: str
    tooltip: str
    text: Callable[[RunFacts], str]
    key: Callable[[RunFacts], Any]
    number: bool = False


def _figure(metric: str) -> tuple[Callable[[RunFacts], str], Callable[[RunFacts], Any]]:
    def key(facts: RunFacts) -> float:
        value = latest(facts, metric)
        return float("inf") if value is None or value != value else value

    return (lambda facts: format_value(latest(facts, metric))), key


def _started(facts: RunFacts) -> str:
    return f"{datetime.fromtimestamp(facts.started):%d %b %H:%M}" if facts.started else MISSING


COLUMNS = (
    Column("Run", "Name and recipe; a bar in a run's colour marks those compared below",
           display_name, lambda facts: facts.name),
    Column("Started", "When the training began", _started, lambda facts: facts.started),
    Column("State", "What became of it, and its step of all steps",
           lambda f: f"{STATE_WORDS[f.state]}\n{format_steps(f.step)} / {format_steps(f.steps)}",
           lambda f: (f.state, f.step)),
    Column("Test pixel", "Newest pixel loss on test images, MSE in [0,1] units: lower is better",
           *_figure("pixel"), number=True),
    Column("Best", "Best test score so far and its step: pixel loss, or energy distance where there is no encoder",
           lambda f: MISSING if f.best is None else f"{format_value(f.best[1])}\nat {format_steps(f.best[0])}",
           lambda f: float("inf") if f.best is None else f.best[1], number=True),
    Column("KLD/dim", "Newest KLD per latent dimension, nats; on test images where it is measured there",
           *_figure("kld_per_dim"), number=True),
    Column("Trained", "Time trained, pauses excluded", lambda f: format_duration(f.elapsed_s),
           lambda f: f.elapsed_s, number=True),
    Column("Differs in", "Settings that differ from what is usual among runs of the same kind of model",
           lambda f: "", lambda f: ""),
    Column("Tags, note", "What you wrote about it",
           lambda f: "\n".join(filter(None, (" ".join(f"#{tag}" for tag in f.tags), f.note))),
           lambda f: (" ".join(f.tags), f.note)),
)  # fmt: skip
DIFFERS = 7


class RunsModel(QAbstractTableModel):
    """The newest listing. Thread: GUI."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.listing = Listing()

    def set_listing(self, listing: Listing) -> None:
        """Show another listing; rows stay where the same runs are listed."""
        same = [f.path for f in listing.runs] == [f.path for f in self.listing.runs]
        if not same:
            self.beginResetModel()
            self.listing = listing
            self.endResetModel()
            return
        self.listing = listing
        if listing.runs:
            self.dataChanged.emit(self.index(0, 0), self.index(len(listing.runs) - 1, len(COLUMNS) - 1))

    def facts(self, row: int) -> RunFacts:
        """Return the run of a row."""
        return self.listing.runs[row]

    def rowCount(self, parent: Index | None = None) -> int:
        """Return the number of runs."""
        return 0 if parent is not None and parent.isValid() else len(self.listing.runs)

    def columnCount(self, parent: Index | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return a heading, or its explanation."""
        if orientation is Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if COLUMNS[section].number else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{COLUMNS[section].tooltip}. Click to sort."
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows, sorts by, or says of itself."""
        facts, column = self.facts(index.row()), COLUMNS[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._special(facts) if index.column() == DIFFERS else column.text(facts)
        if role == SORT:
            return self._special(facts) if index.column() == DIFFERS else column.key(facts)
        if role == FACTS:
            return facts
        if role == THUMBNAIL:
            return self.listing.thumbnails.get(facts.path)
        if role == SUBTITLE:
            return subtitle(facts)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tooltip(facts, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole and column.number:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _special(self, facts: RunFacts) -> str:
        return self.listing.special.get(facts.path, "")

    def _tooltip(self, facts: RunFacts, column: int) -> str:
        if column == DIFFERS:
            return self._special(facts).replace(", ", "\n") or "Nothing unusual"
        lines = [facts.name, facts.recipe.title, f"{facts.recipe.model.kind} on {facts.recipe.data.spec}"]
        lines += [f"Forked from {facts.forked_from}"] if facts.forked_from else []
        lines += [facts.problem] if facts.problem else []
        return "\n".join(filter(None, lines))


def subtitle(facts: RunFacts) -> str:
    """Return the second line of a run: its recipe, where it comes from."""
    title = facts.recipe.title or facts.recipe.model.kind
    return f"{title} · fork" if facts.forked_from else title


class RunsFilter(QSortFilterProxyModel):
    """Leaves the rows that hold every word of a search, and sorts by the columns' keys."""

    def __init__(self, source: RunsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: list[str] = []
        self._source = source
        self.setSourceModel(source)
        self.setSortRole(SORT)
        self.setDynamicSortFilter(True)

    def set_words(self, text: str) -> None:
        """Search for these words in name, recipe, data, state, settings, tags and notes."""
        self._words = text.lower().split()
        self.invalidateFilter()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether a run holds all words."""
        if not self._words:
            return True
        facts = self._source.facts(row)
        text = " ".join(
            (
                facts.name,
                facts.recipe.title,
                facts.recipe.model.kind,
                facts.recipe.data.spec,
                STATE_WORDS[facts.state],
                self._source.listing.special.get(facts.path, ""),
                " ".join(f"#{tag}" for tag in facts.tags),
                facts.note,
            )
        ).lower()
        return all(word in text for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:
        """Compare by key; values of different kinds by their text."""
        a, b = left.data(SORT), right.data(SORT)
        try:
            return bool(a < b)
        except TypeError:
            return str(a) < str(b)

    def path_at(self, row: int) -> Path:
        """Return the run of a row on screen."""
        return self._source.facts(self.mapToSource(self.index(row, 0)).row()).path
