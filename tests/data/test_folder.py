import os

import cv2
import numpy as np
import pytest
from PIL import Image

from latentlab.core.errors import InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.data.catalog import load_dataset
from latentlab.data.files import read_picture


def paint(path, colour=(200, 30, 30), size=(20, 30), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path, **options)
    return path


def load(root, **settings):
    return load_dataset(DataConfig(**({"spec": f"folder:{root}", "size": (16, 16)} | settings)))


def test_every_format_gives_the_same_picture(tmp_path):
    for suffix in ("png", "bmp", "webp", "jpg", "JPEG", "gif"):
        paint(tmp_path / f"a.{suffix}", quality=95)
    data = load(tmp_path)
    assert data.images.shape == (6, 16, 16, 3)
    assert np.abs(data.images.astype(int) - (200, 30, 30)).max() <= 3
    assert data.labels is None
    assert data.class_names == ()


def test_a_class_per_sub_folder_numbers_in_order_of_number(tmp_path):
    for name in ("10", "9", "1"):
        for i in range(3):
            paint(tmp_path / name / f"{i}.png", (int(name) * 10, 0, 0))
    data = load(tmp_path)
    assert data.class_names == ("1", "9", "10")
    assert (data.images[:, 0, 0, 0] == np.array([10, 90, 100])[data.labels]).all()


def test_a_picture_beside_the_classes_has_none(tmp_path):
    for name in ("cat/a", "dog/b", "loose"):
        paint(tmp_path / f"{name}.png")
    assert sorted(load(tmp_path).labels.tolist()) == [-1, 0, 1]


def test_a_single_sub_folder_is_no_class(tmp_path):
    for i in range(2):
        paint(tmp_path / "images" / f"{i}.png")
    assert load(tmp_path).labels is None


def test_train_and_test_folders_prescribe_the_split(tmp_path):
    for i, name in enumerate(("train/cat", "train/dog", "test/cat", "test/dog")):
        paint(tmp_path / name / "a.png", (i * 50, 0, 0))
    data = load(tmp_path)
    assert data.class_names == ("cat", "dog")
    assert sorted(data.images[data.test_index, 0, 0, 0].tolist()) == [100, 150]
    assert sorted(data.labels[data.test_index].tolist()) == [0, 1]


def test_bad_files_are_skipped_and_counted(tmp_path):
    for i in range(3):
        paint(tmp_path / f"{i}.png", (i * 50, 0, 0))
    (tmp_path / "broken.png").write_bytes((tmp_path / "0.png").read_bytes()[:40])
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "readme.txt").write_text("not even called one")
    seen = []
    config = DataConfig(spec=f"folder:{tmp_path}", size=(16, 16))
    data = load_dataset(config, progress=seen.append)
    assert len(data.images) == 3
    assert sorted(data.images[:, 0, 0, 0].tolist()) == [0, 50, 100]
    assert data.notes[0].startswith("Skipped 2 files that are no readable picture, first broken.png")
    assert seen[-1].what == data.notes[0]
    assert load_dataset(config).notes == data.notes, "said again when it comes from the cache"


def test_a_folder_of_bad_files_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match="None of the 1 files can be read as a picture"):
        load(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no pictures"):
        load(tmp_path)


def test_an_absent_folder_suggests_its_neighbour(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(InputError, match="There is no folder") as caught:
        load(tmp_path / "pictres")
    assert caught.value.hint == f"Did you mean folder:{tmp_path / 'pictures'}?"


def test_a_file_is_no_folder(tmp_path):
    paint(tmp_path / "a.png")
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(InputError, match="needs a folder") as caught:
        load(tmp_path / "clip.mp4")
    assert caught.value.hint == f"Did you mean video:{tmp_path / 'clip.mp4'}?"


def test_grey_pictures_give_one_channel(tmp_path):
    paint(tmp_path / "a.gif", (90, 90, 90), mode="L")
    paint(tmp_path / "b.png", (80, 80, 80))
    assert load(tmp_path).image_shape == (16, 16, 1)
    assert load(tmp_path, colour="rgb").image_shape == (16, 16, 3)


def test_one_coloured_picture_makes_all_coloured(tmp_path):
    paint(tmp_path / "a.png", (90, 90, 90), mode="L")
    paint(tmp_path / "b.png", (80, 80, 81))
    assert load(tmp_path).image_shape == (16, 16, 3)
    assert load(tmp_path, colour="grey").image_shape == (16, 16, 1)


def test_a_changed_file_is_read_again(tmp_path):
    for name in "ab":
        paint(tmp_path / f"{name}.png", (10, 0, 0))
    first = load(tmp_path)
    paint(tmp_path / "a.png", (250, 0, 0))
    os.utime(tmp_path / "a.png", ns=(1, 1))
    assert load(tmp_path).images.max() == 250
    assert load(tmp_path).fingerprint != first.fingerprint


def test_a_limit_is_spread_over_the_classes(tmp_path):
    for name in "abcd":
        for i in range(10):
            paint(tmp_path / name / f"{i}.png")
    assert np.bincount(load(tmp_path, limit=8).labels).tolist() == [2, 2, 2, 2]


def test_hidden_files_are_passed_over(tmp_path):
    for name in ("a", "b", ".hidden", ".thumbs/c", "__MACOSX/d"):
        paint(tmp_path / f"{name}.png")
    assert len(load(tmp_path).images) == 2


def test_crop_comes_before_resize(tmp_path):
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[10:20, 30:50] = 255
    for name in "ab":
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture)
    assert load(tmp_path, crop=(30, 10, 20, 10)).images.min() == 255
    with pytest.raises(InputError, match=r"reaches beyond the 60x40 pixels of a\.png"):
        load(tmp_path, crop=(30, 10, 40, 10))


def test_transparent_parts_are_white(tmp_path):
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png") == 255).all()


def test_sixteen_bits_keep_their_range(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.array([[0, 32768, 65535]], np.uint16))
    assert read_picture(tmp_path / "a.png")[0, :, 0].tolist() == [0, 128, 255]


def test_a_picture_on_its_side_is_put_upright(tmp_path):
    image = Image.new("RGB", (20, 10), (1, 2, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned by a quarter.
    image.save(tmp_path / "a.jpg", exif=exif)
    assert read_picture(tmp_path / "a.jpg").shape == (20, 10, 3)


def test_a_large_photograph_looks_the_same_when_decoded_at_a_fraction(tmp_path):
    y, x = np.mgrid[0:800, 0:1200]
    photo = np.stack([x * 255 // 1199, y * 255 // 799, (x + y) % 256], -1).astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "a.jpg", quality=95)
    Image.fromarray(photo).save(tmp_path / "b.png")
    images = load(tmp_path, size=(64, 64)).images.astype(int)
    assert np.abs(images[0, ..., :2] - images[1, ..., :2]).mean() < 2
    assert read_picture(tmp_path / "a.jpg", (64, 64)).shape[0] < 800


def test_real_photographs_in_class_folders(shared_data):
    data = load_dataset(DataConfig(spec=f"folder:{shared_data / 'cifar10_images'}"))
    assert data.images.shape == (2000, 32, 32, 3)
    assert data.num_classes == 10
    assert np.bincount(data.labels[data.test_index]).tolist() == [20] * 10


def test_real_faces_with_attributes(shared_data):
    data = load_dataset(DataConfig(spec=f"folder:{shared_data / 'yalefaces'}", size=(64, 64)))
    assert data.images.shape == (164, 64, 64, 1)
    assert len(data.attribute_names) == 11
    assert (data.attributes.sum(axis=1) == 1).all()
    assert data.labels is None


def test_links_that_go_round_or_nowhere_are_passed_over(tmp_path):
    for name in "abc":
        paint(tmp_path / f"{name}.png")
    (tmp_path / "self").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere.png")
    assert len(load(tmp_path).images) == 3
