import os
import pickle
import tarfile

import numpy as np
import pytest

from latentlab.core.errors import InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.data.catalog import load_dataset
from latentlab.data.cifar import ARCHIVE, BATCHES, FOLDER

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (6, 8, 32, 32, 3), dtype=np.uint8)


def write(root):
    folder = root / FOLDER
    folder.mkdir()
    for name, pictures in zip(BATCHES, PICTURES, strict=True):
        flat = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).reshape(8, 3072)
        batch = {b"data": flat, b"labels": [i % 10 for i in range(8)], b"batch_label": b"x"}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    return folder


def load(folder):
    return load_dataset(DataConfig(spec=f"cifar10:{folder}"))


@pytest.mark.parametrize("below", ["", FOLDER])
def test_pictures_labels_and_split(tmp_path, below):
    write(tmp_path)
    data = load(tmp_path / below)
    assert (data.images == PICTURES.reshape(48, 32, 32, 3)).all()
    assert data.labels[:8].tolist() == list(range(8))
    assert data.class_names[3] == "cat"
    assert data.test_index.tolist() == list(range(40, 48))


def test_the_archive_need_not_be_unpacked(tmp_path):
    write(tmp_path)
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / ARCHIVE, "w:gz") as archive:
        archive.add(tmp_path / FOLDER, FOLDER)
    assert (load(tmp_path / "packed").images == PICTURES.reshape(48, 32, 32, 3)).all()


class Evil:
    def __reduce__(self):
        return os.mkdir, (str(Evil.target),)


def test_a_batch_that_would_run_code_is_refused(tmp_path):
    Evil.target = tmp_path / "ran"
    (write(tmp_path) / BATCHES[2]).write_bytes(pickle.dumps({b"data": Evil()}))
    with pytest.raises(InputError, match="data_batch_3 is not a batch of CIFAR-10"):
        load(tmp_path)
    assert not Evil.target.exists()


@pytest.mark.parametrize("raw", [b"", b"nothing", pickle.dumps([1, 2]), pickle.dumps({b"data": [1], b"labels": [0]})])
def test_a_damaged_batch_is_one_sentence(tmp_path, raw):
    (write(tmp_path) / BATCHES[5]).write_bytes(raw)
    with pytest.raises(InputError, match="test_batch is not a batch of CIFAR-10"):
        load(tmp_path)


def test_a_damaged_archive_is_one_sentence(tmp_path):
    (tmp_path / ARCHIVE).write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)


def test_a_folder_without_it(tmp_path):
    with pytest.raises(InputError, match="does not hold CIFAR-10") as caught:
        load(tmp_path)
    assert FOLDER in caught.value.hint
