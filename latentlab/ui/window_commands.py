"""What the menu's commands do, apart from training: open, save, pictures, theme, dialogs."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from latentlab.core.errors import InputError, LatentLabError, cannot_write
from latentlab.core.messages import ErrorReport
from latentlab.core.recipe_io import read_recipe, recipe_toml
from latentlab.ui import screenshots, style
from latentlab.ui.actions import PAGE_ACTIONS
from latentlab.ui.dialogs.about_dialog import about_dialog
from latentlab.ui.dialogs.shortcuts_dialog import ShortcutsDialog, page_rows, window_rows
from latentlab.ui.dialogs.text_dialog import error_dialog
from latentlab.ui.exporting import PictureExporter
from latentlab.ui.opening import Target, identify
from latentlab.ui.page_area import TITLES
from latentlab.ui.picture_return import PictureReturn
from latentlab.ui.widgets.data_spec_editor import VIDEO_SUFFIXES

if TYPE_CHECKING:
    from latentlab.core.recipe import Recipe
    from latentlab.ui.dialogs.recording_dialog import RecordingDialog
    from latentlab.ui.main_window import MainWindow

_PATTERNS = " ".join(f"*{suffix}" for suffix in (".toml", ".npz", ".png", *VIDEO_SUFFIXES))
FILE_FILTER = f"Everything latentlab opens ({_PATTERNS});;All files (*)"


VIDEO_PAGE = "videoPage"


@runtime_checkable
class OpensVideo(Protocol):
    """A page that shows a video."""

    def open_video(self, path: Path) -> None:
        """Open a video in place of the one shown."""


class WindowCommands(QObject):
    """The commands of one main window. Every failure becomes one message, never an exception.

    Thread: GUI.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.exporter = PictureExporter(window.context, self)
        window.context.save_picture, window.context.copy_picture = self.save_image, self.copy_image
        self.way_back = PictureReturn(window)
        self._recording: RecordingDialog | None = None

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action, by the action's name."""
        window, control = self._window, self._window.control
        pages: dict[str, Callable[[], object]] = {
            action: partial(window.show_page, page) for page, action in PAGE_ACTIONS.items()
        }
        return pages | {
            "actionNew": window.choose_recipe,
            "actionOpen": self.choose_file,
            "actionOpenFolder": self.choose_folder,
            "actionSaveRecipe": self.save_recipe_as,
            "actionScreenshot": self.screenshot_page,
            "actionScreenshotWindow": self.screenshot_window,
            "actionCopyPicture": self.copy_picture,
            "actionExport": self.show_export,
            "actionRecord": self.show_recording,
            "actionKeyframe": self.add_keyframe,
            "actionQuit": window.close,
            "actionTrain": control.train,
            "actionPause": control.toggle_pause,
            "actionStop": control.stop,
            "actionStep": window.context.training.step,
            "actionCheckpoint": window.context.training.save_checkpoint,
            "actionDiscard": control.ask_to_discard,
            "actionContinue": control.continue_run,
            "actionTearOff": self.toggle_own_window,
            "actionSettings": window.follow_panel_action,
            "actionFullScreen": window.toggle_full_screen,
            "actionThemeSystem": lambda: self.set_theme("system"),
            "actionThemeDark": lambda: self.set_theme("dark"),
            "actionThemeLight": lambda: self.set_theme("light"),
            "actionShortcuts": self.show_shortcuts,
            "actionRunsFolder": self.open_runs_folder,
            "actionAbout": lambda: about_dialog(window.context, window).show(),
        }

    def open_path(self, path: Path) -> None:
        """Open whatever ``path`` is; a path that cannot be opened gives one message."""
        try:
            self._open(identify(Path(path)))
        except LatentLabError as error:
            self._window.context.errors.report(error)

    def _open(self, target: Target) -> None:
        window = self._window
        if target.origin is not None:
            self.way_back.go(target.picture, target.path, target.origin)
        elif target.kind == "run":
            window.control.open_run(target.path)
            window.show_page("monitorPage")
        elif target.is_video and self._watching():
            self._show_video(target.path)
        else:
            if window.context.training.state.active:
                raise InputError("A training is at work", where="Train", hint="Stop it first; its run is kept.")
            if target.kind == "recipe":
                window.form.set_recipe(read_recipe(target.path), str(target.path))
            else:
                window.form.set_data(target.spec)
            window.show_panel(True)
            window.context.show_message(f"{target.path.name} is in the settings: press Train to begin.")
        if target.note:
            window.context.show_message(target.note)
        window.store.add_recent(target.path)

    def continue_run(self, run: Path, steps: int | None) -> None:
        """Go on training a run, watched on the Monitor page."""
        if self._window.control.resume_run(run, steps):
            self._window.show_page("monitorPage")

    def fork_run(self, run: Path, checkpoint: str, recipe: Recipe) -> None:
        """Train a fork of a run, watched on the Monitor page."""
        if self._window.control.fork_run(run, checkpoint, recipe):
            self._window.show_page("monitorPage")

    def _watching(self) -> bool:
        """Whether a video is to be looked at rather than trained on: on the Video page, or during a training."""
        page = self._window.area.current_page()
        return self._window.context.training.state.active or (page is not None and page.object_name == VIDEO_PAGE)

    def _show_video(self, path: Path) -> None:
        self._window.show_page(VIDEO_PAGE)
        page = self._window.area.page(VIDEO_PAGE)
        if isinstance(page, OpensVideo):
            page.open_video(path)

    def choose_file(self) -> None:
        """Ask for a file and open it."""
        chosen, _ = QFileDialog.getOpenFileName(self._window, "Open", self._folder(), FILE_FILTER)
        self._open_chosen(chosen)

    def choose_folder(self) -> None:
        """Ask for a folder and open it."""
        self._open_chosen(QFileDialog.getExistingDirectory(self._window, "Open folder", self._folder()))

    def _folder(self) -> str:
        return self._window.store.get("folder", str(Path.home()))

    def _open_chosen(self, chosen: str) -> None:
        if chosen:
            self._window.store.set("folder", str(Path(chosen).parent))
            self.open_path(Path(chosen))

    def save_recipe_as(self) -> None:
        """Ask for a file name and write the settings to it."""
        recipe = self._window.form.recipe()
        if recipe is None:
            self._window.context.show_message(f"Cannot save yet. {self._window.form.problem}")
            return
        name = os.path.join(self._folder(), f"{self._window.form.label()}.toml")
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Save recipe", name, "Recipes (*.toml)")
        if chosen:
            path = Path(chosen) if chosen.endswith(".toml") else Path(f"{chosen}.toml")
            self.save_recipe(path)

    def save_recipe(self, path: Path) -> None:
        """Write the settings to a recipe file."""
        recipe = self._window.form.recipe()
        assert recipe is not None
        try:
            path.write_text(recipe_toml(recipe), encoding="utf-8")
        except OSError as error:
            self._window.context.errors.report(ErrorReport.of(cannot_write(path, error)))
            return
        self._window.form.set_recipe(recipe, str(path))
        self._window.store.add_recent(path)
        self._window.context.show_message(f"Saved {path}")

    def page_widget(self) -> QWidget:
        """Return what a picture of the page shows: the page in front, or the welcome."""
        return self._window.area.current_page() or self._window.area.currentWidget()

    def screenshot_page(self) -> None:
        """Save a picture of the page in front."""
        page = self._window.area.current_page()
        self._save(self.page_widget(), TITLES[page.object_name] if page is not None else "welcome")

    def screenshot_window(self) -> None:
        """Save a picture of the whole window."""
        self._save(self._window, "window")

    def _save(self, widget: QWidget, name: str) -> None:
        try:
            path = screenshots.picture_path(name)
        except LatentLabError as error:
            self._window.context.errors.report(error)
            return
        self.exporter.save(screenshots.grab(widget), path, self._window.area.current_page())

    def save_image(self, image: QImage, path: Path) -> None:
        """Save a picture that the page in front made."""
        self.exporter.save(image, path, self._window.area.current_page())

    def copy_image(self, image: QImage) -> None:
        """Put a picture that the page in front made on the clipboard."""
        self.exporter.copy(image, self._window.area.current_page())

    def copy_picture(self) -> None:
        """Put a picture of the page on the clipboard."""
        self.exporter.copy(screenshots.grab(self.page_widget()), self._window.area.current_page())
        self._window.context.show_message("The page's picture is on the clipboard.")

    def show_export(self) -> None:
        """Ask what to export, and how large."""
        from latentlab.ui.dialogs.export_dialog import ExportDialog  # Plots take a while to import.

        ExportDialog(self._window, self.exporter).show()

    def show_recording(self) -> RecordingDialog | None:
        """Show the walk that is being put together."""
        if self._window.context.exports is None:
            return None
        if self._recording is None:
            from latentlab.ui.dialogs.recording_dialog import RecordingDialog

            self._recording = RecordingDialog(self._window, self._window.context.exports)
        self._recording.show()
        self._recording.raise_()
        return self._recording

    def add_keyframe(self) -> None:
        """Add the point of the page in front to the walk."""
        dialog = self.show_recording()
        if dialog is not None:
            dialog.add_from_page()

    def set_theme(self, choice: str) -> None:
        """Change the colours now and for the next starts."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        style.apply_theme(app, choice)
        self._window.store.set("theme", choice)

    def toggle_own_window(self) -> None:
        """Move the page in front to its own window, or put it back."""
        area = self._window.area
        page = area.current_page()
        if page is None:
            return
        if page.object_name in area.windows:
            area.put_back(page.object_name)
            return
        window = area.tear_off(page.object_name)
        if window is not None:
            window.addActions(list(self._window.actions_by_name.values()))

    def show_shortcuts(self) -> None:
        """List the shortcuts of the window and of its pages."""
        rows = window_rows(self._window.actions_by_name) + page_rows(self._window.area.pages.values())
        ShortcutsDialog(rows, self._window).show()

    def open_runs_folder(self) -> None:
        """Show the runs folder in the file manager."""
        root = self._window.context.runs_root
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(root))):
            self._window.context.show_message(f"Runs are kept in {root}")

    def show_details(self, report: ErrorReport) -> None:
        """Show everything known about an error."""
        error_dialog(report, self._window).show()
