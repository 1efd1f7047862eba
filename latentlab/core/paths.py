"""Where things live: bundled resources, the user's cache, settings and runs."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import platformdirs

from latentlab.core.errors import InputError

APP_NAME = "latentlab"


@cache
def resources_dir() -> Path:
    """Return the folder with icons, themes and recipes.

    A wheel carries it inside the package as ``_resources``; a checkout has it beside the package.

    Raises
    ------
    FileNotFoundError
        If neither place exists, which means that the installation is broken.
    """
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "_resources", package.parent / "resources"):
        if (candidate / "recipes").is_dir():
            return candidate
    raise FileNotFoundError(f"latentlab's resources are missing beside {package}; reinstall latentlab")


def _home(variable: str, default: str) -> Path:
    """Return the folder that ``variable`` names, made when missing; InputError when it cannot be one."""
    path = Path(os.environ.get(variable) or default).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{path} cannot be used as a folder: {error.strerror}",
            where=variable,
            hint=f"Set {variable} to a folder that you may write to.",
        ) from error
    return path


def cache_dir() -> Path:
    """Return the folder for decoded data sets and proxies (``LATENTLAB_CACHE`` overrides)."""
    return _home("LATENTLAB_CACHE", platformdirs.user_cache_dir(APP_NAME, appauthor=False))


def config_dir() -> Path:
    """Return the folder for window layout and preferences (``LATENTLAB_CONFIG`` overrides)."""
    return _home("LATENTLAB_CONFIG", platformdirs.user_config_dir(APP_NAME, appauthor=False))


def runs_dir() -> Path:
    """Return the folder that new runs are written to (``LATENTLAB_RUNS`` overrides)."""
    return _home("LATENTLAB_RUNS", str(Path(platformdirs.user_data_dir(APP_NAME, appauthor=False)) / "runs"))


def screenshots_dir() -> Path:
    """Return the folder that screenshots land in (``LATENTLAB_SCREENSHOTS`` overrides)."""
    return _home("LATENTLAB_SCREENSHOTS", str(Path(platformdirs.user_pictures_dir()) / APP_NAME))
