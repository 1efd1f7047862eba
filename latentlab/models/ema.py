"""Moving average of the weights that encode and decode, for everything that looks at a model but its training.

Single steps of Adam scatter around a path; their average lies nearer to it, and samples of an adversarial
training, which circles rather than descends, change far less between looks (Yazici et al. 2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from latentlab.models.base import LatentModel

EVERY = 4
"""Steps between updates. An average over hundreds of steps looks the same, at a quarter of the cost."""


def warmed_up(decay: float, step: int) -> float:
    """Return the decay per step after ``step`` steps: min(decay, (1 + step) / (10 + step)).

    The average would otherwise remember the drawn weights for about 1 / (1 - decay) steps.
    """
    return min(decay, (1.0 + step) / (10.0 + step))


class WeightAverage:
    """s <- d^n s + (1 - d^n) w once in n = ``EVERY`` steps, d = ``warmed_up(decay, step)``; s starts as w.

    Floating-point buffers (running moments of batch norms) are averaged like weights, so that they belong to
    the averaged weights; counters are copied. The discriminator has no average: nothing looks through it.

    Thread: trainer.
    """

    def __init__(self, model: LatentModel, decay: float) -> None:
        self._model = model
        self._decay = decay
        self._average = {name: tensor.detach().clone() for name, tensor in model.inference_state().items()}

    def update(self, step: int) -> None:
        """Take note of the weights after ``step`` training steps (1 after the first)."""
        if step % EVERY:
            return
        live = self._model.inference_state()
        moving = [name for name, tensor in live.items() if tensor.is_floating_point()]
        weight = 1.0 - warmed_up(self._decay, step) ** EVERY
        torch._foreach_lerp_([self._average[name] for name in moving], [live[name].detach() for name in moving], weight)
        for name in live.keys() - set(moving):
            self._average[name].copy_(live[name])

    def state(self) -> Mapping[str, Tensor]:
        """Return references to the averages, by the names of ``LatentModel.inference_state``."""
        return self._average

    def load(self, tensors: Mapping[str, Tensor] | None) -> None:
        """Take up saved averages; None, of a run that kept none, begins anew with the model's weights.

        Raises
        ------
        KeyError, RuntimeError
            If they are not of this model.
        """
        source = self._model.inference_state() if tensors is None else tensors
        for name, average in self._average.items():
            average.copy_(source[name].detach())

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have the model compute with the averages inside the block. Exchanges pointers, copies nothing."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for name, live in self._model.state_dict(keep_vars=True).items():
            if name in self._average:
                live.data, self._average[name] = self._average[name], live.data
