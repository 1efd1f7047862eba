"""What the window remembers between starts: one JSON file, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TypeVar

from latentlab.core.errors import LatentLabError
from latentlab.core.paths import config_dir

FILE_NAME = "window.json"
MAX_RECENT = 12
T = TypeVar("T")


class SettingsStore:
    """A dictionary of JSON values with typed reads.

    A missing file is a first start. A damaged one is set aside as ``window.json.damaged`` and the
    defaults hold; ``problem`` then says so in one sentence.

    Parameters
    ----------
    path
        The file; by default ``window.json`` in the user's settings folder.
    read_only
        Never write: a start that only takes a picture must not change what the user arranged.

    Thread: GUI.
    """

    def __init__(self, path: Path | None = None, *, read_only: bool = False) -> None:
        self.read_only = read_only
        self.problem = ""
        self.path = path or self._default_path()
        self._values: dict[str, object] = self._load()

    def _default_path(self) -> Path | None:
        try:
            return config_dir() / FILE_NAME
        except LatentLabError as error:
            self.problem = f"{error.what}; settings will not be remembered."
            return None

    def _load(self) -> dict[str, object]:
        if self.path is None:
            return {}
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise ValueError("not an object")
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.problem = f"{self.path.name} cannot be read ({error.strerror}); starting with the defaults."
            return {}
        except (ValueError, RecursionError):
            self.problem = f"{self.path.name} was damaged; it was set aside and the window starts with the defaults."
            if not self.read_only:
                with contextlib.suppress(OSError):
                    os.replace(self.path, self.path.with_name(f"{self.path.name}.damaged"))
            return {}
        return values

    def get(self, key: str, default: T) -> T:
        """Return the value of ``key`` if it has the type of ``default``, else ``default``."""
        value = self._values.get(key)
        if isinstance(value, bool) and not isinstance(default, bool):
            return default
        return value if isinstance(value, type(default)) else default

    def set(self, key: str, value: object) -> None:
        """Remember a JSON-able value until ``save`` writes it."""
        self._values[key] = value

    def save(self) -> str:
        """Write the file atomically; return a sentence when that fails, else an empty string."""
        if self.read_only or self.path is None:
            return ""
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(self._values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            os.replace(part, self.path)
        except (OSError, TypeError, ValueError) as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            return f"The window's layout could not be saved: {error}"
        return ""

    def recent(self) -> list[Path]:
        """Return the files and runs opened last that still exist, newest first."""
        return [Path(text) for text in self._recent_texts() if os.path.exists(text)]

    def add_recent(self, path: Path) -> None:
        """Put ``path`` at the head of the recent list."""
        text = os.path.abspath(path)
        old = [item for item in self._recent_texts() if item != text]
        self.set("recent", [text, *old][:MAX_RECENT])

    def _recent_texts(self) -> list[str]:
        values: list[object] = self.get("recent", [])
        return [value for value in values if isinstance(value, str)]
