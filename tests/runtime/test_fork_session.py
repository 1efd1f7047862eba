"""A fork as the window trains it: the curves of its source are there from the start."""

from __future__ import annotations

from latentlab.core.messages import TrainingState
from latentlab.core.recipe_io import validate
from latentlab.runtime.training_session import TrainingSession

SETTINGS = {
    "data": {"spec": "digits", "size": [16, 16], "limit": 60},
    "model": {"kind": "vae", "latent_dim": 3, "width": 4},
    "training": {"steps": 6, "batch_size": 8, "precision": "fp32", "log_every": 1, "checkpoint_every": 3},
}


def test_a_run_is_forked_in_the_window(qtbot, tmp_path):
    session = TrainingSession()
    try:
        session.start(validate(SETTINGS), runs_root=tmp_path, device="cpu")
        qtbot.waitUntil(lambda: session.state is TrainingState.FINISHED, timeout=120_000)
        source = session.info.run
        recipe = validate(SETTINGS | {"training": SETTINGS["training"] | {"steps": 8, "lr": 0.01}})
        session.start(recipe, runs_root=tmp_path, device="cpu", fork_from=(source, "step_00000003"))
        qtbot.waitUntil(lambda: session.state is TrainingState.FINISHED, timeout=120_000)
        assert session.info.run != source
        steps = session.history.window("pixel")[0].tolist()
        assert steps == [float(step) for step in range(1, 9)]
    finally:
        qtbot.waitUntil(lambda: session.shutdown(1000), timeout=60_000)
