"""Who pulls: the share of each loss term in the gradient of each network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from latentlab.core.metrics_signals import GRADIENT_PREFIX, share_name
from latentlab.models.base import Batch, LabelledBatch, LatentModel, StepContext
from latentlab.models.loss_terms import gradients, loss_terms

IMAGES = 16
"""Images of the batch that the gradients are taken of: enough to tell a tenth from a half."""


def gradient_shares(model: LatentModel, batch: Batch, context: StepContext, seed: int) -> dict[str, Tensor]:
    """Return ``share_NETWORK_TERM`` and ``grad_norm_NETWORK`` as device scalars; nothing of the training is moved.

    A term's share is the norm of its gradient over the sum of the norms of all terms of that network. A network
    with one term has no shares. The gradient norm is that of the sum of all gradients. Both are taken of the first
    ``IMAGES`` images of the batch, with noise of their own, drawn from ``seed`` and the step.

    Parameters
    ----------
    model, batch, context
        As for the training step that comes next.
    seed
        Seed of the noise.
    """
    device = batch.x_BCHW.device
    generator = torch.Generator(device).manual_seed((seed * 1_000_003 + context.step) % 2**63)
    apart = replace(context, generator=generator, detail=False)
    metrics: dict[str, Tensor] = {}
    with _undisturbed(model):
        for network, parts in gradients(loss_terms(model, first(batch, IMAGES), apart), model).items():
            norms = {term: _norm(gradient) for term, gradient in parts.items()}
            whole = [torch.stack(same).sum(dim=0) for same in zip(*parts.values(), strict=True)]
            metrics[f"{GRADIENT_PREFIX}{network}"] = _norm(whole)
            if len(norms) > 1:
                total = torch.stack(list(norms.values())).sum().clamp(min=1e-30)
                metrics |= {share_name(network, term): norm / total for term, norm in norms.items()}
    return metrics


def first(batch: Batch, count: int) -> Batch:
    """Return the first images of a batch, with all that is known of them."""
    labelled = batch.labelled
    return Batch(
        batch.x_BCHW[:count],
        None if batch.y_B is None else batch.y_B[:count],
        None if batch.a_BA is None else batch.a_BA[:count],
        None if labelled is None else LabelledBatch(labelled.x_BCHW[:count], labelled.y_B[:count]),
        None if batch.other_BCHW is None else batch.other_BCHW[:count],
    )


def _norm(tensors: list[Tensor]) -> Tensor:
    norm: Tensor = torch.stack([norm.float() for norm in torch._foreach_norm(tensors)]).square().sum().sqrt()
    return norm


@contextmanager
def _undisturbed(model: nn.Module) -> Iterator[None]:
    """Give back all buffers as they were: running means of norms, moments and scales move in every forward pass."""
    places = [(module, name, buffer) for module in model.modules() for name, buffer in module._buffers.items()]
    kept = [(module, name, buffer, buffer.clone()) for module, name, buffer in places if buffer is not None]
    try:
        yield
    finally:
        with torch.no_grad():
            for module, name, buffer, was in kept:
                buffer.copy_(was)
                module._buffers[name] = buffer  # Some are replaced instead of written to.
