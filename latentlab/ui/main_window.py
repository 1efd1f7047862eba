"""The main window: puts toolbar, rail, pages, settings and status bar together, and hands events on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QSplitter

from latentlab.core.messages import ErrorReport, Floats, ModelInfo, TrainingState
from latentlab.runtime.poll import Poller
from latentlab.runtime.shutdown import Shutdown
from latentlab.ui import style, window_memory
from latentlab.ui.actions import build_actions, connect_actions
from latentlab.ui.context import AppContext
from latentlab.ui.menus import RecentMenu, RunMenu, fill_menu_bar
from latentlab.ui.page_area import PAGES, PageArea
from latentlab.ui.rail import PageRail
from latentlab.ui.run_control import RunControl
from latentlab.ui.settings_store import SettingsStore
from latentlab.ui.status import StatusLine
from latentlab.ui.toolbar import STATE_WORDS, RunToolBar
from latentlab.ui.welcome import WelcomePage
from latentlab.ui.widgets.recipe_form import RecipeForm
from latentlab.ui.window_commands import WindowCommands

READINGS_EVERY = 12  # ticks of the 30 Hz poll: numbers that change faster cannot be read


class MainWindow(QMainWindow):
    """The window. ``first_painted`` is emitted once, when its first picture is on screen.

    Parameters
    ----------
    context
        The services; the window fills in the callables.
    store
        What is remembered between starts.
    poller
        The 30 Hz heartbeat, not yet started.
    shutdown
        Ends the services in order; the window begins it when it is closed.

    Thread: GUI.
    """

    first_painted = Signal()
    closed = Signal()

    def __init__(self, context: AppContext, store: SettingsStore, poller: Poller, shutdown: Shutdown) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("latentlab")
        self.setAcceptDrops(True)
        self.context, self.store, self.poller, self.shutdown = context, store, poller, shutdown
        self.panel_width = window_memory.PANEL_WIDTH
        self.actions_by_name = build_actions(self)
        self.form = RecipeForm()
        self.welcome = WelcomePage(context.runs_root)
        self.area = PageArea(context, self.welcome)
        self.status = StatusLine()
        self.control = RunControl(context, self.form, self.actions_by_name, self)
        self.commands = WindowCommands(self)
        self.run_menu = RunMenu(
            self.actions_by_name, context.runs_root, self.control.load_preset, self.commands.open_path, self
        )
        self.recent_menu = RecentMenu(store, self.commands.open_path, self)
        self.toolbar = RunToolBar(self.actions_by_name, self.run_menu)
        self.rail = PageRail(self.actions_by_name)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self._ticks = 0
        self._seen = (-1, -1)
        self._painted = False
        self._assemble()
        self._connect()
        self._show_names()
        self._show_training()
        self._show_readings()

    def _assemble(self) -> None:
        fill_menu_bar(self.menuBar(), self.actions_by_name, self.recent_menu)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, self.toolbar)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.rail)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.area)
        self.splitter.addWidget(self.form)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.area.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.form.setMinimumWidth(window_memory.MIN_PANEL_WIDTH)
        self.form.setMaximumWidth(window_memory.MAX_PANEL_WIDTH)
        self.setCentralWidget(self.splitter)
        self.setStatusBar(self.status)

    def _connect(self) -> None:
        context = self.context
        context.train = self.control.train
        context.open_path = self.commands.open_path
        context.choose_recipe = self.choose_recipe
        context.explore_point, context.place_point = self.explore_point, self.place_point
        context.continue_run, context.fork_run = self.commands.continue_run, self.commands.fork_run
        context.show_message = self.status.messages.show_info
        context.change_setting, context.stop_training = self.form.change, self.control.stop
        context.recipe, context.use_recipe = self.form.recipe, self.form.set_recipe
        connect_actions(self.actions_by_name, self.commands.handlers())
        context.errors.reported.connect(self.status.messages.show_error)
        context.training.failed.connect(self._on_failed)
        context.training.state_changed.connect(self._on_state_changed)
        context.training.run_started.connect(self._on_run_started)
        self.status.messages.details_requested.connect(self.commands.show_details)
        self.control.starting.connect(self._on_starting)
        self.control.attention.connect(lambda: self.show_panel(True))
        self.form.recipe_changed.connect(self._show_names)
        self.area.shown_changed.connect(self._on_page_shown)
        self.welcome.train_requested.connect(self.control.train_preset)
        self.welcome.settings_requested.connect(self._on_settings_requested)
        self.welcome.open_requested.connect(self.commands.choose_file)
        self.welcome.folder_requested.connect(self.commands.choose_folder)
        self.welcome.path_requested.connect(self.commands.open_path)
        style.theme_events().changed.connect(self._on_theme_changed)
        self.actions_by_name[f"actionTheme{style.theme_choice().capitalize()}"].setChecked(True)
        self.poller.add(self.tick)
        self.shutdown.add_step(self._close_down)
        self.shutdown.late.connect(self._on_late)
        self.shutdown.finished.connect(self._on_shut_down)

    def show_page(self, name: str, *, make: bool = True) -> None:
        """Show a page by its object name, or just its empty place when it need not be made yet."""
        self.area.show_slot(name, make=make)
        self.rail.mark(name)

    def choose_recipe(self) -> None:
        """Show the recipes to start from."""
        self.welcome.refresh_runs()
        self.area.show_slot("welcome")
        self.rail.mark("welcome")

    def explore_point(self, z: Floats, label: int) -> None:
        """Show a point of latent space, found on another page, on the Explore page."""
        self.show_page("explorePage")
        self.place_point(z, label)

    def place_point(self, z: Floats, label: int) -> None:
        """Set the Explore page to a point of latent space, wherever one looks."""
        page = self.area.page("explorePage")
        if page is not None:
            page.set_point(z, label)

    def make_all_pages(self) -> None:
        """Make the pages that were not needed yet."""
        for spec in PAGES:
            self.area.page(spec.name)

    @property
    def panel_shown(self) -> bool:
        """Whether the settings panel is unfolded."""
        return not self.form.isHidden()

    def show_panel(self, shown: bool) -> None:
        """Unfold the settings panel at its last width, or fold it away."""
        self.note_panel_width()
        self.form.setVisible(shown)
        self.actions_by_name["actionSettings"].setChecked(shown)
        self._apply_panel_width()

    def note_panel_width(self) -> None:
        """Remember the panel's width if it is on screen now."""
        if self.form.isVisible() and self.splitter.sizes()[1] > 0:
            self.panel_width = self.splitter.sizes()[1]

    def _apply_panel_width(self) -> None:
        self.splitter.setSizes([max(1, self.splitter.width() - self.panel_width), self.panel_width])

    def follow_panel_action(self) -> None:
        """Fold or unfold the panel as the action says."""
        self.show_panel(self.actions_by_name["actionSettings"].isChecked())

    def toggle_full_screen(self) -> None:
        """Fill the screen, or go back."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def tick(self) -> None:
        """Refresh what is on screen. Called at 30 Hz."""
        for page in self.area.visible_pages():
            page.tick()
        training = self.context.training
        self._ticks += 1
        if self._ticks % READINGS_EVERY == 0:
            seen = (training.status.version, training.progress.version)
            if seen != self._seen:
                self._seen = seen
                self._show_training()
            self._show_readings()

    def _show_training(self) -> None:
        training = self.context.training
        _, status = training.status.get()
        _, progress = training.progress.get()
        if training.state is TrainingState.PREPARING and progress is not None:
            self.toolbar.progress.show_progress(progress)
        elif status is not None:
            self.toolbar.progress.show_status(status, training.state)
        else:
            self.toolbar.progress.show_text(STATE_WORDS[training.state])
        self.toolbar.show_device(status)

    def _show_readings(self) -> None:
        _, status = self.context.training.status.get()
        running = self.context.training.state is TrainingState.RUNNING
        page = self.area.current_page()
        self.status.show_readings(
            status.images_per_s if running and status is not None else None,
            self.poller.delay_ms,
            page.status_text() if page is not None else "",
        )

    @Slot()
    def _show_names(self) -> None:
        info = self.context.training.info
        run = info.run.name if info is not None and info.run is not None else ""
        recipe = self.control.recipe_name if run else self.form.label()
        self.toolbar.show_run(run, recipe)
        self.setWindowTitle(f"{run} – latentlab" if run else "latentlab")

    @Slot(str)
    def _on_starting(self, _name: str) -> None:
        for page in self.area.pages.values():
            page.restart()
        if self.area.shown == "welcome":
            self.show_page("monitorPage")

    @Slot(object)
    def _on_run_started(self, info: ModelInfo) -> None:
        if info.run is not None:
            self.store.add_recent(info.run)
        self._show_names()

    @Slot(object)
    def _on_state_changed(self, state: TrainingState) -> None:
        self.actions_by_name["actionNew"].setEnabled(not state.active)
        self._show_training()
        self._show_names()

    @Slot(object)
    def _on_failed(self, report: ErrorReport) -> None:
        self.context.errors.report(report)

    @Slot(str)
    def _on_settings_requested(self, name: str) -> None:
        self.control.load_preset(name)
        self.show_panel(True)

    @Slot(str)
    def _on_page_shown(self, name: str) -> None:
        self.rail.mark(name)
        self._show_readings()

    @Slot()
    def _on_theme_changed(self) -> None:
        for page in self.area.pages.values():
            page.apply_theme()

    def showEvent(self, event: QShowEvent) -> None:
        """Give the panel its width, which needs the window's, and the page the focus."""
        super().showEvent(event)
        self.area.setFocus()  # Else the first button wears the focus ring before anybody pressed a key.
        self._apply_panel_width()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Note the first picture on screen."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self.first_painted.emit)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first file or folder dropped."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.commands.open_path(paths[0])
        else:
            self.status.messages.show_info("Only files and folders of this machine can be dropped here.")

    def closeEvent(self, event: QCloseEvent) -> None:
        """End everything in order. While a training finishes its step the window says so and closes by itself."""
        if not self.shutdown.done:
            problem = window_memory.save(self) if not self.shutdown.begun else ""
            if problem:
                self.context.errors.report(ErrorReport(problem, str(self.store.path)))
            if self.context.training.state.active:
                event.ignore()
                self._wait_for_training()
                return
            self.hide()
            self.shutdown.run()
        event.accept()
        self.closed.emit()

    def _wait_for_training(self) -> None:
        if self.shutdown.begun:
            self.hide()  # Asked twice: out of sight; the process ends when the step is done and the run is saved.
            return
        self.status.messages.show_info("Finishing the step and saving the run…")
        self.setEnabled(False)
        self.shutdown.begin()

    def _close_down(self) -> None:
        self.poller.stop()
        self.area.close_windows()
        for page in self.area.pages.values():
            page.close_down()

    @Slot(str)
    def _on_late(self, name: str) -> None:
        self.status.messages.show_info(f"Waiting for {name} to finish…")

    @Slot()
    def _on_shut_down(self) -> None:
        if self.isVisible() or not self.isEnabled():
            QTimer.singleShot(0, self, self.close)
