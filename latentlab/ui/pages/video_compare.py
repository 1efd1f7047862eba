"""The button that chooses other checkpoints to see beside the model."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from latentlab.core.run_folder import checkpoint_names, is_run
from latentlab.core.video_messages import CompareModel
from latentlab.ui.pages.video_difference import ROOM_FOR_ARROW

MOST = 3
LISTED = 12


class CompareButton(QToolButton):
    """A menu of checkpoints: of the run in use, of the newest other runs, and of any run chosen by its folder.

    ``runs_root`` is where runs are found, ``run`` the one in use. Thread: GUI.
    """

    models_chosen = Signal(object)  # tuple of CompareModel
    refused = Signal(str)  # a sentence for people

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs_root = Path()
        self.run: Path | None = None
        self._models: tuple[CompareModel, ...] = ()
        self._added: list[Path] = []
        self.setText("Compare")
        self.setToolTip(f"See what up to {MOST} other checkpoints, of this run or others, make of the same frame")
        self.setAccessibleName("Compare with other checkpoints")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setStyleSheet(ROOM_FOR_ARROW)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill)
        self.setMenu(self._menu)

    @property
    def models(self) -> tuple[CompareModel, ...]:
        """The checkpoints chosen."""
        return self._models

    @Slot(object)
    def set_models(self, models: tuple[CompareModel, ...]) -> None:
        """Take over a choice without telling it."""
        self._models = tuple(models)
        self.setText(f"Compare · {len(models)}" if models else "Compare")

    @Slot()
    def fill(self) -> None:
        """List what can be chosen now."""
        self._menu.clear()
        if self.run is not None:
            self._menu.addSection("This run")
            self._list(self._menu, self.run)
        others = [run for run in self._runs() if run != self.run]
        if others:
            self._menu.addSection("Other runs")
        for run in others:
            self._list(self._menu.addMenu(run.name), run)
        self._menu.addSeparator()
        choose = self._menu.addAction("Other run…")
        choose.setToolTip("Choose a run by its folder")
        choose.triggered.connect(self._choose)
        none = self._menu.addAction("Compare with none")
        none.setEnabled(bool(self._models))
        none.triggered.connect(self._clear)

    def toggle_model(self, model: CompareModel) -> None:
        """Add a checkpoint, or take it away."""
        if model in self._models:
            self._tell(tuple(other for other in self._models if other != model))
        elif len(self._models) < MOST:
            self._tell((*self._models, model))
        else:
            self.refused.emit(f"No more than {MOST} checkpoints fit beside the model; take one away first")

    def add_run(self, run: Path) -> None:
        """Compare with the newest checkpoint of a run chosen by its folder."""
        names = checkpoint_names(run)
        if not is_run(run) or not names:
            self.refused.emit(f"{run.name} is not a run with a checkpoint")
            return
        if run not in self._added:
            self._added.append(run)
        if CompareModel(run, names[0]) not in self._models:
            self.toggle_model(CompareModel(run, names[0]))

    def _runs(self) -> list[Path]:
        """Return the runs to offer: those chosen by folder, then the newest in the usual place."""
        try:
            found = [path for path in self.runs_root.iterdir() if is_run(path)]
            found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        except OSError:
            found = []
        chosen = [run for run in self._added if run not in found]
        return [run for run in chosen + found if checkpoint_names(run)][:LISTED]

    def _list(self, menu: QMenu, run: Path) -> None:
        for name in checkpoint_names(run):
            model = CompareModel(run, name)
            action = QAction(model.title.split(" · ")[-1], menu)
            action.setCheckable(True)
            action.setChecked(model in self._models)
            action.setData(model)
            action.triggered.connect(self._on_chosen)
            menu.addAction(action)

    def _tell(self, models: tuple[CompareModel, ...]) -> None:
        self.set_models(models)
        self.models_chosen.emit(models)

    @Slot()
    def _on_chosen(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.toggle_model(action.data())

    @Slot()
    def _clear(self) -> None:
        self._tell(())

    @Slot()
    def _choose(self) -> None:
        dialog = QFileDialog(self, "A run to compare with", str(self.runs_root))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_folder)
        dialog.open()

    @Slot(str)
    def _on_folder(self, folder: str) -> None:
        self.add_run(Path(folder))
