from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from runtime_fakes import FakeEngine

from latentlab.core.errors import InputError
from latentlab.core.messages import ErrorReport, ModelInfo, Progress, TrainingState
from latentlab.core.recipe import Recipe, TrainingConfig
from latentlab.runtime.session_sink import SessionSink
from latentlab.runtime.training_session import TrainingSession

S = TrainingState


def recipe_of(steps: int = 1_000_000) -> Recipe:
    return Recipe(training=TrainingConfig(steps=steps))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def session(qtbot: QtBot, engine: FakeEngine) -> Iterator[TrainingSession]:
    made = TrainingSession(engine=engine)
    made.states = []
    made.state_changed.connect(made.states.append)
    yield made
    assert made.shutdown(5000)


def running(qtbot: QtBot, session: TrainingSession, root: Path, steps: int = 1_000_000) -> None:
    session.start(recipe_of(steps), runs_root=root)
    qtbot.waitUntil(lambda: session.state is S.RUNNING)
    qtbot.waitUntil(lambda: session.history.last("pixel") is not None)


def test_a_short_training_runs_to_its_end(qtbot, session, tmp_path):
    with qtbot.waitSignal(session.run_started) as started:
        session.start(recipe_of(20), runs_root=tmp_path)
    assert isinstance(started.args[0], ModelInfo)
    assert started.args[0].run == tmp_path / "run"
    qtbot.waitUntil(lambda: session.state is S.FINISHED)
    assert session.states == [S.PREPARING, S.RUNNING, S.FINISHED]
    assert session.history.last("pixel") == (20.0, 0.05)
    assert session.status.get()[1].step == 20
    assert session.info == started.args[0]


def test_the_trainer_is_not_the_gui_thread_and_trains_a_copy(qtbot, session, engine, tmp_path):
    recipe = recipe_of(3)
    session.start(recipe, runs_root=tmp_path)
    recipe.training.steps = 99
    qtbot.waitUntil(lambda: session.state is S.FINISHED)
    assert engine.thread != threading.get_ident()
    assert engine.jobs[0].recipe.training.steps == 3
    assert session.recipe.training.steps == 3


def test_pause_holds_the_step_and_resume_goes_on(qtbot, session, engine, tmp_path):
    running(qtbot, session, tmp_path)
    session.pause()
    assert session.state is S.PAUSED
    sink = session._thread.sink
    qtbot.waitUntil(sink.holding.is_set)
    held = engine.step
    qtbot.wait(60)
    assert engine.step == held
    session.resume()
    assert session.state is S.RUNNING
    qtbot.waitUntil(lambda: engine.step > held)


def test_the_weights_of_the_held_step_are_published(qtbot, session, engine, tmp_path):
    running(qtbot, session, tmp_path)
    session.pause()
    qtbot.waitUntil(session._thread.sink.holding.is_set)
    assert session.weights.get()[1].step == engine.step


def test_stop_while_paused_keeps_the_run(qtbot, session, tmp_path):
    running(qtbot, session, tmp_path)
    session.pause()
    with qtbot.waitSignal(session.checkpoint_saved):
        session.stop()
        assert session.state is S.STOPPING
    qtbot.waitUntil(lambda: session.state is S.STOPPED)
    assert session.states == [S.PREPARING, S.RUNNING, S.PAUSED, S.STOPPING, S.STOPPED]


def test_stop_while_preparing_cancels_the_load(qtbot, session, engine, tmp_path):
    entered = threading.Event()

    def prepare(sink: SessionSink) -> None:
        entered.set()
        for i in range(10_000):
            threading.Event().wait(0.002)
            sink.on_progress(Progress("Decoding", i, 10_000))

    engine.prepare = prepare
    session.start(recipe_of(), runs_root=tmp_path)
    qtbot.waitUntil(entered.is_set)
    qtbot.waitUntil(lambda: (session.progress.get()[1] or Progress("", 0)).what == "Decoding")
    session.stop()
    qtbot.waitUntil(lambda: session.state is S.STOPPED)
    assert session.info is None
    assert engine.step == 0
    assert session.progress.get()[1] is None


def test_pause_while_preparing_holds_before_the_first_step(qtbot, session, engine, tmp_path):
    gate = threading.Event()
    engine.prepare = lambda sink: gate.wait(5)
    session.start(recipe_of(), runs_root=tmp_path)
    session.pause()
    gate.set()
    qtbot.waitUntil(lambda: session.state is S.PAUSED)
    qtbot.waitUntil(session._thread.sink.holding.is_set)
    assert engine.step == 0


def test_a_failing_training_is_reported_and_the_session_is_usable_again(qtbot, session, engine, tmp_path):
    engine.fail_at = 5
    with qtbot.waitSignal(session.failed) as failed:
        session.start(recipe_of(), runs_root=tmp_path)
    report = failed.args[0]
    assert isinstance(report, ErrorReport)
    assert "the loss went away" in report.what
    assert "Traceback" in report.details
    assert session.state is S.FAILED
    engine.fail_at = None
    session.start(recipe_of(5), runs_root=tmp_path)
    qtbot.waitUntil(lambda: session.state is S.FINISHED)


def test_a_bad_data_set_is_reported_in_its_own_words(qtbot, session, engine, tmp_path):
    def prepare(sink: SessionSink) -> None:
        raise InputError("There is no folder cats", where="data.spec", hint="Check the path.")

    engine.prepare = prepare
    with qtbot.waitSignal(session.failed) as failed:
        session.start(recipe_of(), runs_root=tmp_path)
    assert (failed.args[0].what, failed.args[0].where, failed.args[0].hint) == (
        "There is no folder cats",
        "data.spec",
        "Check the path.",
    )


def test_running_out_of_memory_is_explained(qtbot, session, engine, tmp_path):
    def prepare(sink: SessionSink) -> None:
        raise MemoryError("2 TB")

    engine.prepare = prepare
    with qtbot.waitSignal(session.failed) as failed:
        session.start(recipe_of(), runs_root=tmp_path)
    assert "batch_size" in failed.args[0].hint


def test_starting_twice_is_refused(qtbot, session, tmp_path):
    running(qtbot, session, tmp_path)
    with pytest.raises(InputError, match="already"):
        session.start(recipe_of(), runs_root=tmp_path)
    with pytest.raises(InputError, match="already"):
        session.open_run(tmp_path)
    assert session.state is S.RUNNING


def test_a_second_training_starts_from_empty_slots(qtbot, session, tmp_path):
    session.start(recipe_of(30), runs_root=tmp_path)
    qtbot.waitUntil(lambda: session.state is S.FINISHED)
    versions = session.history.version, session.weights.version
    session.start(recipe_of(3), runs_root=tmp_path)
    qtbot.waitUntil(lambda: session.state is S.FINISHED)
    assert session.history.span() == (1.0, 3.0)
    assert session.history.version > versions[0]
    assert session.weights.version > versions[1]


def test_live_changes_reach_the_trainer_checked(qtbot, session, engine, tmp_path):
    with pytest.raises(InputError, match="Nothing is training"):
        session.change("training.lr", 0.1)
    running(qtbot, session, tmp_path)
    session.change("objective.target_kld", 0.25)
    qtbot.waitUntil(lambda: engine.changes.get("objective.target_kld") == 0.25)
    assert session.recipe.objective.target_kld == 0.25
    with pytest.raises(InputError, match="cannot be changed while training"):
        session.change("model.width", 64)
    with pytest.raises(InputError, match="target_kld"):
        session.change("objective.target_kld", -1.0)
    assert session.recipe.objective.target_kld == 0.25


def test_shutdown_while_training_waits_for_the_checkpoint(qtbot, session, tmp_path):
    saved = []
    session.checkpoint_saved.connect(saved.append)
    running(qtbot, session, tmp_path)
    assert session.shutdown(5000)
    assert session.state is S.STOPPED
    assert session.shutdown(0)
    qtbot.waitUntil(lambda: len(saved) == 1)


def test_shutdown_gives_up_waiting_in_time_and_can_be_repeated(qtbot, session, engine, tmp_path):
    gate, entered = threading.Event(), threading.Event()
    engine.prepare = lambda sink: (entered.set(), gate.wait(10))
    session.start(recipe_of(), runs_root=tmp_path)
    qtbot.waitUntil(entered.is_set)
    assert not session.shutdown(20)
    assert session.state is S.STOPPING
    gate.set()
    assert session.shutdown(5000)


def test_controls_in_the_wrong_state_do_nothing(session):
    session.pause()
    session.resume()
    session.stop()
    assert session.state is S.IDLE
    assert session.states == []


def test_opening_something_that_is_no_run_reports_and_keeps_what_is_shown(qtbot, session, tmp_path):
    session.start(recipe_of(3), runs_root=tmp_path)
    qtbot.waitUntil(lambda: session.state is S.FINISHED)
    with qtbot.waitSignal(session.failed) as failed:
        session.open_run(tmp_path / "nowhere")
    assert "not a run folder" in failed.args[0].what
    assert session.state is S.FINISHED
    assert session.history.span() == (1.0, 3.0)
