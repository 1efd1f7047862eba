"""What a path is: a run, a recipe, data to train on, or a picture that knows its run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from latentlab.core.errors import InputError
from latentlab.core.picture_origin import Origin
from latentlab.core.run_folder import is_run
from latentlab.ui.screenshots import read_facts
from latentlab.ui.widgets.data_spec_editor import IMAGE_SUFFIXES, VIDEO_SUFFIXES

LOOK_AT_MOST = 2000
KINDS = "a run folder, a recipe (.toml), a video, a folder of images, an .npz file, or a picture exported by latentlab"


@dataclass(frozen=True)
class Target:
    """What to do with a path: show a ``run``, load a ``recipe``, or train on ``data`` (its spec).

    ``origin``: of an exported ``picture``, the state of the run to go back to.
    """

    kind: Literal["run", "recipe", "data"]
    path: Path
    spec: str = ""
    note: str = ""
    picture: Path = Path()
    origin: Origin | None = None

    @property
    def is_video(self) -> bool:
        """Whether it is one video file."""
        return self.spec.startswith("video:") and self.path.is_file()


def identify(path: Path) -> Target:
    """Say what ``path`` is.

    Raises
    ------
    InputError
        If it does not exist, cannot be read, or is nothing latentlab can open; the hint says what can be.
    """
    path = path.expanduser()
    try:
        if path.is_dir():
            return _identify_folder(path)
        if path.is_file():
            return _identify_file(path)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}", where=str(path)) from None
    raise InputError(f"There is no file or folder {path}", where=str(path), hint=f"latentlab opens {KINDS}.")


def _identify_folder(path: Path) -> Target:
    run = next((folder for folder in (path, *path.parents[:2]) if is_run(folder)), None)
    if run is not None:
        return Target("run", run)
    suffixes = {item.suffix.lower() for item in islice(_files(path), LOOK_AT_MOST)}
    if suffixes & set(IMAGE_SUFFIXES):
        return Target("data", path, spec=f"folder:{path.resolve()}")
    video = next((suffix for suffix in VIDEO_SUFFIXES if suffix in suffixes), None)
    if video is not None:
        return Target("data", path, spec=f"video:{path.resolve()}/*{video}")
    if any(is_run(item) for item in path.iterdir()):
        raise InputError(f"{path.name} holds runs but is none", where=str(path), hint="Open one of the folders in it.")
    raise InputError(f"{path.name} holds no images and no video", where=str(path), hint=f"latentlab opens {KINDS}.")


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and of the folders in it, not deeper."""
    for item in folder.iterdir():
        if item.is_dir():
            yield from (inner for inner in item.iterdir() if inner.is_file())
        else:
            yield item


def _identify_file(path: Path) -> Target:
    suffix = path.suffix.lower()
    if suffix == ".toml":
        return Target("recipe", path)
    if suffix in VIDEO_SUFFIXES:
        return Target("data", path, spec=f"video:{path.resolve()}")
    if suffix == ".npz":
        return Target("data", path, spec=f"npz:{path.resolve()}")
    if suffix in IMAGE_SUFFIXES:
        return _identify_picture(path)
    raise InputError(f"{path.name} is nothing that latentlab can open", where=str(path), hint=f"It opens {KINDS}.")


def _identify_picture(path: Path) -> Target:
    facts = read_facts(path)
    if facts.run is None:
        raise InputError(
            f"{path.name} does not say which run it came from",
            where=str(path),
            hint="To train on pictures, open the folder they are in.",
        )
    if not is_run(facts.run):
        raise InputError(
            f"The run of {path.name} is gone: {facts.run}",
            where=str(path),
            hint="Its recipe is still in the picture's text; train it again to get the run back.",
        )
    note = f"{path.name} was taken at step {facts.step:,}." if facts.step >= 0 else ""
    origin = facts.origin if facts.step >= 0 else None
    return Target("run", facts.run, note="" if origin is not None else note, picture=path, origin=origin)
