"""Reading a TOML file that a person wrote or chose."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from latentlab.core.errors import InputError


def read_toml(path: Path, what: str, hint: str) -> dict[str, Any]:
    """Return the tables of a file.

    Parameters
    ----------
    path
        The file.
    what
        What it should be, for people: ``recipe``.
    hint
        What to do when it is none.

    Raises
    ------
    InputError
        If it is missing, cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no {what} {path}", where=str(path), hint=hint) from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}", where=str(path), hint=hint) from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name} is no {what}: it holds no text", where=str(path), hint=hint) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path.name} is not a TOML file: {error}", where=str(path), hint=hint) from None
