"""No option makes a VAE-GAN's step wait for the device: nothing of it is ever read by the host."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from model_builders import blobs, make_context, make_info
from torch.utils._python_dispatch import TorchDispatchMode

from latentlab.models.base import Batch
from latentlab.models.registry import build_model

READS = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select", "item", "unique")
EVERYTHING = {
    "label_noise": 0.1,
    "label_smoothing": 0.1,
    "label_flip_every": 3,
    "instance_noise": 0.1,
    "instance_noise_steps": 10,
    "discriminator_dropout": 0.3,
    "spectral_norm": True,
    "r1_weight": 1.0,
    "equilibrium": 0.68,
    "prior_feature_weight": 1.0,
    "attribute_weight": 0.3,
    "decoder_attribute_weight": 0.3,
    "latent_batch_norm": True,
    "discriminator_norm": "batch",
    "beta": "adaptive",
    "kld": "batch",
}


class Watch(TorchDispatchMode):
    """Collects the operations that would bring a number to the host."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.overloadpacket.__name__ in READS:
            self.seen.append(str(function))
        return function(*args, **(kwargs or {}))


def test_the_watch_sees_a_read():
    with Watch() as watch:
        torch.ones(()).item()
        bool(torch.ones(()) > 0)
    assert len(watch.seen) == 2


@pytest.mark.parametrize("gan_loss", ["non-saturating", "hinge", "relativistic"])
@pytest.mark.parametrize(
    "settings",
    [{}, EVERYTHING, {**EVERYTHING, "update_order": "sequential"}, {"adversarial_delay": 9}],
    ids=["plain", "everything", "sequential", "delayed"],
)
def test_a_step_reads_nothing(gan_loss: str, settings: dict[str, object]):
    info = make_info("vaegan", gan_loss=gan_loss, **settings)
    model = build_model(dataclasses.replace(info, attribute_names=("a",)), seed=0)
    context = make_context(model)
    batch = Batch(blobs(6), None, torch.tensor([[1.0], [0.0], [-1.0]] * 2), None, blobs(6, seed=3))
    for step in range(3):
        context.step = step
        with Watch() as watch:
            model.training_step(batch, context)
    assert watch.seen == []
