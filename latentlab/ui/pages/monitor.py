"""The Monitor page: live curves at the left, live pictures and numbers at the right."""

from __future__ import annotations

import threading
import time

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from latentlab.core.messages import Preview, Progress, TrainingState, TrainingStatus
from latentlab.core.recipe import Recipe
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.formatting import format_bytes, format_duration, format_steps, format_value
from latentlab.ui.page import Page
from latentlab.ui.pages.monitor_grid import PlotGrid
from latentlab.ui.pages.monitor_numbers import NumberStrip, ValueTable, scrolled
from latentlab.ui.pages.monitor_pictures import PicturesPane
from latentlab.ui.pages.monitor_strip import ControlStrip
from latentlab.ui.views.plot_config import preload
from latentlab.ui.views.plot_group import ELAPSED, PlotGroup
from latentlab.ui.views.plot_spec import plots_for
from latentlab.ui.widgets.empty_state import EmptyState

EMPTY_TEXT = "Nothing is training yet. Choose a recipe, and its curves and pictures appear here while it learns."
SLOW_TICK_S = 0.25
"""How often numbers and the list of plots are looked at; curves and pictures have their own pace."""
TABLE_SHARE = 0.28
"""Largest share of the page's height that the table takes until the user moves its divider."""
COLUMNS = (63, 37)
"""Shares of plots and pictures of the page's width until the user moves the divider."""
MIN_PICTURES = 192
HELD_TARGETS = ("adaptive", "pi")


class MonitorPage(Page):
    """Follows the training: what it minimises, how fast it goes, and what it makes."""

    object_name = "monitorPage"
    title = "Monitor"
    icon = "monitor"
    tooltip = "Live curves and pictures of the training"

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._session = context.training
        self._preview_version = -1
        self._status_seen: tuple[int, TrainingState] | None = None
        self._slow_at = 0.0
        self._names: tuple[str, ...] = ()
        self._preloading: threading.Thread | None = None
        self._right_by_hand = self._columns_by_hand = False
        self._table_height = 0
        self.group = PlotGroup(self._session.history, self)
        self.group.cursor_moved.connect(self._on_cursor)
        self.numbers = NumberStrip()
        self.controls = ControlStrip(self.group)
        self.grid = PlotGrid(self.group)
        self.controls.log_changed.connect(self.grid.set_log)
        self.pictures = PicturesPane()
        self.table = ValueTable()
        self.empty = EmptyState(EMPTY_TEXT, "Choose a recipe", self._choose_recipe, icon="monitor")
        self._build()
        self.restart()

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, style.SPACING // 2, 0)
        column.setSpacing(style.SPACING)
        column.addWidget(self.controls)
        column.addWidget(self.grid, 1)
        self.right = QSplitter(Qt.Orientation.Vertical)
        self.right.setChildrenCollapsible(True)
        self.right.addWidget(self.pictures)
        self.right.addWidget(scrolled(self.table))
        self.right.setStretchFactor(0, 1)
        self.right.setStretchFactor(1, 0)
        self.right.splitterMoved.connect(self._on_right_moved)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.right)
        self.right.setMinimumWidth(MIN_PICTURES)
        self.splitter.setStretchFactor(0, COLUMNS[0])
        self.splitter.setStretchFactor(1, COLUMNS[1])
        self.splitter.setSizes(list(COLUMNS))
        self.splitter.setChildrenCollapsible(False)
        self.splitter.splitterMoved.connect(self._on_columns_moved)
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(2 * style.SPACING, style.SPACING, 2 * style.SPACING, style.SPACING)
        layout.setSpacing(style.SPACING)
        layout.addWidget(self.numbers)
        layout.addWidget(self.splitter, 1)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(body)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addLayout(self._stack)

    # -- hooks of the window ------------------------------------------------------------------------

    def tick(self) -> None:
        """Refresh what moved; a few milliseconds at most."""
        now = time.monotonic()
        if now - self._slow_at >= SLOW_TICK_S:
            self._slow_at = now
            self._refresh_slowly()
        if self._stack.currentIndex() == 0:
            return
        if self._session.previews.version != self._preview_version:
            self._preview_version, preview = self._session.previews.get()
            self._show_preview(preview)
        self.group.tick()

    def showEvent(self, event: QShowEvent) -> None:
        """Load what plots need once the page is on screen, so that the first plots appear without a pause."""
        super().showEvent(event)
        if self._preloading is None:
            QTimer.singleShot(0, self._preload)

    @Slot()
    def _preload(self) -> None:
        if self._preloading is None:
            self._preloading = preload()

    def close_down(self) -> None:
        """Wait for the import that may still run."""
        if self._preloading is not None:
            self._preloading.join()

    def status_text(self) -> str:
        """Say which pictures are on screen."""
        step = self.pictures.step
        return "" if step is None else f"pictures of step {format_steps(step)}"

    def apply_theme(self) -> None:
        """Recolour curves and pictures."""
        self.grid.apply_theme()
        for widget in (self.numbers, self.table, self.pictures):
            widget.update()
        self.group.draw_all()

    def restart(self) -> None:
        """Start over with the run that the session holds now."""
        recipe = self._recipe()
        self.group.restart(self._session.history, None if recipe is None else float(recipe.training.steps))
        self._preview_version, self._status_seen = -1, None
        self._names = ()
        self._choose_plots()
        self.pictures.clear()
        self.table.set_rows([])
        self.numbers.clear()
        self._refresh_slowly()

    def save_state(self) -> dict[str, object]:
        """Return splitter sizes and the settings of the plots."""
        return {
            "columns": self.splitter.sizes() if self._columns_by_hand else [],
            "right": self.right.sizes() if self._right_by_hand else [],
            "pictures": self.pictures.sizes() if self.pictures.sized_by_hand else [],
            **self.controls.save_state(),
        }

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring them back; what does not fit is ignored."""
        for key, splitter in (("columns", self.splitter), ("right", self.right), ("pictures", self.pictures)):
            sizes = state.get(key)
            if isinstance(sizes, list) and len(sizes) == splitter.count() and all(isinstance(s, int) for s in sizes):
                splitter.setSizes(sizes)
                self._right_by_hand |= splitter is self.right
                self._columns_by_hand |= splitter is self.splitter
                self.pictures.sized_by_hand |= splitter is self.pictures
        self.controls.restore_state(state)

    # -- refreshing -----------------------------------------------------------------------------------

    def _recipe(self) -> Recipe | None:
        info = self._session.info
        return self._session.recipe or (info.recipe if info is not None else None)

    @Slot()
    def _choose_recipe(self) -> None:
        self.context.choose_recipe()

    def _refresh_slowly(self) -> None:
        names = tuple(name for name in self._session.history.names() if name != ELAPSED)
        busy = bool(names) or self._session.state in (TrainingState.RUNNING, TrainingState.PAUSED)
        self._stack.setCurrentIndex(1 if busy else 0)
        if not busy:
            self._show_waiting()
            return
        if names != self._names:
            self._names = names
            self._choose_plots()
        self._set_targets()
        self.grid.fit_headers()
        self._show_status()
        self._show_values()
        self.controls.set_time_known(self.group.knows_time)

    def _show_waiting(self) -> None:
        preparing = self._session.state in (TrainingState.PREPARING, TrainingState.STOPPING)
        progress = self._session.progress.get()[1] if preparing else None
        self.empty.set_text(_progress_text(progress) if preparing else EMPTY_TEXT)
        self.empty.button.setVisible(not preparing)

    def _choose_plots(self) -> None:
        recipe = self._recipe()
        if recipe is not None or self._names:
            self.grid.set_plots(plots_for(recipe.model.kind if recipe else "", self._names))

    def _set_targets(self) -> None:
        recipe = self._recipe()
        if recipe is None:
            return
        held = recipe.model.kind != "ae" and recipe.objective.beta in HELD_TARGETS
        for plot in self.group.plots:
            if plot.spec.key == "kld_per_dim":
                plot.set_target("kld_per_dim", recipe.objective.target_kld if held else None)
                plot.set_inner_unit(float(recipe.model.latent_dim), "nats")

    def _show_status(self) -> None:
        version, status = self._session.status.get()
        seen = (version, self._session.state)  # The state too: a stop changes the numbers without a new step.
        if status is None or seen == self._status_seen:
            return
        self._status_seen = seen
        self.group.note_time(status.step, status.elapsed_s)
        if status.steps:
            self.group.last_step = float(status.steps)
        self.numbers.set_numbers(_numbers(status, self._session.state))

    def _show_preview(self, preview: Preview | None) -> None:
        if preview is None:
            self.pictures.clear()
        else:
            self.pictures.show_preview(preview)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width anew, unless the user has moved the divider."""
        super().resizeEvent(event)
        if not self._columns_by_hand:
            self.splitter.setSizes([share * self.width() for share in COLUMNS])

    @Slot()
    def _on_columns_moved(self) -> None:
        self._columns_by_hand = True

    @Slot()
    def _on_right_moved(self) -> None:
        self._right_by_hand = True

    @Slot(object)
    def _on_cursor(self, _step: float | None) -> None:
        self._show_values()

    def _show_values(self) -> None:
        self.table.show_history(self._session.history, self._names, self.group.cursor_step)
        wanted = self.table.whole_rows(round(TABLE_SHARE * self.height()))
        if not self._right_by_hand and wanted != self._table_height and self.right.height() > 0:
            self._table_height = wanted
            self.right.setSizes([self.right.height() - wanted, wanted])


def _numbers(status: TrainingStatus, state: TrainingState) -> list[tuple[str, str, str]]:
    """Return (caption, value, tooltip) of the numbers over the plots."""
    left = status.remaining_s if state.active else None
    shown = {TrainingState.PAUSED: "paused", TrainingState.FINISHED: "done", TrainingState.STOPPED: "stopped"}
    rate = format_value(status.images_per_s) if state == TrainingState.RUNNING else shown.get(state, "–")
    return [
        ("step", f"{format_steps(status.step)} / {format_steps(status.steps)}", "Training steps done, of the recipe's"),
        ("images/s", rate, "Training images per second since the last logged step"),
        ("elapsed", format_duration(status.elapsed_s), "Time trained, pauses excluded (m:ss)"),
        ("left", format_duration(left), "Time left at the average speed so far (m:ss)"),
        ("device", status.device or "–", "Where the networks are trained, and in which arithmetic"),
        ("memory", format_bytes(status.memory_mb or None), "Memory in use: the GPU's on CUDA, else the process's"),
    ]


def _progress_text(progress: Progress | None) -> str:
    if progress is None:
        return "Preparing the training…"
    if progress.total:
        return f"{progress.what}: {format_steps(progress.done)} of {format_steps(progress.total)}"
    return f"{progress.what}: {format_steps(progress.done)}" if progress.done else f"{progress.what}…"
