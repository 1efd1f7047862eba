import errno
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from latentlab.core.errors import Cancelled, InputError
from latentlab.core.paths import cache_dir
from latentlab.data import cache
from latentlab.data.picture_stream import PictureStream
from latentlab.data.source import Contents

FACTORS = {"hue": np.array([0.5, 0.25, 0.0])}


class Decoder:
    """Writes three small pictures and counts how often it was asked to."""

    def __init__(self, value=7):
        self.calls = 0
        self.value = value

    def __call__(self, store):
        self.calls += 1
        store.allocate(3, 4, 5, 3)[:] = self.value
        return Contents(
            labels=np.array([0, 1, -1]),
            class_names=("a", "β"),
            attributes=np.array([[1], [0], [-1]], np.int8),
            attribute_names=("hat",),
            factors=FACTORS,
            is_test=np.array([False, True, False]),
            notes=("one left out",),
        )


def entries():
    return sorted(path.name for path in (cache_dir() / "datasets").iterdir())


def test_decoding_happens_once_and_everything_comes_back():
    decode = Decoder()
    for _ in range(2):
        images, contents = cache.load_or_build("k", decode)
    assert decode.calls == 1
    assert images.shape == (3, 4, 5, 3)
    assert images.dtype == np.uint8
    assert (images == 7).all()
    assert contents.labels.tolist() == [0, 1, -1]
    assert contents.class_names == ("a", "β")
    assert contents.factors["hue"].tolist() == [0.5, 0.25, 0.0]
    assert contents.attributes.tolist() == [[1], [0], [-1]]
    assert contents.is_test.tolist() == [False, True, False]
    assert contents.groups is None
    assert contents.notes == ("one left out",)


@pytest.mark.parametrize("name", [cache.IMAGES, cache.KNOWN, cache.META])
@pytest.mark.parametrize("damage", ["cut", "flip", "remove", "empty"])
def test_a_damaged_entry_is_made_again(name, damage):
    decode = Decoder()
    cache.load_or_build("k", decode)
    path = cache_dir() / "datasets" / "k" / name
    raw = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        raw[len(raw) // 2] ^= 0xFF
        path.write_bytes(raw)
    images, contents = cache.load_or_build("k", decode)
    assert decode.calls == 2
    assert (images == 7).all()
    assert contents.labels.tolist() == [0, 1, -1]


def test_a_cancelled_decode_leaves_nothing():
    def decode(store):
        store.allocate(100, 8, 8, 3)[:50] = 1
        raise Cancelled

    with pytest.raises(Cancelled):
        cache.load_or_build("k", decode)
    assert entries() == []


def test_a_killed_decode_leaves_nothing_to_the_next_one():
    code = (
        "import os\nfrom latentlab.data import cache\n"
        "def decode(store):\n    store.allocate(100, 8, 8, 3)\n    os._exit(9)\n"
        "cache.load_or_build('k', decode)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False).returncode == 9
    assert len(entries()) == 1, "the killed process should have left its work folder"
    cache.load_or_build("k", Decoder())
    assert entries() == ["k"]


def test_large_sets_are_mapped_and_read_only(monkeypatch):
    monkeypatch.setattr(cache, "IN_MEMORY_BYTES", 100)
    images, _ = cache.load_or_build("k", Decoder())
    assert isinstance(images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def test_small_sets_are_in_memory():
    images, _ = cache.load_or_build("k", Decoder())
    assert not isinstance(images, np.memmap)


def test_the_least_recently_used_goes_first(monkeypatch):
    for i, key in enumerate("abc"):
        cache.load_or_build(key, Decoder())
        os.utime(cache_dir() / "datasets" / key / cache.META, (i, i))
    cache.load_or_build("a", Decoder())  # Used again: now b is the oldest.
    size = sum(file.stat().st_size for file in (cache_dir() / "datasets" / "a").iterdir())
    monkeypatch.setenv(cache.LIMIT_VARIABLE, str(3.5 * size / 1e9))
    cache.load_or_build("d", Decoder())
    assert entries() == ["a", "c", "d"]


def test_an_entry_larger_than_the_limit_is_still_given(monkeypatch):
    monkeypatch.setenv(cache.LIMIT_VARIABLE, "0")
    images, _ = cache.load_or_build("k", Decoder())
    assert len(images) == 3


def test_a_limit_that_is_no_number_is_the_default(monkeypatch):
    monkeypatch.setenv(cache.LIMIT_VARIABLE, "plenty")
    assert cache.limit_bytes() == 20 * 10**9


def test_two_threads_may_build_the_same_entry():
    results = []

    def build():
        def decode(store):
            time.sleep(0.05)
            return Decoder()(store)

        results.append(cache.load_or_build("k", decode)[0])

    threads = [threading.Thread(target=build) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [int(images.sum()) for images in results] == [7 * 3 * 4 * 5 * 3] * 3
    assert entries() == ["k"]


def test_what_was_too_much_is_given_back():
    def decode(store):
        images = store.allocate(2000, 4, 4, 3)
        images[:] = np.arange(3)
        images[:5] += 10
        del images
        store.shrink(1500, 1)
        return Contents()

    images, _ = cache.load_or_build("k", decode)
    assert images.shape == (1500, 4, 4, 1)
    assert (images[:5] == 10).all()
    assert (images[5:] == 0).all()


def test_a_folder_that_cannot_be_written_is_one_sentence(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LATENTLAB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match="cannot be used as a folder") as caught:
        cache.load_or_build("k", Decoder())
    assert "LATENTLAB_CACHE" in caught.value.hint


def test_more_pictures_than_the_disk_holds_are_refused_before_anything_is_written():
    """A map of a file with holes would kill the process at the first page that the disk has no room for."""

    def decode(store):
        store.allocate(2**40, 256, 256, 3)

    with pytest.raises(InputError, match="No space left") as caught:
        cache.load_or_build("k", decode)
    assert "LATENTLAB_CACHE" in caught.value.hint


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system reserves no room for files")
def test_the_room_for_the_pictures_is_taken_before_they_are_written(tmp_path):
    path = tmp_path / "images.npy"
    cache._mapped(path, (64, 64, 64, 3))
    assert path.stat().st_blocks * 512 >= 64 * 64 * 64 * 3


def test_a_full_disk_is_one_sentence():
    def decode(store):
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left on device"):
        cache.load_or_build("k", decode)
    assert entries() == []


def test_the_key_depends_on_every_fact():
    facts = ["folder", 1, [["/a", 3, 5]], {"size": [32, 32]}]
    keys = {cache.key_of(facts), cache.key_of([*facts[:2], [["/a", 3, 6]], facts[3]])}
    keys.add(cache.key_of([*facts[:3], {"size": [32, 33]}]))
    assert len(keys) == 3
    assert cache.key_of(facts) in keys


def test_pictures_appended_one_by_one_are_those_read_back():
    pictures = np.random.default_rng(0).integers(0, 256, (37, 6, 5, 3), dtype=np.uint8)

    def decode(store):
        for picture in pictures:
            store.append(picture)
        return Contents()

    images, _ = cache.load_or_build("appended", decode)
    assert np.array_equal(images, pictures)


def test_a_disk_that_fills_while_appending_is_told_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(cache, "PictureStream", FullDisk)

    def decode(store):
        for _ in range(5):
            store.append(np.zeros((4, 4, 3), np.uint8))
        return Contents()

    with pytest.raises(InputError, match="No space left on device"):
        cache.load_or_build("full", decode)
    assert not list((cache_dir() / "datasets").iterdir())


class FullDisk(PictureStream):
    def append(self, picture):
        if self.count == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().append(picture)
