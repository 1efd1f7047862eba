"""The data spec: the short text that names a data set, taken apart and, when wrong, put right."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from latentlab.core.errors import InputError

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".ogv"})
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"})
ARRAY_SUFFIXES = frozenset({".npz", ".npy"})

# What may follow the name: an argument that must, may or must not be given, and how it is shown to people.
_FORMS: dict[str, tuple[Literal["must", "may", "never"], str]] = {
    "digits": ("never", "digits"),
    "arena": ("may", "arena"),
    "mnist": ("may", "mnist:DIR"),
    "fashion-mnist": ("may", "fashion-mnist:DIR"),
    "kmnist": ("may", "kmnist:DIR"),
    "cifar10": ("may", "cifar10:DIR"),
    "celeba": ("may", "celeba:DIR"),
    "folder": ("must", "folder:DIR"),
    "video": ("must", "video:FILE"),
    "npz": ("must", "npz:FILE"),
}
KINDS = tuple(_FORMS)
# What a folder holds when it is the root of a published set.
_LANDMARKS = (
    ("MNIST/raw", "mnist"),
    ("FashionMNIST/raw", "fashion-mnist"),
    ("KMNIST/raw", "kmnist"),
    ("cifar-10-batches-py", "cifar10"),
    ("cifar-10-python.tar.gz", "cifar10"),
    ("celeba/img_align_celeba", "celeba"),
    ("img_align_celeba", "celeba"),
)
FIELD = "data.spec"


@dataclass(frozen=True)
class DataSpec:
    """A data spec in two parts: ``kind`` is one of ``KINDS``, ``argument`` may be empty."""

    kind: str
    argument: str

    @property
    def path(self) -> Path:
        """The argument as a path, with ``~`` resolved."""
        return Path(self.argument).expanduser()


def parse_spec(text: str) -> DataSpec:
    """Take a data spec apart.

    Raises
    ------
    InputError
        If the kind is unknown, or an argument is missing or too much; the nearest valid spec is the hint.
    """
    kind, colon, argument = text.strip().partition(":")
    if kind not in _FORMS:
        raise InputError(f"{text!r} is not a data set", where=FIELD, hint=_nearest(text.strip()))
    rule, form = _FORMS[kind]
    argument = argument.strip()
    if rule == "must" and not argument:
        raise InputError(f"{text!r} does not say which {form.partition(':')[2].lower()}", where=FIELD, hint=f"{form}")
    if rule == "never" and colon:
        raise InputError(f"{kind} is built in and takes nothing after it, not {argument!r}", where=FIELD, hint=form)
    return DataSpec(kind, argument)


def spec_for_path(path: Path) -> str | None:
    """Return the spec that reads an existing file or folder, or None when nothing does."""
    suffix = path.suffix.lower()
    if path.is_dir():
        for landmark, kind in _LANDMARKS:
            if (path / landmark).exists():
                return f"{kind}:{path}"
        inside = {child.suffix.lower() for child in path.iterdir() if child.is_file()}
        if inside & VIDEO_SUFFIXES and not inside & IMAGE_SUFFIXES:
            common = sorted(inside & VIDEO_SUFFIXES)[0]
            return f"video:{path / '*'}{common}"
        return f"folder:{path}"
    if path.is_file() and suffix in VIDEO_SUFFIXES:
        return f"video:{path}"
    if path.is_file() and suffix in ARRAY_SUFFIXES:
        return f"npz:{path}"
    if path.is_file() and suffix in IMAGE_SUFFIXES:
        return f"folder:{path.parent}"
    return None


def _nearest(text: str) -> str:
    """Return a hint for an unknown kind: a path without its kind, or a name mistyped."""
    path = Path(text).expanduser()
    if text and path.exists():
        spec = spec_for_path(path)
        if spec is not None:
            return f"Did you mean {spec}?"
    kind, colon, argument = text.partition(":")
    near = difflib.get_close_matches(kind.lower().replace("_", "-"), [*KINDS, "cifar"], n=1, cutoff=0.5)
    if near:
        name = near[0] if near[0] in _FORMS else "cifar10"
        keeps_argument = colon and _FORMS[name][0] != "never"
        return f"Did you mean {name}:{argument}?" if keeps_argument else f"Did you mean {_plain(name)}?"
    return f"Known: {', '.join(form for _, form in _FORMS.values())}."


def _plain(name: str) -> str:
    rule, form = _FORMS[name]
    return form if rule == "must" else name


def missing(spec: DataSpec, expected: Literal["file", "folder"]) -> InputError:
    """Return the error for a path that is absent or of the wrong sort, with the nearest spec that would work."""
    path = spec.path
    if path.exists():
        what = "folder" if path.is_dir() else "file"
        better = spec_for_path(path)
        hint = f"Did you mean {better}?" if better and not better.startswith(f"{spec.kind}:") else ""
        return InputError(f"{path} is a {what}, and {spec.kind}: needs a {expected}", where=FIELD, hint=hint)
    return InputError(f"There is no {expected} {path}", where=FIELD, hint=_nearest_path(spec))


def _nearest_path(spec: DataSpec) -> str:
    """Return a hint with the sibling whose name is nearest, or the deepest parent that exists."""
    path = spec.path
    parent = path.parent
    while not parent.is_dir() and parent != parent.parent:
        path, parent = parent, parent.parent
    try:
        names = [child.name for child in parent.iterdir()]
    except OSError:
        return f"{parent} cannot be read."
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    if near and path == spec.path:
        return f"Did you mean {spec.kind}:{parent / near[0]}?"
    return f"Did you mean a path under {parent / near[0]}?" if near else f"The last folder that exists is {parent}."
