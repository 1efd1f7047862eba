"""Batches from a uint8 data set: resident on the device where it fits, streamed from the memory map otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, Ints, ModelInfo
from latentlab.data.dataset import Attributes, Dataset
from latentlab.models.base import Batch, LabelledBatch
from latentlab.models.device import DevicePolicy
from latentlab.training.augment import Augmentation

# The rest is for weights, activations and whatever else runs on the machine.
RESIDENT_SHARE = 0.4
# Salts of the draws, so that no two streams of one seed are the same.
_LABELLED, _OTHER, _AUGMENTATION = 1, 2, 3


def free_memory(device: torch.device) -> int:
    """Return the bytes that are free now on the device (for the CPU: without swapping)."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


class Pictures:
    """The images of a data set as batches in [0,1] on the training device.

    ``resident``: the whole uint8 set lies on the device, and a batch is one index and one division there.
    Otherwise each batch is gathered on the host and copied; the copy overlaps the previous step on CUDA.
    """

    def __init__(self, images: Images, policy: DevicePolicy, *, share: float = RESIDENT_SHARE) -> None:
        self._policy = policy
        self._images = images
        self._on_cuda = policy.device.type == "cuda"
        self.resident = images.nbytes <= share * free_memory(policy.device)
        self._stored: Tensor | None = None
        if self.resident and self._on_cuda:
            self._stored = torch.from_numpy(np.array(images)).to(policy.device)
        elif self.resident and isinstance(images, np.memmap):
            self._images = np.array(images)

    def at(self, rows: Ints) -> Tensor:
        """Return images (B,C,H,W) float32 in [0,1], in the policy's memory format.

        Parameters
        ----------
        rows
            Row numbers of the data set, (B,).
        """
        if self._stored is not None:
            index = torch.from_numpy(rows).pin_memory().to(self._policy.device, non_blocking=True)
            taken = self._stored.index_select(0, index)
        else:
            taken = torch.from_numpy(np.take(self._images, rows, axis=0))
            taken = (taken.pin_memory() if self._on_cuda else taken).to(self._policy.device, non_blocking=True)
        return self._policy.place_images(taken.permute(0, 3, 1, 2)).float().div_(255.0)


class Stream:
    """An endless stream of row numbers, an epoch after the other, the same for the same seed.

    Each epoch visits the rows in an order of its own, which follows from (seed, epoch, salt) alone; a last
    batch that is too small is dropped, so that every batch has the same shape.
    """

    def __init__(self, rows: Ints, batch_size: int, seed: int, salt: int = 0) -> None:
        self.rows, self.batch_size = rows, min(batch_size, len(rows))
        self._seed, self._salt = seed, salt
        self.epoch = self.position = 0
        self._order = self._epoch_order()

    def _epoch_order(self) -> Ints:
        key = [self._seed, self.epoch, *([self._salt] if self._salt else [])]
        return self.rows[np.random.default_rng(key).permutation(len(self.rows))]

    def next(self) -> Ints:
        """Return the rows of the next batch."""
        if self.position + self.batch_size > len(self.rows):
            self.go_to(self.epoch + 1, 0)
        start, self.position = self.position, self.position + self.batch_size
        return self._order[start : self.position]

    def go_to(self, epoch: int, position: int) -> None:
        """Go to a place in the stream."""
        self.epoch, self.position = epoch, position
        self._order = self._epoch_order()


class Batches:
    """An endless stream of training batches, the same for the same seed, that can be put down and taken up.

    ``labelled`` and ``other_BCHW`` of a batch come from streams of their own. Thread: trainer.

    Parameters
    ----------
    data
        The data set; its ``train_index`` is what is visited.
    info
        Says what the model needs: only images with a known class, labelled ones beside the others, or a
        second batch for the discriminator; and the recipe's batch sizes, seed and augmentation.

    Raises
    ------
    InputError
        If fewer than two images are left to train on, or no label where some are needed.
    """

    def __init__(self, data: Dataset, pictures: Pictures, policy: DevicePolicy, info: ModelInfo) -> None:
        training, seed = info.recipe.training, info.recipe.training.seed
        rows = trainable_rows(data, info.needs_labels)
        self._main = Stream(rows, training.batch_size, seed)
        self._labelled = self._other = None
        if info.kind == "ssvae":
            self._labelled = Stream(trainable_rows(data, True), training.labelled_batch_size, seed, _LABELLED)
        if info.recipe.objective.separate_batches:
            self._other = Stream(rows, training.batch_size, seed, _OTHER)
        self._augmentation = Augmentation(info.recipe.data, data.image_shape[2])
        self.batch_size = self._main.batch_size
        self._pictures, self._data = pictures, data
        self._device = policy.device
        self._seed = seed

    def __len__(self) -> int:
        """Return the number of images that are trained on."""
        return len(self._main.rows)

    def next(self) -> Batch:
        """Return the next batch: images in [0,1], labels int64 or None, and what else the model asked for."""
        rows = self._main.next()
        return Batch(
            self._images(rows, 0),
            labels_at(self._data.labels, rows, self._device),
            attributes_at(self._data.attributes, rows, self._device),
            self._next_labelled(),
            None if self._other is None else self._images(self._other.next(), _OTHER),
        )

    def _next_labelled(self) -> LabelledBatch | None:
        if self._labelled is None:
            return None
        rows = self._labelled.next()
        y_B = labels_at(self._data.labels, rows, self._device)
        assert y_B is not None
        return LabelledBatch(self._images(rows, _LABELLED), y_B)

    def _images(self, rows: Ints, salt: int) -> Tensor:
        x_BCHW = self._pictures.at(rows)
        if not self._augmentation.active:
            return x_BCHW
        # The place in the main stream is the place of all: draws repeat when a training is taken up there.
        key = [self._seed, self._main.epoch, self._main.position, _AUGMENTATION, salt]
        return self._augmentation(x_BCHW, np.random.default_rng(key))

    def _streams(self) -> dict[str, Stream]:
        named = {"main": self._main, "labelled": self._labelled, "other": self._other}
        return {name: stream for name, stream in named.items() if stream is not None}

    def state_dict(self) -> dict[str, Any]:
        """Return the place in the stream, ready for JSON."""
        places = {name: [stream.epoch, stream.position, len(stream.rows)] for name, stream in self._streams().items()}
        return {"places": places, "seed": self._seed}

    def load_state_dict(self, state: dict[str, Any]) -> bool:
        """Go to a place in the stream; when the data or the seed changed, to the start of its next epoch.

        Returns
        -------
        bool
            Whether the stream goes on exactly where it was.
        """
        # Runs of latentlab 0.1 had one stream.
        places = state.get("places") or {"main": [state["epoch"], state["position"], state["images"]]}
        exact = bool(state["seed"] == self._seed)
        for name, stream in self._streams().items():
            epoch, position, images = places.get(name, (0, 0, -1))
            same = exact and images == len(stream.rows)
            stream.go_to(int(epoch) + (not same), int(position) if same else 0)
            exact = exact and same
        return exact


def attributes_at(attributes: Attributes | None, rows: Ints, device: torch.device) -> Tensor | None:
    """Return the attributes (B, A) float32 of some rows on the device: 1, 0, or -1 where missing."""
    if attributes is None:
        return None
    chosen = torch.from_numpy(attributes[rows].astype(np.float32))
    return (chosen.pin_memory() if device.type == "cuda" else chosen).to(device, non_blocking=True)


def labels_at(labels: Ints | None, rows: Ints, device: torch.device) -> Tensor | None:
    """Return the labels (B,) int64 of some rows on the device, or None when the data has none."""
    if labels is None:
        return None
    chosen = torch.from_numpy(labels[rows].astype(np.int64, copy=False))
    return (chosen.pin_memory() if device.type == "cuda" else chosen).to(device, non_blocking=True)


def usable_rows(data: Dataset, rows: Ints, labelled_only: bool) -> Ints:
    """Return those of ``rows`` that a model can use: all, or the ones with a known class."""
    rows = np.asarray(rows, dtype=np.int64)
    return rows[data.labels[rows] >= 0] if labelled_only and data.labels is not None else rows


def trainable_rows(data: Dataset, labelled_only: bool) -> Ints:
    """Return the training rows that a model can use.

    Raises
    ------
    InputError
        If labels are needed and the data has none, or fewer than two images are left.
    """
    if labelled_only and (data.labels is None or data.num_classes < 1):
        raise InputError(
            f"{data.name} has no classes, and this kind of model learns from them",
            where="model.kind",
            hint="Use model.kind=vae, or a folder with one sub-folder per class.",
        )
    rows = usable_rows(data, data.train_index, labelled_only)
    if len(rows) < 2:
        what = "labelled training images" if labelled_only else "training images"
        raise InputError(f"{data.name} has too few {what}: {len(rows)}, at least 2 are needed", where="data.spec")
    return rows


def held_out_rows(data: Dataset, labelled_only: bool) -> Ints:
    """Return the test rows that a model can use; training rows where there are none.

    Tiny sets, or a class-conditioned model on a test split without labels, leave nothing held out; showing
    training images then beats showing nothing.
    """
    rows = usable_rows(data, data.test_index, labelled_only)
    return rows if len(rows) else usable_rows(data, data.train_index, labelled_only)
