"""Are the digits of a conditional run legible? ``.venv/bin/python scripts/judge_digits.py RUN [-n 500] [--json]``.

Samples N digits of every class with ``latentlab sample`` and has them read by a classifier
that saw only real digits: scikit-learn's support vector machine on its 1,797 digits at 8x8.
"""

from __future__ import annotations

import sys

from _judging import Array, parser_for, resized, samples, show, verdict
from sklearn.datasets import load_digits
from sklearn.svm import SVC

DEPTH = 16.0  # scikit-learn's digits run from 0 to 16


def to_digits(images: Array) -> Array:
    """Return pictures (N, H, W, 1) uint8 as scikit-learn has its digits: (N, 64) in [0, 16]."""
    return resized(images, 8).reshape(len(images), 64) * (DEPTH / 255.0)


def main() -> int:
    """Print the share of samples read as the class they were made for."""
    args = parser_for("Have a classifier of real digits read a run's samples.").parse_args()
    real = load_digits()
    judge = SVC().fit(real.data, real.target)
    pictures = samples(args.run, args.n, args.checkpoint)
    facts = verdict(pictures, lambda images: judge.predict(to_digits(images)))
    show({"samples": args.n, **facts}, as_json=args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
