"""Errors that a person is meant to read: what went wrong, where, and what to do about it."""

from __future__ import annotations

from pathlib import Path

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class LatentLabError(Exception):
    """A failure with a sentence for the user instead of a traceback.

    Parameters
    ----------
    what
        One sentence that names the thing and the reason, e.g. ``"clip.mp4 is not a video"``.
    where
        The file, recipe key or command the sentence is about; empty when it is obvious.
    hint
        What to do next; empty when nothing can be done.
    """

    exit_code = EXIT_FAILURE

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """Return the sentence, the place and the hint as one line."""
        place = f" [{self.where}]" if self.where else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.what}{place}{hint}"

    def as_dict(self) -> dict[str, str]:
        """Return the three parts under the names that ``--json`` prints."""
        return {"what": self.what, "where": self.where, "hint": self.hint}


class InputError(LatentLabError):
    """A recipe, file, argument or data set that cannot be used as given."""

    exit_code = EXIT_USAGE


class Cancelled(LatentLabError):  # noqa: N818 - a wish of the user, not an error
    """The user asked for the work to stop; nothing is wrong."""

    exit_code = EXIT_INTERRUPTED

    def __init__(self, what: str = "Cancelled.") -> None:
        super().__init__(what)


def cannot_write(path: Path, error: Exception) -> InputError:
    """Return the sentence for a file or folder that the system refuses to write.

    Parameters
    ----------
    path
        What was to be written, under the name that the user gave.
    error
        What the system said.
    """
    if isinstance(error, FileNotFoundError):
        hint = "Its folder is gone; choose another."
    else:
        hint = "Check the folder, its permissions and the space left on the disk."
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"{path.name} cannot be written: {reason}", where=str(path), hint=hint)
