"""Judge whether a conditional model trained on MNIST keeps the style when the class changes.

``.venv/bin/python scripts/judge_style.py RUN --data mnist:DIR [-n 1000] [--checkpoint last] [--json]``

Encodes N test images with their class, keeps z, and decodes each with another class drawn at random. The classifier
of ``judge_mnist.py``, which saw MNIST's training images only, reads what comes out. Printed are:

``judge_accuracy``
    Share of the test images that the classifier reads rightly.
``recognised``, ``worst``
    Share of the changed pictures that are read as the new class, and the lowest of a class.
``kept``
    Share of the changed pictures that are still read as the old class.
``ink_correlation``, ``slant_correlation``
    Style: Pearson correlation between the reconstruction and the changed picture of the ink (mean brightness) and of
    the slant (the shear x/y of the ink's second moments), both after the mean of the class is taken away.
``ink_chance``, ``slant_chance``
    The same with z of another image in place of its own: what classes alone would give.
"""

from __future__ import annotations

import sys

import numpy as np
from _judging import CLASSES, Array, parser_for, resized, show
from judge_mnist import SIDE, in_parts, trained_reader

import latentlab
from latentlab.core.recipe import DataConfig
from latentlab.data.catalog import load_dataset
from latentlab.models.device import limit_threads


def ink(images: Array) -> Array:
    """Return the mean brightness of pictures (N, H, W), (N,) in [0, 1]."""
    return images.reshape(len(images), -1).mean(axis=1) / 255.0


def slant(images: Array) -> Array:
    """Return the shear of pictures (N, H, W): covariance of x and y over the variance of y, weighed by brightness."""
    weight = images.astype(np.float64) / np.maximum(images.sum(axis=(1, 2), keepdims=True), 1)
    y, x = np.mgrid[: images.shape[1], : images.shape[2]].astype(np.float64)
    mean_x, mean_y = (weight * x).sum((1, 2)), (weight * y).sum((1, 2))
    dx, dy = x - mean_x[:, None, None], y - mean_y[:, None, None]
    return np.asarray((weight * dx * dy).sum((1, 2)) / np.maximum((weight * dy * dy).sum((1, 2)), 1e-9))


def within(values: Array, labels: Array) -> Array:
    """Return values less the mean of their class."""
    means = np.array([values[labels == k].mean() if (labels == k).any() else 0.0 for k in range(CLASSES)])
    return np.asarray(values - means[labels])


def correlation(a: Array, b: Array, a_labels: Array, b_labels: Array) -> float:
    """Return Pearson's correlation of two measures, each less the mean of its class."""
    return float(np.corrcoef(within(a, a_labels), within(b, b_labels))[0, 1])


def main() -> int:
    """Print what the classifier reads after the change, and what became of the style."""
    parser = parser_for("Change the class of encoded digits with z fixed, and have a classifier read the result.")
    parser.add_argument("--data", default="mnist", metavar="SPEC", help="mnist:DIR, or mnist to fetch it")
    parser.set_defaults(n=1000)
    args = parser.parse_args()
    limit_threads()
    data = load_dataset(DataConfig(spec=args.data, size=(SIDE, SIDE)))
    assert data.labels is not None
    reader = trained_reader(data)
    model = latentlab.load(args.run, args.checkpoint)
    random = np.random.default_rng(0)
    rows = random.choice(data.test_index, size=args.n, replace=False)
    old = data.labels[rows]
    new = (old + random.integers(1, CLASSES, len(old))) % CLASSES
    z = model.encode(data.images[rows], old).mu
    before = resized(model.decode(z, old), SIDE)
    after = resized(model.decode(z, new), SIDE)
    read = in_parts(reader, after).argmax(1)
    others = random.permutation(len(rows))
    test, labels = data.images[data.test_index][..., 0], data.labels[data.test_index]
    facts = {
        "changes": args.n,
        "step": model.step,
        "judge_accuracy": float(np.mean(in_parts(reader, test).argmax(1) == labels)),
        "recognised": float(np.mean(read == new)),
        "worst": min(float(np.mean(read[new == k] == k)) for k in range(CLASSES)),
        "kept": float(np.mean(read == old)),
    }
    for name, measure in (("ink", ink), ("slant", slant)):
        of_before, of_after = measure(before), measure(after)
        facts[f"{name}_correlation"] = correlation(of_before, of_after, old, new)
        facts[f"{name}_chance"] = correlation(of_before[others], of_after, old[others], new)
    show(facts, as_json=args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
