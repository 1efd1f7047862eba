"""What the buttons of the Runs page do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFileDialog, QInputDialog, QMessageBox, QWidget

from latentlab.core.errors import LatentLabError
from latentlab.core.run_facts import RunFacts
from latentlab.core.run_folder import BEST, checkpoint_names
from latentlab.runtime.run_jobs import RunJobs
from latentlab.runtime.sweep_service import SweepService
from latentlab.ui.context import AppContext
from latentlab.ui.dialogs.fork_dialog import ForkDialog

SUFFIXES = {"csv": "Tables (*.csv)", "html": "Web pages (*.html)"}
MAX_STEPS = 100_000_000


class RunCommands(QObject):
    """Every failure becomes one message, never an exception. Thread: GUI."""

    def __init__(self, context: AppContext, jobs: RunJobs, sweeps: SweepService, page: QWidget) -> None:
        super().__init__(page)
        self._context, self._jobs, self._sweeps, self._page = context, jobs, sweeps, page
        jobs.done.connect(context.show_message)
        jobs.failed.connect(context.errors.report)
        sweeps.failed.connect(context.errors.report)

    def reasons(self, chosen: Sequence[RunFacts]) -> dict[str, str]:
        """Return why each command makes no sense now; commands that do are left out."""
        reasons: dict[str, str] = {}
        if not chosen:
            return dict.fromkeys(("open", "continue", "fork", "folder", "trash", "export"), "Choose a run first")
        if len(chosen) > 1:
            reasons |= dict.fromkeys(("open", "continue", "fork", "folder", "one"), "Choose one run")
        if self._context.training.state.active:
            reasons |= dict.fromkeys(
                ("open", "continue", "fork"), "A training is at work in this window: stop it first"
            )
        if any(facts.state == "training" for facts in chosen):
            reasons |= dict.fromkeys(("continue", "trash"), "It is being trained")
        if any(facts.problem for facts in chosen):
            reasons |= dict.fromkeys(("open", "continue", "fork"), "It is damaged")
        if len(chosen) == 1 and not self._forkable(chosen[0]):
            reasons.setdefault("fork", "It has no checkpoint yet")
        return reasons

    @staticmethod
    def _forkable(facts: RunFacts) -> list[str]:
        return [name for name in checkpoint_names(facts.path) if name != BEST]

    def do(self, name: str, chosen: Sequence[RunFacts]) -> None:
        """Carry a command out."""
        reason = self.reasons(chosen).get(name)
        if reason:
            self._context.show_message(f"{reason}.")
            return
        first = chosen[0]
        if name == "open":
            self._context.open_path(first.path)
        elif name == "continue":
            self._continue(first)
        elif name == "fork":
            self._fork(first)
        elif name == "folder":
            if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(first.path))):
                self._context.show_message(f"The run is in {first.path}")
        elif name == "trash":
            self._trash(chosen)

    def _continue(self, facts: RunFacts) -> None:
        steps = None
        if facts.step >= facts.steps:
            steps, wanted = QInputDialog.getInt(
                self._page,
                "Continue run",
                f"It has made all of its {facts.steps:,} steps. Train to step",
                2 * facts.steps,
                facts.step + 1,
                MAX_STEPS,
            )
            if not wanted:
                return
        self._context.continue_run(facts.path, steps)

    def _fork(self, facts: RunFacts) -> None:
        dialog = ForkDialog(facts, self._forkable(facts), self._page)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        checkpoint, recipe = dialog.checkpoint, dialog.recipe
        dialog.deleteLater()
        if accepted and recipe is not None:
            self._context.fork_run(facts.path, checkpoint, recipe)

    def _trash(self, chosen: Sequence[RunFacts]) -> None:
        names = "\n".join(facts.name for facts in chosen[:8]) + ("\n…" if len(chosen) > 8 else "")
        what = "this run" if len(chosen) == 1 else f"these {len(chosen)} runs"
        answer = QMessageBox.question(self._page, "Move to the trash", f"Move {what} to the trash?\n\n{names}")
        if answer is QMessageBox.StandardButton.Yes:
            self._jobs.trash([facts.path for facts in chosen])

    def export(self, wanted: str, chosen: Sequence[RunFacts]) -> None:
        """Ask where to, and export the chosen runs."""
        if not chosen:
            return
        name = chosen[0].path.name if len(chosen) == 1 else f"{len(chosen)} runs"
        out = self._ask_for(wanted, name)
        if out is None:
            return
        if wanted == "html":
            self._jobs.report(out, name, [facts.path for facts in chosen])
        else:
            self._jobs.export(chosen[0].path, wanted, out)
        self._context.show_message(f"Writing {out.name}…")

    def report_sweep(self, folder: Path) -> None:
        """Ask where to, and write the report of a sweep."""
        out = self._ask_for("html", folder.name)
        if out is not None:
            self._jobs.report(out, folder.name, (), sweep=folder)
            self._context.show_message(f"Writing {out.name}…")

    def _ask_for(self, wanted: str, name: str) -> Path | None:
        if wanted in SUFFIXES:
            chosen, _ = QFileDialog.getSaveFileName(
                self._page, "Export", str(Path.home() / f"{name}.{wanted}"), SUFFIXES[wanted]
            )
            path = Path(chosen)
            return (path if path.suffix else path.with_suffix(f".{wanted}")) if chosen else None
        chosen = QFileDialog.getExistingDirectory(self._page, "Folder for the export", str(Path.home()))
        return Path(chosen) / f"{name}-{wanted}" if chosen else None

    # -- sweeps -----------------------------------------------------------------------------------

    def start_sweep(self, file: Path | None, jobs: int) -> None:
        """Begin a sweep, of a file that is asked for where none is given."""
        if file is None:
            chosen, _ = QFileDialog.getOpenFileName(self._page, "Sweep", str(Path.home()), "Sweeps (*.toml)")
            if not chosen:
                return
            file = Path(chosen)
        try:
            folder = self._sweeps.start(file, self._context.runs_root, jobs=jobs)
        except LatentLabError as error:
            self._context.errors.report(error)
        else:
            self._context.show_message(f"The sweep is in {folder}")

    @Slot(object)
    def go_on(self, folder: Path) -> None:
        """Go on with a sweep."""
        try:
            self._sweeps.go_on(folder)
        except LatentLabError as error:
            self._context.errors.report(error)

    @Slot()
    def toggle_pause(self) -> None:
        """Pause the sweep at work, or go on."""
        if self._sweeps.paused:
            self._sweeps.resume()
        else:
            self._sweeps.pause()
