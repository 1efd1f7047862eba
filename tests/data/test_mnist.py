import gzip
import os
import stat
import struct

import numpy as np
import pytest

from latentlab.core.errors import InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.data import download
from latentlab.data.catalog import load_dataset
from latentlab.data.idx import read_idx
from latentlab.data.mnist import PARTS


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def write_set(root, home="MNIST", packed=True, train=40, test=20):
    rng = np.random.default_rng(0)
    raw = root / home / "raw"
    raw.mkdir(parents=True)
    for count, images, labels in ((train, PARTS[0], PARTS[1]), (test, PARTS[2], PARTS[3])):
        for name, array in (
            (images, rng.integers(0, 256, (count, 28, 28))),
            (labels, np.arange(count) % 10),
        ):
            data = idx(array)
            (raw / f"{name}.gz" if packed else raw / name).write_bytes(gzip.compress(data) if packed else data)
    return root


def load(spec, **settings):
    return load_dataset(DataConfig(**({"spec": spec, "size": (28, 28)} | settings)))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("below", ["", "MNIST", "MNIST/raw"])
def test_the_folder_may_be_the_root_or_deeper(tmp_path, packed, below):
    write_set(tmp_path, packed=packed)
    data = load(f"mnist:{tmp_path / below}")
    assert data.images.shape == (60, 28, 28, 1)
    assert data.test_index.tolist() == list(range(40, 60))
    assert data.labels[40:].tolist() == [i % 10 for i in range(20)]
    suffix = ".gz" if packed else ""
    assert (data.images[:40, ..., 0] == read_idx(tmp_path / "MNIST" / "raw" / f"{PARTS[0]}{suffix}")).all()


def test_nothing_is_written_beside_the_files(tmp_path):
    write_set(tmp_path)
    raw = tmp_path / "MNIST" / "raw"
    before = sorted(os.listdir(raw))
    raw.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert len(load(f"mnist:{tmp_path}").images) == 60
    finally:
        raw.chmod(stat.S_IRWXU)
    assert sorted(os.listdir(raw)) == before


@pytest.mark.parametrize(
    ("home", "kind", "name"), [("FashionMNIST", "fashion-mnist", "Ankle boot"), ("KMNIST", "kmnist", "wo")]
)
def test_its_kin(tmp_path, home, kind, name):
    write_set(tmp_path, home)
    data = load(f"{kind}:{tmp_path}")
    assert data.class_names[9] == name
    assert data.num_classes == 10


def test_the_wrong_one_of_the_family_is_noticed(tmp_path):
    write_set(tmp_path, "FashionMNIST")
    for folder in (tmp_path, tmp_path / "FashionMNIST" / "raw"):
        with pytest.raises(InputError, match="does not hold MNIST") as caught:
            load(f"mnist:{folder}")
        assert caught.value.hint == f"Did you mean fashion-mnist:{folder}?"


def test_a_folder_without_it(tmp_path):
    with pytest.raises(InputError, match="does not hold MNIST") as caught:
        load(f"mnist:{tmp_path}")
    assert "MNIST/raw" in caught.value.hint


def test_a_limit_keeps_both_sides(tmp_path):
    data = load(f"mnist:{write_set(tmp_path)}", limit=30)
    assert (len(data.train_index), len(data.test_index)) == (20, 10)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "is not an IDX file"),
        (b"\0\0\x0d\x01" + b"\0" * 8, "is not an IDX file"),
        (idx(np.zeros((4, 3)))[:-2], "holds 10 bytes, and its header promises 12"),
        (idx(np.zeros((4, 3))) + b"\0", "holds 13 bytes"),
        (struct.pack(">BBBB", 0, 0, 8, 3) + b"\0\0", "is not an IDX file"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path, raw, message):
    (tmp_path / "x").write_bytes(raw)
    with pytest.raises(InputError, match=message):
        read_idx(tmp_path / "x")


@pytest.mark.parametrize(
    "damage", [b"no gzip", gzip.compress(idx(np.zeros(100)))[:-20]], ids=["not an archive", "cut off"]
)
def test_a_damaged_archive_is_one_sentence(tmp_path, damage):
    (tmp_path / "x.gz").write_bytes(damage)
    with pytest.raises(InputError, match=r"x\.gz cannot be read"):
        read_idx(tmp_path / "x.gz")


def test_labels_of_another_set_are_refused(tmp_path):
    write_set(tmp_path)
    (tmp_path / "MNIST" / "raw" / f"{PARTS[1]}.gz").write_bytes(gzip.compress(idx(np.zeros(7))))
    with pytest.raises(InputError, match="do not belong together"):
        load(f"mnist:{tmp_path}")


def test_without_a_network_the_error_says_what_to_do(monkeypatch):
    def offline(*_, **__):
        raise download.urllib.error.URLError(OSError(-2, "Name or service not known"))

    monkeypatch.setattr(download.urllib.request, "urlopen", offline)
    with pytest.raises(InputError, match="kmnist could not be downloaded: Name or service not known") as caught:
        load("kmnist")
    assert "kmnist:DIR" in caught.value.hint


def test_what_was_downloaded_is_read(monkeypatch):
    fetched = []

    def fetch(urls, target, md5, progress, *, spec):
        fetched.append((target.name, urls[0].rpartition("/")[2]))
        if len(fetched) == 1:
            write_set(target.parents[2])

    monkeypatch.setattr("latentlab.data.mnist.fetch", fetch)
    assert len(load("mnist").images) == 60
    assert fetched == [(f"{part}.gz", f"{part}.gz") for part in PARTS]


def test_the_real_one(shared_data):
    data = load(f"mnist:{shared_data / 'mnist'}", limit=7000)
    assert data.images.shape == (7000, 28, 28, 1)
    assert np.bincount(data.labels).min() > 550
    assert (len(data.train_index), len(data.test_index)) == (6000, 1000)
