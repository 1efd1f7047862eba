import numpy as np
import pytest

from latentlab.core.errors import InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.data.pictures import channels_of, crop, fit, is_grey, resize, to_channels


def gradient(height, width, channels=3):
    row = np.linspace(0, 255, width)[None, :, None]
    return np.broadcast_to(row, (height, width, channels)).astype(np.uint8)


def test_shrinking_averages_whole_blocks():
    image = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    blocks = image.reshape(4, 2, 6, 2, 3).mean(axis=(1, 3))
    assert np.abs(resize(image, 4, 6).astype(float) - blocks).max() <= 0.51


def test_growing_is_smooth_and_keeps_the_mean():
    image = np.zeros((8, 8, 1), np.uint8)
    image[:, 4:] = 200
    grown = resize(image, 32, 32).astype(float)
    assert grown.shape == (32, 32, 1)
    assert abs(grown.mean() - 100) < 2
    assert len(np.unique(grown[16, 12:20])) > 3, "an edge that was enlarged in blocks"


@pytest.mark.parametrize("size", [(4, 30), (30, 4), (8, 8), (3, 3), (20, 20)])
def test_any_size_to_any_size(size):
    assert resize(gradient(8, 8), *size).shape == (*size, 3)
    assert resize(gradient(8, 8, 1), *size).shape == (*size, 1)


def test_one_side_shrinks_while_the_other_grows():
    mixed = resize(gradient(40, 8), 10, 16)
    assert np.diff(mixed[5, :, 0].astype(int)).min() >= 0


def test_a_crop_is_x_y_width_height():
    image = np.arange(30, dtype=np.uint8).reshape(5, 6, 1)
    assert crop(image, (1, 2, 3, 2))[..., 0].tolist() == [[13, 14, 15], [19, 20, 21]]
    assert crop(image, None) is image


def test_a_crop_beyond_the_picture_suggests_one_that_fits():
    with pytest.raises(InputError, match=r"The crop \[4, 0, 9, 9\] reaches beyond the 6x5 pixels of a.png") as caught:
        crop(gradient(5, 6), (4, 0, 9, 9), where="a.png")
    assert "[4, 0, 2, 5] fits" in caught.value.hint
    assert caught.value.where == "data.crop"


def test_colour_to_grey_weighs_like_the_eye():
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    assert to_channels(red, 1)[0, 0, 0] == 76  # 0.299 x 255, ITU-R BT.601


def test_grey_to_colour_repeats():
    grey = gradient(3, 5, 1)
    colour = to_channels(grey, 3)
    assert (colour == grey).all()
    assert is_grey(colour)


def test_one_coloured_pixel_is_not_grey():
    picture = np.zeros((3, 3, 3), np.uint8)
    picture[1, 1] = 10, 10, 11
    assert not is_grey(picture)


@pytest.mark.parametrize(
    ("colour", "native", "wanted"), [("auto", 1, 1), ("auto", 3, 3), ("grey", 3, 1), ("rgb", 1, 3)]
)
def test_channels_follow_the_setting(colour, native, wanted):
    assert channels_of(DataConfig(colour=colour), native) == wanted


def test_fit_crops_then_resizes():
    image = np.zeros((40, 40, 3), np.uint8)
    image[:20, :20] = 255
    assert fit(image, DataConfig(size=(16, 24), crop=(0, 0, 20, 20)), 1).shape == (16, 24, 1)
    assert fit(image, DataConfig(size=(16, 24), crop=(0, 0, 20, 20)), 1).min() == 255
