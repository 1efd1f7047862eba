"""Exact resume with every option of the game that has a state, a schedule or randomness of its own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from training_fakes import Memory, make_data, make_recipe

from latentlab.training.checkpoint import load_checkpoint
from latentlab.training.fit import fit
from latentlab.training.run import RunWriter

VAEGAN = {"model__kind": "vaegan", "model__discriminator_width": 4}
CASES = {
    "spectral": {"model__spectral_norm": True},
    "batch-norms": {"model__discriminator_norm": "batch", "model__latent_batch_norm": True},
    "instance-norm-dense": {"model__discriminator_norm": "instance", "model__discriminator_network": "dense"},
    "splatoon-max": {"model__discriminator_network": "splatoon", "model__discriminator_downsampling": "max"},
    "labels": {
        "objective__label_noise": 0.2,
        "objective__label_flip_every": 4,
        "objective__label_flip_steps": 2,
        "objective__instance_noise": 0.2,
        "objective__instance_noise_steps": 9,
    },
    "dropout-lazy-r1": {
        "model__discriminator_dropout": 0.4,
        "objective__r1_weight": 2.0,
        "objective__r1_every": 3,
    },
    "rests-hinge": {
        "objective__gan_loss": "hinge",
        "objective__equilibrium": 0.7,
        "objective__equilibrium_margin": 0.02,
    },
    "sequential-relativistic": {
        "objective__update_order": "sequential",
        "objective__gan_loss": "relativistic",
        "objective__beta": "adaptive",
    },
    "delay": {"objective__adversarial_delay": 7, "objective__prior_feature_weight": 1.0},
    "attributes": {
        "objective__attribute_weight": 0.5,
        "objective__decoder_attribute_weight": 0.5,
        "objective__separate_batches": True,
    },
}


@pytest.mark.parametrize("case", CASES)
def test_stop_and_resume_gives_the_same_bits(case: str, new_run) -> None:
    rng = np.random.default_rng(0)
    data = dataclasses.replace(
        make_data(), attributes=rng.integers(-1, 2, (48, 3)).astype(np.int8), attribute_names=("a", "b", "c")
    )
    recipe = make_recipe(**VAEGAN, **CASES[case])
    steady, broken = new_run(recipe, data), new_run(recipe, data)
    sink = Memory()
    fit(recipe, data, sink, run=steady, device="cpu")
    assert ("attributes" in sink.steps[-1].values) == (case == "attributes")
    fit(recipe, data, Memory({5: Memory.quit}), run=broken, device="cpu")
    opened = RunWriter.open(broken.path)
    fit(opened.info.recipe, data, Memory(), run=opened, device="cpu", resume=True)
    a, b = load_checkpoint(steady.checkpoints), load_checkpoint(broken.checkpoints)
    assert (a.step, b.step) == (12, 12)
    for part in ("model", "optimizers", "loop"):
        before, after = getattr(a, part), getattr(b, part)
        assert before.keys() == after.keys()
        assert [name for name in before if not torch.equal(before[name], after[name])] == []
