"""Every set is decoded once: a folder per source, settings and file identity, made whole or not at all.

::

    <cache>/datasets/<key>/images.npy     (N, H, W, C) uint8
                           known.npz      labels, attributes, factors, groups, is_test
                           meta.json      names, sizes and checksums; written last

A folder appears by one rename, so a kill leaves no half of one. A folder that fails its check is
removed and made again. Beyond the limit on disk space the folders not used for longest go first.

Thread: any; two processes may build the same key, the first rename wins.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
import threading
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil

from latentlab.core.errors import InputError
from latentlab.core.messages import Images
from latentlab.core.paths import cache_dir
from latentlab.data.picture_stream import PictureStream
from latentlab.data.source import Contents, Store

FORMAT = 1
IN_MEMORY_BYTES = 512 * 2**20  # Larger sets are memory-mapped.
DEFAULT_LIMIT_GB = 20.0
LIMIT_VARIABLE = "LATENTLAB_CACHE_GB"
IMAGES, KNOWN, META = "images.npy", "known.npz", "meta.json"
_BLOCK, _BLOCKS = 65536, 1024
_publishing = threading.Lock()
_KNOWN_FIELDS = ("labels", "attributes", "groups", "is_test")


def key_of(identity: Any) -> str:
    """Return the name of the cache folder for JSON-able ``identity``: the same facts, the same name."""
    text = json.dumps([FORMAT, identity], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def load_or_build(key: str, decode: Callable[[Store], Contents]) -> tuple[Images, Contents]:
    """Return pictures and contents of ``key`` from the cache, decoding them first when they are not there.

    Raises
    ------
    InputError
        If the cache folder cannot be written; everything that ``decode`` raises passes through.
    """
    root = _root()
    entry = root / key
    found = _read(entry)
    if found is None:
        _remove_abandoned(root)
        _build(root, entry, decode)
        found = _read(entry)
        evict(keep=key)
    if found is None:
        raise InputError(f"The cache folder {root} does not keep what is written to it", hint=_hint())
    return found


def limit_bytes() -> int:
    """Return how much disk the cache may take: 20 GB, or ``LATENTLAB_CACHE_GB``."""
    try:
        return int(float(os.environ.get(LIMIT_VARIABLE, DEFAULT_LIMIT_GB)) * 1e9)
    except ValueError:
        return int(DEFAULT_LIMIT_GB * 1e9)


def evict(keep: str = "") -> list[str]:
    """Remove the folders not used for longest until the cache fits its limit; return their names."""
    entries = [path for path in _root().iterdir() if path.is_dir() and not path.name.startswith(".")]
    sizes = {path: sum(file.stat().st_size for file in path.iterdir()) for path in entries}
    total, removed = sum(sizes.values()), []
    for path in sorted(entries, key=_last_used):
        if total <= limit_bytes():
            break
        if path.name != keep:
            shutil.rmtree(path, ignore_errors=True)
            total -= sizes[path]
            removed.append(path.name)
    return removed


def _last_used(entry: Path) -> int:
    try:
        return (entry / META).stat().st_mtime_ns
    except OSError:
        return 0


def _hint() -> str:
    return "Set LATENTLAB_CACHE to a folder with room that you may write to."


def _root() -> Path:
    try:
        root = cache_dir() / "datasets"
        root.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The cache folder cannot be made: {error.strerror or error}", where=str(error.filename), hint=_hint()
        ) from error
    return root


class _FolderStore:
    """Writes pictures straight to a file, so that a set larger than memory can be decoded."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / IMAGES
        self._images: np.memmap[Any, Any] | None = None
        self._stream: PictureStream | None = None

    def append(self, picture: Images) -> None:
        if self._stream is None:
            self._stream = PictureStream(self._path)
        self._stream.append(picture)

    def allocate(self, count: int, height: int, width: int, channels: int) -> Images:
        shape = (count, height, width, channels)
        self._images = _mapped(self._path, shape)
        return self._images

    def shrink(self, count: int, channels: int) -> None:
        assert self._images is not None
        old, rows = self._images, 1024
        shape = (count, *old.shape[1:3], channels)
        if shape == old.shape:
            return
        spare = self._path.with_suffix(".smaller.npy")
        new = _mapped(spare, shape)
        for start in range(0, count, rows):
            stop = min(start + rows, count)
            new[start:stop] = old[start:stop, ..., :channels]
        self._images = None
        del old
        spare.replace(self._path)
        self._images = new

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            return
        if self._images is None:
            raise ValueError("the source wrote no pictures")
        self._images.flush()
        self._images = None

    def abandon(self) -> None:
        """Let go of the file, so that its folder can be removed."""
        self._images = None
        if self._stream is not None:
            self._stream.abandon()


def _mapped(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    """Return a writable map of a new file whose room on the disk is taken already.

    Writing to a map of a file with holes kills the process (SIGBUS) when the disk is full.

    Raises
    ------
    OSError
        If the disk has not that much room.
    """
    if shutil.disk_usage(path.parent).free < math.prod(shape):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    images = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return images


def _build(root: Path, entry: Path, decode: Callable[[Store], Contents]) -> None:
    """Decode into a folder of our own, then rename it into place."""
    work = root / f".{os.getpid()}-{uuid.uuid4().hex[:8]}"
    store = _FolderStore(work)
    try:
        work.mkdir()
        contents = decode(store)
        store.close()
        _write_contents(work, contents)
        _publish(work, entry)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"The cache cannot be written: {reason}", where=str(root), hint=_hint()) from error
    finally:
        store.abandon()
        shutil.rmtree(work, ignore_errors=True)


def _publish(work: Path, entry: Path) -> None:
    """Rename ``work`` to ``entry``, unless a whole one is there: somebody was first, with the same pictures.

    One thread at a time: between finding an entry damaged and putting another in its place, a second
    thread could have put a whole one there, which would then be taken away under its reader.
    """
    with _publishing:
        if entry.exists():
            if _read(entry) is not None:
                return
            damaged = work.with_name(f"{work.name}-damaged")
            entry.rename(damaged)
            shutil.rmtree(damaged, ignore_errors=True)
        try:
            work.rename(entry)
        except OSError:
            if _read(entry) is None:  # Otherwise another process was first.
                raise


def _write_contents(work: Path, contents: Contents) -> None:
    arrays = {name: getattr(contents, name) for name in _KNOWN_FIELDS if getattr(contents, name) is not None}
    arrays |= {f"factor_{name}": value for name, value in contents.factors.items()}
    np.savez(work / KNOWN, **arrays)
    meta = {
        "class_names": list(contents.class_names),
        "attribute_names": list(contents.attribute_names),
        "notes": list(contents.notes),
        "files": {name: [(work / name).stat().st_size, _checksum(work / name)] for name in (IMAGES, KNOWN)},
    }
    (work / META).write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")


def _checksum(path: Path) -> int:
    """Return a CRC-32 over at most 64 MB of a file, in blocks spread evenly from its first byte to its last."""
    size = path.stat().st_size
    last = max(size - _BLOCK, 0)
    blocks = min(_BLOCKS, -(-size // _BLOCK))
    offsets = [last * i // max(blocks - 1, 1) for i in range(blocks)]
    crc = 0
    with path.open("rb") as file:
        for offset in offsets:
            file.seek(offset)
            crc = zlib.crc32(file.read(_BLOCK), crc)
    return crc


def _read(entry: Path) -> tuple[Images, Contents] | None:
    """Return what a cache folder holds, or None when it is missing or damaged."""
    try:
        meta = json.loads((entry / META).read_text(encoding="utf-8"))
        for name, (size, crc) in meta["files"].items():
            if (entry / name).stat().st_size != size or _checksum(entry / name) != crc:
                return None
        mapped = (entry / IMAGES).stat().st_size > IN_MEMORY_BYTES
        images = cast(Images, np.load(entry / IMAGES, mmap_mode="r" if mapped else None))
        with np.load(entry / KNOWN) as stored:
            arrays = {name: stored[name] for name in stored.files}
        os.utime(entry / META)  # Last use, for eviction.
    except (OSError, ValueError, KeyError, TypeError):
        return None
    contents = Contents(
        **{name: arrays.get(name) for name in _KNOWN_FIELDS},
        factors={name.removeprefix("factor_"): a for name, a in arrays.items() if name.startswith("factor_")},
        class_names=tuple(meta["class_names"]),
        attribute_names=tuple(meta["attribute_names"]),
        notes=tuple(meta["notes"]),
    )
    return images, contents


def _remove_abandoned(root: Path) -> None:
    """Remove work folders of processes that are gone: what a kill in mid-decode leaves behind."""
    for path in root.glob(".*-*"):
        owner = path.name[1:].partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(path, ignore_errors=True)
