"""Checkpoints: folders of safetensors and JSON that appear whole or not at all.

::

    model.safetensors        every parameter and buffer, the discriminator's too
    ema.safetensors          moving average of encoder and decoder, where training.ema_decay keeps one
    optimizers.safetensors   Adam's moments, "name.index.exp_avg"
    loop.safetensors         beta controller, "beta.value"; noise generator, "generator"
    state.json               step, elapsed seconds, place in the data, optimiser settings, best score so far

``last`` is what a run resumes from, ``step_00000500`` are numbered copies of it, and ``best`` is for looking at
and holds no optimiser: the weights with the lowest test pixel loss so far or, of a model that has none, the lowest
test energy distance between samples and images (see ``latentlab.training.measure.best_score``).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.run_folder import BEST, LAST
from latentlab.models.weights import (
    EMA_FILE,
    MODEL_FILE,
    STATE_FILE,
    atomic_folder,
    flush,
    load_tensors,
    save_tensors,
    settled_folder,
)

FORMAT = 1
OPTIMIZERS_FILE = "optimizers.safetensors"
LOOP_FILE = "loop.safetensors"
_NUMBERED_NAME = re.compile(r"step_(\d{8,})")

Tensors = Mapping[str, Tensor]


@dataclass
class Checkpoint:
    """Everything a run needs to go on as if it had never stopped. Tensors may live on any device."""

    step: int
    model: Tensors
    state: dict[str, Any] = field(default_factory=dict)
    optimizers: Tensors | None = None
    loop: Tensors | None = None
    ema: Tensors | None = None

    def files(self) -> dict[str, Tensors]:
        """Return the tensors by the file that holds them."""
        parts = {
            MODEL_FILE: self.model,
            OPTIMIZERS_FILE: self.optimizers,
            LOOP_FILE: self.loop,
            EMA_FILE: self.ema,
        }
        return {name: tensors for name, tensors in parts.items() if tensors is not None}


def numbered(step: int) -> str:
    """Return the folder name of a numbered checkpoint, e.g. ``step_00000500``."""
    return f"step_{step:08d}"


def save_checkpoint(folder: Path, checkpoint: Checkpoint, names: Iterable[str], keep: int) -> Path:
    """Write a checkpoint once and give it every name in ``names``, replacing what had that name.

    Parameters
    ----------
    folder
        ``checkpoints`` of the run.
    names
        ``"last"``, ``"best"`` or ``numbered(step)``; copies are hard links where the disk has them.
    keep
        How many of the newest numbered checkpoints stay.

    Returns
    -------
    Path
        The folder of the first name.

    Raises
    ------
    LatentLabError
        If it cannot be written; earlier checkpoints are then untouched.
    """
    first, *others = names
    try:
        _write(folder / first, checkpoint)
        for name in others:
            _link(folder / name, folder / first)
        _prune(folder, keep)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LatentLabError(
            f"The checkpoint of step {checkpoint.step} cannot be written: {reason}",
            where=str(folder),
            hint="Earlier checkpoints are untouched. Free some space, then resume the run.",
        ) from error
    return folder / first


def _write(target: Path, checkpoint: Checkpoint) -> None:
    with atomic_folder(target) as part:
        for file, tensors in checkpoint.files().items():
            save_tensors(part / file, tensors)
        state = {"format": FORMAT, "step": checkpoint.step, **checkpoint.state}
        (part / STATE_FILE).write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
        flush(part / STATE_FILE)


def _link(target: Path, source: Path) -> None:
    with atomic_folder(target) as part:
        for file in source.iterdir():
            try:
                os.link(file, part / file.name)
            except OSError:
                shutil.copy2(file, part / file.name)
                flush(part / file.name)


def _prune(folder: Path, keep: int) -> None:
    for path in _numbered(folder)[:-keep]:
        shutil.rmtree(path, ignore_errors=True)


def _numbered(folder: Path) -> list[Path]:
    """Return the numbered checkpoints, oldest first."""
    found = sorted((int(m[1]), p) for p in folder.iterdir() if (m := _NUMBERED_NAME.fullmatch(p.name)))
    return [path for _, path in found]


def load_checkpoint(folder: Path, name: str = LAST) -> Checkpoint:
    """Read a checkpoint, tensors on the CPU.

    Parameters
    ----------
    folder
        ``checkpoints`` of the run.
    name
        ``"last"``, ``"best"`` or ``numbered(step)``; without ``last`` the newest numbered one stands in.

    Raises
    ------
    InputError
        If there is none of that name, or it is damaged.
    """
    if name == LAST:
        name = resumable_name(folder) or LAST
    path = settled_folder(folder / name)
    if not path.is_dir():
        raise InputError(
            f"This run has no {name!r} checkpoint", where=str(path), hint="It was stopped before its first one."
        )
    try:
        state = dict(json.loads((path / STATE_FILE).read_text(encoding="utf-8")))
        step, version = int(state.pop("step")), int(state.pop("format"))
        files = {file: load_tensors(path / file) for file in _tensor_files(path)}
        if step < 0 or not isinstance(state.get("changes", {}), dict):
            raise ValueError(f"{STATE_FILE} makes no sense")
    except InputError as error:
        raise InputError(
            f"The checkpoint {name} is damaged: {error.what}", where=error.where, hint=_way_out(folder, name)
        ) from None
    except FileNotFoundError:
        raise InputError(
            f"The checkpoint {name} lacks its {STATE_FILE}", where=str(path), hint=_way_out(folder, name)
        ) from None
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(
            f"The checkpoint {name} is damaged: {error}", where=str(path), hint=_way_out(folder, name)
        ) from None
    if version > FORMAT:
        raise InputError(f"The checkpoint {name} is of a newer latentlab", where=str(path), hint="Update latentlab.")
    return Checkpoint(
        step, files[MODEL_FILE], state, files.get(OPTIMIZERS_FILE), files.get(LOOP_FILE), files.get(EMA_FILE)
    )


def _way_out(folder: Path, name: str) -> str:
    older = _numbered(folder)
    if name != LAST or not older:
        return "Use another checkpoint of this run."
    return f"Remove the folder {name} to resume from {older[-1].name} instead."


def _tensor_files(folder: Path) -> list[str]:
    """Return what must be there: without moments and noise a training would go on, but not as it was."""
    needed = [MODEL_FILE] if folder.name == BEST else [MODEL_FILE, OPTIMIZERS_FILE, LOOP_FILE]
    return [*needed, EMA_FILE] if (folder / EMA_FILE).exists() else needed


def optimizer_tensors(optimizers: Mapping[str, torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Return the state of optimisers as flat tensors, ``"name.index.exp_avg"``."""
    return {
        f"{name}.{index}.{key}": value
        for name, optimizer in optimizers.items()
        for index, state in optimizer.state_dict()["state"].items()
        for key, value in state.items()
        if isinstance(value, Tensor)
    }


def restore_optimizers(optimizers: Mapping[str, torch.optim.Optimizer], tensors: Tensors) -> None:
    """Put back what ``optimizer_tensors`` gave; learning rates and the like stay as they are set.

    Raises
    ------
    KeyError
        If a tensor belongs to an optimiser that is not there.
    """
    states: dict[str, dict[int, dict[str, Tensor]]] = {name: {} for name in optimizers}
    for key, value in tensors.items():
        name, index, entry = key.split(".")
        states[name].setdefault(int(index), {})[entry] = value
    for name, optimizer in optimizers.items():
        optimizer.load_state_dict({"state": states[name], "param_groups": optimizer.state_dict()["param_groups"]})
        for parameter, state in optimizer.state.items():
            for entry, value in state.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape and value.dim() > 0:
                    # Fused Adam walks raw memory: moments must lie in the memory format of their parameter.
                    state[entry] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def resumable_name(folder: Path) -> str | None:
    """Return the checkpoint to resume from: ``last``, or the newest numbered one where it is gone; else None.

    A folder ``last`` that is there is the answer even when it is damaged: going on from an older one, or
    from nothing, throws steps away, which is for the user to decide.
    """
    if settled_folder(folder / LAST).is_dir():
        return LAST
    older = _numbered(folder) if folder.is_dir() else []
    return older[-1].name if older else None


def has_checkpoint(folder: Path) -> bool:
    """Whether a run has been trained, so that it can be resumed but not trained anew."""
    return resumable_name(folder) is not None
