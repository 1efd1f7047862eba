from __future__ import annotations

import subprocess
import sys

import pytest

MODULES = [
    "error_hub",
    "inference",
    "inference_thread",
    "poll",
    "previews",
    "priority",
    "run_loader",
    "shutdown",
    "threads",
    "trainer_thread",
    "training_session",
    "warmup",
]


@pytest.mark.parametrize("heavy", ["torch", "cv2", "PySide6.QtWidgets", "PySide6.QtGui", "latentlab.training"])
def test_importing_the_runtime_loads_nothing_heavy(heavy):
    imports = "; ".join(f"import latentlab.runtime.{name}" for name in MODULES)
    code = f"{imports}; import sys; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
