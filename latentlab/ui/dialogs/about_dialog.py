"""What this is, which versions it runs on, and where it keeps its files."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtWidgets import QWidget

from latentlab.core import paths
from latentlab.ui.context import AppContext
from latentlab.ui.dialogs.text_dialog import TextDialog

PACKAGES = ("latentlab", "torch", "PySide6-Essentials", "pyqtgraph", "numpy", "opencv-python-headless")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def about_text(context: AppContext) -> str:
    """Return versions, device and folders, one per line."""
    _, status = context.training.status.get()
    lines = [f"{package:<24}{_version(package)}" for package in PACKAGES]
    lines += [
        f"{'Python':<24}{platform.python_version()} on {platform.system()} {platform.machine()}",
        f"{'Device':<24}{status.device if status is not None else 'chosen when a training starts'}",
        "",
        f"{'Runs':<24}{context.runs_root}",
        f"{'Screenshots':<24}{paths.screenshots_dir()}",
        f"{'Settings and log':<24}{paths.config_dir()}",
        f"{'Decoded data':<24}{paths.cache_dir()}",
    ]
    return "\n".join(lines)


def about_dialog(context: AppContext, parent: QWidget) -> TextDialog:
    """Return the window."""
    note = (
        "Trains VAE-family models on your own images and video while you watch, and walks through their latent space."
    )
    return TextDialog("About latentlab", f"latentlab {_version('latentlab')}", note, about_text(context), parent)
