"""Batches from a uint8 data set: resident on the device where it fits, streamed from the memory map otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, Ints
from latentlab.data.dataset import Dataset
from latentlab.models.base import Batch
from latentlab.models.device import DevicePolicy

# The rest is for weights, activations and whatever else runs on the machine.
RESIDENT_SHARE = 0.4


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


class Batches:
    """An endless stream of training batches, the same for the same seed, that can be put down and taken up.

    Each epoch visits the images in an order of its own, which follows from (seed, epoch) alone; a last
    batch that is too small is dropped, so that every batch has the same shape. Thread: trainer.

    Parameters
    ----------
    data
        The data set; its ``train_index`` is what is visited.
    batch_size
        Images per batch; a smaller training set is one batch.
    labelled_only
        Leave out images whose class is unknown or hidden (-1): a class-conditioned model cannot use them.

    Raises
    ------
    InputError
        If fewer than two images are left to train on.
    """

    def __init__(
        self,
        data: Dataset,
        pictures: Pictures,
        policy: DevicePolicy,
        *,
        batch_size: int,
        seed: int,
        labelled_only: bool,
    ) -> None:
        self._rows = trainable_rows(data, labelled_only)
        self.batch_size = min(batch_size, len(self._rows))
        self._pictures = pictures
        self._labels = data.labels
        self._device = policy.device
        self._seed = seed
        self._epoch = 0
        self._position = 0
        self._order = self._epoch_order()

    def __len__(self) -> int:
        """Return the number of images that are trained on."""
        return len(self._rows)

    def _epoch_order(self) -> Ints:
        return self._rows[np.random.default_rng([self._seed, self._epoch]).permutation(len(self._rows))]

    def next(self) -> Batch:
        """Return the next batch: images in [0,1], labels int64 or None."""
        if self._position + self.batch_size > len(self._rows):
            self._epoch, self._position = self._epoch + 1, 0
            self._order = self._epoch_order()
        rows = self._order[self._position : self._position + self.batch_size]
        self._position += self.batch_size
        return Batch(self._pictures.at(rows), labels_at(self._labels, rows, self._device))

    def state_dict(self) -> dict[str, Any]:
        """Return the place in the stream, ready for JSON."""
        return {"epoch": self._epoch, "position": self._position, "images": len(self._rows), "seed": self._seed}

    def load_state_dict(self, state: dict[str, Any]) -> bool:
        """Go to a place in the stream; when the data or the seed changed, to the start of its next epoch.

        Returns
        -------
        bool
            Whether the stream goes on exactly where it was.
        """
        exact = bool(state["images"] == len(self._rows) and state["seed"] == self._seed)
        self._epoch = int(state["epoch"]) + (0 if exact else 1)
        self._position = int(state["position"]) if exact else 0
        self._order = self._epoch_order()
        return exact


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
            f"{data.name} has no classes, and a cvae is conditioned on them",
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
