"""The Monitor page: live curves at the left, live pictures and numbers at the right."""

from __future__ import annotations

import threading
import time

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from latentlab.core.doctor import Finding
from latentlab.core.messages import Progress, TrainingState, TrainingStatus
from latentlab.core.recipe import Recipe
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.formatting import format_bytes, format_duration, format_steps, format_value
from latentlab.ui.page import Page
from latentlab.ui.pages.monitor_doctor import DoctorPanel, DoctorWatch
from latentlab.ui.pages.monitor_hands import HandsBar
from latentlab.ui.pages.monitor_numbers import NumberStrip, ValueTable, scrolled
from latentlab.ui.pages.monitor_strip import ControlStrip
from latentlab.ui.pages.monitor_timeline import PicturesColumn
from latentlab.ui.pages.monitor_views import Views
from latentlab.ui.views.plot_config import preload
from latentlab.ui.views.plot_group import ELAPSED, PlotGroup
from latentlab.ui.widgets.empty_state import EmptyState

EMPTY_TEXT = "Nothing is training yet. Choose a recipe, and its curves and pictures appear here while it learns."
SLOW_TICK_S = 0.4
"""How often the numbers and the list of plots are looked at; curves and pictures have their own pace."""
RARE_TICK_S = 1.0
"""How often the table is filled and the doctor asked."""
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
        self._status_seen: tuple[int, TrainingState] | None = None
        self._slow_at = self._rare_at = 0.0
        self._names: tuple[str, ...] = ()
        self._preloading: threading.Thread | None = None
        self._right_by_hand = self._columns_by_hand = False
        self._table_height = 0
        self.group = PlotGroup(self._session.history, self)
        self.group.cursor_moved.connect(self._on_cursor)
        self.numbers = NumberStrip()
        self.controls = ControlStrip(self.group)
        self.hands = HandsBar(self._session)
        self.watch = DoctorWatch()
        self.doctor = DoctorPanel(self._apply_fix)
        self.views = Views(self.group, self.doctor)
        self.grid, self.tabs = self.views.curves, self.views.tabs
        self._events_version = -1
        self.controls.log_changed.connect(self.views.set_log)
        plots = self.controls.plots.menu()
        plots.aboutToShow.connect(lambda: self.views.plot_layout.fill(plots))
        self.shown = PicturesColumn(self._session)
        self.pictures = self.shown.pictures
        self.table = ValueTable()
        self.empty = EmptyState(EMPTY_TEXT, "Choose a recipe", self._choose_recipe, icon="monitor")
        self._build()
        self.restart()

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, style.SPACING // 2, 0)
        column.setSpacing(style.SPACING)
        column.addWidget(self.tabs, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.controls)
        column.addWidget(self.views, 1)
        self.tabs.chosen.connect(self._on_view)
        self.group.selection_changed.connect(self._show_values)
        self.right = QSplitter(Qt.Orientation.Vertical)
        self.right.setChildrenCollapsible(True)
        self.right.addWidget(self.shown)
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
        top = QHBoxLayout()
        top.addWidget(self.numbers, 1)
        top.addWidget(self.controls.plots)
        top.addWidget(self.hands)
        layout.addLayout(top)
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
        self.shown.tick()
        if self.views.current_view is not None:
            self.views.current_view.refresh(self._session)
        self.group.tick()

    @Slot(str)
    def _on_view(self, name: str) -> None:
        self.controls.setVisible(name != "doctor")
        self.controls.plots.setEnabled(name == "curves")

    def _apply_fix(self, finding: Finding) -> None:
        """Do what the doctor offers: a live change, or a stop that keeps the run."""
        if finding.fix is None or not self._session.state.active:
            return
        if finding.fix.action == "stop":
            self.context.stop_training()
        else:
            self.context.change_setting(finding.fix.key, finding.fix.value)

    def _show_events(self) -> None:
        """Mark what happened on the plots."""
        if self._session.events.version != self._events_version:
            self._events_version = self._session.events.version
            self.group.set_events(self._session.events.marked())

    def _ask_doctor(self) -> None:
        recipe = self._recipe()
        if recipe is not None and self.watch.look(self._session.history, recipe):
            self.tabs.set_count(len(self.watch.findings))
            self._show_findings()

    def _show_findings(self) -> None:
        live = self._session.state in (TrainingState.RUNNING, TrainingState.PAUSED)
        self.doctor.show_findings(self.watch, live=live)

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
        self.shown.past.close()
        if self._preloading is not None:
            self._preloading.join()

    def status_text(self) -> str:
        """Say which pictures are on screen."""
        step = self.pictures.step
        return "" if step is None else f"pictures of step {format_steps(step)}"

    def key_rows(self) -> list[tuple[str, str]]:
        """Return the keys that the page and its plots handle themselves."""
        return [
            ("Alt+1 … Alt+5", "Curves, latents, who pulls, game, doctor"),
            ("L, T, E, F", "Logarithmic y, time axis, axis to the last step, follow the newest"),
            ("P", "Choose the plots"),
            ("[ and ]", "Earlier and later pictures"),
            ("Wheel, drag, double click", "Zoom, move, show the whole run again (Shift: along y, or a rectangle)"),
            ("Ctrl and drag", "Select a range and read its statistics"),
        ]

    def apply_theme(self) -> None:
        """Recolour curves and pictures."""
        for grid in self.views.grids():
            grid.apply_theme()
        self._show_findings()
        for widget in (self.numbers, self.table, self.pictures):
            widget.update()
        self.group.draw_all()

    def restart(self) -> None:
        """Start over with the run that the session holds now."""
        recipe = self._recipe()
        self.group.restart(self._session.history, None if recipe is None else float(recipe.training.steps))
        self._status_seen = None
        self._names = ()
        self._events_version = -1
        self.watch.restart()
        self._show_findings()
        self.hands.restart()
        self.views.restart()
        self.shown.restart()
        self._choose_plots()
        self.table.set_rows([])
        self.numbers.clear()
        self._slow_at, self._rare_at = time.monotonic(), 0.0
        self._refresh_slowly()

    def save_state(self) -> dict[str, object]:
        """Return splitter sizes and the settings of the plots."""
        return {
            "columns": self.splitter.sizes() if self._columns_by_hand else [],
            "right": self.right.sizes() if self._right_by_hand else [],
            "pictures": self.pictures.sizes() if self.pictures.sized_by_hand else [],
            "view": self.tabs.current,
            **self.controls.save_state(),
            **self.hands.save_state(),
            **self.views.plot_layout.save_state(),
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
        self.hands.restore_state(state)
        self.views.plot_layout.restore_state(state)
        view = state.get("view")
        if isinstance(view, str) and view in self.tabs.chips:
            self.tabs.chips[view].setChecked(True)

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
            self._rare_at = 0.0
        self._set_targets()
        self._show_events()
        self.hands.refresh()
        self._show_status()
        if self._slow_at - self._rare_at >= RARE_TICK_S:
            self._rare_at = self._slow_at
            self._refresh_rarely()

    def _refresh_rarely(self) -> None:
        self.views.fit_headers()
        self._ask_doctor()
        self.shown.look_for_steps()
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
            self.views.choose(recipe.model.kind if recipe else "", self._names)

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
        if self._status_seen is None or self._status_seen[1] is not seen[1]:
            self._show_findings()  # Whether a fix can be made depends on the state.
        self._status_seen = seen
        self.group.note_time(status.step, status.elapsed_s)
        if status.steps:
            self.group.last_step = float(status.steps)
        self.numbers.set_numbers(_numbers(status, self._session.state))

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
        self.table.show_history(self._session.history, self._names, self.group.cursor_step, self.group.selection)
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
