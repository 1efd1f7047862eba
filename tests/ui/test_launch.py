from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from window_fakes import FAKE_PAGES, build, make_run

from latentlab.app import build_application, run_app
from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.messages import TrainingState
from latentlab.core.recipe_io import validate
from latentlab.launch import Launch, check_arguments, hooks_installed
from latentlab.ui import page_area, style
from latentlab.ui.screenshots import read_facts

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def built(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(page_area, "PAGES", FAKE_PAGES[:3])
    monkeypatch.setattr("latentlab.launch.PAGES", FAKE_PAGES[:3])
    style.apply_theme(QApplication.instance(), "dark")
    made = build(tmp_path / "runs")
    made.window.resize(900, 700)
    yield made
    made.window.close()
    qtbot.waitUntil(lambda: made.window.shutdown.done)
    made.window.deleteLater()


def check(**values: object) -> None:
    given = {"path": None, "recipe": None, "screenshot": None, "page": None, "after_s": 0.0} | values
    path = given.pop("path")
    check_arguments(path, **given)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"path": Path("/no/such/thing")}, "There is no file or folder"),
        ({"recipe": "quickstar"}, "no recipe called quickstar"),
        ({"screenshot": Path("/no/such/folder/p.png")}, "There is no folder"),
        ({"screenshot": Path("/")}, "is a folder"),
        ({"page": "atlas"}, "no page atlas"),
        ({"after_s": -1.0}, "not a time"),
        ({"after_s": float("nan")}, "not a time"),
    ],
)
def test_what_cannot_work_is_refused_before_a_window_opens(qtbot, values, what):
    with pytest.raises(InputError, match=what) as caught:
        check(**values)
    assert caught.value.exit_code == 2
    assert caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        check(screenshot=tmp_path / "p.png")


def test_run_app_refuses_by_raising(qtbot):
    with pytest.raises(InputError, match="no recipe called nothing-like-it"):
        run_app(recipe="nothing-like-it")


def test_a_machine_without_display_is_told_so(monkeypatch):
    from latentlab import app

    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(app.sys, "platform", "linux")
    with pytest.raises(LatentLabError, match="no display"):
        app._require_display()


def test_the_picture_is_taken_after_training_and_the_run_is_kept(built, qtbot, tmp_path):
    built.window.form.set_recipe(validate({"training": {"steps": 100_000}}), "")
    shot = tmp_path / "demo.png"
    launch = Launch(built.window, recipe="quickstart", screenshot=shot, after_s=0.3)
    assert built.window.area.shown == "monitorPage"
    built.window.show()
    with qtbot.waitSignal(built.window.closed, timeout=10_000):
        pass
    assert launch.exit_code == 0
    assert QImage(str(shot)).size().toTuple() == (900, 700)
    facts = read_facts(shot)
    assert facts.step > 0
    assert facts.run is not None
    assert facts.run.is_dir()
    assert built.window.context.training.state is TrainingState.STOPPED


def test_a_training_that_fails_before_the_picture_is_exit_code_1(built, qtbot, tmp_path, capsys):
    built.trainer.fail_at = 2
    launch = Launch(built.window, recipe="quickstart", screenshot=tmp_path / "demo.png", after_s=60.0)
    built.window.show()
    with qtbot.waitSignal(built.window.closed, timeout=10_000):
        pass
    assert launch.exit_code == 1
    assert "the loss went away" in capsys.readouterr().err
    assert not (tmp_path / "demo.png").exists()


def test_a_picture_that_cannot_be_made_closes_the_window_with_exit_code_1(built, qtbot, tmp_path, capsys, monkeypatch):
    def broken(*_args: object) -> None:
        raise RuntimeError("no picture of this")

    monkeypatch.setattr(built.window.commands.exporter, "save", broken)
    launch = Launch(built.window, screenshot=tmp_path / "shot.png")
    with qtbot.waitSignal(built.window.closed, timeout=20_000):
        built.window.show()
    assert launch.exit_code == 1
    assert "RuntimeError: no picture of this" in capsys.readouterr().err


def test_pages_are_made_after_the_first_paint_the_shown_one_first(built, qtbot):
    launch = Launch(built.window, page="explore")
    assert built.window.area.pages == {}
    built.window.show()
    qtbot.waitUntil(lambda: len(built.window.area.pages) == 3)
    assert next(iter(built.window.area.pages)) == "explorePage"
    assert built.window.area.shown == "explorePage"
    assert launch.exit_code == 0


def test_a_path_is_opened_once_the_window_is_on_screen(built, qtbot, tmp_path, monkeypatch):
    run = make_run(tmp_path / "run")
    opened = []
    monkeypatch.setattr(built.window.context.training, "open_run", opened.append)
    launch = Launch(built.window, path=run, page="condition")
    assert opened == []
    built.window.show()
    qtbot.waitUntil(lambda: opened == [run])
    assert built.window.area.shown == "conditionPage"
    assert launch.exit_code == 0


def test_ctrl_c_closes_in_order_and_keeps_the_run(built, qtbot):
    launch = Launch(built.window, recipe="quickstart")
    built.window.show()
    training = built.window.context.training
    before = signal.getsignal(signal.SIGINT)
    with hooks_installed(built.window.context.errors, launch.interrupt):
        qtbot.waitUntil(lambda: training.state is TrainingState.RUNNING)
        with qtbot.waitSignal(built.window.closed, timeout=10_000):
            threading.Thread(target=signal.raise_signal, args=[signal.SIGINT]).start()
    assert launch.exit_code == 130
    assert training.state is TrainingState.STOPPED
    assert signal.getsignal(signal.SIGINT) is before


def test_the_application_has_a_name_and_an_icon(qtbot):
    app = build_application()
    assert app.applicationName() == "latentlab"
    assert not app.windowIcon().isNull()
