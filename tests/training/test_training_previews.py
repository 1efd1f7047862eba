from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from training_fakes import make_data, make_recipe

from latentlab.core.messages import ModelInfo, Preview
from latentlab.models.device import DevicePolicy
from latentlab.models.registry import build_model
from latentlab.training.batches import Pictures
from latentlab.training.preview_files import GAP, GROUND, mosaic, pairs, write_preview
from latentlab.training.previews import Previewer, gallery, spread, style_grid, to_uint8

CPU = DevicePolicy(torch.device("cpu"))


def numbered_images(count: int) -> np.ndarray:
    return np.repeat(np.arange(count, dtype=np.uint8), 4 * 6 * 3).reshape(count, 4, 6, 3)


def test_a_mosaic_holds_each_picture_at_its_place() -> None:
    sheet = mosaic(numbered_images(5), columns=3)
    assert sheet.shape == (2 * (4 + GAP) + GAP, 3 * (6 + GAP) + GAP, 3)
    for i in range(5):
        y, x = GAP + i // 3 * (4 + GAP), GAP + i % 3 * (6 + GAP)
        assert (sheet[y : y + 4, x : x + 6] == i).all()
    assert (sheet[-4 - GAP :, -6 - GAP :] == GROUND).all()


def test_reconstructions_stand_under_their_originals_in_short_rows_too() -> None:
    sheet = pairs(numbered_images(5), 100 + numbered_images(5), columns=3)
    row = 4 + GAP
    for i in range(5):
        y, x = GAP + 2 * (i // 3) * row, GAP + i % 3 * (6 + GAP)
        assert sheet[y, x, 0] == i
        assert sheet[y + row, x, 0] == 100 + i


@pytest.mark.parametrize("channels", [1, 3])
def test_files_hold_the_pixels(tmp_path: Path, channels: int) -> None:
    images = numbered_images(4)[..., :channels]
    write_preview(tmp_path / "previews", Preview(70, images, images, images))
    names = sorted(p.name for p in (tmp_path / "previews").iterdir())
    assert names == ["step_00000070_reconstructions.png", "step_00000070_samples.png"]
    back = np.asarray(Image.open(tmp_path / "previews" / names[1]))
    assert (back.reshape(*back.shape[:2], channels) == mosaic(images)).all()


def test_uint8_rounds_and_clamps() -> None:
    x = torch.tensor([-0.1, 0.0, 0.4999 / 255, 0.5001 / 255, 1.0, 1.7]).view(1, 1, 2, 3)
    assert to_uint8(x).ravel().tolist() == [0, 0, 0, 1, 255, 255]
    assert to_uint8(x).shape == (1, 2, 3, 1)


def test_spread_takes_both_ends() -> None:
    assert spread(np.arange(10, 110), 3).tolist() == [10, 60, 109]
    assert spread(np.arange(4), 9).tolist() == [0, 1, 2, 3]


def test_the_gallery_starts_with_test_images(data) -> None:
    shown = gallery(data)
    assert (shown.images[: len(data.test_index)] == data.images[data.test_index]).all()
    assert shown.labels is not None
    assert len(shown.images) == len(shown.labels) == len(data.images)


@pytest.mark.parametrize("kind", ["ae", "vae", "cvae", "vaegan"])
def test_a_preview_shows_fixed_images_and_fixed_samples(kind: str) -> None:
    data = make_data(200)
    recipe = make_recipe(model__kind=kind)
    info = ModelInfo(recipe, data.image_shape, data.num_classes, data.class_names)
    model = build_model(info, 3).train()
    previewer = Previewer(info, data, Pictures(data.images, CPU), CPU)
    torch.manual_seed(1)
    first = previewer(model, 10)
    torch.manual_seed(2)
    second = previewer(model, 20)
    assert model.training
    assert (first.step, second.step) == (10, 20)
    assert (first.originals == data.images[spread(data.test_index, 24)]).all()
    assert (first.reconstructions == second.reconstructions).all()
    error = (first.reconstructions / 255.0 - first.originals / 255.0) ** 2
    np.testing.assert_allclose(first.reconstruction_error, error.mean(axis=(1, 2, 3)), atol=1e-3)
    if kind == "ae":
        assert first.samples is None
    else:
        assert first.samples is not None
        assert first.sample_columns == (data.num_classes if info.conditional else None)
        assert first.samples.shape == (18 if info.conditional else 24, 16, 16, 1)
        assert (first.samples == second.samples).all()
        assert not (first.samples[0] == first.samples[1]).all()


def test_samples_of_a_conditional_model_are_styles_by_classes() -> None:
    """Row by row one z, column by column one class: told by decoding both again."""
    data = make_data(60)
    info = ModelInfo(make_recipe(model__kind="cgan"), data.image_shape, data.num_classes, data.class_names)
    model = build_model(info, 3).train()
    drawn: list[tuple[torch.Tensor, torch.Tensor]] = []
    decode = model.decode
    model.decode = lambda z, y: drawn.append((z, y)) or decode(z, y)
    preview = Previewer(info, data, Pictures(data.images, CPU), CPU)(model, 5)
    assert preview.originals is preview.reconstructions is preview.reconstruction_error is None
    ((z, y),) = drawn
    assert y.tolist() == [0, 1, 2] * 6
    assert (z.view(6, 3, -1) == z.view(6, 3, -1)[:, :1]).all()
    assert len(z.unique(dim=0)) == 6


@pytest.mark.parametrize(("classes", "expected"), [(2, (6, 2)), (10, (6, 10)), (20, (3, 20)), (300, (2, 24))])
def test_the_grid_of_styles_by_classes_stays_small(classes: int, expected: tuple[int, int]) -> None:
    assert style_grid(classes) == expected


def test_a_preview_without_reconstructions_leaves_samples_only(tmp_path: Path) -> None:
    images = numbered_images(6)
    write_preview(tmp_path / "previews", Preview(70, None, None, images, sample_columns=3))
    (path,) = (tmp_path / "previews").iterdir()
    assert path.name == "step_00000070_samples.png"
    assert (np.asarray(Image.open(path)) == mosaic(images, 3)).all()
