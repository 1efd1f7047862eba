"""The facts of the machine and the software that a run was made with."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from typing import Any

import torch

PACKAGES = ("latentlab", "torch", "numpy", "safetensors", "opencv-python-headless", "av", "scikit-learn")


def environment() -> dict[str, Any]:
    """Return versions, processor and accelerator, ready for JSON; nothing that names a person or a host."""
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "executable_is_64_bit": sys.maxsize > 2**32,
        "cpu_count": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "cuda": torch.version.cuda,
        "gpus": [torch.cuda.get_device_name(index) for index in range(gpus)],
        "packages": versions,
    }
