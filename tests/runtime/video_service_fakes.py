"""What tests of the open video share: a service that ends with the test, small models, and waiting for answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.runtime.priority import FollowedWeights
from latentlab.runtime.video import VideoService


def make_weights(step=10, *, crop=(0, 0, 88, 64), size=(32, 44), seed=1):
    """Return weights of a small model of pictures of `size` (height, width)."""
    from latentlab.models.registry import build_model

    recipe = Recipe.model_validate(
        {
            "data": {"spec": "video:x", "size": size, "crop": crop},
            "model": {"kind": "ae", "network": "mlp", "latent_dim": 4, "width": 4},
        }
    )
    info = ModelInfo(recipe, (*size, 3))
    return WeightSnapshot(step, info, build_model(info, seed).inference_state())


@contextmanager
def running_service() -> Iterator[VideoService]:
    """Give a service whose failures are in `problems`; it must end in time."""
    made = VideoService()
    made.bind(FollowedWeights())
    made.problems = []
    made.failed.connect(made.problems.append)
    yield made
    assert made.shutdown(20_000)


def open_clip(qtbot, service, path):
    with qtbot.waitSignal(service.opened, timeout=20_000) as signal:
        service.open(path)
    return signal.args[0]


def answer(qtbot, service, generation):
    """Wait for the answer to a request and return it."""

    def arrived():
        frame = service.frame.get()[1]
        return frame is not None and frame.generation >= generation

    qtbot.waitUntil(arrived, timeout=20_000)
    return service.frame.get()[1]
