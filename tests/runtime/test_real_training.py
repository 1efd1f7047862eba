"""The session with the real engine, on the built-in digits and tiny networks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from latentlab.core.messages import DecodeRequest, ReconstructRequest, TrainingState
from latentlab.core.recipe import Recipe, TrainingConfig
from latentlab.core.recipe_data import DataConfig
from latentlab.core.recipe_model import ModelConfig
from latentlab.core.run_folder import is_run
from latentlab.runtime.inference import InferenceService
from latentlab.runtime.training_session import TrainingSession

S = TrainingState


def tiny(steps: int) -> Recipe:
    return Recipe(
        title="tiny",
        data=DataConfig(spec="digits", size=(16, 16)),
        model=ModelConfig(latent_dim=3, width=8),
        training=TrainingConfig(
            steps=steps, batch_size=16, log_every=5, preview_every=20, test_every=20, checkpoint_every=20
        ),
    )


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[TrainingSession]:
    made = TrainingSession()
    made.failures = []
    made.failed.connect(made.failures.append)
    yield made
    assert made.shutdown(20_000)


@pytest.fixture
def inference(qtbot: QtBot, session: TrainingSession) -> Iterator[InferenceService]:
    made = InferenceService()
    made.bind(session.weights)
    yield made
    assert made.shutdown(20_000)


def wait_for(qtbot: QtBot, session: TrainingSession, state: TrainingState) -> None:
    qtbot.waitUntil(lambda: session.state is state or bool(session.failures), timeout=60_000)
    assert session.failures == []


def test_a_training_fills_the_slots_and_leaves_a_run(qtbot, session, tmp_path):
    session.start(tiny(40), runs_root=tmp_path, device="cpu")
    wait_for(qtbot, session, S.FINISHED)
    run = session.info.run
    assert is_run(run)
    assert run.parent == tmp_path
    assert session.history.span() == (5.0, 40.0)
    assert {"pixel", "kld_nats", "kld_per_dim", "beta", "test_pixel"} <= set(session.history.names())
    assert session.weights.get()[1].step == 40
    preview = session.previews.get()[1]
    assert preview.step == 40
    assert preview.reconstructions.shape[1:] == (16, 16, 1)
    assert len(session.gallery.get()[1].images) > 24
    assert session.status.get()[1].device.startswith("CPU")


def test_the_latent_space_is_explored_while_training(qtbot, session, inference, tmp_path):
    results = []
    inference.result_ready.connect(lambda pane, result: results.append(result))
    session.start(tiny(100_000), runs_root=tmp_path, device="cpu")
    z = np.zeros((4, 3), dtype=np.float32)
    inference.request("explore", DecodeRequest(z))
    qtbot.waitUntil(lambda: len(results) == 1 or bool(session.failures), timeout=60_000)
    assert results[0].error is None
    assert results[0].images.shape == (4, 16, 16, 1)
    assert (results[0].images == results[0].images[0]).all()
    wait_for(qtbot, session, S.RUNNING)
    before = inference.weights_step

    def newer() -> bool:
        inference.request("explore", DecodeRequest(z))
        return inference.weights_step > before

    qtbot.waitUntil(newer, timeout=20_000)
    session.stop()
    wait_for(qtbot, session, S.STOPPED)


def test_a_paused_training_shows_the_weights_of_the_step_it_holds(qtbot, session, tmp_path):
    session.start(tiny(100_000), runs_root=tmp_path, device="cpu")
    qtbot.waitUntil(lambda: session.history.span() is not None, timeout=60_000)
    session.pause()
    qtbot.waitUntil(session._thread.sink.holding.is_set)
    step = session.weights.get()[1].step
    session.stop()
    wait_for(qtbot, session, S.STOPPED)
    assert session.history.span()[1] == step


def test_shutdown_while_training_keeps_the_run_and_it_resumes(qtbot, session, tmp_path):
    session.start(tiny(100_000), runs_root=tmp_path, device="cpu")
    wait_for(qtbot, session, S.RUNNING)
    qtbot.waitUntil(lambda: (session.status.get()[1].step) >= 30, timeout=20_000)
    assert session.shutdown(20_000)
    run, stopped_at = session.info.run, session.weights.get()[1].step
    curve = session.history.window("pixel")

    recipe = tiny(stopped_at + 40)
    session.start(recipe, runs_root=tmp_path, resume_run=run, device="cpu")
    wait_for(qtbot, session, S.FINISHED)
    assert session.info.run == run
    assert session.history.span() == (5.0, stopped_at + 40)
    again = session.history.window("pixel", last=stopped_at)
    np.testing.assert_array_equal(again[1][: len(curve[1])], curve[1])


def test_opening_a_run_shows_curves_pictures_and_weights(qtbot, session, inference, tmp_path):
    session.start(tiny(40), runs_root=tmp_path, device="cpu")
    wait_for(qtbot, session, S.FINISHED)
    run = session.info.run
    curve, preview = session.history.window("pixel"), session.previews.get()[1]

    with qtbot.waitSignal(session.run_started, timeout=20_000) as started:
        session.open_run(run)
    wait_for(qtbot, session, S.STOPPED)
    assert started.args[0].run == run
    np.testing.assert_array_equal(session.history.window("pixel")[1], curve[1])
    assert session.status.get()[1].step == 40
    opened = session.previews.get()[1]
    assert opened.step == 40
    np.testing.assert_array_equal(opened.originals, preview.originals)
    np.testing.assert_array_equal(opened.reconstructions, preview.reconstructions)
    np.testing.assert_array_equal(opened.samples, preview.samples)
    np.testing.assert_allclose(opened.reconstruction_error, preview.reconstruction_error, atol=0.002)
    gallery = session.gallery.get()[1]
    with qtbot.waitSignal(inference.result_ready, timeout=20_000) as ready:
        inference.request("explore", ReconstructRequest(gallery.images[:5]))
    assert ready.args[1].step == 40
    assert ready.args[1].images.shape == (5, 16, 16, 1)


def test_an_open_run_that_another_process_trains_goes_on_arriving(qtbot, session, tmp_path):
    writer = TrainingSession()  # Stands for the other process: it shares nothing but the files.
    with qtbot.waitSignal(writer.checkpoint_saved, timeout=20_000):
        writer.start(tiny(100_000), runs_root=tmp_path, device="cpu")
    session.open_run(writer.info.run)
    wait_for(qtbot, session, S.STOPPED)
    first = session.history.span()[1]
    weights = session.weights.peek()[1].step
    qtbot.waitUntil(lambda: session.history.span()[1] > first, timeout=20_000)
    qtbot.waitUntil(lambda: session.weights.peek()[1].step > weights, timeout=20_000)
    assert writer.shutdown(20_000)
    qtbot.waitUntil(lambda: session.history.span() == writer.history.span(), timeout=20_000)
    steps, values, _ = session.history.window("pixel")
    np.testing.assert_array_equal(values, writer.history.window("pixel")[1])
    assert (np.diff(steps) > 0).all()


def test_a_bad_data_set_is_one_clear_message(qtbot, session, tmp_path):
    recipe = tiny(10)
    recipe.data.spec = f"folder:{tmp_path / 'nowhere'}"
    with qtbot.waitSignal(session.failed, timeout=20_000) as failed:
        session.start(recipe, runs_root=tmp_path / "runs", device="cpu")
    assert "nowhere" in failed.args[0].what + failed.args[0].where
    assert session.state is S.FAILED
    assert not (tmp_path / "runs").exists() or not any(Path(tmp_path / "runs").iterdir())


def test_hands_on_a_training_single_steps_slow_motion_and_checkpoints(qtbot, session, tmp_path):
    session.start(tiny(100_000), runs_root=tmp_path, device="cpu")
    qtbot.waitUntil(lambda: session.history.span() is not None, timeout=60_000)
    session.pause()
    wait_for(qtbot, session, S.PAUSED)
    qtbot.waitUntil(lambda: session.previews.get()[1] is not None)
    saved = []
    session.checkpoint_saved.connect(saved.append)
    session.save_checkpoint()  # While it is held.
    qtbot.waitUntil(lambda: len(saved) == 1, timeout=20_000)
    at = saved[0]
    assert (session.info.run / "checkpoints" / f"step_{at:08d}").is_dir()
    for count in (1, 2):
        session.step()
        qtbot.waitUntil(lambda count=count: session.history.span()[1] == at + count, timeout=20_000)
        qtbot.waitUntil(lambda count=count: session.previews.get()[1].step == at + count, timeout=20_000)
    assert session.state is S.PAUSED
    qtbot.waitUntil(lambda: session.weights.get()[1].step == at + 2, timeout=20_000)
    session.set_pace(0.02)
    session.resume()
    qtbot.waitUntil(lambda: session.history.span()[1] >= at + 8, timeout=20_000)
    steps = session.history.window("pixel")[0]
    assert set(range(at + 1, at + 9)) <= set(steps.astype(int))  # Every step is logged.
    session.set_pace(0.0)
    session.change("objective.initial_beta", 0.5)
    qtbot.waitUntil(lambda: any(event.kind == "change" for event in session.events.marked()), timeout=20_000)
    session.stop()
    wait_for(qtbot, session, S.STOPPED)
    kinds = {event.kind for event in session.events.marked()}
    assert {"change", "checkpoint"} <= kinds
    run = session.info.run
    names, vectors = set(session.history.names()), session.vectors.names()
    session.open_run(run)
    wait_for(qtbot, session, S.STOPPED)
    assert set(session.history.names()) == names
    assert set(session.vectors.names()) == set(vectors)
    assert {event.kind for event in session.events.marked()} >= {"change", "checkpoint"}
