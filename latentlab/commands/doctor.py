"""``latentlab doctor``: whether this installation can do what latentlab promises, or what goes wrong in a run."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from latentlab.commands import print_json
from latentlab.core.errors import EXIT_FAILURE, EXIT_OK

MIN_FREE_GB = 2.0


@dataclass(frozen=True)
class Check:
    """One finding: ``value`` says what was found, ``hint`` what to do when it is not ok."""

    name: str
    ok: bool
    value: str
    hint: str = ""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "doctor",
        help="check this installation, or examine a run",
        description="Check Python, packages, devices, codecs and folders; with RUN, say what went wrong in a training.",
    )
    parser.add_argument("run", nargs="?", type=Path, metavar="RUN", help="run folder to examine")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print every check, exit 1 when one failed; or the findings of a run."""
    if args.run is not None:
        return _examine(args.run, as_json=args.json)
    checks = [_guarded(check) for check in CHECKS]
    ok = all(check.ok for check in checks)
    if args.json:
        print_json({"ok": ok, "checks": [asdict(check) for check in checks]})
        return EXIT_OK if ok else EXIT_FAILURE
    for check in checks:
        print(f"{'ok    ' if check.ok else 'FAILED'}  {check.name}: {check.value}")
        if check.hint:
            print(f"        {check.hint}")
    return EXIT_OK if ok else EXIT_FAILURE


def _examine(run: Path, *, as_json: bool) -> int:
    """Say what is wrong with a run now, and what was at any time."""
    from latentlab.core.doctor import Record, diagnose, replay
    from latentlab.core.events import read_changes
    from latentlab.core.run_folder import METRICS, read_model_info
    from latentlab.training.changes import with_changes
    from latentlab.training.metrics_db import read_metrics

    recipe = with_changes(read_model_info(run).recipe, read_changes(run))
    record = Record(read_metrics(run / METRICS), recipe)
    now, ever = diagnose(record), replay(record)
    past = [finding for name, finding in ever.items() if name not in {found.rule for found in now}]
    if as_json:
        print_json(
            {
                "run": str(run),
                "step": int(record.step),
                **{k: [asdict(f) for f in v] for k, v in (("findings", now), ("past", past))},
            }
        )
        return EXIT_OK
    print(f"{run.name}, step {int(record.step)}: {len(now)} findings, {len(past)} that passed")
    for finding in (*now, *past):
        since = ever.get(finding.rule, finding).step
        print(f"  {'since' if finding in now else 'around'} step {since}: {finding.sentence}\n    {finding.evidence}")
        if finding.fix is not None:
            print(f"    {finding.fix.label}")
    return EXIT_OK


def _guarded(check: Callable[[], Check]) -> Check:
    name = (check.__doc__ or check.__name__).rstrip(".")
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a broken package may fail in any way; the doctor must survive it
        return Check(name, False, f"{type(error).__name__}: {error}", "Reinstall latentlab: python3 scripts/run.py")


def _python() -> Check:
    """Python."""
    version = sys.version.split()[0]
    return Check(
        "Python", sys.version_info >= (3, 11), version, "" if sys.version_info >= (3, 11) else "Use 3.11 or newer."
    )


def _torch() -> Check:
    """The packages torch and torchvision."""
    import torch
    import torchvision

    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    torchvision.ops.nms(boxes, torch.ones(1), 0.5)  # fails when the two were built for different devices
    return Check("torch", True, f"torch {torch.__version__}, torchvision {torchvision.__version__}")


def _device() -> Check:
    """Device."""
    from latentlab.models.device import choose_device

    return Check("device", True, choose_device().describe())


def _qt() -> Check:
    """Qt."""
    from PySide6.QtCore import qVersion
    from PySide6.QtWidgets import QApplication

    if (
        not QApplication.instance()
        and sys.platform == "linux"
        and not os.environ.get("DISPLAY")
        and not os.environ.get("WAYLAND_DISPLAY")
    ):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication(["doctor"])
    platform = application.platformName() if isinstance(application, QApplication) else "?"
    return Check(
        "Qt", True, f"Qt {qVersion()} on {platform}, PySide6 {importlib.metadata.version('PySide6-Essentials')}"
    )


def _one_opencv() -> Check:
    """OpenCV."""
    import cv2

    names = {d.metadata["Name"].lower() for d in importlib.metadata.distributions() if d.metadata["Name"]}
    clash = "opencv-python" in names
    hint = "opencv-python carries a second Qt: pip uninstall opencv-python, then install opencv-python-headless again."
    return Check(
        "OpenCV", not clash, cv2.__version__ + (" with opencv-python beside it" if clash else ""), hint if clash else ""
    )


def _codecs() -> Check:
    """Video codecs."""
    import av

    wanted = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg")
    missing = [name for name in wanted if name not in av.codecs_available and f"lib{name}" not in av.codecs_available]
    encoder = "libx264" in av.codecs_available
    value = f"PyAV {av.__version__}; decodes {', '.join(n for n in wanted if n not in missing)}"
    return Check(
        "video", encoder and not missing, value, "" if encoder else "No H.264 encoder: reinstall the package av."
    )


def _folders() -> Check:
    """Folders."""
    from latentlab.core import paths

    places = [paths.cache_dir(), paths.config_dir(), paths.runs_dir()]
    for place in places:
        with tempfile.TemporaryFile(dir=place):
            pass
    return Check("folders", True, ", ".join(str(place) for place in places))


def _disk() -> Check:
    """Disk."""
    from latentlab.core.paths import runs_dir

    free_gb = shutil.disk_usage(runs_dir()).free / 1e9
    enough = free_gb >= MIN_FREE_GB
    return Check(
        "disk", enough, f"{free_gb:.1f} GB free for runs", "" if enough else "Free some space, or set LATENTLAB_RUNS."
    )


def _resources() -> Check:
    """Resources."""
    from latentlab.core.paths import resources_dir
    from latentlab.core.recipe_io import bundled_recipes

    icons = len(list((Path(resources_dir()) / "icons").glob("*.svg")))
    recipes = len(bundled_recipes())
    return Check("resources", bool(icons and recipes), f"{recipes} recipes, {icons} icons")


CHECKS: tuple[Callable[[], Check], ...] = (
    _python,
    _torch,
    _device,
    _qt,
    _one_opencv,
    _codecs,
    _folders,
    _disk,
    _resources,
)
