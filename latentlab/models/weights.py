"""Weights on disk: safetensors and JSON in folders that appear whole or not at all; never pickle."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from latentlab.core.errors import InputError
from latentlab.core.messages import WeightSnapshot
from latentlab.core.run_folder import CHECKPOINTS, LAST, read_model_info
from latentlab.core.weights_kept import places_of

MODEL_FILE = "model.safetensors"
EMA_FILE = "ema.safetensors"
STATE_FILE = "state.json"


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write ``tensors`` to ``path`` as safetensors: to a file beside it, flushed to the disk, then renamed.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; ``path`` is then as it was.
    """
    # safetensors stores plain row-major tensors and refuses ones that share memory.
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    temporary = path.with_name(f".{path.name}.partial")
    try:
        temporary.write_bytes(save(plain))  # save_file would make it readable by its owner only
        flush(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file onto the CPU.

    Raises
    ------
    InputError
        If the file is missing, cut off or not safetensors.
    """
    try:
        return dict(load_file(path))
    except FileNotFoundError:
        raise InputError(f"There is no {path.name} here", where=str(path)) from None
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"{path.name} is damaged: {error}", where=str(path), hint="Choose another checkpoint of this run."
        ) from None


def flush(path: Path) -> None:
    """Wait until the file or folder ``path`` is on the disk, where the platform can tell."""
    flags = os.O_RDONLY if os.name != "nt" else os.O_RDWR
    with contextlib.suppress(PermissionError):  # Windows cannot open folders
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Fill a folder that takes the place of ``path`` when the block ends without an error.

    A kill at any instant leaves the old folder, the new one, or for a moment the old one under the
    name that ``settled_folder`` knows; never half of one.

    Yields
    ------
    Path
        An empty folder to write into.
    """
    partial, previous = path.with_name(f".{path.name}.partial"), _previous(path)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        flush(partial)
        settled_folder(path)
        if path.exists():
            os.replace(path, previous)
        os.replace(partial, path)
        flush(path.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(previous, ignore_errors=True)


def settled_folder(path: Path) -> Path:
    """Return ``path``, after finishing a replacement by ``atomic_folder`` that a kill interrupted."""
    previous = _previous(path)
    if previous.exists() and not path.exists():
        with contextlib.suppress(FileNotFoundError):  # another process settled it first
            os.replace(previous, path)
    return path


def _previous(path: Path) -> Path:
    return path.with_name(f".{path.name}.previous")


def read_step(folder: Path) -> int:
    """Return the training step that the checkpoint ``folder`` was taken at.

    Raises
    ------
    InputError
        If ``state.json`` is missing or damaged.
    """
    path = folder / STATE_FILE
    try:
        step = int(json.loads(path.read_text(encoding="utf-8"))["step"])
        if step < 0:
            raise ValueError(f"step {step}")
        return step
    except FileNotFoundError:
        raise InputError(f"There is no checkpoint {folder.name} here", where=str(folder)) from None
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(f"{STATE_FILE} is damaged: {error}", where=str(path)) from None


def read_snapshot(run: Path, which: str = LAST) -> WeightSnapshot:
    """Read encoder and decoder of checkpoint ``which`` (last, best, step_00000500) of the run folder ``run``.

    Where the run kept a moving average of its weights (``training.ema_decay``), that is what is read. A numbered
    step may also be one of the history (see ``latentlab.core.weights_kept``).

    Raises
    ------
    InputError
        If ``run`` is no run folder, has no such checkpoint, or a file of it is damaged.
    """
    info = read_model_info(run)
    folder = settled_folder(run / CHECKPOINTS / which)
    if folder.is_dir():
        return WeightSnapshot(step=read_step(folder), info=info, state=_shown_weights(folder))
    step = int(which.removeprefix("step_")) if which.startswith("step_") and which[5:].isdecimal() else -1
    places = places_of(run, step) if step >= 0 else []
    if not places:
        stopped = "It was stopped before the first one."
        raise InputError(
            f"This run has no checkpoint {which}",
            where=str(folder),
            hint=stopped if which == LAST else "latentlab opens last, best, and the steps that the run kept.",
        )
    return WeightSnapshot(step=step, info=info, state=_shown_weights(places[0]))


def read_state(run: Path, step: int, fingerprint: str = "") -> tuple[WeightSnapshot, bool]:
    """Read the weights of ``step``, wherever the run has them, and tell whether they are those of ``fingerprint``.

    Of several copies the one with this fingerprint is taken. An empty fingerprint is not compared.

    Raises
    ------
    InputError
        If ``run`` is no run folder, keeps no weights of ``step``, or what it keeps is damaged.
    """
    info = read_model_info(run)
    found: WeightSnapshot | None = None
    for place in places_of(run, step):
        snapshot = WeightSnapshot(step=step, info=info, state=_shown_weights(place))
        if not fingerprint or fingerprint_of(snapshot.state) == fingerprint:
            return snapshot, True
        found = found or snapshot
    if found is None:
        raise InputError(f"The run no longer has its weights of step {step:,}", where=str(run))
    return found, False


def _shown_weights(place: Path) -> dict[str, Tensor]:
    """Read what encoding and decoding need, of a checkpoint's folder or a file of the history."""
    if place.is_dir():
        average = place / EMA_FILE
        place = average if average.exists() else place / MODEL_FILE
    return {name: value for name, value in load_tensors(place).items() if not name.startswith("discriminator.")}


def fingerprint_of(state: Mapping[str, Tensor]) -> str:
    """Return 32 hexadecimal digits that tell weights apart: the SHA-256 of names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:32]
