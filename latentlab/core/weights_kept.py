"""Which steps of a run can be seen again: where on disk the weights of each step lie. No torch.

::

    checkpoints/step_00000500/           everything a run can be resumed from
    history/step_00000500.safetensors    encoder and decoder only, at steps that grow like 10, 13, 16, 20, 25, ...
    history/kept_00000730_1f0c….safetensors    the same, of a step that an exported picture was made with, and
                                         the fingerprint of the weights: a run that went on from an older
                                         checkpoint may have been at this step twice

Steps of the history are spaced evenly on a logarithmic scale, ten to a decade, because a training changes most at
its beginning; a bound on disk thins them out, the most crowded first. What a picture was exported with is never
thinned out: the picture could not be made again without it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from latentlab.core.run_folder import BEST, CHECKPOINTS, LAST

HISTORY = "history"
KEPT_LIMIT_BYTES = 1_000_000_000
"""What the states of exported pictures may take of the disk, for each run."""

_STATE = "state.json"
_NAME = re.compile(r"(step|kept)_(\d{8,})(?:_[0-9a-f]+)?(\.safetensors)?")
_TEN_TO_A_DECADE = (10, 13, 16, 20, 25, 32, 40, 50, 63, 80)


def is_history_step(step: int) -> bool:
    """Whether the weights of ``step`` belong into the history: 0, 10, 13, 16, ... 80, 100, 130, 160, ..."""
    if step < 10:
        return step == 0
    scale = 10 ** (len(str(step)) - 2)
    return step % scale == 0 and step // scale in _TEN_TO_A_DECADE


def history_file(run: Path, step: int) -> Path:
    """Return the file of a step in the history."""
    return run / HISTORY / f"step_{step:08d}.safetensors"


def kept_file(run: Path, step: int, fingerprint: str) -> Path:
    """Return the file of weights that an exported picture was made with."""
    return run / HISTORY / f"kept_{step:08d}_{fingerprint}.safetensors"


def kept_files(run: Path, step: int | None = None) -> list[Path]:
    """Return the files of weights that exported pictures were made with, of one step or of all."""
    found = {path: _NAME.fullmatch(path.name) for path in _entries(run / HISTORY)}
    return sorted(p for p, m in found.items() if m and m[1] == "kept" and m[3] and step in (None, int(m[2])))


def places_of(run: Path, step: int) -> list[Path]:
    """Return where the weights of ``step`` lie now, checkpoints (folders) first; empty where they are gone."""
    numbered = run / CHECKPOINTS / f"step_{step:08d}"
    named = [folder for folder in _named(run) if _step_in(folder) == step]
    history = history_file(run, step)
    folders = [*([numbered] if numbered.is_dir() else []), *named]
    return [*folders, *kept_files(run, step), *([history] if history.is_file() else [])]


def kept_steps(run: Path) -> tuple[int, ...]:
    """Return all steps whose weights are on disk, ascending."""
    steps = {_step_in(folder) for folder in _named(run)}
    steps |= {_step_of_name(path.name) for folder in (CHECKPOINTS, HISTORY) for path in _entries(run / folder)}
    return tuple(sorted(step for step in steps if step is not None))


def history_files(run: Path) -> dict[int, Path]:
    """Return the files of the history by step."""
    found = {path: _NAME.fullmatch(path.name) for path in _entries(run / HISTORY)}
    return {int(match[2]): path for path, match in sorted(found.items()) if match and match[1] == "step" and match[3]}


def most_crowded(steps: list[int]) -> int | None:
    """Return the step that is missed least on a logarithmic scale; the first and the newest are not given up."""
    inner = sorted(steps)[1:-1]
    ordered = sorted(steps)
    gaps = {step: (ordered[i + 2] + 1) / (ordered[i] + 1) for i, step in enumerate(inner)}
    return min(inner, key=lambda step: (gaps[step], step)) if inner else None


def _named(run: Path) -> list[Path]:
    return [folder for name in (LAST, BEST) if (folder := run / CHECKPOINTS / name).is_dir()]


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _step_of_name(name: str) -> int | None:
    match = _NAME.fullmatch(name)
    return int(match[2]) if match else None


def _step_in(folder: Path) -> int | None:
    """Return the step of a checkpoint; None for one that is damaged or being replaced."""
    try:
        return int(json.loads((folder / _STATE).read_text(encoding="utf-8"))["step"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
