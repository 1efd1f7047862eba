"""A small network whose features stand in for Inception's, trained here on the training images and kept in the cache.

Nothing is downloaded. It sees each image through three strided convolutions and 64 features, from which it has to
paint the image again at a quarter of its size and, where there are classes, name its class: features that know both
how a picture looks and what it shows. Seed, steps and layers are fixed, so that the same data has the same features.
"""

from __future__ import annotations

import hashlib
import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentlab.core.errors import InputError
from latentlab.core.messages import Ints
from latentlab.core.paths import cache_dir
from latentlab.models.layers import initialise
from latentlab.models.optim import update
from latentlab.models.weights import load_tensors, save_tensors
from latentlab.training.batches import labels_at
from latentlab.training.evaluation.subject import Subject

FEATURES = 64
STEPS = 600
_BATCH = 128
_WIDTH = 16
_SMALLER = 4
_CLASS_WEIGHT = 0.1
_SEED = 0
# Part of the key in the cache: to be raised with every change of what is trained.
_VERSION = 1


class FeatureNet(nn.Module):
    """Images to features, and the two tasks that teach them."""

    def __init__(self, image_shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        height, width, channels = image_shape
        self.small = (height // _SMALLER, width // _SMALLER)
        sizes = (channels, _WIDTH, 2 * _WIDTH, 4 * _WIDTH)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(sizes):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(4, after), nn.SiLU()]
        self.convolutions = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Linear(sizes[-1] * -(-height // 8) * -(-width // 8), FEATURES)
        self.painter = nn.Linear(FEATURES, channels * self.small[0] * self.small[1])
        self.classifier = nn.Linear(FEATURES, max(classes, 1))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the features (B, 64) of images in [0,1]."""
        features_BF: Tensor = self.head(self.convolutions(2.0 * x_BCHW - 1.0))
        return features_BF

    def loss(self, x_BCHW: Tensor, y_B: Tensor | None) -> Tensor:
        """Return the error of the small picture plus, for images of known class, the weighted cross-entropy."""
        features_BF = F.silu(self(x_BCHW))
        small_BP = F.adaptive_avg_pool2d(x_BCHW, self.small).flatten(1)
        loss = F.mse_loss(self.painter(features_BF), small_BP)
        if y_B is None:
            return loss
        # Summed and divided by hand: the mean over no known class at all would not be a number.
        named = F.cross_entropy(self.classifier(features_BF), y_B, ignore_index=-1, reduction="sum")
        return loss + _CLASS_WEIGHT * named / (y_B >= 0).sum().clamp(min=1)


def feature_net(subject: Subject) -> FeatureNet:
    """Return the network for the subject's data on its device, from the cache or trained now."""
    rows = subject.training_rows()
    path = cache_dir() / "features" / f"{_key(subject, rows)}.safetensors"
    with torch.device("meta"):
        net = FeatureNet(subject.data.image_shape, subject.data.num_classes)
    net.to_empty(device="cpu")
    initialise(net, torch.Generator().manual_seed(_SEED))
    try:
        net.load_state_dict(load_tensors(path))
        return net.to(subject.policy.device).eval()
    except (InputError, RuntimeError):  # not there yet, or damaged: it is made again either way
        pass
    net.to(subject.policy.device)
    _train(net, subject, rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(path, net.state_dict())
    return net.eval()


def _train(net: FeatureNet, subject: Subject, rows: Ints) -> None:
    draws = torch.Generator().manual_seed(_SEED)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for step in range(STEPS):
        if step % 10 == 0:
            subject.tell("Training the feature network", step, STEPS)
        part = rows[torch.randint(len(rows), (min(_BATCH, len(rows)),), generator=draws).numpy()]
        loss = net.loss(subject.pictures.at(part), labels_at(subject.data.labels, part, subject.policy.device))
        update(optimizer, loss)


def _key(subject: Subject, rows: Ints) -> str:
    """Return a name for everything that decides what is trained."""
    data = subject.data
    text = f"{_VERSION} {data.fingerprint} {data.image_shape} {data.num_classes} {subject.policy.device.type}"
    digest = hashlib.sha256(text.encode())
    digest.update(rows.tobytes())
    if data.labels is not None:
        digest.update(data.labels[rows].tobytes())
    return digest.hexdigest()[:32]
