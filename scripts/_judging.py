"""What the judges share: samples of a run by the public command, and what a reader makes of them."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
CLASSES = 10


def parser_for(description: str) -> argparse.ArgumentParser:
    """Return a parser of what every judge takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("-n", type=int, default=500, metavar="N", help="samples of each class (default 500)")
    parser.add_argument("--checkpoint", default="last", metavar="NAME", help="last (default) or best")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def samples(run: Path, count: int, checkpoint: str = "last") -> dict[int, Array]:
    """Return ``count`` samples of every class, (N, H, W, 1) uint8, as ``latentlab sample`` writes them with seed 0."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "samples.npz"
        command = [sys.executable, "-m", "latentlab", "sample", str(run), "-n", str(CLASSES * count)]
        done = subprocess.run([*command, "--checkpoint", checkpoint, "-o", str(out)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr.strip())
        with np.load(out) as arrays:
            if "labels" not in arrays:
                raise SystemExit(f"{run} is not class-conditional: it cannot be asked for a digit")
            images, labels = np.asarray(arrays["images"]), np.asarray(arrays["labels"])
    return {label: images[labels == label] for label in range(CLASSES)}


def resized(images: Array, side: int) -> Array:
    """Return pictures (N, H, W, 1) uint8 as (N, side, side)."""
    if images.shape[1:3] == (side, side):
        return images[..., 0]
    return np.stack([cv2.resize(image[..., 0], (side, side), interpolation=cv2.INTER_AREA) for image in images])


def verdict(pictures: Mapping[int, Array], read: Callable[[Array], Array]) -> dict[str, Any]:
    """Return the share of samples that ``read`` takes for the class they were made for.

    Returns
    -------
    dict
        ``recognised`` by class and ``overall``, ``worst`` (the lowest class's), and ``classes_present``: how many
        of the classes are read most often in the samples that were made for them.
    """
    answers = {label: read(images) for label, images in pictures.items()}
    shares = {str(label): float(np.mean(given == label)) for label, given in answers.items()}
    present = [label for label, given in answers.items() if np.bincount(given, minlength=CLASSES).argmax() == label]
    return {
        "recognised": shares,
        "overall": float(np.mean(list(shares.values()))),
        "worst": min(shares.values()),
        "classes_present": len(present),
    }


def show(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the facts as one JSON object, or as a table for people."""
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        if isinstance(value, Mapping):
            print(name)
            print("\n".join(f"  {key}  {share:.3f}" for key, share in value.items()))
        else:
            print(f"{name:<18} {value:.4f}" if isinstance(value, float) else f"{name:<18} {value}")
