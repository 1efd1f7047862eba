"""Pictures in a NumPy file: ``npz:FILE`` with keys as people use them, or a plain ``.npy``."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import InputError
from latentlab.core.messages import Ints, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data.pictures import channels_of, fit_array
from latentlab.data.progress import Ticker
from latentlab.data.source import Contents, Source, Store, file_identity, spread
from latentlab.data.spec import DataSpec, missing, spec_for_path

IMAGE_KEYS = ("images", "imgs", "image", "x", "X", "data", "arr_0")
LABEL_KEYS = ("labels", "label", "y", "Y", "targets", "target", "classes")
NAME_KEYS = ("class_names", "label_names", "names")
_KEYS = frozenset({*IMAGE_KEYS, *LABEL_KEYS, *NAME_KEYS, "x_train", "y_train", "x_test", "y_test"})
_BATCH = 4096
Array = npt.NDArray[Any]


class ArraySource(Source):
    """``npz:FILE``.

    Pictures: (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3; uint8 of 0 to 255, uint8 or bool of
    0 and 1, or floats of 0 to 1. Labels: (N,) of any values, or one-hot (N, K). Keys ``x_train``,
    ``y_train``, ``x_test``, ``y_test`` prescribe the split.
    """

    def __init__(self, argument: str, config: DataConfig) -> None:
        super().__init__(argument, config)
        spec = DataSpec("npz", argument)
        self.path = spec.path
        if not self.path.is_file():
            raise missing(spec, "file")

    def identity(self) -> Any:
        """Return the file's path, size and time."""
        return file_identity(self.path.resolve())

    def decode(self, store: Store, progress: ProgressSink) -> Contents:
        """Read, check and resize the pictures."""
        arrays = self._load()
        if "x_train" in arrays and "x_test" in arrays:
            pictures, is_test, values = self._two_parts(arrays)
        else:
            pictures, is_test = self._find_pictures(arrays), None
            values = next((arrays[key] for key in LABEL_KEYS if key in arrays), None)
        rows = spread(len(pictures), self.config.limit)
        labels, names = self._labels(values, len(pictures), arrays)
        self._write(pictures, rows, store, progress)
        return Contents(
            labels=None if labels is None else labels[rows],
            class_names=names,
            is_test=None if is_test is None else is_test[rows],
        )

    def _load(self) -> dict[str, Array]:
        """Return the arrays that mean something here; others, pickled ones too, are not even read."""
        try:
            with self.path.open("rb") as file:
                start = file.read(6)
                file.seek(0)
                if start[:4] == b"PK\x03\x04":
                    with np.load(file, allow_pickle=False) as loaded:
                        return self._wanted(loaded)
            if start == b"\x93NUMPY":
                return {IMAGE_KEYS[0]: np.load(self.path, allow_pickle=False, mmap_mode="r")}
        except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
            raise self._error(f"cannot be read as a NumPy file: {error}") from None
        better = spec_for_path(self.path)
        hint = f"Did you mean {better}?" if better and not better.startswith("npz:") else ""
        raise self._error("is not a NumPy file", hint or "numpy.savez(file, images=..., labels=...) writes one.")

    def _wanted(self, loaded: np.lib.npyio.NpzFile) -> dict[str, Array]:
        keys = [key for key in loaded.files if key in _KEYS]
        if not keys:
            raise self._error(
                f"has no pictures: its keys are {', '.join(loaded.files)}", f"Name the pictures {IMAGE_KEYS[0]}."
            )
        return {key: loaded[key] for key in keys}

    def _two_parts(self, arrays: Mapping[str, Array]) -> tuple[Array, npt.NDArray[np.bool_], Array | None]:
        parts = [self._pictures(arrays[key], key) for key in ("x_train", "x_test")]
        if parts[0].shape[1:] != parts[1].shape[1:]:
            raise self._error(f"has pictures of {parts[0].shape[1:]} in x_train and {parts[1].shape[1:]} in x_test")
        is_test = np.arange(len(parts[0]) + len(parts[1])) >= len(parts[0])
        labelled = "y_train" in arrays and "y_test" in arrays
        values = np.concatenate([arrays["y_train"], arrays["y_test"]]) if labelled else None
        return np.concatenate(parts), is_test, values

    def _find_pictures(self, arrays: Mapping[str, Array]) -> Array:
        for key in IMAGE_KEYS:
            if key in arrays:
                return self._pictures(arrays[key], key)
        raise self._error(f"has no pictures: its keys are {', '.join(arrays)}", f"Name the pictures {IMAGE_KEYS[0]}.")

    def _pictures(self, array: Array, key: str) -> Array:
        """Return the array as (N, H, W, C), its type and range checked."""
        shape = array.shape
        if array.ndim == 3:
            array = array[..., None]
        elif array.ndim == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3):
            array = array.transpose(0, 2, 3, 1)
        if array.ndim != 4 or array.shape[3] not in (1, 3) or 0 in shape:
            raise self._error(f"{key} has the shape {shape}", "Pictures are (N, H, W) or (N, H, W, 3).")
        self._check_range(array, key)
        return array

    def _check_range(self, array: Array, key: str) -> None:
        """Refuse anything but numbers of 0 to 255 and floats of 0 to 1; NaN fails every comparison."""
        hint = "Pictures are uint8 from 0 to 255, or floats from 0 to 1."
        if array.dtype.kind not in "iufb":
            raise self._error(f"{key} is {array.dtype}", hint)
        low, high = array.min(), array.max()
        top = 1 if array.dtype.kind == "f" else 255
        if not (low >= 0 and high <= top):
            raise self._error(f"{key} is {array.dtype} from {low} to {high}", hint)

    def _labels(
        self, values: Array | None, count: int, arrays: Mapping[str, Array]
    ) -> tuple[Ints | None, tuple[str, ...]]:
        """Return (N,) class numbers and names. Numbers from 0 up are kept, other values are numbered in order."""
        if values is None:
            return None, ()
        if values.ndim == 2 and values.shape[1] > 0:
            values = values.argmax(axis=1) if values.shape[1] > 1 else values[:, 0]
        if values.shape != (count,):
            raise self._error(f"holds {count} pictures and labels of shape {values.shape}")
        unknown = values < 0 if values.dtype.kind in "if" else np.zeros(count, dtype=bool)
        known = np.unique(values[~unknown])
        numbers = np.where(unknown, -1, np.searchsorted(known, values)).astype(np.int64)
        given = next((arrays[key] for key in NAME_KEYS if key in arrays), None)
        names = [str(value) for value in known]
        if known.dtype.kind in "iu" and given is not None and len(known) and len(given) > int(known[-1]):
            return np.where(unknown, -1, values).astype(np.int64), tuple(str(name) for name in given)
        return numbers, tuple(names)

    def _write(self, pictures: Array, rows: Ints, store: Store, progress: ProgressSink) -> None:
        scale = 255 if pictures.dtype.kind in "fb" or pictures.max() <= 1 else 1
        channels = channels_of(self.config, pictures.shape[3])
        out = store.allocate(len(rows), *self.config.size, channels)
        ticker = Ticker(progress, "Reading arrays", len(rows))
        for start in range(0, len(rows), _BATCH):
            part = pictures[rows[start : start + _BATCH]]
            whole = np.round(part.astype(np.float32) * scale).astype(np.uint8) if scale != 1 else part.astype(np.uint8)
            fit_array(whole, self.config, out, ticker, first=start, where=self.path.name)

    def _error(self, what: str, hint: str = "") -> InputError:
        return InputError(f"{self.path.name} {what}", where=str(self.path), hint=hint)
