from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import Recipe
from latentlab.core.video_messages import CompareModel, psnr_db
from latentlab.data.video_shape import FrameShape
from latentlab.explore.video_inference import FrameReconstructor
from latentlab.runtime import video_compare
from latentlab.runtime.video_compare import CompareRequest, CompareService, at_size_of, key_of

FILM = np.random.default_rng(0).integers(0, 256, (48, 80, 3), dtype=np.uint8)
CROP = (8, 0, 64, 48)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs: models of 24x32 with two checkpoints, and of 16x16 with one."""
    from latentlab.core.recipe_io import recipe_toml
    from latentlab.core.run_folder import CHECKPOINTS, RECIPE, write_model_info
    from latentlab.models.registry import build_model
    from latentlab.models.weights import MODEL_FILE, STATE_FILE, save_tensors

    root = tmp_path_factory.mktemp("runs")
    for name, size, steps in (("large", (24, 32), {"last": 20, "step_00000010": 10}), ("small", (16, 16), {"last": 5})):
        model = {"kind": "ae", "network": "mlp", "latent_dim": 4, "width": 4}
        recipe = Recipe.model_validate({"data": {"spec": "video:x", "size": size}, "model": model})
        info = ModelInfo(recipe, (*size, 3))
        for which, step in steps.items():
            folder = root / name / CHECKPOINTS / which
            folder.mkdir(parents=True)
            save_tensors(folder / MODEL_FILE, dict(build_model(info, step).inference_state()))
            (folder / STATE_FILE).write_text(f'{{"step": {step}}}')
        (root / name / RECIPE).write_text(recipe_toml(recipe))
        write_model_info(root / name, info, data_name="x", num_train=1, num_test=1)
    return root


@pytest.fixture
def service(qtbot):
    made = CompareService()
    made.problems = []
    made.failed.connect(made.problems.append)
    yield made
    made.close()
    assert made.thread_in_use.wait(20_000)


def request(index=3, film=FILM, seed=0):
    original = FrameShape(CROP, (24, 32)).apply(np.roll(FILM, seed, axis=0))
    return CompareRequest(index, original, CROP, film)


def pictures(qtbot, service, count, index=3):
    def there():
        found = service.pictures.get()[1]
        return found is not None and len(found) == count and found[0].index == index

    qtbot.waitUntil(there, timeout=20_000)
    return service.pictures.get()[1]


def test_every_checkpoint_reconstructs_the_frame_at_its_own_size(qtbot, service, runs):
    from latentlab.models.weights import read_snapshot

    models = (CompareModel(runs / "large"), CompareModel(runs / "large", "step_00000010"), CompareModel(runs / "small"))
    service.set_models(models)
    service.show(request())
    found = pictures(qtbot, service, 3)
    assert [other.key for other in found] == [key_of(model) for model in models]
    assert [other.title for other in found] == ["large · last", "large · step 10", "small · last"]
    assert [other.step for other in found] == [20, 10, 5]
    for other, model, size in zip(found, models, ((24, 32), (24, 32), (16, 16)), strict=True):
        replica = FrameReconstructor()
        replica.load(read_snapshot(model.run, model.which))
        frame = FrameShape(CROP, size).apply(FILM)
        expected = replica.reconstruct(frame[None])
        assert np.array_equal(other.image, expected.images[0])
        assert psnr_db(other.pixel) == pytest.approx(psnr_db(float(expected.pixel[0])))


def test_three_at_most_and_each_once(service, runs):
    model = CompareModel(runs / "large")
    service.set_models((model, model, *(CompareModel(runs / f"r{n}") for n in range(5))))
    assert len(service.models) == video_compare.MOST
    assert service.models[0] == model


def test_a_model_of_another_size_waits_for_the_whole_frame(runs):
    assert at_size_of(request(film=None), (16, 16, 3)) is None
    assert at_size_of(request(film=None), (24, 32, 3)) is not None
    assert at_size_of(request(), (16, 16, 1)).shape == (16, 16, 1)


def test_the_newest_frame_wins(qtbot, service, runs):
    service.set_models((CompareModel(runs / "large"),))
    for index in range(50):
        service.show(request(index))
    assert pictures(qtbot, service, 1, index=49)[0].index == 49
    assert service.pictures.version < 50


def test_a_checkpoint_that_is_gone_is_told_once_and_taken_away(qtbot, service, runs):
    good, gone = CompareModel(runs / "large"), CompareModel(runs / "large", "step_00000099")
    service.set_models((gone, good))
    service.show(request())
    pictures(qtbot, service, 1)
    qtbot.waitUntil(lambda: service.models == (good,), timeout=10_000)
    for index in (4, 5):
        service.show(request(index))
    pictures(qtbot, service, 1, index=5)
    assert ["step_00000099" in report.what for report in service.problems] == [True]


def test_nothing_runs_before_a_model_was_chosen(service):
    service.show(request())
    assert not service.thread_in_use.isRunning()
    service.forget()
