"""A model without an encoder through the session and the inference service, with the real engine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from latentlab.core.messages import DecodeRequest, EncodeRequest, InferenceResult, ReconstructRequest, TrainingState
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import validate
from latentlab.runtime.inference import InferenceService
from latentlab.runtime.training_session import TrainingSession
from latentlab.runtime.video_replica import Replica


def tiny() -> Recipe:
    return validate(
        {
            "data": {"spec": "digits", "size": [16, 16]},
            "model": {"kind": "cgan", "latent_dim": 3, "width": 4, "discriminator_width": 4},
            "training": {"steps": 20, "batch_size": 16, "preview_every": 10, "test_every": 10, "checkpoint_every": 10},
        }
    )


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[TrainingSession]:
    made = TrainingSession()
    made.failures = []
    made.failed.connect(made.failures.append)
    yield made
    assert made.shutdown(20_000)


def wait_for(qtbot: QtBot, session: TrainingSession, *states: TrainingState) -> None:
    qtbot.waitUntil(lambda: session.state in states or bool(session.failures), timeout=60_000)
    assert session.failures == []


def check_preview(session: TrainingSession) -> None:
    preview = session.previews.get()[1]
    assert preview.reconstructions is preview.originals is None
    assert preview.samples.shape == (60, 16, 16, 1)
    assert preview.sample_columns == 10


def test_trained_opened_decoded_and_not_encoded(qtbot: QtBot, session: TrainingSession, tmp_path) -> None:
    session.start(tiny(), runs_root=tmp_path, device="cpu")
    wait_for(qtbot, session, TrainingState.FINISHED)
    check_preview(session)
    assert session.gallery.get()[1] is not None
    session.open_run(session.info.run)
    wait_for(qtbot, session, TrainingState.STOPPED)
    qtbot.waitUntil(lambda: session.weights.get()[1] is not None, timeout=60_000)
    check_preview(session)
    assert session.history.last("test_energy_distance") is not None

    inference = InferenceService()
    try:
        inference.bind(session.weights)
        decoded = answered(qtbot, inference, DecodeRequest(np.zeros((10, 3), np.float32), np.arange(10)))
        assert decoded.images.shape == (10, 16, 16, 1)
        picture = np.zeros((1, 16, 16, 1), np.uint8)
        for request in (
            EncodeRequest(picture, np.zeros(1, np.int64)),
            ReconstructRequest(picture, np.zeros(1, np.int64)),
        ):
            refused = answered(qtbot, inference, request)
            assert "no encoder" in refused.error.what
            assert refused.error.expected
    finally:
        assert inference.shutdown(20_000)


def answered(qtbot: QtBot, inference: InferenceService, request) -> InferenceResult:
    with qtbot.waitSignal(inference.result_ready, timeout=30_000) as blocker:
        inference.request("pane", request)
    return blocker.args[1]


def test_films_are_shown_without_a_model(qtbot: QtBot, session: TrainingSession, tmp_path) -> None:
    session.start(tiny(), runs_root=tmp_path, device="cpu")
    wait_for(qtbot, session, TrainingState.FINISHED)
    replica = Replica()
    replica.weights = session.weights
    assert session.weights.get()[1] is not None
    assert replica.refresh()
    assert replica.info is None
