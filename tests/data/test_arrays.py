import numpy as np
import pytest

from latentlab.core.errors import InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.data.catalog import load_dataset

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
GREY = PICTURES[..., :1]


def load(tmp_path, name="a.npz", arrays=None, **settings):
    path = tmp_path / name
    if arrays is not None:
        np.savez(path, **arrays)
    return load_dataset(DataConfig(**({"spec": f"npz:{path}", "size": (16, 16)} | settings)))


@pytest.mark.parametrize("key", ["images", "imgs", "x", "data", "arr_0"])
@pytest.mark.parametrize(
    "array",
    [PICTURES, PICTURES.transpose(0, 3, 1, 2), PICTURES / 255.0, np.float32(PICTURES / 255), PICTURES.astype(int)],
    ids=["uint8", "NCHW", "float64", "float32", "int64"],
)
def test_pictures_in_any_usual_form(tmp_path, key, array):
    assert (load(tmp_path, arrays={key: array}).images == PICTURES).all()


@pytest.mark.parametrize("array", [GREY, GREY[..., 0], GREY.transpose(0, 3, 1, 2)], ids=["NHW1", "NHW", "N1HW"])
def test_grey_pictures(tmp_path, array):
    assert (load(tmp_path, arrays={"images": array}).images == GREY).all()


@pytest.mark.parametrize("kind", [np.uint8, bool, float])
def test_pictures_of_zero_and_one_are_black_and_white(tmp_path, kind):
    images = load(tmp_path, arrays={"images": (GREY > 127).astype(kind)}).images
    assert (images == np.where(GREY > 127, 255, 0)).all()


def test_a_plain_array_file(tmp_path):
    np.save(tmp_path / "a.npy", PICTURES)
    assert (load(tmp_path, "a.npy").images == PICTURES).all()


@pytest.mark.parametrize(
    ("values", "labels", "names"),
    [
        (np.arange(12) % 3, [0, 1, 2], ("0", "1", "2")),
        (np.arange(12) % 3 * 5 + 2, [0, 1, 2], ("2", "7", "12")),
        (np.array(["b", "a", "c"] * 4), [1, 0, 2], ("a", "b", "c")),
        (np.eye(3)[np.arange(12) % 3], [0, 1, 2], ("0", "1", "2")),
        ((np.arange(12) % 3)[:, None], [0, 1, 2], ("0", "1", "2")),
        (np.arange(12) % 3 - 1, [-1, 0, 1], ("0", "1")),
    ],
    ids=["numbers", "gaps", "words", "one-hot", "column", "unknown"],
)
def test_labels_in_any_usual_form(tmp_path, values, labels, names):
    data = load(tmp_path, arrays={"images": PICTURES, "labels": values})
    assert data.labels[:3].tolist() == labels
    assert data.class_names == names


def test_names_of_classes(tmp_path):
    arrays = {"images": PICTURES, "y": np.arange(12) % 2 * 2, "class_names": np.array(["cat", "dog", "fox"])}
    data = load(tmp_path, arrays=arrays)
    assert data.class_names == ("cat", "dog", "fox")
    assert data.labels[:2].tolist() == [0, 2]


def test_a_prescribed_split(tmp_path):
    arrays = {"x_train": PICTURES[:8], "y_train": np.zeros(8, int), "x_test": PICTURES[8:], "y_test": np.ones(4, int)}
    data = load(tmp_path, arrays=arrays)
    assert data.test_index.tolist() == [8, 9, 10, 11]
    assert data.labels.tolist() == [0] * 8 + [1] * 4


def test_a_limit_takes_pictures_and_labels_together(tmp_path):
    data = load(tmp_path, arrays={"images": PICTURES, "labels": np.arange(12)}, limit=4)
    assert (data.images == PICTURES[[0, 3, 6, 9]]).all()
    assert data.labels.tolist() == [0, 3, 6, 9]


def test_pickled_objects_beside_the_pictures_are_not_touched(tmp_path):
    arrays = {"imgs": PICTURES, "metadata": np.array({"a": 1}, dtype=object)}
    assert len(load(tmp_path, arrays=arrays).images) == 12


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"weights": PICTURES}, "has no pictures: its keys are weights"),
        ({"images": PICTURES.astype(float)}, r"images is float64 from 0\.0 to 255\.0"),
        ({"images": PICTURES / 127.5 - 1}, "images is float64 from -1"),
        ({"images": np.full((3, 8, 8), np.nan)}, "from nan to nan"),
        ({"images": PICTURES.astype(int) * 2}, "images is int64 from 0 to 5"),
        ({"images": PICTURES.reshape(12, -1)}, r"images has the shape \(12, 768\)"),
        ({"images": np.zeros((2, 5, 6, 7), np.uint8)}, r"images has the shape \(2, 5, 6, 7\)"),
        ({"images": np.zeros((0, 8, 8), np.uint8)}, r"images has the shape \(0, 8, 8\)"),
        ({"images": np.array(["a", "b"])}, "images has the shape"),
        ({"images": np.array([[["a"]]])}, "images is <U1"),
        ({"images": PICTURES, "labels": np.arange(5)}, r"holds 12 pictures and labels of shape \(5,\)"),
        ({"x_train": PICTURES, "x_test": GREY}, "in x_train and"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, arrays, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, arrays=arrays)


def test_a_file_that_is_no_array(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"hello, world")
    with pytest.raises(InputError, match=r"a\.npz is not a NumPy file"):
        load(tmp_path)


def test_a_file_cut_short(tmp_path):
    np.savez(tmp_path / "a.npz", images=PICTURES)
    raw = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(InputError, match="cannot be read as a NumPy file"):
        load(tmp_path)


def test_an_absent_file_suggests_its_neighbour(tmp_path):
    np.savez(tmp_path / "faces.npz", images=PICTURES)
    with pytest.raises(InputError) as caught:
        load(tmp_path, "face.npz")
    assert caught.value.hint == f"Did you mean npz:{tmp_path / 'faces.npz'}?"


def test_real_dsprites(shared_data):
    data = load_dataset(DataConfig(spec=f"npz:{shared_data / 'dsprites_sample' / 'dsprites_gif_frames.npz'}"))
    assert data.images.shape == (320, 32, 32, 1)
    assert data.images.max() == 255
