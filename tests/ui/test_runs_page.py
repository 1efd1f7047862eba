"""The Runs page, driven as a person does: choose, compare, search, note, fork, throw away, sweep."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QMessageBox
from run_makers import log, make_run

from latentlab.core.errors import InputError
from latentlab.core.messages import TrainingState
from latentlab.core.run_facts import read_notes
from latentlab.core.sweep import SweepPlan, SweepRun, read_sweep, write_plan
from latentlab.runtime.error_hub import ErrorHub
from latentlab.runtime.run_jobs import RunJobs
from latentlab.runtime.run_list import RunListService
from latentlab.runtime.sweep_service import SweepService
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.dialogs.fork_dialog import ForkDialog
from latentlab.ui.pages import runs_commands
from latentlab.ui.pages.runs import RunsPage
from latentlab.ui.pages.runs_table import run_colour


class Training:
    """A session at rest."""

    state = TrainingState.IDLE


class Bench:
    """The page over a folder of made-up runs, with what it asked the window for."""

    def __init__(self, qtbot, root: Path) -> None:
        self.qtbot, self.asked, self.messages, self.errors = qtbot, [], [], []
        hub = ErrorHub(repeat_after_s=0.0)
        hub.reported.connect(self.errors.append)
        self.context = context = AppContext(Training(), None, None, hub, root)
        command = lambda *_: [sys.executable, "-c", "input(); raise SystemExit(130)"]  # noqa: E731
        context.runs, context.sweeps, context.run_jobs = RunListService(root), SweepService(command=command), RunJobs()
        context.open_path = lambda path: self.asked.append(("open", path))
        context.continue_run = lambda run, steps: self.asked.append(("continue", run, steps))
        context.fork_run = lambda run, name, recipe: self.asked.append(("fork", run, name, recipe.training.steps))
        context.show_message = self.messages.append
        self.page = RunsPage(context)
        self.page.resize(1200, 760)
        self.page.show()

    def until(self, condition) -> None:
        def met() -> bool:
            self.page.tick()
            return bool(condition())

        self.qtbot.waitUntil(met, timeout=15_000)

    def choose(self, *names: str) -> None:
        table = self.page.table
        table.choose([facts.path for facts in table.runs.listing.runs if facts.path.name in names])

    def press(self, name: str) -> None:
        button = self.page.tools.buttons[name]
        assert button.isEnabled(), button.toolTip()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def rows(self) -> list[str]:
        rows = self.page.table.rows
        return [rows.path_at(row).name for row in range(rows.rowCount())]


@pytest.fixture
def bench(qtbot, qapp, tmp_path):
    style.apply_theme(qapp, "dark")
    made = Bench(qtbot, tmp_path)
    yield made
    made.page.close()
    made.page.close_down()
    for service in (made.context.sweeps, made.context.run_jobs, made.context.runs):
        assert service.shutdown(20_000)
    made.page.deleteLater()


@pytest.fixture
def filled(bench, tmp_path):
    make_run(tmp_path / "alpha", 10, lr=0.01)
    make_run(tmp_path / "beta", 6, events=("start", "stop"))
    make_run(tmp_path / "gamma", 4, events=("start", "failure"))
    bench.context.runs.look_now()
    bench.until(lambda: bench.page.table.rows.rowCount() == 3)
    return bench


def test_an_empty_folder_says_what_to_do(bench):
    bench.until(lambda: bench.context.runs.listing.version)
    assert bench.page.stack.currentWidget() is bench.page.empty
    chosen = []
    bench.page.empty._on_click = lambda: chosen.append(True)
    bench.page.empty.button.click()
    assert chosen


def test_runs_are_found_searched_and_sorted(filled):
    page = filled.page
    page.tools.search.setText("lr 0.01")
    assert filled.rows() == ["alpha"]
    page.tools.search.setText("interrupted")
    assert filled.rows() == []
    assert page.status_text() == "0 of 3 runs"
    page.tools.search.setText("failed")
    assert filled.rows() == ["gamma"]
    page.tools.search.clear()
    page.table.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    assert filled.rows() == ["alpha", "beta", "gamma"], "the lowest pixel loss first"
    page.table.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    assert filled.rows() == ["gamma", "beta", "alpha"]


def test_chosen_runs_are_drawn_on_the_same_plots_and_followed(filled, tmp_path):
    page = filled.page
    filled.choose("alpha", "beta")
    filled.until(lambda: page.curves.grid.plots and all(c.has_data for c in page.curves.grid.plots[0].curves))
    plot = page.curves.grid.plots[0]
    assert [curve.newest[0] for curve in plot.curves] == [10.0, 6.0]
    assert plot.curves[0].colour == run_colour(0)
    assert "alpha" in page.curves.legend.text()
    log(tmp_path / "beta", range(7, 9))
    filled.until(lambda: page.curves.grid.plots[0].curves[1].newest[0] == 8.0)
    page.curves.test.click()
    assert page.curves.grid.plots[0].curves[0].spec.metric == "0/test_pixel"


@pytest.mark.parametrize(("axis", "end"), [("time", 5.0), ("images", 40.0)])
def test_curves_are_drawn_over_time_and_images(filled, axis, end):
    page = filled.page
    filled.choose("alpha")
    page.curves.axis_chips[axis].click()
    filled.until(lambda: page.curves.grid.plots and page.curves.grid.plots[0].curves[0].newest is not None)
    plot = page.curves.grid.plots[0]
    filled.until(lambda: plot.axes["bottom"].name == axis)
    assert plot.curves[0].newest[0] == end


def test_metrics_are_chosen_and_remembered(filled):
    curves = filled.page.curves
    filled.choose("alpha")
    filled.until(lambda: curves.known() == ["pixel"])
    assert curves.drawn() == ["pixel"]
    curves.choose("pixel", True)
    assert filled.page.save_state()["metrics"] == ["pixel"]
    filled.page.restore_state({"metrics": ["pixel"], "tab": 1, "splitter": [100, 200], "jobs": 3})
    filled.page.restore_state({"metrics": 3, "tab": "x", "splitter": [0], "jobs": -1})
    assert filled.page.tabs.currentIndex() == 1
    assert filled.page.tools.jobs.value() == 3


def test_pictures_stand_side_by_side_at_the_same_step(filled):
    page = filled.page
    filled.choose("alpha", "beta")
    page.tabs.setCurrentWidget(page.pictures)
    cells = page.pictures._cells
    filled.until(lambda: len(cells) == 2 and [c.step.text() for c in cells] == ["step 10", "step 6"])
    assert page.pictures.text.text() == "newest"
    page.pictures.slider.setFocus()
    QTest.keyClick(page.pictures.slider, Qt.Key.Key_Home)
    filled.until(lambda: [cell.step.text() for cell in cells] == ["step 0", "step 0"])
    assert page.pictures.text.text() == "step 0"
    page.pictures.kind.click()
    filled.until(lambda: cells[0].view.image() is None)


def test_settings_that_differ_are_in_a_table(filled):
    filled.choose("alpha", "beta")
    table = filled.page.settings
    assert table.item(0, 0).text() == "training.lr"
    assert {table.item(0, 1).text(), table.item(0, 2).text()} == {"0.01", "0.001"}
    filled.choose("beta", "gamma")
    assert "same settings" in table.item(0, 0).text()


def test_tags_and_notes_are_kept_and_found(filled, tmp_path):
    page = filled.page
    filled.choose("beta")
    QTest.keyClicks(page.notes.tags, "#good first")
    QTest.keyClick(page.notes.tags, Qt.Key.Key_Return)
    QTest.keyClicks(page.notes.note, "the one")
    QTest.keyClick(page.notes.note, Qt.Key.Key_Return)
    assert read_notes(tmp_path / "beta") == ("the one", ("good", "first"))
    filled.until(lambda: page.table.facts_of([tmp_path / "beta"])[0].note == "the one")
    page.tools.search.setText("#good")
    assert filled.rows() == ["beta"]


def test_commands_say_why_they_cannot(filled):
    tools = filled.page.tools
    filled.choose("alpha", "beta")
    assert not tools.buttons["open"].isEnabled()
    assert "Choose one run" in tools.buttons["open"].toolTip()
    assert tools.buttons["trash"].isEnabled()
    filled.choose("beta")
    assert tools.buttons["open"].isEnabled()
    assert "no checkpoint" in tools.buttons["fork"].toolTip()
    filled.context.training.state = TrainingState.RUNNING
    filled.page._show_chosen()
    assert "A training is at work" in tools.buttons["continue"].toolTip()


def test_open_and_continue(filled, tmp_path, monkeypatch):
    filled.choose("beta")
    filled.press("open")
    filled.press("continue")
    assert filled.asked == [("open", tmp_path / "beta"), ("continue", tmp_path / "beta", None)]
    filled.asked.clear()
    filled.choose("alpha")
    monkeypatch.setattr(runs_commands.QInputDialog, "getInt", lambda *_: (25, True))
    filled.press("continue")
    assert filled.asked == [("continue", tmp_path / "alpha", 25)], "a finished run is asked for its new end"
    filled.page.table.setFocus()
    QTest.keyClick(filled.page.table, Qt.Key.Key_Return)
    assert filled.asked[-1][0] == "open"


def test_a_fork_chooses_a_checkpoint_and_live_settings(filled, tmp_path, monkeypatch):
    for name in ("last", "best", "step_00000004"):
        (tmp_path / "alpha" / "checkpoints" / name).mkdir(parents=True)
    filled.choose("beta")
    filled.choose("alpha")

    def accept(dialog: ForkDialog) -> QDialog.DialogCode:
        assert [dialog.choice.itemText(i) for i in range(dialog.choice.count())] == ["the last one", "step 4"]
        assert dialog.recipe.training.steps == 20, "it has steps to make"
        assert dialog.form.rows["training.lr"].first_field().isEnabled()
        assert not dialog.form.rows["model.latent_dim"].first_field().isEnabled()
        dialog.choice.setCurrentIndex(1)
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(ForkDialog, "exec", accept)
    filled.press("fork")
    assert filled.asked == [("fork", tmp_path / "alpha", "step_00000004", 20)]


def test_the_trash_asks_first(filled, tmp_path, monkeypatch):
    moved, questions = [], []
    monkeypatch.setattr("latentlab.runtime.run_jobs.QFile.moveToTrash", lambda path: moved.append(path) or True)
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(
        runs_commands.QMessageBox, "question", lambda *args: questions.append(args[2]) or answers[len(questions) - 1]
    )
    filled.choose("beta", "gamma")
    filled.page.table.setFocus()
    QTest.keyClick(filled.page.table, Qt.Key.Key_Delete)
    assert "these 2 runs" in questions[0]
    assert moved == []
    with filled.qtbot.waitSignal(filled.context.run_jobs.done, timeout=10_000):
        filled.press("trash")
    assert sorted(Path(path).name for path in moved) == ["beta", "gamma"]


def test_exports_ask_where_to(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(
        runs_commands.QFileDialog, "getSaveFileName", lambda *args: (str(tmp_path / "out" / "report"), "")
    )
    (tmp_path / "out").mkdir()
    filled.choose("alpha", "beta")
    assert not filled.page.tools.export_actions["csv"].isEnabled()
    with filled.qtbot.waitSignal(filled.context.run_jobs.done, timeout=20_000):
        filled.page.tools.export_actions["html"].trigger()
    assert "<svg" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_an_interrupted_sweep_is_offered_and_gone_on_with(bench, tmp_path):
    file = tmp_path / "s.toml"
    file.write_text('title = "Swept"\nrecipe = "vae-arena"\nsteps = 10\n[grid]\n"training.seed" = [1, 2]\n')
    title, metrics, runs = read_sweep(file)
    plan = SweepPlan(title, tuple(SweepRun(run.name, run.label) for run, _ in runs), metrics, jobs=2)
    write_plan(tmp_path / "sweep", plan, {run.name: recipe for run, recipe in runs})
    make_run(tmp_path / "sweep" / runs[0][0].name, 10)
    bar = bench.page.bar
    bench.until(bar.isVisible)
    assert "1 of 2 finished · interrupted" in bar.text.text()
    QTest.mouseClick(bar.compare, Qt.MouseButton.LeftButton)
    assert bench.page.curves.labels == ["seed 1"]
    QTest.mouseClick(bar.resume, Qt.MouseButton.LeftButton)
    bench.until(lambda: bar.pause.isVisible() and bar.state.count("running") == 1)
    QTest.mouseClick(bar.pause, Qt.MouseButton.LeftButton)
    bench.until(lambda: bar.pause.text() == "Go on" and bar.state.count("running") == 0)
    QTest.mouseClick(bar.pause, Qt.MouseButton.LeftButton)
    bench.until(lambda: bar.state.count("running") == 1)
    QTest.mouseClick(bar.stop, Qt.MouseButton.LeftButton)
    bench.until(lambda: bench.context.sweeps.folder is None and bar.resume.isVisible())


def test_a_sweep_is_begun_from_the_menu(bench, tmp_path, monkeypatch):
    file = tmp_path / "bad.toml"
    file.write_text("nothing = 1\n")
    monkeypatch.setattr(runs_commands.QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    menu = bench.page.tools.sweeps.menu()
    next(action for action in menu.actions() if action.text() == "From a file…").trigger()
    assert "nothing is not a key" in bench.errors[0].what
    bench.page.tools.jobs.setValue(2)
    next(action for action in menu.actions() if action.text() == "digits-beta").trigger()
    bench.until(lambda: bench.page.bar.isVisible() and bench.page.bar.state.count("running") == 2)
    with pytest.raises(InputError, match="at work already"):
        bench.context.sweeps.go_on(bench.context.sweeps.folder)


def test_a_theme_recolours_the_page(filled, qapp):
    filled.choose("alpha", "beta")
    filled.until(lambda: len(filled.page.curves.grid.plots) == 1)
    style.apply_theme(qapp, "light")
    filled.page.apply_theme()
    assert run_colour(0).name() in filled.page.curves.legend.text()
