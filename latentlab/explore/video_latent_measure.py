"""Measuring single frames: errors of their reconstruction, and their latents.

Shape suffixes: B frames, D latent dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.messages import (
    DecodeRequest,
    EncodeRequest,
    Floats,
    Images,
    InferenceRequest,
    Ints,
    ModelInfo,
    WeightSnapshot,
)
from latentlab.core.recipe_base import LIKELIHOOD, PROBABILISTIC
from latentlab.core.run_folder import CHECKPOINTS, LAST
from latentlab.explore.pixels import at_model_size, to_tensor
from latentlab.explore.session import ExploreSession
from latentlab.models.base import LatentModel
from latentlab.models.device import DevicePolicy
from latentlab.models.feature_matching import FeatureMatching
from latentlab.models.kld import kl_standard_normal
from latentlab.models.reconstruction import pixel_loss
from latentlab.models.registry import build_model
from latentlab.models.weights import MODEL_FILE, load_tensors, read_step, settled_folder

NO_LIKELIHOOD = "This model has no likelihood of the pixels: it learns the features of its discriminator."
NO_POSTERIOR = "A plain auto-encoder has no posterior, and so no KLD."
NO_DISCRIMINATOR = "This model has no discriminator."
NO_CHECKPOINT = "The discriminator's weights are in the run's checkpoints, and there is none yet."


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """``mu`` (B, D) float32 and the errors of each frame by metric name, (B,) float32."""

    mu: Floats
    values: dict[str, Floats]


class FrameMeasurer:
    """Measures frames with the weights loaded last. Thread: whichever created it.

    Parameters
    ----------
    policy
        Device to work on; by default CUDA where there is any.
    judged
        Whether to compare discriminator features too.

    Attributes
    ----------
    absent
        Metric name to the reason why this model does not have it.
    judge
        The discriminator whose features are compared, None where there is none.
    """

    def __init__(self, policy: DevicePolicy | None = None, *, judged: bool = True) -> None:
        self.session = ExploreSession(policy)
        self._judged = judged
        self.absent: dict[str, str] = {}
        self.judge: FeatureJudge | None = None

    @property
    def note(self) -> str:
        """Return what there is to know about the measures, empty when nothing."""
        return f"features by the discriminator of step {self.judge.step:,}" if self.judge is not None else ""

    def load(self, snapshot: WeightSnapshot) -> None:
        """Copy a snapshot's weights, and those of the run's newest discriminator.

        Raises
        ------
        InputError
            If the weights do not belong to the model they come with, or it cannot encode.
        """
        if not snapshot.info.has_encoder:
            raise InputError("This model has no encoder, so frames cannot be measured", where="model")
        self.session.load(snapshot)
        self.absent = {}
        if snapshot.info.kind not in LIKELIHOOD:
            self.absent["reconstruction"] = NO_LIKELIHOOD
        if snapshot.info.kind not in PROBABILISTIC:
            self.absent["kld_nats"] = NO_POSTERIOR
        if self._judged:
            self._load_judge(snapshot.info)

    def encode(self, frames: Images) -> Floats:
        """Return the posterior means of (B, H, W, C) uint8 frames, (B, D)."""
        return encode_frames(self.session, frames)

    def decode(self, z_BD: Floats) -> Images:
        """Return decoded pictures (B, H, W, C) uint8."""
        return decode_frames(self.session, z_BD)

    def measure(self, frames: Images) -> Measured:
        """Measure (B, H, W, C) uint8 frames at the model's size.

        Reconstructions are the decoder's answer to the posterior's mean. ``pixel``: mean squared error in
        [0,1]² units. ``reconstruction``: negative log-likelihood of one frame in nats, by the recipe's
        likelihood (optimal-gaussian: at the frame's own best σ). ``kld_nats``: KL of the frame's posterior
        to the standard normal, summed over dimensions. ``feature_matching``: as in training, of one frame.
        """
        model = self._model()
        with torch.inference_mode():
            x_BCHW, y_B = self._images(frames, model), self._labels(model, len(frames))
            mu_BD, logvar_BD = model.encode(x_BCHW, y_B)
            values: dict[str, Tensor] = {}
            if "reconstruction" in self.absent:
                recon_BCHW = model.decode(mu_BD, y_B).float()
            else:
                logits_BCHW = _logits(model, mu_BD, y_B)
                recon_BCHW = logits_BCHW.sigmoid()
                values["reconstruction"] = _nll(logits_BCHW, x_BCHW, model)
            values["pixel"] = (recon_BCHW - x_BCHW).square().mean(dim=(1, 2, 3))
            if logvar_BD is not None:
                values["kld_nats"] = kl_standard_normal(mu_BD.float(), logvar_BD.float()).sum(dim=1)
            if self.judge is not None:
                values["feature_matching"] = self.judge.compare(x_BCHW, recon_BCHW)
            return Measured(_host(mu_BD), {name: _host(value) for name, value in values.items()})

    def _model(self) -> LatentModel:
        model = self.session.model
        if model is None:
            raise InputError("There are no weights yet", hint="Train, or open a run that has a checkpoint.")
        return model

    def _images(self, frames: Images, model: LatentModel) -> Tensor:
        return self.session.policy.place_images(to_tensor(at_model_size(frames, model.info.image_shape)))

    def _labels(self, model: LatentModel, count: int) -> Tensor | None:
        labels = frame_labels(model.info, count)
        return None if labels is None else torch.from_numpy(labels).to(self.session.policy.device)

    def _load_judge(self, info: ModelInfo) -> None:
        self.judge, reason = None, NO_DISCRIMINATOR
        if info.kind == "vaegan":
            reason = NO_CHECKPOINT
            folder = settled_folder(info.run / CHECKPOINTS / LAST) if info.run is not None else None
            if folder is not None and (folder / MODEL_FILE).is_file():
                try:
                    self.judge = FeatureJudge(info, folder, self.session.policy)
                except InputError as error:
                    reason = error.what
        if self.judge is None:
            self.absent["feature_matching"] = reason


class FeatureJudge:
    """The discriminator of a checkpoint, to compare frames with their reconstructions by its features.

    Raises
    ------
    InputError
        If the checkpoint is damaged or of another model.
    """

    def __init__(self, info: ModelInfo, checkpoint: Path, policy: DevicePolicy) -> None:
        self.step = read_step(checkpoint)
        tensors = load_tensors(checkpoint / MODEL_FILE)
        model = build_model(info)
        try:
            model.load_state_dict({name: tensors[name] for name in model.state_dict()})
        except (KeyError, RuntimeError) as error:
            raise InputError(f"The checkpoint's discriminator does not fit: {error}", where=str(checkpoint)) from None
        self._objective = info.recipe.objective
        self._discriminator: nn.Module = policy.place(model.get_submodule("discriminator")).eval()
        matching = model.get_submodule("feature_matching")
        assert isinstance(matching, FeatureMatching)
        self._matching = policy.place(matching).eval()

    def compare(self, x_BCHW: Tensor, recon_BCHW: Tensor) -> Tensor:
        """Return the feature matching error of each frame, (B,)."""
        activated = self._objective.feature_activation == "after"
        real = self._discriminator(x_BCHW, activated=activated).features
        recon = self._discriminator(recon_BCHW, activated=activated).features
        return torch.stack(
            [self._one([a[i : i + 1] for a in real], [b[i : i + 1] for b in recon]) for i in range(len(x_BCHW))]
        )

    def _one(self, real: list[Tensor], recon: list[Tensor]) -> Tensor:
        """Return the error of one frame: matching is defined as a batch mean."""
        error: Tensor = self._matching(self._matching.observe(real), recon, self._objective)
        return error


def encode_frames(session: ExploreSession, frames: Images) -> Floats:
    """Return the posterior means of (B, H, W, C) uint8 frames by a session's weights, (B, D) float32.

    Raises
    ------
    LatentLabError
        If there are no weights, or the model fails.
    """
    mu_BD: Floats = _answered(session, EncodeRequest(frames, _labels(session, len(frames)))).mu
    return mu_BD


def decode_frames(session: ExploreSession, z_BD: Floats) -> Images:
    """Return decoded pictures of points (B, D), (B, H, W, C) uint8; errors as ``encode_frames``."""
    images: Images = _answered(session, DecodeRequest(z_BD, _labels(session, len(z_BD)))).images
    return images


def _labels(session: ExploreSession, count: int) -> Ints | None:
    return frame_labels(session.info, count) if session.info is not None else None


def _answered(session: ExploreSession, request: InferenceRequest) -> Any:
    result = session.run(request)
    if result.error is not None:
        raise LatentLabError(result.error.what, where=result.error.where, hint=result.error.hint)
    return result


def frame_labels(info: ModelInfo, count: int) -> Ints | None:
    """Return what a conditional model is told of frames, which carry no label: its first class."""
    return np.zeros(count, dtype=np.int64) if info.conditional else None


def _logits(model: LatentModel, z_BD: Tensor, y_B: Tensor | None) -> Tensor:
    """Return what the sigmoid turns into pictures, float32."""
    decode_logits = getattr(model, "decode_logits", None)
    logits: Tensor = model.decoder(z_BD) if decode_logits is None else decode_logits(z_BD, y_B)
    return logits.float()


def _nll(logits_BCHW: Tensor, x_BCHW: Tensor, model: LatentModel) -> Tensor:
    """Return the likelihood that the model trains on, a batch of one at a time: it is defined as a batch mean."""
    objective = model.info.recipe.objective
    rows = range(len(x_BCHW))
    return torch.stack([pixel_loss(logits_BCHW[i : i + 1], x_BCHW[i : i + 1], objective).nll for i in rows])


def _host(tensor: Tensor) -> Floats:
    return np.array(tensor.float().cpu().numpy(), dtype=np.float32, order="C")
