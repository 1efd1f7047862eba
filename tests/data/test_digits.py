import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from latentlab.core.recipe_data import DataConfig
from latentlab.data.catalog import load_dataset


def test_averaging_back_gives_the_scans():
    data = load_dataset(DataConfig(spec="digits", size=(32, 32)))
    scans, labels = load_digits(return_X_y=True)
    back = data.images.reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)) * 16 / 255
    assert np.abs(back - scans.reshape(-1, 8, 8)).mean() < 0.8, "of 16 greys"
    assert (data.labels == labels).all()


def test_shape_classes_and_split():
    data = load_dataset(DataConfig(spec="digits", size=(16, 48)))
    assert data.images.shape == (1797, 16, 48, 1)
    assert data.class_names == tuple("0123456789")
    assert data.image_shape == (16, 48, 1)
    assert data.num_classes == 10
    assert np.bincount(data.labels[data.test_index]).min() >= 17
    assert data.images.min() == 0
    assert data.images.max() == 255


def test_a_classifier_reads_the_enlarged_digits():
    from sklearn.neighbors import KNeighborsClassifier

    data = load_dataset(DataConfig(spec="digits"))
    flat = data.images.reshape(len(data.images), -1)[:, ::3].astype(float)
    model = KNeighborsClassifier(3).fit(flat[data.train_index], data.labels[data.train_index])
    assert model.score(flat[data.test_index], data.labels[data.test_index]) > 0.95


@pytest.mark.parametrize(("colour", "channels"), [("auto", 1), ("grey", 1), ("rgb", 3)])
def test_colour(colour, channels):
    assert load_dataset(DataConfig(spec="digits", colour=colour, limit=20)).image_shape[2] == channels


def test_digits_and_arena_need_no_torch():
    code = (
        "import sys; from latentlab.core.recipe_data import DataConfig\n"
        "from latentlab.data.catalog import load_dataset\n"
        "load_dataset(DataConfig(spec='digits')); load_dataset(DataConfig(spec='arena', limit=60, size=(16, 16)))\n"
        "print([name for name in ('torch', 'torchvision', 'PySide6') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
