"""Keeps the weights that an exported picture was made with, so that it can be made again whatever the run does."""

from __future__ import annotations

from dataclasses import dataclass

from safetensors import SafetensorError

from latentlab.core.messages import WeightSnapshot
from latentlab.core.run_folder import is_run
from latentlab.core.weights_kept import KEPT_LIMIT_BYTES, kept_file, kept_files
from latentlab.models.weights import fingerprint_of, save_tensors


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done: the weights' fingerprint, and whether the run has them for good; if not, ``reason`` says why."""

    fingerprint: str
    safe: bool
    reason: str = ""


def keep_for_picture(snapshot: WeightSnapshot, limit_bytes: int = KEPT_LIMIT_BYTES) -> Kept:
    """Write the weights of ``snapshot`` beside its run, unless they are kept there already.

    Thread: any.
    """
    fingerprint = fingerprint_of(snapshot.state)
    run = snapshot.info.run
    if run is None or not is_run(run):
        return Kept(fingerprint, False, "there is no run on disk to keep its weights with")
    path = kept_file(run, snapshot.step, fingerprint)
    if path.is_file():
        return Kept(fingerprint, True)
    size = sum(tensor.numel() * tensor.element_size() for tensor in snapshot.state.values())
    if sum(file.stat().st_size for file in kept_files(run)) + size > limit_bytes:
        room = f"{limit_bytes / 1e9:g} GB"
        return Kept(fingerprint, False, f"the weights kept for pictures of this run fill their {room} already")
    try:
        path.parent.mkdir(exist_ok=True)
        save_tensors(path, snapshot.state)
    except (OSError, SafetensorError) as error:
        return Kept(fingerprint, False, f"they cannot be written: {getattr(error, 'strerror', None) or error}")
    return Kept(fingerprint, True)
