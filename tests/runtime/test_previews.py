from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ModelInfo, Preview
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import validate
from latentlab.core.run_folder import PREVIEWS
from latentlab.runtime.previews import newest_preview, read_preview
from latentlab.runtime.run_reader import RunReader
from latentlab.training.preview_files import write_preview


def pictures(count: int, shape: tuple[int, int, int], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 5, 8, 11, 24])
@pytest.mark.parametrize("shape", [(16, 16, 1), (17, 21, 3)])
def test_pictures_come_back_bit_by_bit(tmp_path, count, shape):
    originals, reconstructions = pictures(count, shape, 0), pictures(count, shape, 1)
    samples = pictures(count + 1, shape, 2)
    write_preview(tmp_path / PREVIEWS, Preview(120, originals, reconstructions, samples))
    preview = read_preview(newest_preview(tmp_path), ModelInfo(Recipe(), shape))
    assert preview.step == 120
    np.testing.assert_array_equal(preview.originals, originals)
    np.testing.assert_array_equal(preview.reconstructions, reconstructions)
    np.testing.assert_array_equal(preview.samples, samples)
    error = np.square(originals / 255 - reconstructions / 255).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(preview.reconstruction_error, error, rtol=1e-5)


def test_the_newest_is_found_and_samples_may_be_missing(tmp_path):
    images = pictures(3, (16, 16, 1), 0)
    assert newest_preview(tmp_path) is None
    for step in (90, 100, 20):
        write_preview(tmp_path / PREVIEWS, Preview(step, images, images))
    preview = read_preview(newest_preview(tmp_path), ModelInfo(Recipe(), (16, 16, 1)))
    assert preview.step == 100
    assert preview.samples is None


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_damaged_preview_does_not_keep_a_run_from_opening(tmp_path, content):
    images = pictures(3, (16, 16, 1), 0)
    write_preview(tmp_path / PREVIEWS, Preview(10, images, images))
    slots = SimpleNamespace(previews=LatestSlot())
    reader = RunReader(ModelInfo(Recipe(), (16, 16, 1), 0, (), tmp_path), slots)
    newest_preview(tmp_path).write_bytes(content)
    assert not reader.read_preview()
    write_preview(tmp_path / PREVIEWS, Preview(20, images, images))
    assert reader.read_preview()


def test_samples_alone_and_their_columns_come_back(tmp_path):
    """What a model without an encoder leaves: a grid of styles by classes, and no reconstructions."""
    info = ModelInfo(validate({"model": {"kind": "cgan"}}), (16, 16, 1), 7)
    samples = pictures(14, (16, 16, 1), 3)
    for step in (40, 50):
        write_preview(tmp_path / PREVIEWS, Preview(step, None, None, samples, sample_columns=7))
    preview = read_preview(newest_preview(tmp_path), info)
    assert (preview.step, preview.sample_columns) == (50, 7)
    assert preview.originals is preview.reconstructions is preview.reconstruction_error is None
    np.testing.assert_array_equal(preview.samples, samples)
