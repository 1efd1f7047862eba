"""The Runs page: everything that was trained, compared on the same plots, pictures and settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from latentlab.core.errors import LatentLabError
from latentlab.core.run_facts import write_notes
from latentlab.core.run_listing import SHEETS, Listing, Wish, XAxis
from latentlab.core.sweep_state import SweepState
from latentlab.runtime.run_jobs import RunJobs
from latentlab.runtime.run_list import RunListService
from latentlab.runtime.sweep_service import SweepService
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.page import Page
from latentlab.ui.pages.runs_commands import RunCommands
from latentlab.ui.pages.runs_curves import RunCurves
from latentlab.ui.pages.runs_model import display_name
from latentlab.ui.pages.runs_pictures import RunPictures
from latentlab.ui.pages.runs_settings import RunSettings
from latentlab.ui.pages.runs_sweep import SweepBar
from latentlab.ui.pages.runs_table import RunsTable
from latentlab.ui.pages.runs_tools import NotesEditor, RunTools, name_inner_buttons
from latentlab.ui.widgets.empty_state import EmptyState

EMPTY = "There are no runs yet. Whatever is trained, here or with latentlab train, is listed and compared here."


class RunsPage(Page):
    """A table of runs over what compares the chosen ones. Thread: GUI."""

    object_name = "runsPage"
    title = "Runs"
    icon = "runs"
    tooltip = "All runs, compared"

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.runs = context.runs or RunListService(context.runs_root, self)
        self.sweeps = context.sweeps or SweepService(self)
        self.jobs = context.run_jobs or RunJobs(self)
        self._owned = [one for one in (self.runs, self.sweeps, self.jobs) if one.parent() is self]
        self.commands = RunCommands(context, self.jobs, self.sweeps, self)
        self.tools, self.bar, self.table, self.notes = RunTools(), SweepBar(), RunsTable(), NotesEditor()
        self.curves, self.pictures, self.settings = RunCurves(), RunPictures(), RunSettings()
        self._seen: dict[str, int] = {}
        self._wish = Wish()
        self._build()
        self._connect()

    def _build(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Comparison of the chosen runs")
        self.tabs.setToolTip("What to compare: curves, pictures or settings (arrow keys)")
        self.tabs.setUsesScrollButtons(False)
        for widget, words, tip in (
            (self.curves, "Curves", "The chosen runs on the same plots"),
            (self.pictures, "Pictures", "Previews of the chosen runs side by side at the same step"),
            (self.settings, "Settings", "Settings in which the chosen runs differ"),
        ):
            self.tabs.setTabToolTip(self.tabs.addTab(widget, words), tip)
        self.tabs.tabBar().setToolTip("What to compare: curves, pictures or settings (arrow keys)")
        self.tabs.tabBar().setAccessibleName("Comparison")
        upper = QWidget()
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table, 1)
        column.addWidget(self.notes)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(upper)
        self.splitter.addWidget(self.tabs)
        self.splitter.setSizes([340, 380])
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(2 * style.SPACING, style.SPACING, 2 * style.SPACING, style.SPACING)
        column.setSpacing(style.SPACING)
        column.addWidget(self.tools)
        column.addWidget(self.bar)
        column.addWidget(self.splitter, 1)
        self.empty = EmptyState(EMPTY, "Choose a recipe", self.context.choose_recipe, "runs")
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.stack)

        name_inner_buttons(self)

    def _connect(self) -> None:
        commands = self.commands
        self.tools.searched.connect(self.table.rows.set_words)
        self.tools.wanted.connect(self._do)
        self.tools.export_wanted.connect(self._export)
        self.tools.sweep_wanted.connect(self._start_sweep)
        self.table.compared_changed.connect(self._on_compared)
        self.table.opened.connect(self._open)
        self.table.trash_wanted.connect(self._trash)
        self.notes.edited.connect(self._keep_notes)
        self.curves.axis_changed.connect(self._on_axis)
        self.pictures.wanted.connect(self._on_pictures_wanted)
        self.bar.pause_wanted.connect(commands.toggle_pause)
        self.bar.stop_wanted.connect(self.sweeps.stop)
        self.bar.resume_wanted.connect(commands.go_on)
        self.bar.report_wanted.connect(commands.report_sweep)
        self.bar.compare_wanted.connect(self._compare_sweep)
        self.jobs.done.connect(self.runs.look_now)
        self.sweeps.changed.connect(self.runs.look_now)
        self.runs.failed.connect(self.context.errors.report)
        self.empty.button.setToolTip("Show the recipes to start from")

    # -- hooks ------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Show what the thread has found since the last tick."""
        if self._moved("listing", self.runs.listing.version):
            self._show_listing()
        if self._moved("sheets", self.runs.sheets.version):
            _, sheets = self.runs.sheets.get()
            if sheets is not None and sheets.wish.runs == self._wish.runs:
                self.pictures.show_sheets(sheets)
        if self._moved("sweep", self.sweeps.state.version):
            self._show_bar()
        if self.curves.isVisible():
            self.curves.tick()

    def _moved(self, what: str, version: int) -> bool:
        moved = self._seen.get(what) != version
        self._seen[what] = version
        return moved

    def status_text(self) -> str:
        """Return how many runs there are."""
        count, shown = self.table.runs.rowCount(), self.table.rows.rowCount()
        return f"{count} runs" if count == shown else f"{shown} of {count} runs"

    def key_rows(self) -> list[tuple[str, str]]:
        """Return the keys of the page."""
        return [
            ("Ctrl+F", "Search the runs"),
            ("Enter", "Open the run"),
            ("Del", "Move the chosen runs to the trash"),
            ("T", "Test values instead of training values"),
            ("L", "Logarithmic y axes"),
        ]

    def apply_theme(self) -> None:
        """Recolour plots, swatches and grounds."""
        self.curves.apply_theme()
        self.pictures.apply_theme()
        self.settings.apply_theme()
        self.table.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the folder while the page is on screen."""
        super().showEvent(event)
        self.runs.look(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Look away."""
        super().hideEvent(event)
        self.runs.look(False)

    def save_state(self) -> dict[str, object]:
        """Return splitter, columns and what is drawn."""
        return {
            "splitter": self.splitter.sizes(),
            "metrics": list(self.curves.chosen),
            "tab": self.tabs.currentIndex(),
            "jobs": self.tools.jobs.value(),
        }

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned."""
        sizes, metrics, tab, jobs = (state.get(key) for key in ("splitter", "metrics", "tab", "jobs"))
        if isinstance(sizes, list) and len(sizes) == 2 and all(isinstance(size, int) and size > 0 for size in sizes):
            self.splitter.setSizes(sizes)
        if isinstance(metrics, list):
            self.curves.chosen = [name for name in metrics if isinstance(name, str)]
        if isinstance(tab, int) and 0 <= tab < self.tabs.count():
            self.tabs.setCurrentIndex(tab)
        if isinstance(jobs, int) and jobs > 0:
            self.tools.jobs.setValue(jobs)

    def close_down(self) -> None:
        """End the services that the page made for itself."""
        for service in self._owned:
            while not service.shutdown(1000):
                continue

    # -- what is shown ----------------------------------------------------------------------------

    def _show_listing(self) -> None:
        _, listing = self.runs.listing.get()
        listing = listing or Listing()
        self.table.set_listing(listing)
        something = bool(listing.runs or listing.sweeps)
        self.stack.setCurrentIndex(int(something))
        self._show_chosen()
        self._show_bar()

    def _show_chosen(self) -> None:
        facts = self.table.facts_of(self.table.compared)
        labels = self._labels()
        self.tools.allow(self.commands.reasons(facts))
        self.settings.show_runs(facts, labels)
        one = facts[0] if len(facts) == 1 else None
        self.notes.show_notes(one.note if one else "", one.tags if one else (), enabled=one is not None)

    def _labels(self) -> list[str]:
        """Return what the compared runs are called: in a sweep by what is special about them."""
        special = {state.folder / run.name: run.label for state in self.table.runs.listing.sweeps for run in state.runs}
        return [special.get(facts.path, display_name(facts)) for facts in self.table.facts_of(self.table.compared)]

    def _show_bar(self) -> None:
        _, ours = self.sweeps.state.get()
        folder = self.sweeps.folder
        if folder is not None and ours is not None and ours.folder == folder:
            self.bar.show_state(ours, ours=True, busy=True)
            return
        self.bar.show_state(self._sweep_to_show(), ours=False, busy=folder is not None)

    def _sweep_to_show(self) -> SweepState | None:
        """Return the sweep of the chosen runs, else the newest one that is not finished."""
        sweeps = self.table.runs.listing.sweeps
        chosen = {facts.sweep for facts in self.table.facts_of(self.table.compared)}
        for state in sweeps:
            if state.folder in chosen:
                return state
        return next((state for state in sweeps if not state.over), None)

    # -- reactions --------------------------------------------------------------------------------

    @Slot(object)
    def _on_compared(self, compared: list[Path]) -> None:
        self._want(replace(self._wish, runs=tuple(compared), step=None))
        self._show_chosen()
        self._show_bar()

    @Slot(str)
    def _on_axis(self, axis: XAxis) -> None:
        self._want(replace(self._wish, axis=axis))

    @Slot(str, object)
    def _on_pictures_wanted(self, sheet: str, step: int | None) -> None:
        self._want(replace(self._wish, sheet=sheet if sheet in SHEETS else SHEETS[0], step=step))

    def _want(self, wish: Wish) -> None:
        anew = (wish.runs, wish.axis) != (self._wish.runs, self._wish.axis)
        self._wish = wish
        self.runs.want(wish)
        self.pictures.labels = self._labels()
        if anew:
            self.curves.show_runs(self._labels(), self.runs.history)

    @Slot(str)
    def _do(self, name: str) -> None:
        self.commands.do(name, self.table.facts_of(self.table.compared))

    @Slot(object)
    def _open(self, path: Path) -> None:
        self.commands.do("open", self.table.facts_of([path]))

    @Slot()
    def _trash(self) -> None:
        self._do("trash")

    @Slot(str)
    def _export(self, wanted: str) -> None:
        self.commands.export(wanted, self.table.facts_of(self.table.compared))

    @Slot(object)
    def _start_sweep(self, file: Path | None) -> None:
        self.commands.start_sweep(file, self.tools.jobs.value())

    @Slot(object)
    def _compare_sweep(self, state: SweepState) -> None:
        self.tools.search.clear()
        self.table.choose([state.folder / run.name for run in state.runs])

    @Slot(str, object)
    def _keep_notes(self, note: str, tags: tuple[str, ...]) -> None:
        compared = self.table.compared
        if len(compared) != 1:
            return
        try:
            write_notes(compared[0], note, tags)
        except LatentLabError as error:
            self.context.errors.report(error)
        self.runs.look_now()
