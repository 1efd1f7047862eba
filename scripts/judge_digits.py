"""Are the digits of a conditional run legible? ``.venv/bin/python scripts/judge_digits.py RUN [-n 500] [--json]``.

Samples N digits of every class with ``latentlab sample --class K`` and has them read by a classifier
that saw only real digits: scikit-learn's support vector machine on its 1,797 digits at 8x8.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC

DEPTH = 16.0  # scikit-learn's digits run from 0 to 16


def to_digits(images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return pictures (N, H, W, 1) uint8 as scikit-learn has its digits: (N, 64) in [0, 16]."""
    small = [cv2.resize(image[..., 0], (8, 8), interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(small).reshape(len(small), 64) * (DEPTH / 255.0)


def sample(run: Path, label: int, count: int, folder: Path) -> np.ndarray[Any, Any]:
    """Return ``count`` samples of class ``label``, (N, H, W, 1) uint8, as the command writes them."""
    out = folder / f"{label}.npz"
    command = [sys.executable, "-m", "latentlab", "sample", str(run), "-n", str(count), "--class", str(label)]
    subprocess.run([*command, "--seed", str(label), "-o", str(out)], check=True, stdout=subprocess.DEVNULL)
    with np.load(out) as arrays:
        return np.asarray(arrays["images"])


def main() -> int:
    """Print the share of samples read as the class they were made for."""
    parser = argparse.ArgumentParser(description="Have a classifier of real digits read a run's samples.")
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("-n", type=int, default=500, metavar="N", help="samples of each class (default 500)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    real = load_digits()
    judge = SVC().fit(real.data, real.target)
    with tempfile.TemporaryDirectory() as folder:
        read = {k: judge.predict(to_digits(sample(args.run, k, args.n, Path(folder)))) for k in range(10)}
    shares = {str(label): float(np.mean(answers == label)) for label, answers in read.items()}
    if args.json:
        print(json.dumps({"samples": args.n, "recognised": shares, "worst": min(shares.values())}))
    else:
        print("\n".join(f"{label}  {share:.3f}" for label, share in shares.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
