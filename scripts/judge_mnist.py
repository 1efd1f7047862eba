"""Judge the samples of a run trained on MNIST by a classifier of MNIST.

``.venv/bin/python scripts/judge_mnist.py RUN --data mnist:DIR [-n 500] [--checkpoint last] [--json]``

Samples N digits of every class with ``latentlab sample``. A small convolutional network that saw only
MNIST's training images reads them; it is trained once, kept in latentlab's cache folder, and its accuracy on the
10,000 test images is printed with the verdict. Printed are:

``judge_accuracy``
    Share of the test images that the classifier reads rightly.
``recognised``, ``overall``, ``worst``
    Share of the samples of each class that are read as that class, its mean over the classes, and the lowest.
``classes_present``
    Classes that are read most often in the samples that were made for them.
``diversity``
    Within-class diversity of the samples as a share of the real one's: for each class, the mean Euclidean distance,
    in pixels at 28x28, over all pairs of its N samples, divided by the same of the class's first N test images;
    then the mean over the classes. 1 is the data's own, 0 one picture per class.
``feature_diversity``
    The same in the 128 features before the classifier's last layer, where noise in the pixels counts for little.
``least_diverse``
    The lowest ``diversity`` of a class.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import torch
from _judging import CLASSES, Array, parser_for, resized, samples, show, verdict
from scipy.spatial.distance import pdist
from torch import Tensor, nn
from torch.nn import functional as F

from latentlab.core.paths import cache_dir
from latentlab.core.recipe import DataConfig
from latentlab.data.catalog import load_dataset
from latentlab.data.dataset import Dataset
from latentlab.models.device import limit_threads
from latentlab.models.weights import load_tensors, save_tensors

SIDE = 28
EPOCHS, BATCH, TOP_RATE = 6, 128, 4e-3


class Reader(nn.Module):
    """Two convolutions with batch norm and pooling, a hidden layer of 128, and the classes."""

    def __init__(self) -> None:
        super().__init__()

        def level(inputs: int, outputs: int) -> list[nn.Module]:
            return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]

        self.features = nn.Sequential(*level(1, 24), *level(24, 48), nn.Flatten(), nn.Linear(49 * 48, 128), nn.ReLU())
        self.last = nn.Linear(128, CLASSES)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return logits, (B, 10)."""
        features_BN = F.dropout(self.features(x_BCHW), 0.3, self.training)
        logits: Tensor = self.last(features_BN)
        return logits


def to_tensor(images: Array) -> Tensor:
    """Return pictures (N, 28, 28) uint8 as (N, 1, 28, 28) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).float()[:, None] / 255.0


def train(reader: Reader, images: Array, labels: Array) -> None:
    """Train on shifted pictures, the learning rate rising and falling once over the run."""
    torch.manual_seed(0)
    steps = EPOCHS * (len(images) // BATCH)
    optimizer = torch.optim.Adam(reader.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, TOP_RATE, total_steps=steps)
    random = np.random.default_rng(0)
    for step in range(steps):
        if step % (len(images) // BATCH) == 0:
            order = random.permutation(len(images))
        rows = order[step * BATCH % (len(images) // BATCH * BATCH) :][:BATCH]
        shift = tuple(random.integers(-1, 2, 2))
        x = to_tensor(np.roll(images[rows], shift, axis=(1, 2)))
        loss = F.cross_entropy(reader(x), torch.from_numpy(labels[rows]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def trained_reader(data: Dataset) -> Reader:
    """Return the classifier of ``data``, from the cache folder where it was trained before."""
    kept = cache_dir() / "judges" / f"mnist-{data.fingerprint}.safetensors"
    reader = Reader()
    if kept.is_file():
        reader.load_state_dict(load_tensors(kept))
        return reader.eval()
    print("Training the classifier once; this takes some three minutes.", file=sys.stderr, flush=True)
    assert data.labels is not None
    rows = data.train_index
    train(reader, data.images[rows][..., 0], data.labels[rows])
    kept.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(kept, reader.state_dict())
    return reader.eval()


def in_parts(work: Callable[[Tensor], Tensor], images: Array) -> Array:
    """Return what ``work`` makes of pictures (N, 28, 28) uint8, 500 at a time."""
    with torch.no_grad():
        return torch.cat([work(to_tensor(images[i : i + 500])) for i in range(0, len(images), 500)]).numpy()


def diversity(made: dict[int, Array], real: dict[int, Array], of: Callable[[Array], Array]) -> list[float]:
    """Return for each class the mean distance of its samples as a share of that of its real images."""
    return [float(pdist(of(made[k])).mean() / pdist(of(real[k][: len(made[k])])).mean()) for k in made]


def main() -> int:
    """Print what the classifier reads in the samples, and how much they differ among each other."""
    parser = parser_for("Have a classifier of MNIST read a run's samples, and measure their diversity.")
    parser.add_argument("--data", default="mnist", metavar="SPEC", help="mnist:DIR, or mnist to fetch it")
    args = parser.parse_args()
    limit_threads()
    data = load_dataset(DataConfig(spec=args.data, size=(SIDE, SIDE)))
    assert data.labels is not None
    reader = trained_reader(data)
    test, labels = data.images[data.test_index][..., 0], data.labels[data.test_index]
    made = {k: resized(images, SIDE) for k, images in samples(args.run, args.n, args.checkpoint).items()}
    real = {k: test[labels == k] for k in range(CLASSES)}
    in_pixels = diversity(made, real, lambda images: images.reshape(len(images), -1) / 255.0)
    in_features = diversity(made, real, lambda images: in_parts(reader.features, images))
    facts = {
        "samples": args.n,
        "judge_accuracy": float(np.mean(in_parts(reader, test).argmax(1) == labels)),
        **verdict(made, lambda images: in_parts(reader, images).argmax(1)),
        "diversity": float(np.mean(in_pixels)),
        "feature_diversity": float(np.mean(in_features)),
        "least_diverse": min(in_pixels),
    }
    show(facts, as_json=args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
